public import TritEvaluation
internal import TritCore

/// Tasks of lm-evaluation-harness with their records, found once and run on every variant.
public struct HarnessBatch: Sendable {
  /// Tasks and groups.
  public let selection: HarnessSelection
  /// The records of each task.
  public let questions: [HarnessQuestions]
  /// How they are run.
  public let options: HarnessOptions
  /// Where the records lie.
  let path: String
  /// SHA-256 over what was read for each task, questions and examples.
  let digest: String
  /// Bytes that were read.
  let byteCount: Int

  /// Finds the records. Throws a usage error for an unknown task, `missingInput` and `badData` with
  /// what to do.
  init(_ needs: HarnessNeeds) throws {
    selection = try HarnessSelection(needs.names)
    options = needs.options
    // What is no path may be a name below the folder of data sets.
    let data = try HarnessData(needs.place?.path, isAlone: selection.tasks.count == 1)
    path = data.path
    var questions: [HarnessQuestions] = []
    for task in selection.tasks {
      questions.append(try HarnessQuestions(task, data, options))
    }
    self.questions = questions
    digest = Self.digest(questions)
    byteCount = questions.reduce(0) { $0 + $1.records.byteCount + ($1.examples?.byteCount ?? 0) }
  }

  /// SHA-256 over what was read for each task, questions and examples.
  private static func digest(_ questions: [HarnessQuestions]) -> String {
    let parts = questions.map { [$0.task.name, $0.records.digest, $0.examples?.digest ?? ""] }
    return SHA256.hex(parts.map { $0.joined(separator: " ") + "\n" }.joined())
  }

  /// Runs them.
  func measure(_ run: MeasureRun) throws -> Measured {
    let results = try HarnessEvaluation.measure(run.engine, selection, questions, options) {
      run.progress($0.fraction)
    }
    var measured = Self.measured(results)
    measured.samples = Self.samples(results, questions)
    return measured
  }

  /// The outcome of each question of the tasks that are answered right or wrong, with the task that
  /// it belongs to; nil where there are none. A metric that a task does not have is its accuracy.
  static func samples(
    _ results: HarnessResults, _ questions: [HarnessQuestions]
  ) -> SampleTable? {
    let judged = results.tasks.filter { $0.figure(.accuracy) != nil }
    guard !judged.isEmpty else { return nil }
    func column(_ metric: TaskMetric) -> [Double] {
      judged.flatMap { result in
        // Answers can be told by length everywhere; only some tasks are.
        let isByLength = result.task.metrics.contains(.normalizedAccuracy)
        let own = metric == .accuracy || isByLength ? metric : .accuracy
        return result.outcomes.map { $0.values[own] ?? .nan }
      }
    }
    var options = results.options
    // How errors are drawn changes no answer.
    options.resamples = HarnessOptions().resamples
    var table = SampleTable(
      unit: "question", content: SHA256.hex("\(digest(questions)) \(options)"),
      columns: [
        "right": column(.accuracy), "right_norm": column(.normalizedAccuracy),
        "right_bytes": column(.byteAccuracy),
      ])
    table.parts = parts(judged, results, questions)
    return table
  }

  /// Which questions are of which task, and the means over tasks that are told.
  private static func parts(
    _ judged: [HarnessTaskResult], _ results: HarnessResults, _ questions: [HarnessQuestions]
  ) -> SampleParts {
    var first = 0
    let parts = judged.map { result -> SampleParts.Part in
      defer { first += result.outcomes.count }
      let own = questions.first { $0.task.name == result.task.name }
      let examples = result.shots > 0 ? own?.examples?.digest ?? "" : ""
      let seed = result.shots > 0 ? "\(results.options.seed)" : ""
      let content = [
        result.task.name, "\(result.task.version)", result.digest, "\(result.outcomes.count)",
        "\(result.shots)", examples, seed,
      ].joined(separator: " ")
      let metrics: [TaskMetric] =
        result.byteAccuracy == nil
        ? [.accuracy] : [.normalizedAccuracy, .accuracy, .byteAccuracy]
      return SampleParts.Part(
        name: result.task.name, content: SHA256.hex(content), first: first,
        count: result.outcomes.count,
        figures: metrics.map { .init(name: $0.rawValue, column: Self.column($0)) })
    }
    let known = Set(parts.map(\.name))
    return SampleParts(
      parts: parts,
      means: groups(results).filter { known.isSuperset(of: $0.group.tasks) }.map { result in
        // Of several means the last is by length: what a task is told by, too.
        SampleParts.Mean(
          name: result.group.name, members: result.group.tasks,
          isWeighted: result.group.means.allSatisfy(\.isWeighted),
          figures: result.group.means.reversed().map {
            .init(name: $0.name, column: Self.column($0.metrics[0]))
          })
      })
  }

  private static func column(_ metric: TaskMetric) -> String {
    switch metric {
    case .normalizedAccuracy: "right_norm"
    case .byteAccuracy: "right_bytes"
    default: "right"
    }
  }

  /// The groups that were asked for; where tasks were named one by one, their mean, which papers
  /// tell of lists of their own.
  private static func groups(_ results: HarnessResults) -> [HarnessGroupResult] {
    let judged = results.tasks.filter { $0.figure(.accuracy) != nil }
    guard results.groups.isEmpty, judged.count > 1 else { return results.groups }
    return [HarnessGroupResult(.mean(of: judged.map(\.task.name)), judged)]
  }

  /// A record's figures: `TASK.METRIC` with its standard error for every task and group; `accuracy`
  /// where there is one task, or a mean over all that are answered right or wrong; accuracy by task
  /// as the series `kinds`, and every figure as the series `tasks`.
  static func measured(_ results: HarnessResults) -> Measured {
    var metrics = [
      "count": Double(results.tasks.reduce(0) { $0 + $1.outcomes.count }),
      "truncated": Double(results.truncated), "tokens_run": Double(results.tokensRun),
      "seconds": results.seconds,
    ]
    var labels: [String] = []
    var figures: [String: [Double]] = ["value": [], "error": [], "count": [], "shots": []]
    func add(_ name: String, _ list: [HarnessFigure], count: Int, shots: Int?) {
      for figure in list {
        metrics["\(name).\(figure.name)"] = figure.value
        metrics["\(name).\(figure.name)_error"] = figure.error
        labels.append("\(name) \(figure.name)")
        figures["value"]?.append(figure.value)
        figures["error"]?.append(figure.error ?? .nan)
        figures["count"]?.append(Double(count))
        figures["shots"]?.append(shots.map { Double($0) } ?? .nan)
      }
    }
    for result in results.tasks {
      add(
        result.task.name, result.figures + (result.byteAccuracy.map { [$0] } ?? []),
        count: result.outcomes.count, shots: result.shots)
    }
    let groups = groups(results)
    for result in groups {
      add(result.group.name, result.figures, count: result.count, shots: result.shots)
    }
    var series = ["tasks": Series(labels: labels, columns: figures)]
    let judged = results.tasks.filter { $0.figure(.accuracy) != nil }
    if !judged.isEmpty { series["kinds"] = kinds(judged) }
    if let single = judged.first, judged.count == 1 {
      set(&metrics, single)
    } else if let group = groups.last, group.group.tasks.count == judged.count,
      let mean = group.figures.first
    {
      metrics["accuracy"] = mean.value
      metrics["accuracy_error"] = mean.error
      if let error = mean.error, !judged.isEmpty {
        // Of a mean over tasks no count says where it may lie.
        metrics["accuracy_lower"] = max(0, mean.value - 1.96 * error)
        metrics["accuracy_upper"] = min(1, mean.value + 1.96 * error)
      }
    }
    if !judged.isEmpty {
      metrics["chance"] = judged.map(chance).reduce(0, +) / Double(judged.count)
    }
    return Measured(metrics: metrics, series: series)
  }

  /// Accuracy of one task by all its questions.
  private static func set(_ metrics: inout [String: Double], _ result: HarnessTaskResult) {
    for (name, figure) in [
      ("accuracy", result.figure(.accuracy)), ("accuracy_norm", result.figure(.normalizedAccuracy)),
      ("accuracy_bytes", result.byteAccuracy),
    ] {
      guard let figure else { continue }
      metrics[name] = figure.value
      metrics["\(name)_error"] = figure.error
      let interval = ShareInterval(share: figure.value, of: Double(result.outcomes.count))
      metrics["\(name)_lower"] = interval?.lower
      metrics["\(name)_upper"] = interval?.upper
    }
  }

  private static func kinds(_ results: [HarnessTaskResult]) -> Series {
    var columns = [
      "count": results.map { Double($0.outcomes.count) }, "chance": results.map(chance),
    ]
    for (name, suffix, figure) in [
      ("accuracy", "", { $0.figure(.accuracy) }),
      ("accuracy_norm", "_norm", { $0.figure(.normalizedAccuracy) }),
      ("accuracy_bytes", "_bytes", { $0.byteAccuracy }),
    ] as [(String, String, (HarnessTaskResult) -> HarnessFigure?)] {
      let figures = results.map(figure)
      columns[name] = figures.map { $0?.value ?? .nan }
      columns["error\(suffix)"] = figures.map { $0?.error ?? .nan }
      let intervals = zip(figures, results).map { figure, result in
        figure.flatMap { ShareInterval(share: $0.value, of: Double(result.outcomes.count)) }
      }
      columns["lower\(suffix)"] = intervals.map { $0?.lower ?? .nan }
      columns["upper\(suffix)"] = intervals.map { $0?.upper ?? .nan }
    }
    return Series(labels: results.map(\.task.name), columns: columns)
  }

  /// What guessing would get: nothing where a word must be said.
  private static func chance(_ result: HarnessTaskResult) -> Double {
    let shares = result.outcomes.map { $0.right == nil ? 0 : 1 / Double($0.answers.count) }
    return shares.reduce(0, +) / Double(max(shares.count, 1))
  }
}
