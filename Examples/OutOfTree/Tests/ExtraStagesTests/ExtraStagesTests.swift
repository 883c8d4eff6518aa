import CDot
import ExtraStages
import Foundation
import Testing
import TritLab

/// The stages keep the laws of their kinds, by the lab's own checkers.
@Suite struct LawTests {
  @Test func bothLeavesOfTheKernel() throws {
    var leaves: [(String, extra_dot)] = [("portable", extra_dot_portable)]
    if let fast = extra_dot_avx2() { leaves.append(("avx2", fast)) }
    for (name, leaf) in leaves {
      #expect(checkLinearKernel(DotKernel(name, function: leaf)).isEmpty, "\(name)")
    }
  }

  @Test func everyStageOfThePackage() throws {
    let lab = try Lab.extra()
    #expect(
      lab.guests.map(\.descriptor.name) == ["kept", "dot2", "gumbel", "entropy", "entropy-by-step"])
    for (key, descriptor) in lab.guests {
      #expect(try lab.violations(of: key, descriptor.name).isEmpty, "\(descriptor.name)")
    }
  }

  /// Magnitudes 4, 3, 2, 1: half of them are kept, at their mean, 3.5.
  @Test func theQuantizerByHand() throws {
    let weights = Matrix<Float>(rows: 2, columns: 2, [4, -1, 2, -3])
    let result = try KeptQuantizer(share: 0.5).quantize(weights.span)
    guard case .ternary(let matrix) = result else {
      Issue.record("\(result.form)")
      return
    }
    #expect(Array(matrix.trits.buffer) == [1, 0, 0, -1] && matrix.scales == [3.5])
    #expect(throws: LabError.self) {
      try KeptQuantizer().quantize(Matrix<Float>(rows: 1, columns: 1, [.nan]).span)
    }
  }
}

/// The lab resolves the stages by name, as flags and experiment files do.
@Suite struct UseTests {
  @Test func theLabMakesThem() throws {
    let lab = try Lab.extra()
    #expect(try lab.make(.kernel, StageChoice(parsing: "dot2")).name == "dot2")
    let auto = try #require(try lab.make(.kernel, StageChoice("auto")) as? AutoKernel)
    #expect(auto.candidateNames.contains("dot2"))
    let quantizer = try lab.make(.quantizer, StageChoice(parsing: "kept:share=0.25"))
    #expect((quantizer as? KeptQuantizer)?.share == 0.25)
    let error = #expect(throws: LabError.self) {
      try lab.make(.quantizer, StageChoice(parsing: "kept:share=2"))
    }
    #expect(error?.code == .badParameter)
  }

  /// A lossless kernel gives the logits of the reference, to the last bit.
  @Test func anEngineRunsTheKernel() throws {
    let checkpoint = try Checkpoint(path: ModelLocation.resolve("builtin:tiny"))
    func logits(_ kernel: String) throws -> [Float] {
      let engine = try Engine(
        checkpoint: checkpoint, selection: StageSelection(kernel: StageChoice(kernel)),
        lab: try Lab.extra())
      return Array(try engine.prefill([1, 2, 3]))
    }
    #expect(try logits("dot2") == logits("reference"))
  }

  @Test func theExperimentRuns() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    let outcome = try ExperimentRunner.run(
      file: Paths.package + "/compare.yaml",
      options: RunOptions(
        set: ["model=builtin:tiny", "measure.entropy.tokens=8", "measure.generate.tokens=8"],
        outputDirectory: folder.path, threads: 1),
      lab: try Lab.extra(), observer: { _ in })
    #expect(outcome.exitCode == 0, "\(outcome.records.compactMap(\.error))")
    for record in outcome.records {
      // At most the logarithm of the vocabulary, here 2,000 ids at the most.
      let entropy = try #require(record.metrics["entropy.mean"])
      #expect(entropy > 0 && entropy < 20)
      #expect(record.series["entropy.steps"]?.columns["entropy"]?.count == 8)
      #expect(record.texts.first?.tokens.count == 8)
    }
    #expect(outcome.summary.contains("Entropy, bits"))
    #expect(outcome.files.contains("plots/entropy-by-step.gp"))
    let script = try String(
      contentsOfFile: outcome.directory + "/plots/entropy-by-step.gp", encoding: .utf8)
    #expect(script.contains("Entropy of the next token (bits)"))
  }
}

/// The command of this package.
@Suite struct CommandTests {
  @Test func itListsTheStages() throws {
    let all = try Command.run(["list", "--brief"])
    for name in ["kept", "dot2", "gumbel", "entropy", "entropy-by-step"] {
      #expect(all.out.contains("  \(name) "), "\(name)")
    }
    #expect(try Command.run(["schema"]).out.contains("\"dot2\""))
    let checked = try Command.run(["kernel", "check", "dot2"])
    #expect(checked.status == 0, "\(checked.err)")
  }

  /// A plug-in of Swift is compiled against this build, and resolved by this program.
  @Test func itTakesPlugins() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (stage, language) in [("kernel", "c"), ("quantizer", "swift")] {
      let made = try Command.run(["new", stage, "mine", "--language", language], in: folder)
      #expect(made.status == 0, "\(made.err)")
      let listed = try Command.run(
        ["list", stage, "--brief", "--plugin", "mine.\(language)"], in: folder)
      #expect(listed.status == 0 && listed.out.contains("  mine "), "\(listed.err)")
      try FileManager.default.removeItem(at: folder.appendingPathComponent("mine.yaml"))
    }
  }
}

/// Where things lie.
enum Paths {
  static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path
}

/// Runs `trit-extra`, which lies beside the tests.
enum Command {
  static func run(
    _ words: [String], in folder: URL? = nil
  ) throws -> (status: Int32, out: String, err: String) {
    let bundle = Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
    let process = Process()
    process.executableURL = bundle.resolvingSymlinksInPath().deletingLastPathComponent()
      .appendingPathComponent("trit-extra")
    process.arguments = words
    if let folder { process.currentDirectoryURL = folder }
    let files = FileManager.default
    let scratch = files.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try files.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? files.removeItem(at: scratch) }
    process.environment = ProcessInfo.processInfo.environment.merging([
      "XDG_CACHE_HOME": scratch.path, "COLUMNS": "100",
    ]) { $1 }
    // Files, not pipes: no output is long enough to stop the command.
    func handle(_ name: String) throws -> FileHandle {
      files.createFile(atPath: scratch.appendingPathComponent(name).path, contents: nil)
      return try FileHandle(forWritingTo: scratch.appendingPathComponent(name))
    }
    process.standardOutput = try handle("out")
    process.standardError = try handle("err")
    try process.run()
    process.waitUntilExit()
    func text(_ name: String) throws -> String {
      try String(contentsOf: scratch.appendingPathComponent(name), encoding: .utf8)
    }
    return (process.terminationStatus, try text("out"), try text("err"))
  }
}
