import Foundation
import Testing
import TritLab

import TritExperiments

/// Questions as a measurement, floors, and reports of records that an earlier run made.
@Suite struct TaskAndRecordTests {
  private func run(
    _ folder: String, _ text: String, _ backend: FakeBackend = FakeBackend()
  ) throws -> RunOutcome {
    let file = folder + "/x.yaml"
    try AtomicFile.write(text, to: file)
    return try ExperimentRunner.run(
      file: file, options: RunOptions(outputDirectory: folder + "/runs", threads: 2),
      backend: backend, environment: ["PATH": ""])
  }

  private let measured = """
    name: source
    model: m
    sweep: {cache: [f32, int8]}
    measure: {perplexity: {data: t.txt}, tasks: {limit: 40}}
    plots: [perplexity-by-variant, task-accuracy]
    """

  @Test func questionsAreDecoded() throws {
    let standard = try decode("name: t\nmeasure: {tasks: {}}").measure.first(TasksMeasure.self)
    #expect(standard?.data.path == "builtin:storyteller/tasks" && standard?.limit == nil)
    let own = try decode("name: t\nmeasure: {tasks: {data: a/b.jsonl, limit: 7}}").measure
    #expect(own.first(TasksMeasure.self)?.data.text == "a/b.jsonl")
    #expect(own.first(TasksMeasure.self)?.limit == 7)
    #expect(own.keys == ["tasks"])
    let bad = problems("name: t\nmeasure: {tasks: {limit: 0, dta: x}}\nplots: [task-accuracy]")
    #expect(Set(bad.compactMap(\.place)) == ["x.yaml:2:26", "x.yaml:2:29"])
    #expect(bad.contains { $0.advice == "did you mean 'data'?" })
    let undrawn = problems("name: t\nmeasure: {weights: {}}\nplots: [task-accuracy]")
    #expect(undrawn.count == 1 && undrawn[0].advice?.contains("measure.tasks") == true)
  }

  @Test func accuracyIsReportedByKindBesideGuessing() throws {
    try withTemporaryFolder { folder in
      let outcome = try run(folder, measured)
      #expect(outcome.exitCode == 0)
      #expect(outcome.records[1].params["measure.tasks.data"] == "builtin:storyteller/tasks")
      #expect(outcome.records[1].metrics["tasks.accuracy"] == 0.55)
      #expect(outcome.summary.contains("## Tasks right, by kind of question"))
      #expect(outcome.summary.contains("| Variant | who | count | all |"))
      // Wilson's 95 % intervals of 15 and 5 of 20, and of 22 of 40.
      let cells = "75.0 % (53.1–88.8) | 25.0 % (11.2–46.9) | 56.0 % (39.8–69.3)"
      #expect(outcome.summary.contains("| int8 | \(cells) |"), "\(outcome.summary)")
      #expect(outcome.summary.contains("| guessing | 50.0 % | 25.0 % | 37.5 % |"))
      let page = try String(contentsOfFile: outcome.directory + "/report.html", encoding: .utf8)
      #expect(page.contains("<td class=\"number\">75.0 % (53.1–88.8)</td>"))
      let data = try String(
        contentsOfFile: outcome.directory + "/plots/task-accuracy.tsv", encoding: .utf8)
      #expect(data.split(separator: "\n").count == 4)
      #expect(data.contains("75.0\t25.0"))
      // Both ends of the interval, as a plot draws them.
      let ends = data.split(separator: "\n").last?.split(separator: "\t").compactMap { Double($0) }
      let (lower, upper) = (try #require(ends)[2], try #require(ends)[3])
      #expect(abs(lower - 39.8) < 0.05 && abs(upper - 69.3) < 0.05)
      // Other questions are another measurement.
      let again = FakeBackend()
      _ = try run(folder, measured, again)
      #expect(again.loaded.isEmpty)
      _ = try run(folder, measured.replacing("limit: 40", with: "limit: 41"), again)
      #expect(again.loaded.count == 3)
    }
  }

  @Test func theFloorStandsInReportAndPlots() throws {
    try withTemporaryFolder { folder in
      let backend = FakeBackend()
      backend.floor = 0.5
      let outcome = try run(folder, measured, backend)
      #expect(outcome.summary.contains("The floor is perplexity 1.649, 0.5000 nats a token"))
      let script = try String(
        contentsOfFile: outcome.directory + "/plots/perplexity-by-variant.gp", encoding: .utf8)
      #expect(script.contains("\nlowest = 1.6487"))
      #expect(!outcome.summary.contains("Bits a byte"))
      // Vocabularies that differ are compared in bits a byte, which have one floor.
      let others = FakeBackend()
      others.floor = 0.5
      others.variesVocabulary = true
      let mixed = try run(
        folder, measured.replacing("name: source", with: "name: vocabularies"), others)
      #expect(mixed.summary.contains("The floor is 0.2000 bits a byte"))
      #expect(mixed.summary.contains("| Bits a byte |") && mixed.summary.contains("| 0.3000 |"))
      // Without a known source there is none.
      let bare = try run(folder, measured.replacing("name: source", with: "name: bare"))
      #expect(!bare.summary.contains("floor"))
      let bareScript = try String(
        contentsOfFile: bare.directory + "/plots/perplexity-by-variant.gp", encoding: .utf8)
      #expect(bareScript.contains("\nlowest = NaN"))
    }
  }

  @Test func recordsOfAnEarlierRunAreReportedWithoutAModel() throws {
    try withTemporaryFolder { folder in
      let first = try run(folder, measured)
      try FileManager.default.copyItem(
        atPath: first.directory + "/results.jsonl", toPath: folder + "/kept.jsonl")
      let text = """
        name: drawn
        records: kept.jsonl
        plots: [task-accuracy, perplexity-by-variant, scaling]
        """
      let backend = FakeBackend()
      let outcome = try run(folder, text, backend)
      #expect(backend.loaded.isEmpty && outcome.exitCode == 0)
      #expect(outcome.records.map(\.label) == first.records.map(\.label))
      #expect(outcome.records.map(\.metrics) == first.records.map(\.metrics))
      #expect(outcome.summary.contains("| int8 | 75.0 % (53.1–88.8)"))
      #expect(outcome.summary.contains("| records | kept.jsonl, measured 20"))
      let curve = try String(
        contentsOfFile: outcome.directory + "/plots/scaling.tsv", encoding: .utf8)
      #expect(curve.split(separator: "\n").count == 4)
      // The file as it was resolved says the same.
      let again = try ExperimentPlan(path: outcome.directory + "/experiment.yaml")
      #expect(again.file.records?.path == folder + "/kept.jsonl")
    }
  }

  @Test func recordsStandAlone() throws {
    let both = problems("name: t\nrecords: a.jsonl\nmeasure: {weights: {}}\nmodel: m")
    #expect(both.map(\.place) == ["x.yaml:4:8", "x.yaml:3:10"])
    #expect(both.allSatisfy { $0.what.contains("does not go with 'records'") })
    try withTemporaryFolder { folder in
      let missing = #expect(throws: LabError.self) {
        try run(folder, "name: t\nrecords: none.jsonl")
      }
      #expect(missing?.exitCode == 66)
      try AtomicFile.write("{}\n", to: folder + "/empty.jsonl")
      let empty = #expect(throws: LabError.self) {
        try run(folder, "name: t\nrecords: empty.jsonl")
      }
      #expect(empty?.exitCode == 65)
    }
  }

  /// A path to a model means the same model in the file that a run leaves, wherever that lies.
  @Test func modelsOfVariantsAreAbsoluteInTheResolvedFile() throws {
    try withTemporaryFolder { folder in
      let outcome = try run(
        folder,
        """
        name: two
        model: one
        reference: none
        variants: [{name: a}, {name: b, model: ../two}, {name: c, model: "builtin:three"}]
        measure: {weights: {}}
        """)
      let again = try ExperimentPlan(path: outcome.directory + "/experiment.yaml")
      #expect(again.file.variants[1].settings.model?.path.hasPrefix("/") == true)
      #expect(again.file.variants[1].settings.model?.path.hasSuffix("/two") == true)
      #expect(again.file.variants[2].settings.model?.path == "builtin:three")
    }
  }
}
