import Foundation
import Testing
import TritLab
import _TritTestSupport

/// Experiment files through the command, on tiny checkpoints.
@Suite struct RunCommandTests {
  let folder: TemporaryFolder
  let model: String

  init() throws {
    folder = try TemporaryFolder("runs")
    model = try TinyCheckpoint.write(.bitnetOnline, in: folder)
    try folder.write(String(repeating: "once upon a time the end. ", count: 40), to: "text.txt")
  }

  private func experiment(_ changes: String = "") throws -> String {
    try folder.write(
      """
      name: small
      reference: openblas-f32
      sweep:
        kernel: [reference, i2_s]
      measure:
        generate: {prompts: [{text: once upon}], tokens: 6}
        perplexity: {data: text.txt, context: 32, chunks: 3}
        divergence: {}
      plots: [perplexity-by-variant]
      \(changes)
      """, to: "small.yaml")
  }

  private func run(_ words: String..., environment: [String: String] = [:]) throws -> CommandResult
  {
    try CommandRunner.run(
      ["run"] + words + ["--set", "model=\(model)", "-o", folder.file("out"), "-t", "1"],
      environment: environment)
  }

  /// The newest run directory.
  private func newest() throws -> String {
    let parent = folder.file("out/small")
    let names = try FileManager.default.contentsOfDirectory(atPath: parent).sorted()
    return parent + "/" + (try #require(names.last { !$0.hasPrefix(".") }))
  }

  @Test func oneFileGivesRecordsAndReportAndKnowsThemTheNextTime() throws {
    let path = try experiment()
    let first = try run(path)
    #expect(first.status == 0, "\(first)")
    let directory = try newest()
    #expect(first.out.hasSuffix("\nresults: \(directory)\n"))
    #expect(first.out.contains("\nreport:  \(directory)/report.html"))
    for name in ["results.jsonl", "summary.md", "report.html", "environment.json"] {
      #expect(FileManager.default.fileExists(atPath: directory + "/" + name), "\(name)")
    }
    let log = try String(contentsOfFile: directory + "/results.jsonl", encoding: .utf8)
    let records = try log.split(separator: "\n").map { try JSONReader.read(String($0)) }
    #expect(records.count == 3)
    #expect(records.allSatisfy { $0["status"]?.string == "finished" })
    let second = try run(path)
    #expect(second.status == 0, "\(second)")
    #expect(second.err.contains("known from"), "\(second.err)")
    let forced = try run(path, "--force")
    #expect(forced.status == 0, "\(forced)")
    #expect(!forced.err.contains("known from"))
  }

  /// Speeds go in rounds over all variants, sizes do not depend on what 'auto' picks, and a cache
  /// longer than the model was trained with is warned of.
  @Test func speedsSizesAndContextsOfARealRun() throws {
    let path = try folder.write(
      """
      name: small
      reference: none
      context: 300
      sweep: {kernel: [auto, reference]}
      measure:
        speed: {prompt: 4, tokens: 2, repetitions: 3}
        perplexity: {data: text.txt, chunks: 1}
      """, to: "speed.yaml")
    let result = try run(path)
    #expect(result.status == 0, "\(result)")
    #expect(result.err.contains("speed of 2 variants in 3 rounds: auto, reference"))
    let log = try String(contentsOfFile: newest() + "/results.jsonl", encoding: .utf8)
    let records = try log.split(separator: "\n").map { try JSONReader.read(String($0)) }
    #expect(records.count == 2)
    for record in records {
      let metrics = try #require(record["metrics"])
      #expect(metrics["speed.rounds"]?.double == 3 && metrics["speed.round_variants"]?.double == 2)
      #expect(record["series"]?["speed.samples"]?["columns"]?["decode"]?.array?.count == 3)
      #expect(record["facts"]?["warning: context"]?.string?.contains("trained with 256") == true)
      // The window is the model's own, not the cache's.
      #expect(metrics["perplexity.context"]?.double == 256)
      // One window: no spread, and that is said.
      #expect(metrics["perplexity.window_error"] == .null)
      #expect(
        record["undefined"]?["perplexity.window_error"]?.string
          == "not defined: one window has no spread")
    }
    // Fourteen matrices with one scale each, two bits a trit.
    let metrics = try #require(records[0]["metrics"])
    let weights = try #require(metrics["model.linear_parameters"]?.double)
    #expect(metrics["model.linear_bytes"]?.double == weights / 4 + 14 * 4)
    // The warning stands beside the table; what ran, in the report.
    #expect(result.out.contains("(!) auto and 1 other, context: "), "\(result)")
    let summary = try String(contentsOfFile: newest() + "/summary.md", encoding: .utf8)
    #expect(summary.contains("## What ran") && summary.contains("## Warnings"))
  }

  @Test func whatTheModelCannotDoIsToldAllAtOnceBeforeAnythingRuns() throws {
    let dense = try TinyCheckpoint.write(.llamaDense, in: folder)
    let path = try experiment(
      """
      variants:
        - {name: pair, kernel: i2_s}
        - {name: glob, layers: {"blk.9.*": {quantizer: none}}}
        - {name: fine, quantizer: absmean, activations: int8, kernel: tl1}
      """)
    let result = try CommandRunner.run(
      ["run", path, "--set", "model=\(dense)", "--set", "sweep={}", "-o", folder.file("out")])
    #expect(result.status == 64 || result.status == 65, "\(result)")
    #expect(result.err.contains("small.yaml:11:26: variant 'pair': blk.0.attn_q"), "\(result)")
    #expect(result.err.contains("variant 'glob': layers: blk.9.*"), "\(result)")
    #expect(!result.err.contains("variant 'fine'"))
    #expect(!FileManager.default.fileExists(atPath: folder.file("out")))
    let long = try run(try experiment(), "--set", "measure.perplexity.context=300")
    #expect(long.status == 65)
    #expect(long.err.contains("measure.perplexity.context: a window does not fit"), "\(long)")
    let short = try run(try experiment(), "--set", "measure.perplexity.context=2")
    #expect(short.err.contains("a whole number, 3…"), "\(short)")
  }

  @Test func listShowsThePlanAndRunsNothing() throws {
    let result = try run(try experiment(), "--list")
    #expect(result.status == 0, "\(result)")
    let lines = result.out.split(separator: "\n").map { $0.split(separator: "\t") }
    #expect(lines.map { $0.last ?? "" } == ["kernel=reference", "kernel=i2_s"])
    #expect(!FileManager.default.fileExists(atPath: folder.file("out")))
  }

  @Test func allProblemsOfAFileAreToldWithTheirPlaces() throws {
    let path = try folder.write(
      """
      name: wrong
      kernal: i2_s
      sweep:
        kernel: [i2s, reference]
      measure:
        perplexity: {data: text.txt, context: many}
      """, to: "wrong.yaml")
    let result = try run(path)
    #expect(result.status == 64 || result.status == 65, "\(result)")
    #expect(result.out.isEmpty)
    #expect(result.err.contains("wrong.yaml:2:1"), "\(result.err)")
    #expect(result.err.contains("wrong.yaml:4:12"), "\(result.err)")
    #expect(result.err.contains("wrong.yaml:6:"), "\(result.err)")
    #expect(result.err.contains("3 problems"), "\(result.err)")
    #expect(!FileManager.default.fileExists(atPath: folder.file("out")))
  }

  @Test func schemaKnowsTheRegistries() throws {
    let result = try CommandRunner.run(["schema"])
    #expect(result.status == 0, "\(result)")
    let schema = try JSONReader.read(result.out)
    #expect(schema["$schema"]?.string?.contains("json-schema.org") == true)
    let lab = Lab.standard
    for name in lab[.quantizer].names + lab[.kernel].names + lab[.cache].names {
      #expect(result.out.contains("\"\(name)\"") || result.out.contains(name), "\(name)")
    }
  }

  @Test func wrongOverridesAndMissingFilesAreErrors() throws {
    let path = try experiment()
    let override = try run(path, "--set", "measure.perplexity.contxt=64")
    #expect(override.status == 64 || override.status == 65, "\(override)")
    #expect(override.err.contains("contxt"), "\(override.err)")
    let absent = try run(folder.file("absent.yaml"))
    #expect(absent.status == 66, "\(absent)")
    #expect(absent.err.contains("absent.yaml"))
    let noModel = try CommandRunner.run(["run", path, "-o", folder.file("out")])
    #expect(noModel.status == 66, "\(noModel)")
    #expect(noModel.err.contains("--set model="))
    #expect(try CommandRunner.run(["run"]).status == 64)
  }

  @Test func withoutGnuplotEverythingElseIsWritten() throws {
    let result = try run(try experiment(), environment: ["PATH": folder.path])
    #expect(result.status == 0, "\(result)")
    #expect(result.err.contains("gnuplot"), "\(result.err)")
    #expect(FileManager.default.fileExists(atPath: try newest() + "/summary.md"))
  }

  @Test func outputFolderThatCannotBeMadeIsToldBeforeAnythingRuns() throws {
    try folder.write("in the way", to: "out")
    let result = try run(try experiment())
    #expect(result.status == 1, "\(result)")
    #expect(result.err.contains(folder.file("out")), "\(result.err)")
  }

  @Test func interruptedRunKeepsWhatItHasAndGoesOn() throws {
    try folder.write(String(repeating: "once upon a time the end. ", count: 20_000), to: "text.txt")
    let path = try experiment()
    let words = [
      "run", path, "--set", "model=\(model)", "--set", "measure.perplexity.chunks=400", "-o",
      folder.file("out"), "-t", "1",
    ]
    let running = try RunningCommand(words)
    // Its folder is there before the first variant, which takes seconds.
    let parent = folder.file("out/small")
    #expect(
      running.wait {
        let runs = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
        return runs.contains {
          FileManager.default.fileExists(atPath: "\(parent)/\($0)/experiment.yaml")
        }
      })
    running.send(SIGINT)
    let stopped = running.end()
    #expect(stopped.status == 130, "\(stopped)")
    let log =
      (try? String(contentsOfFile: try newest() + "/results.jsonl", encoding: .utf8)) ?? ""
    for line in log.split(separator: "\n") { _ = try JSONReader.read(String(line)) }
    let resumed = try CommandRunner.run(words)
    #expect(resumed.status == 0, "\(resumed)")
    #expect(resumed.err.contains("continuing"), "\(resumed.err)")
  }
}
