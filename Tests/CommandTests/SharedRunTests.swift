import Foundation
import Testing
import TritLab
import _TritTestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Sweeps that are shared out over processes and runs come to what one run comes to.
@Suite struct SharedRunTests {
  let folder: TemporaryFolder
  let model: String

  init() throws {
    folder = try TemporaryFolder("shared runs")
    model = try TinyCheckpoint.write(.bitnetOnline, in: folder)
    try folder.write(String(repeating: "once upon a time the end. ", count: 60), to: "a text.txt")
    try folder.write(
      """
      name: shared
      sweep: {cache: [f32, int8], kernel: [reference, i2_s]}
      measure:
        generate: {prompts: [{text: once upon}], tokens: 6}
        perplexity: {data: a text.txt, context: 32, chunks: 7}
        divergence: {}
      plots: [perplexity-by-variant]
      """, to: "a study.yaml")
  }

  private func run(_ words: String..., out: String = "out") throws -> CommandResult {
    try CommandRunner.run(
      ["run", folder.file("a study.yaml"), "--set", "model=\(model)", "-o", folder.file(out)]
        + words)
  }

  /// The records of a run, by label, without what is time or memory.
  private func figures(_ result: CommandResult) throws -> [String: [String: String]] {
    let line = try #require(result.out.split(separator: "\n").last)
    let directory = String(line.dropFirst("results: ".count))
    let log = try String(contentsOfFile: directory + "/results.jsonl", encoding: .utf8)
    var list: [String: [String: String]] = [:]
    for line in log.split(separator: "\n") {
      let record = try JSONReader.read(String(line))
      #expect(record["status"]?.string == "finished", "\(record)")
      var metrics: [String: String] = [:]
      for (key, value) in record["metrics"]?.object ?? []
      where !key.hasSuffix("seconds") && !key.hasSuffix("_per_second") && !key.hasPrefix("memory.")
        && !key.hasSuffix("held_bytes") && !key.hasSuffix("wait_share")
      {
        // The digits as they are written.
        metrics[key] = JSONWriter.text(value)
      }
      metrics["texts"] = JSONWriter.text(record["texts"] ?? .null)
      metrics["series"] = JSONWriter.text(record["series"] ?? .null)
      metrics["id"] = record["id"]?.string
      list[try #require(record["label"]?.string)] = metrics
    }
    return list
  }

  @Test func severalProcessesMeasureTheSameDigits() throws {
    let serial = try run("-t", "2", out: "serial")
    #expect(serial.status == 0, "\(serial)")
    let shared = try run("-t", "2", "-j", "3", out: "shared")
    #expect(shared.status == 0, "\(shared)")
    let expected = try figures(serial)
    #expect(expected.count == 5)
    #expect(try figures(shared) == expected)
    // Each line of progress is whole, and the digests are those of one process: nothing is measured
    // again.
    #expect(shared.err.contains("i2_s · int8: finished"), "\(shared.err)")
    let again = try run("-t", "2", out: "shared")
    #expect(again.err.contains("i2_s · int8: known from"), "\(again.err)")
  }

  /// Parts by variant and parts by windows, joined.
  @Test func partsOfARunAreCollectedToTheDigitsOfOne() throws {
    let serial = try figures(try run("-t", "1", out: "serial"))
    for number in 1...3 {
      let part = try run("-t", "1", "--shard", "\(number)/3", out: "shards")
      #expect(part.status == 0, "\(part)")
    }
    let collected = try CommandRunner.run(
      ["collect", folder.file("shards"), "-o", folder.file("collected")])
    #expect(collected.status == 0, "\(collected)")
    #expect(try figures(collected) == serial)
    // The file asks for 7 windows: parts of them, of uneven size, in any order.
    for windows in ["5:", "0:2", "2:5"] {
      let part = try run("-t", "1", "--chunks", windows, out: "windows")
      #expect(part.status == 0, "\(part)")
    }
    let joined = try CommandRunner.run(
      ["collect", folder.file("windows"), "-o", folder.file("joined")])
    #expect(joined.status == 0, "\(joined)")
    #expect(try figures(joined) == serial)
    // What is joined is what one run measures: such a run takes it over.
    let known = try run("-t", "1", out: "joined")
    #expect(known.err.contains("i2_s · f32: known from"), "\(known.err)")
  }

  @Test func whatIsMissingIsListedAndWhatDoesNotBelongIsRefused() throws {
    for windows in ["0:2", "4:7"] {
      let words = ["--chunks", windows, "--only", "*f32"]
      #expect(try run("-t", "1", words[0], words[1], words[2], words[3]).status == 0)
    }
    let words = ["collect", folder.file("out"), "-o", folder.file("joined")]
    let result = try CommandRunner.run(words)
    #expect(result.status == 1, "\(result)")
    #expect(
      result.err.contains("reference · f32: measure.perplexity, windows 2:4 of 7"), "\(result)")
    #expect(result.err.contains("i2_s · int8"), "\(result)")
    let told = try CommandRunner.run(words + ["--allow-missing", "--json"])
    #expect(told.status == 0, "\(told)")
    // Two variants and the reference, two sections each, and two variants that nobody ran.
    let missing = try JSONReader.read(told.out)["missing"]?.array?.count
    #expect(missing == 2 + 1 + 2 * 2, "\(told.out)")
    // Another measure is another plan, other weights are another model: both by name.
    #expect(
      try run("-t", "1", "--index", "1", "--set", "measure.perplexity.context=16").status == 0)
    let plan = try CommandRunner.run(words)
    #expect(plan.status == 65 && plan.err.contains("of another plan than"), "\(plan)")
    let other = try TinyCheckpoint.write(.llamaDense, in: folder)
    try? FileManager.default.removeItem(atPath: folder.file("out"))
    #expect(try run("-t", "1", "--index", "0").status == 0)
    let second = try CommandRunner.run([
      "run", folder.file("a study.yaml"), "--set", "model=\(other)", "--set",
      "base.quantizer=absmean", "-o", folder.file("out"), "-t", "1", "--index", "1",
    ])
    let mixed = try CommandRunner.run(words)
    #expect(mixed.status == 65, "\(second)\n\(mixed)")
    let empty = try CommandRunner.run(["collect", folder.path + "/nothing"])
    #expect(empty.status == 66, "\(empty)")
  }

  /// A process that is killed is a failed variant; the others are measured, and the next run
  /// measures it alone.
  @Test func aKilledProcessFailsItsVariantAlone() throws {
    try folder.write(
      String(repeating: "once upon a time the end. ", count: 20_000), to: "a text.txt")
    let words = [
      "run", folder.file("a study.yaml"), "--set", "model=\(model)", "-o", folder.file("out"),
      "--set", "reference=none", "--set",
      "measure={perplexity: {data: \(folder.file("a text.txt")), context: 32, chunks: 400}}",
      "--set", "plots=[]", "-j", "2", "-t", "2",
    ]
    let running = try RunningCommand(words)
    var child: Int32?
    #expect(
      running.wait {
        child = children(of: running.identifier).first { isAtWork($0) }
        return child != nil
      })
    kill(try #require(child), SIGKILL)
    let result = running.end()
    #expect(result.status == 1, "\(result)")
    #expect(result.err.contains("SIGKILL"), "\(result)")
    let log = try records()
    #expect(log.values.sorted() == ["failed", "finished", "finished", "finished"], "\(log)")
    let again = try CommandRunner.run(words)
    #expect(again.status == 0, "\(again)")
    #expect(again.err.components(separatedBy: "known from").count == 4, "\(again)")
  }

  @Test func controlCEndsAllProcessesAndTheRunGoesOn() throws {
    try folder.write(
      String(repeating: "once upon a time the end. ", count: 20_000), to: "a text.txt")
    let words = [
      "run", folder.file("a study.yaml"), "--set", "model=\(model)", "-o", folder.file("out"),
      "--set",
      "measure={perplexity: {data: \(folder.file("a text.txt")), context: 32, chunks: 300}}",
      "--set", "plots=[]", "-j", "2", "-t", "2",
    ]
    let running = try RunningCommand(words)
    var all: [Int32] = []
    #expect(
      running.wait {
        all = children(of: running.identifier)
        return all.count == 2 && all.allSatisfy(isAtWork)
      })
    running.send(SIGINT)
    let result = running.end()
    #expect(result.status == 130, "\(result)")
    for process in all { #expect(kill(process, 0) != 0, "\(process) is still there") }
    let again = try CommandRunner.run(words)
    #expect(again.status == 0, "\(again)")
    #expect(again.err.contains("continuing"), "\(again)")
    #expect(try records().values.sorted() == Array(repeating: "finished", count: 5))
  }

  /// Two runs of one file at the same time measure every variant once.
  @Test func twoRunsAtTheSameTimeShareWhatTheyMeasure() throws {
    try folder.write(
      String(repeating: "once upon a time the end. ", count: 20_000), to: "a text.txt")
    let words = [
      "run", folder.file("a study.yaml"), "--set", "model=\(model)", "-o", folder.file("out"),
      "--set",
      "measure={perplexity: {data: \(folder.file("a text.txt")), context: 32, chunks: 200}}",
      "--set", "plots=[]", "-t", "1",
    ]
    let first = try RunningCommand(words)
    let second = try RunningCommand(words)
    let results = [first.end(), second.end()]
    for result in results { #expect(result.status == 0, "\(result)") }
    let finished = results.map { $0.err.components(separatedBy: ": finished").count - 1 }
    let known = results.map { $0.err.components(separatedBy: ": known from").count - 1 }
    #expect(finished.reduce(0, +) == 5, "\(results)")
    #expect(zip(finished, known).allSatisfy { $0 + $1 == 5 }, "\(results)")
  }

  // MARK: Helpers

  /// Statuses by label, in the newest run.
  private func records() throws -> [String: String] {
    let parent = folder.file("out/shared")
    let names = try FileManager.default.contentsOfDirectory(atPath: parent).sorted()
    let newest = try #require(names.last { !$0.hasPrefix(".") })
    let log = try String(contentsOfFile: "\(parent)/\(newest)/results.jsonl", encoding: .utf8)
    var list: [String: String] = [:]
    for line in log.split(separator: "\n") {
      let record = try JSONReader.read(String(line))
      list[record["label"]?.string ?? "?"] = record["status"]?.string
    }
    return list
  }

  private func children(of process: Int32) -> [Int32] {
    let tasks =
      (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
    return tasks.flatMap { task -> [Int32] in
      let path = "/proc/\(process)/task/\(task)/children"
      let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
      return text.split(separator: " ").compactMap { Int32($0) }
    }
  }

  /// Whether it has computed for a while: it is past the reading of files.
  private func isAtWork(_ process: Int32) -> Bool {
    let text = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
    let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
    return fields.count > 12 && (Int(fields[11]) ?? 0) > 20
  }
}
