import Foundation
import Testing
import TritLab
import _TritTestSupport

/// `trit explain`: what teachers show.
@Suite struct ExplainCommandTests {
  private func explain(_ words: String) throws -> CommandResult {
    try CommandRunner.run(["explain"] + words.split(separator: " ").map(String.init))
  }

  @Test func everyPackingQuantizerAndActivationIsExplained() throws {
    let lab = Lab.standard
    for (what, names) in [
      ("packing", lab[.packing].names), ("quantizer", lab[.quantizer].names),
      ("activations", lab[.activations].names),
    ] {
      for name in names {
        let result = try explain("\(what) \(name)")
        #expect(result.status == 0, "\(what) \(name): \(result)")
        #expect(result.out.hasPrefix("\(name)"), "\(result.out.prefix(80))")
        for line in result.out.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
      }
    }
  }

  /// One +1 in zeros: bitnet.cpp's bytes are 0x55 with 0x95 for column 0 (bitnet.cpp,
  /// quantize_i2_s).
  @Test func packingTellsTheBytes() throws {
    let result = try explain("packing i2_s --rows 1 --columns 1 --seed 4 --json")
    let value = try JSONReader.read(result.out)
    let trit = try #require(value["trits"]?.array?.first?.integer)
    let byte = try #require(value["bytes"]?.array?.first?.integer)
    #expect(byte == 0x15 + 64 * (trit + 1))
    #expect(value["packed_columns"]?.integer == 128)
    let field = try #require(value["groups"]?.array?.first?["fields"]?.array?.first)
    #expect(field["high_bit"]?.integer == 7 && field["bits"]?.integer == 2)
  }

  /// A kernel of a file is drawn as the lab's own are, and proved before.
  @Test func stagesOfPluginsAreExplained() throws {
    let folder = try TemporaryFolder("explain-plugin")
    let kernel = """
      #include "trit_kernel.h"
      static int32_t dot(const uint8_t *w, const int8_t *q, size_t n) {
        int32_t sum = 0;
        for (size_t k = 0; k < n; k++)
          sum += ((w[k / 128 * 32 + k % 32] >> (k % 128 / 32 * 2)) & 3) * q[k];
        return sum;
      }
      TRIT_KERNELS({.name = "mine", .dot = dot})

      """
    try folder.write(kernel, to: "mine.c")
    try folder.write(
      kernel.replacing("return sum;", with: "return sum + (n > 128);"), to: "wrong.c")
    func explain(_ name: String, _ file: String) throws -> CommandResult {
      try CommandRunner.run(
        ["explain", "kernel", name, "--json", "--plugin", folder.file(file)],
        environment: ["XDG_CACHE_HOME": folder.file("cache")])
    }
    let own = try JSONReader.read(try explain("mine", "mine.c").out)
    let labs = try JSONReader.read(try explain("i2_s", "mine.c").out)
    let sums = own["sums"]?.array?.map(\.integer)
    #expect(sums?.count == 4)
    #expect(own["kernel_sums"]?.array?.map(\.integer) == sums)
    #expect(own["sums"] == labs["sums"])
    let wrong = try explain("mine", "wrong.c")
    #expect(wrong.status != 0 && wrong.out.isEmpty, "\(wrong)")
    #expect(wrong.err.contains("wrong.c"))
  }

  @Test func filesAreWholeOrNotThere() throws {
    let folder = try TemporaryFolder("explain")
    for ending in ["svg", "html", "txt"] {
      let path = folder.file("x.\(ending)")
      #expect(try explain("quantizer absmean -o \(path)").status == 0)
      let text = try String(contentsOfFile: path, encoding: .utf8)
      #expect(text.contains(ending == "txt" ? "RoundClip" : "<svg xmlns"))
    }
    let refused = try explain("format -o \(folder.file("x.png"))")
    #expect(refused.status == 64 && refused.err.contains(".svg, .html or .txt"), "\(refused)")
    #expect(!FileManager.default.fileExists(atPath: folder.file("x.png")))
  }

  @Test(arguments: [
    ("packing i3_s", "did you mean"), ("packing i2_s --rows 0", "from 1 to 64"),
    ("nonsense", "what"),
    ("sampling topp", "top-p"), ("sums i2_s", "trit explain kernel i2_s"),
    ("kernel openblas", "float32"), ("packing i2_s --columns x", "--columns"),
  ])
  func mistakesAreExplained(words: String, part: String) throws {
    let result = try explain(words)
    #expect(result.status == 64 || result.status == 65, "\(result)")
    #expect(result.err.contains(part), "\(result.err)")
    #expect(result.out.isEmpty)
  }

  /// Kernels give the sums that were added by hand, whatever they ask of shapes.
  @Test(arguments: ["reference", "i2_s", "i2_s/scalar", "tl1", "tl2", "base3"])
  func kernelsAgree(name: String) throws {
    let result = try explain("kernel \(name) --json")
    let value = try JSONReader.read(result.out)
    let sums = value["sums"]?.array?.map(\.integer)
    #expect(sums?.count == 4)
    #expect(value["kernel_sums"]?.array?.map(\.integer) == sums, "\(result)")
  }

  /// Bits a weight as the formats' sources state them: I2_S two and a tail, base 3 eight in five.
  @Test func formatsHaveTheirSizes() throws {
    let value = try JSONReader.read(try explain("format --json").out)
    var bits: [String: Double] = [:]
    for format in value["formats"]?.array ?? [] {
      bits[format["name"]?.string ?? ""] = format["bits_per_weight"]?.double
    }
    #expect(bits["float32"] == 32 && bits["bfloat16"] == 16 && bits["int8"] == 8)
    #expect(bits["i2_s"] == 8 * 1_638_432 / 6_553_600.0)
    #expect(bits["base3"] == 1.6)
    #expect(abs((bits["log2 3"] ?? 0) - 1.584962500721156) < 1e-12)
  }

  /// Each stage keeps a subset of what the one before it kept.
  @Test func samplingOnlyTakesAway() throws {
    let result = try CommandRunner.run([
      "explain", "sampling", "top-k:k=5; top-p:p=0.6; temperature:value=0.5", "--json",
    ])
    let value = try JSONReader.read(result.out)
    let stages = try #require(value["stages"]?.array)
    #expect(stages.count == 4)
    #expect(stages[1]["kept"]?.integer == 5)
    var before = Int.max
    for stage in stages {
      let kept = try #require(stage["kept"]?.integer)
      #expect(kept <= before)
      before = kept
      let sum = (stage["probabilities"]?.array ?? []).reduce(0.0) { $0 + ($1.double ?? 0) }
      #expect(abs(sum - 1) < 1e-9)
    }
  }
}
