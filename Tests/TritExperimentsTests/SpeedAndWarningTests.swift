import Foundation
import Testing
import TritLab

import TritExperiments

/// A session whose rounds are written down.
final class TurnTaker: InterleavedSpeed {
  final class Log { var turns: [String] = [] }
  let name: String
  let log: Log
  let waited: Double
  let session: FakeSession

  init(_ name: String, _ log: Log, waited: Double = 0) {
    self.name = name
    self.log = log
    self.waited = waited
    session = FakeSession(seed: 1, floor: nil)
  }

  let heldBytes = 10
  let loadAverage: Double? = nil
  func warmUp(_ measure: SpeedMeasure) throws { log.turns.append("(\(name))") }
  func round(_ measure: SpeedMeasure) throws -> SpeedRound {
    log.turns.append(name)
    return SpeedRound(
      prefill: 100, decode: 10 + Double(log.turns.count % 2),
      load: MachineLoad(wall: 1, processor: 1, thread: 1, waited: waited))
  }
  func speed(_ measure: SpeedMeasure, rounds: [SpeedRound], sessions: Int) throws -> Measured {
    SpeedFigures.measured(rounds, sessions: sessions)
  }

  var facts: [String: String] {
    ["kernels": "i2_s/avx2 of \(name)", "head": "bf16/avx2", "cache": "f32"]
  }
  var figures: [String: Double] { session.figures }
  func measure(_ measure: any Measure, _ request: MeasureRequest) throws -> Measured {
    if let speed = measure as? SpeedMeasure {
      return try speed.rounds([self], progress: request.progress)[0]
    }
    return try session.measure(measure, request)
  }
}

/// A backend of turn takers, one of which meets a busy machine.
final class TurnBackend: ExperimentBackend {
  let log = TurnTaker.Log()
  let fake = FakeBackend()
  let measuresSpeedInRounds = true
  var busy = ""
  var broken = ""

  func identify(model: PathReference) throws -> InputIdentity { try fake.identify(model: model) }
  func identify(data: PathReference, field: String?) throws -> InputIdentity {
    try fake.identify(data: data, field: field)
  }
  func identify(questions: PathReference, limit: Int?) throws -> InputIdentity {
    try fake.identify(questions: questions, limit: limit)
  }
  func check(_ request: SessionRequest, _ measure: Measurements) throws {}
  func load(_ request: SessionRequest) throws -> any VariantSession {
    let cache = request.settings.stages[.cache]?.description ?? "none"
    if cache == broken { throw LabError(.badData, "it cannot be loaded") }
    return TurnTaker(cache, log, waited: cache == busy ? 1 : 0)
  }
}

@Suite struct SpeedAndWarningTests {
  private let text = """
    name: rounds
    model: m
    reference: none
    sweep: {cache: [f32, f16, int8]}
    measure: {speed: {repetitions: 2}}
    plots: [throughput]
    """

  private func run(
    _ folder: String, _ text: String, _ backend: any ExperimentBackend
  ) throws -> RunOutcome {
    let file = folder + "/x.yaml"
    try AtomicFile.write(text, to: file)
    return try ExperimentRunner.run(
      file: file, options: RunOptions(outputDirectory: folder + "/runs", threads: 2),
      backend: backend, environment: ["PATH": ""])
  }

  @Test func variantsTakeTurns() throws {
    try withTemporaryFolder { folder in
      let backend = TurnBackend()
      let outcome = try run(folder, text, backend)
      #expect(outcome.exitCode == 0)
      #expect(
        backend.log.turns
          == ["(f32)", "(f16)", "(int8)", "f32", "f16", "int8", "f32", "f16", "int8"])
      for record in outcome.records {
        #expect(record.metrics["speed.rounds"] == 2 && record.metrics["speed.round_variants"] == 3)
        #expect(record.metrics["speed.disturbed"] == 0)
        #expect(record.series["speed.samples"]?.columns["decode"]?.count == 2)
      }
      #expect(!outcome.summary.contains("Warnings"))
      // What ran is named in table and figure.
      #expect(outcome.summary.contains("| f16 | i2\\_s/avx2 of f16 | bf16/avx2 | f32 |"))
      let table = try String(
        contentsOfFile: outcome.directory + "/plots/throughput.tsv", encoding: .utf8)
      #expect(table.contains("\ti2_s/avx2 of int8, head bf16/avx2, cache f32\t"))
      // Nothing is measured twice, and one alone has a round of its own.
      let again = TurnBackend()
      _ = try run(folder, text.replacing("int8]", with: "int8, bf16]"), again)
      #expect(again.log.turns == ["(bf16)", "bf16", "bf16"])
    }
  }

  @Test func aVariantThatCannotBeLoadedStopsNoRound() throws {
    try withTemporaryFolder { folder in
      let backend = TurnBackend()
      backend.broken = "f16"
      let outcome = try run(folder, text, backend)
      #expect(backend.log.turns == ["(f32)", "(int8)", "f32", "int8", "f32", "int8"])
      #expect(outcome.records.map(\.status) == [.finished, .failed, .finished])
      #expect(outcome.records[1].error?.contains("cannot be loaded") == true)
    }
  }

  @Test func aBusyMachineIsMarkedInTableFigureAndRecord() throws {
    try withTemporaryFolder { folder in
      let backend = TurnBackend()
      backend.busy = "f16"
      let outcome = try run(folder, text, backend)
      #expect(outcome.records.map { $0.metrics["speed.disturbed"] } == [0, 1, 0])
      #expect(outcome.records[1].metrics["speed.wait_share"] == 0.5)
      #expect(outcome.summary.contains("## Warnings"))
      #expect(outcome.summary.contains("- **f16**, speed: others used the machine"))
      #expect(outcome.summary.contains("waited for a core 50 % of the time"))
      let row = try #require(
        outcome.summary.split(separator: "\n").first { $0.hasPrefix("| f16 | ") })
      #expect(row.contains("(!)"))
      let table = try String(
        contentsOfFile: outcome.directory + "/plots/throughput.tsv", encoding: .utf8)
      #expect(table.split(separator: "\n").filter { $0.contains("(!)") }.count == 1)
      let page = try String(contentsOfFile: outcome.directory + "/report.html", encoding: .utf8)
      #expect(page.contains("<li class=\"warning\">f16, speed: others used"))
    }
  }

  /// JSON has numbers and null: no figure is a word, and every null has its reason.
  @Test func figuresThatAreNoneAreNullWithAReason() throws {
    try withTemporaryFolder { folder in
      let text = """
        name: none
        model: m
        reference: none
        variants: [{name: a}]
        measure: {weights: {}, perplexity: {data: t.txt}}
        """
      let backend = FakeBackend()
      let first = try run(folder, text, backend)
      let line = try String(contentsOfFile: first.directory + "/results.jsonl", encoding: .utf8)
      #expect(!line.contains("Infinity") && !line.contains("NaN"))
      let record = try JSONReader.read(line)
      #expect(record["metrics"]?["weights.sqnr_db"] == .null)
      #expect(
        record["undefined"]?["weights.sqnr_db"]?.string == "infinite: no weight was rounded")
      // Read again, it is what it was.
      let second = try run(folder, text.replacing("name: none", with: "name: none "), backend)
      #expect(second.reused == 1)
      #expect(second.records[0].metrics["weights.sqnr_db"] == .infinity)
      #expect(second.summary.contains("exact"))
      // Records of earlier versions have words for such figures.
      let word = line.replacing(
        "\"weights.sqnr_db\":null", with: "\"weights.sqnr_db\":\"Infinity\"")
      #expect(word != line)
      try AtomicFile.write(word, to: folder + "/old.jsonl")
      let old = try run(folder, "name: old\nrecords: old.jsonl\n", backend)
      #expect(old.records[0].metrics["weights.sqnr_db"] == .infinity)
    }
  }

  @Test func theLargerErrorIsShownAndDrawn() throws {
    try withTemporaryFolder { folder in
      let text = """
        name: errors
        model: m
        reference: none
        variants: [{name: a}]
        measure: {perplexity: {data: t.txt}}
        plots: [perplexity-by-variant]
        """
      let backend = FakeBackend()
      backend.windowError = 0.7
      let outcome = try run(folder, text, backend)
      #expect(outcome.summary.contains("± 0.70 | 0.3 / 0.7 |"), "\(outcome.summary)")
      let data = try String(
        contentsOfFile: outcome.directory + "/plots/perplexity-by-variant.tsv", encoding: .utf8)
      #expect(data.contains("\t0.7\ta\t"))
      // The error over tokens stays where it is larger, and where there is one window.
      for (error, cell) in [(0.1, "± 0.30 | 0.3 / 0.1 |"), (nil, "± 0.30 | 0.3 / – |")] {
        let other = FakeBackend()
        other.windowError = error
        other.modelDigest = cell
        #expect(try run(folder, text, other).summary.contains(cell))
      }
    }
  }

  @Test func theSplitOfQuestionsIsDecoded() throws {
    let tasks = try decode("name: t\nmeasure: {tasks: {split: lm-eval}}").measure.first(
      TasksMeasure.self)
    #expect(tasks?.split == .lmEval)
    #expect(
      try decode("name: t\nmeasure: {tasks: {}}").measure.first(TasksMeasure.self)?.split == .common
    )
    let bad = problems("name: t\nmeasure: {tasks: {split: lm_eval}}")
    #expect(bad.count == 1 && bad[0].advice == "did you mean 'lm-eval'?")
    #expect(ExperimentSchema.json().contains("\"lm-eval\""))
    // Another split is another measurement.
    try withTemporaryFolder { folder in
      let text = "name: q\nmodel: m\nreference: none\nmeasure: {tasks: {}}\nvariants: [{name: a}]\n"
      _ = try run(folder, text, FakeBackend())
      let again = FakeBackend()
      let outcome = try run(
        folder, text.replacing("tasks: {}", with: "tasks: {split: lm-eval}"), again)
      #expect(again.loaded.count == 1)
      #expect(outcome.records[0].params["measure.tasks.split"] == "lm-eval")
    }
  }
}
