import Foundation
import Testing
import TritLab

import TritExperiments

/// Differences of single tasks and of means over them.
@Suite struct TaskDifferenceTests {
  /// The answers of a model that is right where a hash of question and `salt` says so, to the
  /// committed records of tasks.
  private func samples(
    _ names: [String], salt: String, folder: String, limit: Double? = nil, resamples: Int = 10
  ) throws -> (path: String, results: HarnessResults) {
    let selection = try HarnessSelection(names)
    let data = try HarnessData(Self.records, isAlone: false, environment: [:])
    let options = HarnessOptions(limit: limit, resamples: resamples)
    let questions = try selection.tasks.map { try HarnessQuestions($0, data, options) }
    var scorer = SaltedScorer(salt: salt)
    let results = try HarnessEvaluation.measure(&scorer, selection, questions, options)
    let path = folder + "/\(salt)-\(names.joined(separator: "-")).safetensors"
    try MeasuredSamples(results, questions).write(to: path)
    return (path, results)
  }

  private static let records = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("TritEvaluationTests/Fixtures/harness").path

  private func evidence(_ paths: [String], of asked: [String]? = nil) throws -> PairedEvidence {
    PairedEvidence(
      try RunComparison(paths, baseline: nil).pairs, quantities: TasksMeasure.quantities,
      asked: asked)
  }

  @Test func everyTaskAndTheMeanHaveADifference() throws {
    try withTemporaryFolder { folder in
      let a = try samples(["avg5"], salt: "a", folder: folder)
      let b = try samples(["avg5"], salt: "b", folder: folder)
      let found = try evidence([a.path, b.path])
      #expect(
        found.byQuantity.map(\.quantity.key) == [
          "tasks.avg5", "tasks.avg5.acc", "tasks.piqa", "tasks.arc_easy", "tasks.arc_challenge",
          "tasks.hellaswag", "tasks.winogrande",
        ])
      var strata: [AnsweredStratum] = []
      for (key, list) in found.byQuantity.map({ ($0.quantity.key, $0.list) }) {
        let one = try #require(list.first)
        let name = String(key.dropFirst("tasks.".count))
        // The difference of the figures that the harness tells of both.
        let metric: TaskMetric = name == "winogrande" ? .accuracy : .normalizedAccuracy
        guard let own = b.results.tasks.first(where: { $0.task.name == name }),
          let base = a.results.tasks.first(where: { $0.task.name == name })
        else { continue }
        let expected = try #require(own.figure(metric)).value - #require(base.figure(metric)).value
        #expect(agrees(one.difference.value, 100 * expected), "\(key)")
        func right(_ result: HarnessTaskResult) -> [Bool] {
          result.outcomes.map { $0.values[metric] == 1 }
        }
        #expect(
          try one.difference == PairedDifference(variant: right(own), baseline: right(base)))
        strata.append(AnsweredStratum(variant: right(own), baseline: right(base)))
      }
      #expect(strata.count == 5)
      let mean = try #require(found.byQuantity[0].list.first)
      #expect(try mean.difference == PairedDifference(strata: strata, isWeighted: false))
      for (index, name) in ["acc_norm_else_acc", "acc"].enumerated() {
        let figures = [b.results, a.results].map { results in
          results.groups[0].figures.first { $0.name == name }?.value ?? .nan
        }
        let told = try #require(found.byQuantity[index].list.first).difference.value
        #expect(agrees(told, 100 * (figures[0] - figures[1])), "\(name)")
      }
      // What stands for all of them is the mean, not the questions in one pot.
      let all = try #require(
        evidence([a.path, b.path], of: ["tasks"]).byQuantity.first?.list.first)
      #expect(all.difference.value == found.byQuantity[1].list[0].difference.value)
    }
  }

  @Test func dozensOfSubjectsHaveNoRowsOfTheirOwn() throws {
    try withTemporaryFolder { folder in
      let a = try samples(["mmlu"], salt: "a", folder: folder)
      let b = try samples(["mmlu"], salt: "b", folder: folder)
      let found = try evidence([a.path, b.path])
      #expect(
        Set(found.shown.map(\.quantity.key)) == [
          "tasks.mmlu", "tasks.mmlu_stem", "tasks.mmlu_other", "tasks.mmlu_social_sciences",
          "tasks.mmlu_humanities",
        ])
      #expect(found.byQuantity.count == 5 + 57)
      // Weighted by size, as the harness tells the group.
      for group in b.results.groups {
        let base = try #require(a.results.groups.first { $0.group.name == group.group.name })
        let one = try #require(
          found.shown.first { $0.quantity.key == "tasks." + group.group.name })
        let expected = group.figures[0].value - base.figures[0].value
        #expect(agrees(one.difference.value, 100 * expected), "\(group.group.name)")
      }
      let asked = try evidence([a.path, b.path], of: ["tasks.mmlu_anatomy"])
      #expect(asked.shown.map(\.quantity.key) == ["tasks.mmlu_anatomy"])
    }
  }

  @Test func runsOfOtherTasksAreComparedInThoseThatBothHave() throws {
    try withTemporaryFolder { folder in
      let a = try samples(["piqa", "boolq"], salt: "a", folder: folder)
      let b = try samples(["sciq", "boolq"], salt: "b", folder: folder, resamples: 20)
      let found = try evidence([a.path, b.path])
      #expect(found.byQuantity.map(\.quantity.key) == ["tasks.boolq"])
      // Their means are of other tasks, and say so.
      #expect(found.problems.contains { $0.text.contains("other questions of piqa") })
      // Fewer questions are others.
      let c = try samples(["boolq"], salt: "c", folder: folder, limit: 2)
      #expect(try evidence([a.path, c.path]).byQuantity.isEmpty)
      // How often errors were drawn anew changes no answer.
      let d = try samples(["piqa", "boolq"], salt: "d", folder: folder, resamples: 500)
      #expect(try evidence([a.path, d.path]).problems.isEmpty)
      #expect(
        try evidence([a.path, d.path], of: ["tasks.mean", "tasks.piqa.acc_bytes"]).byQuantity.map(
          \.quantity.key) == ["tasks.mean", "tasks.piqa.acc_bytes"])
    }
  }

  /// Files of before have no tasks: everything in one pot, as it was told.
  @Test func filesWithoutTasksAreReadAsBefore() throws {
    try withTemporaryFolder { folder in
      let paths = try ["a", "b"].map { salt in
        let path = try samples(["piqa", "boolq"], salt: salt, folder: folder).path
        var tables = try SampleFile.read(path)
        tables["tasks"]?.parts = nil
        try SampleFile.write(tables, to: path)
        return path
      }
      let found = try evidence(paths)
      #expect(found.byQuantity.map(\.quantity.key) == ["tasks", "tasks-norm", "tasks-bytes"])
      #expect(found.byQuantity[0].list[0].difference.method == .questions)
      // Beside a file of now.
      let now = try samples(["piqa", "boolq"], salt: "c", folder: folder).path
      #expect(try evidence([paths[0], now]).byQuantity.map(\.quantity.key).contains("tasks"))
    }
  }

  @Test(arguments: [
    #"{"#, "[]",
    #"{"parts":[],"means":[{"name":"x","members":["y"],"isWeighted":true,"figures":[]}]}"#,
    #"{"parts":[{"name":"a","content":"","first":0,"count":99,"figures":[{"name":"acc","column":"right"}]}],"means":[]}"#,
    #"{"parts":[{"name":"a","content":"","first":-1,"count":1,"figures":[{"name":"acc","column":"right"}]}],"means":[]}"#,
    #"{"parts":[{"name":"a","content":"","first":9223372036854775807,"count":9223372036854775807,"figures":[{"name":"acc","column":"right"}]}],"means":[]}"#,
  ])
  func hostileTasksAreRefused(_ parts: String) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/s.safetensors"
      try SafetensorsWriter.write(
        [
          TensorContent(name: "tasks.right", type: .f32, shape: [2]) { sink in
            try [Float(1), 0].withUnsafeBytes { try sink($0) }
          }
        ], metadata: ["tasks.unit": "question", "tasks.content": "x", "tasks.parts": parts],
        to: path)
      #expect(throws: LabError.self) { try SampleFile.read(path) }
    }
  }

  @Test func aFileCanNameTheDifferenceOfATaskThatMatters() {
    for good in ["tasks.avg5: 1", "tasks.hellaswag: 0.5", "tasks.mean: 1", "tasks: 2"] {
      #expect(problems("name: x\nmodel: m\ndetect: {\(good)}\nmeasure: {tasks: {}}").isEmpty)
    }
    let bad = problems("name: x\nmodel: m\ndetect: {tasks.hellaswg: 1}\nmeasure: {tasks: {}}")
    #expect(bad.first?.advice?.contains("tasks.hellaswag") == true)
  }
}

/// Likelihoods from a hash of request and salt.
private struct SaltedScorer: RequestScorer {
  let salt: String

  mutating func answers(to requests: [TaskRequest]) throws -> [TaskAnswer] {
    requests.map { request in
      let hex = SHA256.hex(salt + request.context + "\0" + request.continuation)
      return TaskAnswer(
        logLikelihood: -Double(UInt32(hex.prefix(8), radix: 16) ?? 0) / 1e8, isGreedy: false)
    }
  }

  mutating func logLikelihood(of text: String) throws -> Double { -1 }
}

private func agrees(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-9 * max(1, abs(b)) }
