import Foundation
import Testing
import TritLab
import _TritTestSupport

@Suite struct EngineTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("engine") }

  private func engine(
    _ kind: TinyCheckpoint.Kind = .bitnetOnline, _ selection: StageSelection = StageSelection(),
    _ options: EngineOptions = EngineOptions()
  ) throws -> Engine {
    let path = try TinyCheckpoint.write(kind, in: folder)
    return try Engine(
      checkpoint: Checkpoint(path: path), selection: selection, options: options)
  }

  private let text = Array("Once upon a time there was a fox.".utf8).map(Int.init)

  @Test(arguments: TinyCheckpoint.Kind.allCases) func decodingEqualsPrefilling(
    kind: TinyCheckpoint.Kind
  ) throws {
    let engine = try engine(kind, StageSelection(cache: StageChoice("f32")))
    var whole: [[Float]] = []
    try engine.forEachLogits(of: text, from: 0) { whole.append(Array($1)) }
    engine.reset()
    try engine.prefill(Array(text.prefix(5)))
    for index in 5..<text.count {
      let logits = Array(try engine.decode(text[index]))
      // float32 sums in another order may flip an int8 rounding; the logits stay within a few
      // percent.
      let scale = whole[index].map(abs).max() ?? 1
      let worst = zip(logits, whole[index]).map { abs($0 - $1) }.max() ?? 0
      #expect(worst <= 0.05 * scale, "position \(index)")
    }
  }

  @Test func theSeedDecidesAndThreadsDoNot() throws {
    var runs: [[Int]] = []
    for (threads, seed) in [(1, 7), (2, 7), (3, 7), (2, 8)] as [(Int, UInt64)] {
      let engine = try engine(
        .bitnetOnline, StageSelection(kernel: StageChoice("i2_s")), EngineOptions(threads: threads))
      let options = GenerationOptions(
        sampling: SamplingOptions(temperature: 20, topK: 0, topP: 1, minP: 0, seed: seed),
        maxTokens: 40, ignoresEnd: true)
      runs.append(try engine.generate(prompt: text, options: options).tokens)
    }
    #expect(runs[0].count == 40)
    #expect(runs[0] == runs[1])
    #expect(runs[0] == runs[2])
    #expect(runs[0] != runs[3])
  }

  @Test func everyIntermediateHasAName() throws {
    let engine = try engine(.bitnetPacked)
    var shapes: [String: [Int]] = [:]
    var rowSums: [Float] = []
    engine.probe = { name, values in
      shapes[name] = [values.rows, values.columns]
      if name == "blk.1.attn.scores" {
        rowSums = (0..<values.rows).map { values.row($0).reduce(0, +) }
      }
    }
    try engine.prefill(Array(text.prefix(6)))
    #expect(shapes["embedding"] == [6, 128])
    #expect(shapes["blk.0.attn_q"] == [6, 128])
    #expect(shapes["blk.1.attn_v"] == [6, 64])
    #expect(shapes["blk.1.attn.sub_norm"] == [6, 128])
    #expect(shapes["blk.1.ffn.sub_norm"] == [6, 256])
    #expect(shapes["blk.1.out"] == [6, 128])
    #expect(shapes["logits"] == [1, TinyCheckpoint.vocabulary])
    #expect(shapes["blk.1.attn.scores"] == [4 * 6, 6])
    #expect(rowSums.allSatisfy { abs($0 - 1) < 1e-5 })
  }

  @Test func probesChangeNothing() throws {
    let engine = try engine()
    let plain = Array(try engine.prefill(text))
    engine.reset()
    engine.probe = { _, _ in }
    #expect(Array(try engine.prefill(text)) == plain)
  }

  @Test func promptsThatCannotRunAreErrors() throws {
    let engine = try engine(.llamaDense, StageSelection(), EngineOptions(maxContext: 8))
    #expect { try engine.prefill([]) } throws: {
      ($0 as? LabError)?.what.contains("no tokens") == true
    }
    #expect { try engine.prefill([0, 100_000]) } throws: {
      ($0 as? LabError)?.place == "token 1"
    }
    #expect { try engine.prefill(Array(repeating: 1, count: 9)) } throws: {
      ($0 as? LabError)?.what == "the context is full"
    }
    try engine.prefill(Array(repeating: 1, count: 8))
    #expect { try engine.decode(1) } throws: { ($0 as? LabError)?.what == "the context is full" }
  }

  @Test func generationEndsWithTheContext() throws {
    let engine = try engine(.llamaDense, StageSelection(), EngineOptions(maxContext: 16))
    let result = try engine.generate(
      prompt: [1, 2, 3, 4],
      options: GenerationOptions(sampling: .greedy, maxTokens: -1, ignoresEnd: true))
    // 4 prompt tokens, 12 decode steps, and the token that the last step's logits give.
    #expect(result.tokens.count == 13)
    #expect(result.finish == .context)
  }

  @Test func overridesReachTheLayersTheyName() throws {
    let selection = StageSelection(
      kernel: StageChoice("reference"),
      layers: [
        LayerOverride(pattern: "blk.-1.*", quantizer: StageChoice("none")),
        LayerOverride(pattern: "blk.0.ffn_down", kernel: StageChoice("i2_s/scalar")),
      ])
    let engine = try engine(.bitnetOnline, selection)
    func kernel(_ name: String) -> String? { engine.layers.first { $0.name == name }?.kernel }
    #expect(kernel("blk.0.attn_q") == "reference")
    #expect(kernel("blk.0.ffn_down") == "i2_s/scalar")
    #expect(kernel("blk.1.attn_q")?.contains("openblas") == true)
    func choice(_ name: String) -> String? { engine.layers.first { $0.name == name }?.kernelChoice }
    #expect(choice("blk.0.attn_q") == "reference" && choice("blk.0.ffn_down") == "i2_s/scalar")
    // Another form than the kernel was chosen for.
    #expect(choice("blk.1.attn_q") == "auto")
  }

  /// 2 bits a trit and a scale of 32; 32 bits a float; 4 bits a value and a scale for each row:
  /// whatever runs.
  @Test func plainSizesDoNotDependOnTheKernel() throws {
    for kernel in ["auto", "reference", "i2_s", "tl2", "base3"] {
      let engine = try engine(.bitnetPacked, StageSelection(kernel: StageChoice(kernel)))
      for layer in engine.layers {
        #expect(layer.plainBytes == layer.rows * layer.columns / 4 + 4, "\(kernel) \(layer.name)")
        #expect(layer.kernelChoice == kernel)
      }
    }
    let dense = try engine(.llamaDense, StageSelection())
    #expect(dense.layers.allSatisfy { $0.plainBytes == 4 * $0.rows * $0.columns })
    let integers = try engine(
      .llamaDense, StageSelection(quantizer: StageChoice(parsing: "int4:granularity=row")))
    #expect(
      integers.layers.allSatisfy { $0.plainBytes == $0.rows * $0.columns / 2 + 4 * $0.rows },
      "\(integers.layers.first?.form ?? "")")
  }

  @Test func aPatternWithoutALayerIsAnError() throws {
    #expect {
      try engine(
        .bitnetOnline,
        StageSelection(layers: [LayerOverride(pattern: "blk.9.*", quantizer: StageChoice("none"))]))
    } throws: { ($0 as? LabError)?.what == "no layer matches the pattern" }
  }

  @Test func theReferenceIsCloseToTheQuantizedModel() throws {
    let path = try TinyCheckpoint.write(.bitnetPacked, in: folder)
    let checkpoint = try Checkpoint(path: path)
    let quantized = try Engine(checkpoint: checkpoint)
    let reference = try Engine(checkpoint: checkpoint, selection: .reference)
    #expect(reference.layers.allSatisfy { $0.kernel == "openblas" && $0.activations == "none" })
    let a = Array(try quantized.prefill(text))
    let b = Array(try reference.prefill(text))
    let error = zip(a, b).map { ($0 - $1) * ($0 - $1) }.reduce(0, +)
    let energy = b.map { $0 * $0 }.reduce(0, +)
    // int8 activations: about 1 % noise a layer, two layers of random weights.
    #expect(error / energy < 0.02)
    #expect(a != b)
  }
}
