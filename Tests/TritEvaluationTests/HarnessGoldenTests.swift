import Foundation
import Testing
import TritLab

/// The same made-up questions and the same made-up model as lm-evaluation-harness 0.4.13 was run
/// with by `Scripts/make_harness_golden.py`: every request, figure and table is equal, to the last
/// bit.
@Suite struct HarnessGoldenTests {
  /// The committed records and figures, or those of another seed of the script.
  static let folder =
    ProcessInfo.processInfo.environment["TRITLAB_HARNESS_GOLDEN"]
    ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures/harness").path

  /// A run of the harness.
  struct Run: Sendable, CustomTestStringConvertible {
    let value: JSONValue
    var names: [String] { value["tasks"]?.array?.compactMap(\.string) ?? [] }
    var shots: Int { value["shots"]?.integer ?? -1 }
    /// How it was asked, where not as plain text and in full.
    var form: JSONValue { value["form"] ?? [:] }
    var testDescription: String {
      "\(names.joined(separator: ",")) \(shots)-shot \(JSONWriter.text(form))"
    }

    var prompt: TaskPrompt {
      get throws {
        guard let template = form["chat"]?.string else { return .plain }
        return .chat(
          ChatPrompt(
            try ChatFormat(template: template, place: "chat"), system: form["system"]?.string,
            isMultiturn: form["multiturn"]?.bool ?? true))
      }
    }
  }

  static let runs: [Run] = {
    let bytes = try? GzipFile.read(folder + "/expected.json.gz", limit: .questions)
    let document = try? bytes?.withUnsafeBytes { try JSONReader.read($0, path: "expected.json") }
    return document?["runs"]?.array?.map(Run.init) ?? []
  }()

  @Test func theGoldenFileIsThere() {
    #expect(Self.runs.count >= 35)
    #expect(Set(Self.runs.flatMap(\.names)).count == 14)
    #expect(Self.runs.count { $0.form["chat"] != nil } == 8)
  }

  @Test(arguments: runs) func everyRequestAndFigureIsThatOfTheHarness(_ run: Run) throws {
    let selection = try HarnessSelection(run.names)
    let data = try HarnessData(Self.folder, isAlone: false, environment: [:])
    let options = HarnessOptions(
      shots: run.shots, limit: run.form["limit"]?.double,
      resamples: run.form["resamples"]?.integer ?? HarnessOptions().resamples)
    var scorer = HashScorer()
    let results = try HarnessEvaluation.measure(
      &scorer, selection,
      try selection.tasks.map { try HarnessQuestions($0, data, options) }, options,
      prompt: run.prompt)
    var asked = scorer.asked[...]
    for result in results.tasks {
      let rows = try #require(run.value["samples"]?[result.task.name]?.array)
      #expect(rows.count == result.outcomes.count)
      #expect(run.form["limit"] != nil || result.available == rows.count)
      for (number, (row, outcome)) in zip(rows, result.outcomes).enumerated() {
        let place = "\(result.task.name) \(number)"
        let answers = try #require(row["answers"]?.array)
        #expect(answers.count == outcome.answers.count, "\(place)")
        for (expected, answer) in zip(answers, outcome.answers) {
          let parts = try #require(expected.array)
          #expect(parts[0].double == answer.logLikelihood, "\(place)")
          #expect(parts[1].bool == answer.isGreedy, "\(place)")
        }
        let requests = try #require(row["requests"]?.array)
        for (request, own) in zip(requests, asked) {
          let texts = try #require(request.array).map { try #require($0.string) }
          #expect(texts.map(ExactString.init) == own.map(ExactString.init), "\(place)")
        }
        asked = asked.dropFirst(answers.count)
        for (name, value) in try #require(row["metrics"]?.object) {
          let metric = try #require(TaskMetric(rawValue: name))
          // Of whole texts: what is divided, and by what.
          let pair = value.array
          #expect(
            outcome.values[metric] == (pair?[0] ?? value).double, "\(place): \(name)")
          #expect(outcome.weights[metric] == pair?[1].integer, "\(place): \(name)")
        }
      }
    }
    #expect(asked.isEmpty)
    #expect(HarnessTable.text(results) == run.value["table"]?.string)
    try expectSameDocument(results.document(model: "made-up"), run)
  }

  /// Every figure, group, version, count and direction of the harness's document, and of each
  /// task's configuration what says how it was asked.
  private func expectSameDocument(_ own: JSONValue, _ run: Run) throws {
    let expected = try #require(run.value["document"])
    for key in [
      "results", "groups", "group_subtasks", "versions", "n-shot", "higher_is_better", "n-samples",
    ] {
      guard let value = expected[key] else {
        #expect(own[key] == nil, "\(key)")
        continue
      }
      #expect(
        Self.same(value, try #require(own[key])), "\(key): \(JSONWriter.text(own[key] ?? .null))")
    }
    for (task, configuration) in try #require(expected["configs"]?.object) {
      for (name, value) in try #require(configuration.object) {
        guard let mine = own["configs"]?[task]?[name] else {
          #expect(Self.unread.contains(name), "\(task): \(name)")
          continue
        }
        guard name != "metric_list", name != "metadata" else { continue }
        #expect(Self.same(value, mine), "\(task): \(name)")
      }
    }
  }

  /// Keys of a task's configuration that say nothing of how it was asked here: splits that are not
  /// read among them.
  private static let unread = [
    "unsafe_code", "should_decontaminate", "doc_to_decontamination_query", "validation_split",
    "training_split",
  ]

  /// Equal but for the order of keys; numbers by value.
  private static func same(_ a: JSONValue, _ b: JSONValue) -> Bool {
    switch (a, b) {
    case (.object(let x), .object(let y)):
      x.count == y.count
        && x.allSatisfy { member in b[member.key].map { same(member.value, $0) } ?? false }
    case (.array(let x), .array(let y)): x.count == y.count && zip(x, y).allSatisfy { same($0, $1) }
    case (.number, .number): a.double == b.double
    default: a == b
    }
  }
}

/// The model of the golden script: log-likelihoods are hashes of the strings, some of them coarse.
struct HashScorer: RequestScorer {
  /// Context and continuation of every request, or a whole text.
  private(set) var asked: [[String]] = []

  mutating func answers(to requests: [TaskRequest]) throws -> [TaskAnswer] {
    requests.map { request in
      asked.append([request.context, request.continuation])
      let digest = Self.digest(request.context + "\0" + request.continuation)
      let value =
        digest[8] % 2 == 0
        ? -Double(1 + digest[9] % 3) : Self.value(digest, request.continuation.utf8.count)
      return TaskAnswer(logLikelihood: value, isGreedy: digest[10] % 3 == 0)
    }
  }

  mutating func logLikelihood(of text: String) throws -> Double {
    asked.append([text])
    return Self.value(Self.digest(text), text.utf8.count)
  }

  private static func digest(_ text: String) -> [UInt8] {
    let hex = Array(SHA256.hex(text))
    return stride(from: 0, to: 64, by: 2).map { UInt8(String(hex[$0...$0 + 1]), radix: 16) ?? 0 }
  }

  private static func value(_ digest: [UInt8], _ length: Int) -> Double {
    let share = Double(digest[..<8].reduce(0) { $0 << 8 | UInt64($1) } >> 11) / 0x1p53
    return -share * Double(1 + length)
  }
}
