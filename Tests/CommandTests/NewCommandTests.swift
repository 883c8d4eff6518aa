import Foundation
import Testing
import _TritTestSupport

/// `trit new` writes files that are right as they stand, over nothing that is there.
@Suite struct NewCommandTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("new") }

  private func run(_ words: String...) throws -> CommandResult {
    try CommandRunner.run(["new"] + words, folder: folder.path)
  }

  @Test func aKernelAndItsExperimentAreWritten() throws {
    let result = try run("kernel", "mine")
    #expect(result.status == 0 && result.out == "mine.c\nmine.yaml\n", "\(result)")
    #expect(result.err.contains("trit kernel check mine --plugin mine.c"))
    let source = try String(contentsOfFile: folder.file("mine.c"), encoding: .utf8)
    #expect(source.contains("TRIT_KERNELS({.name = \"mine\""))
    // The experiment is whole but for the kernel, which only the plug-in brings.
    let plan = try CommandRunner.run(["run", "mine.yaml", "--list"], folder: folder.path)
    #expect(plan.status != 0 && plan.err.contains("unknown kernel 'mine'"), "\(plan)")
    #expect(!plan.err.contains("problems"), "\(plan)")
    let own = try String(contentsOfFile: folder.file("mine.yaml"), encoding: .utf8)
    try folder.write(own.replacing("\"mine\"", with: "base3"), to: "own.yaml")
    let listed = try CommandRunner.run(["run", "own.yaml", "--list"], folder: folder.path)
    #expect(listed.status == 0 && listed.out.split(separator: "\n").count == 3, "\(listed)")
  }

  /// All stages in one library, so that the compiler runs once: each text as it was written, but
  /// for the name of its function. What is listed has kept the laws of its kind; each experiment
  /// then runs, made small.
  @Test func everySwiftTemplateKeepsTheLawsAndRuns() throws {
    var parts: [String] = []
    var calls: [String] = []
    let stages = try stages()
    for stage in stages {
      let made = try run(stage, "own-\(stage)", "--language", "swift", "-o", "parts")
      #expect(made.status == 0, "\(made)")
      let file = folder.file("parts/own-\(stage).swift")
      let text = try String(contentsOfFile: file, encoding: .utf8)
      #expect(text.contains("\nfunc register(_ lab: inout Lab)"), "\(stage)")
      parts.append(text.replacing("func register(", with: "func \(stage)Register("))
      calls.append("  try \(stage)Register(&lab)\n")
    }
    try folder.write(
      parts.joined() + "func register(_ lab: inout Lab) throws {\n\(calls.joined())}\n",
      to: "all.swift")
    let list = try CommandRunner.run(
      ["list", "--brief", "--plugin", "all.swift"], folder: folder.path)
    // Nothing is said on standard error: neither a law that was broken nor a warning of the
    // compiler.
    #expect(list.status == 0 && list.err.isEmpty, "\(list)")
    for stage in stages { #expect(list.out.contains("  own-\(stage)"), "\(stage)") }
    for stage in stages {
      let result = try experiment("parts/own-\(stage).yaml", plugin: "all.swift")
      #expect(result.status == 0, "\(stage): \(result)")
      #expect(result.out.contains("own-\(stage)"), "\(stage): \(result)")
    }
  }

  @Test(.enabled(if: StubMachine.find("clang") != nil, "no clang"))
  func theCTemplateKeepsTheLawsAndRuns() throws {
    #expect(try run("kernel", "mine").status == 0)
    let result = try experiment("mine.yaml", plugin: "mine.c")
    #expect(result.status == 0 && result.out.contains("mine"), "\(result)")
  }

  /// Every kind of stage of the lab.
  private func stages() throws -> [String] {
    let list = try CommandRunner.shell("trit list --json").out
    let kinds = try #require(
      try JSONSerialization.jsonObject(with: Data(list.utf8)) as? [[String: Any]])
    return kinds.compactMap { $0["key"] as? String }
  }

  /// Runs an experiment with a plug-in, on the smallest model and little text.
  private func experiment(_ file: String, plugin: String) throws -> CommandResult {
    let text = try String(contentsOfFile: folder.file(file), encoding: .utf8)
    var set = ["model=builtin:tiny"]
    if text.contains("perplexity:") {
      set += [
        "measure.perplexity.data=builtin:storyteller/test:2", "measure.perplexity.context=32",
        "measure.perplexity.chunks=1",
      ]
    }
    if text.contains("speed:") {
      set += ["measure.speed.prompt=8", "measure.speed.tokens=4", "measure.speed.repetitions=2"]
    }
    if text.contains("generate:") { set.append("measure.generate.tokens=4") }
    return try CommandRunner.run(
      ["run", file, "--plugin", plugin, "-o", "runs"] + set.flatMap { ["--set", $0] },
      folder: folder.path)
  }

  @Test func languagesAndStages() throws {
    let other = try run("sampler", "mine", "--language", "c")
    #expect(other.status == 64 && other.err.contains("C for a kernel, Swift for any"), "\(other)")
    #expect(try run("tokenizer", "mine").status == 64)
    #expect(try run("kernel", "mine", "--language", "rust").status == 64)
    // A packing brings a kernel, and figures are files in plots/.
    #expect(try run("packing", "reference").status == 64)
    #expect(try run("figure", "a.b").status == 64)
    #expect(try run("figure", "style").status == 64)
    #expect(try run("measure", "speed").status == 64)
    #expect(try folder.names().isEmpty)
    let made = try run("kernel", "4bit", "--language", "swift", "--json")
    #expect(made.status == 0 && made.out.contains("\"language\""), "\(made)")
    // Types have names that no type of the lab has, and that are names.
    let text = try String(contentsOfFile: folder.file("4bit.swift"), encoding: .utf8)
    #expect(text.contains("enum My4bit {"))
  }

  /// The C file is compiled without a warning, and computes sums worked out by hand.
  @Test(.enabled(if: header != nil && StubMachine.find("clang") != nil, "no header, or no clang"))
  func theKernelCompilesAndIsRight() throws {
    #expect(try run("kernel", "mine").status == 0)
    try folder.write(
      """
      #include <stdio.h>
      #include "trit_kernel.h"
      int main(void) {
        // Rows (1, -1, 0) and (0, 1, 1) times (5, 7, -100): -2 and -93.
        const int8_t trits[] = {1, -1, 0, 0, 1, 1}, x[64] = {5, 7, -100};
        const trit_kernel *kernel = trit_kernels.kernels;
        int8_t packed[6] = {0};
        int32_t sums[2] = {0};
        if (kernel->packed_bytes(2, 3) != 6) return 1;
        kernel->pack(2, 3, trits, packed);
        kernel->multiply(&(trit_work){.packed = packed, .rows = 2, .columns = 3, .end_row = 2,
          .tokens = 1, .x = x, .x_stride = 64, .sums = sums, .sums_stride = 2});
        printf("%s %d %d\\n", kernel->name, sums[0], sums[1]);
      }
      """, to: "main.c")
    let built = try CommandRunner.shell(
      "cd '\(folder.path)' && clang -Wall -Wextra -Werror -I '\(Self.header ?? "")' mine.c main.c "
        + "-o main && ./main")
    #expect(built.status == 0 && built.out == "mine -2 -93\n", "\(built)")
  }

  private static let header: String? = {
    let folder = StubMachine.checkout + "/Sources/CTritPlugin/include"
    return FileManager.default.fileExists(atPath: folder + "/trit_kernel.h") ? folder : nil
  }()

  @Test func nothingIsOverwritten() throws {
    try folder.write("mine", to: "mine.yaml")
    let result = try run("kernel", "mine")
    #expect(result.status == 1 && result.err.contains("mine.yaml: the file is there already"))
    #expect(try folder.names() == ["mine.yaml"])
    #expect(try run("kernel", "mine", "-o", "other/place").status == 0)
    #expect(try run("kernel", "mine", "-o", "mine.yaml").status == 1)
  }

  @Test(arguments: ["", "a/b", "../a", ".a", "-a", "a b", "model", "all", "ä", "a\"b", "i2_s"])
  func badNamesAreRefused(name: String) throws {
    let result = try run("kernel", "--", name)
    #expect(result.status == 64, "\(result)")
    #expect(try folder.names().isEmpty)
  }
}
