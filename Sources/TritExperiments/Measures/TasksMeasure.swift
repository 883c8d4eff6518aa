internal import TritCore
public import TritEvaluation
internal import TritModel

/// Accuracy on questions that have one right answer among several, or the tasks of
/// lm-evaluation-harness.
public struct TasksMeasure: Measure {
  /// The key of the section.
  public static let key = "tasks"
  /// What is measured.
  public static let summary = "Accuracy on multiple-choice questions."
  /// Where the definition comes from.
  public static let source = "lm-evaluation-harness: acc, acc_norm, acc_bytes"
  /// The settings of the section.
  public static let fields = [
    MeasureField(
      "tasks",
      "Tasks of lm-evaluation-harness, as [hellaswag, piqa], [mmlu] or [avg5], in place of questions.",
      .words(
        expected: HarnessSelection.known.filter { !$0.hasPrefix("mmlu_") }
          .joined(separator: ", ") + " or mmlu_SUBJECT", pattern: "^[a-z0-9_]+$",
        isLegal: { HarnessSelection.known.contains($0) })),
    MeasureField(
      "num_fewshot", "Examples before each question of the tasks.", .integer(0...1000)),
    MeasureField(
      "fewshot_seed", "Seed of the choice of examples; 1234 as in the harness.",
      .integer(0...Int(Int32.max))),
    MeasureField(
      "data",
      "builtin:storyteller/tasks, or a JSONL file of questions; for tasks a folder of data sets.",
      .questions,
      standard: .place(
        PathReference(text: TaskDataset.builtinName, path: TaskDataset.builtinName))),
    MeasureField("limit", "Questions, at most; of each task.", .integer(1...1_000_000)),
    MeasureField(
      "split", "Where context ends and choice begins, if a token spans both.",
      .word(TaskSplit.descriptions.map { ($0.name, $0.summary) }),
      standard: .text(TaskSplit.common.rawValue)),
  ]
  /// The outcome of each question.
  public static let quantities = [
    PairedQuantity(
      key: key, title: "Tasks right", section: key, column: "right", metric: "tasks.accuracy",
      form: .outcome(group: "group"), lowerIsBetter: false),
    PairedQuantity(
      key: "\(key)-norm", title: "Right by character", section: key, column: "right_norm",
      metric: "tasks.accuracy_norm", form: .outcome(group: "group"), lowerIsBetter: false),
    PairedQuantity(
      key: "\(key)-bytes", title: "Right by byte", section: key, column: "right_bytes",
      metric: "tasks.accuracy_bytes", form: .outcome(group: "group"), lowerIsBetter: false),
  ]
  /// Its columns in the table of results.
  public static let columns = [
    ReportColumn(
      "Tasks right", key: "tasks.accuracy", error: "tasks.accuracy_error", group: .quality,
      isShare: true,
      meaning: "Share of multiple-choice questions whose right answer is the likeliest "
        + "continuation (acc of lm-evaluation-harness), with its 95 % Wilson interval."
    ) { Figures.share($0, error: $1) },
    ReportColumn(
      "By character", key: "tasks.accuracy_norm", error: "tasks.accuracy_norm_error",
      group: .quality, isShare: true,
      meaning:
        "The same with log-probabilities divided by the characters of the answer (acc_norm), "
        + "so that short answers have no advantage."
    ) { Figures.share($0, error: $1) },
    ReportColumn(
      "By byte", key: "tasks.accuracy_bytes", error: "tasks.accuracy_bytes_error", group: .quality,
      isShare: true, meaning: "The same by the UTF-8 bytes of the answer (acc_bytes)."
    ) { Figures.share($0, error: $1) },
  ]

  /// Tasks of lm-evaluation-harness, with where their records lie; nil for questions of the lab's
  /// own form.
  public let harness: HarnessNeeds?
  /// `builtin:storyteller/tasks`, or a JSONL file of questions.
  public let data: PathReference
  /// Questions, at most; nil is all of a file, and 200 of the built-in ones.
  public let limit: Int?
  /// Where the tokens of a context end and those of a choice begin.
  public let split: TaskSplit

  /// Reads settings that have been checked.
  public init(_ settings: MeasureSettings) throws {
    guard let place = settings.place("data") else {
      throw settings.fault("missing", at: "data", expected: "questions")
    }
    data = place
    limit = settings.integerIfGiven("limit")
    split = TaskSplit(rawValue: settings.text("split")) ?? .common
    let names = settings.texts("tasks")
    let seed = settings.integerIfGiven("fewshot_seed")
    let shots = settings.integerIfGiven("num_fewshot")
    guard !names.isEmpty else {
      harness = nil
      for (name, value) in [("num_fewshot", shots), ("fewshot_seed", seed)] where value != nil {
        throw settings.fault(
          "goes with tasks", at: name, expected: "tasks: [hellaswag, …] beside it",
          advice: "name the tasks, or leave it out")
      }
      return
    }
    guard split == .common else {
      throw settings.fault(
        "tasks are cut as lm-evaluation-harness cuts", at: "split",
        expected: "no split beside tasks",
        advice: "leave it out")
    }
    harness = HarnessNeeds(
      names, at: place.path == TaskDataset.builtinName ? nil : place,
      HarnessOptions(
        shots: shots ?? 0, limit: limit.map { Double($0) }, seed: UInt64(seed ?? 1234)))
  }

  /// What has to be there before anything runs.
  public var needs: MeasureNeeds {
    var needs = MeasureNeeds()
    if let harness { needs.tasks = harness } else { needs.questions = (data, limit) }
    return needs
  }

  /// Measures one variant.
  public func run(_ run: MeasureRun) throws -> Measured {
    if harness != nil { return try run.tasks().measure(run) }
    let questions = try run.questions()
    let result = try TaskEvaluation.measure(run.engine, tasks: questions.tasks, split: split) {
      run.progress($0.fraction)
    }
    var measured = TaskFigures.measured(result)
    measured.samples = TaskFigures.samples(result, of: questions)
    return measured
  }

  /// How it was measured, for readers of the report.
  public func provenance(_ records: [RunRecord]) -> [(key: String, value: String)] {
    guard let record = records.first(where: { $0.metrics["tasks.count"] != nil }) else { return [] }
    let count = Figures.fixed(record.metrics["tasks.count"] ?? 0, 0)
    let chance = record.metrics["tasks.chance"].map {
      "; guessing would get \(Figures.percent($0)) right"
    }
    guard let harness else { return [("tasks", "\(count) questions" + (chance ?? ""))] }
    return [
      (
        "tasks",
        "\(harness.names.joined(separator: ", ")) of lm-evaluation-harness "
          + "\(HarnessTask.harnessVersion), \(harness.options.shots)-shot; \(count) questions"
          + (chance ?? "")
      )
    ]
  }
}

/// A record's figures of questions answered.
enum TaskFigures {
  /// The outcome of each question, and which questions belong together.
  static func samples(_ result: TaskResult, of questions: TaskDataset) -> SampleTable {
    func outcomes(_ isRight: (TaskScore) -> Bool) -> [Double] {
      result.scores.map { isRight($0) ? 1 : 0 }
    }
    return SampleTable(
      unit: "question", content: questions.digest,
      columns: [
        "right": outcomes(\.isRight), "right_norm": outcomes(\.isRightByCharacter),
        "right_bytes": outcomes(\.isRightByByte),
        "group": documents(questions.tasks.map(\.context)).map { Double($0) },
      ])
  }

  /// A number for each context, the same for those of one document: where one context begins with
  /// the whole of another, the questions are about one text.
  static func documents(_ contexts: [String]) -> [Int] {
    let texts = contexts.map { Array($0.utf8) }
    let order = texts.indices.sorted {
      texts[$0] != texts[$1] ? texts[$0].lexicographicallyPrecedes(texts[$1]) : $0 < $1
    }
    var first: [UInt8]?
    var group = -1
    var groups = Array(repeating: 0, count: texts.count)
    for index in order {
      // In this order everything that begins with a text stands behind it, before anything else.
      if let first, texts[index].starts(with: first) {
        groups[index] = group
        continue
      }
      group += 1
      first = texts[index]
      groups[index] = group
    }
    return groups
  }

  /// Shares of all questions with their standard errors and 95 % Wilson intervals, and the same by
  /// kind.
  static func measured(_ result: TaskResult) -> Measured {
    let total = result.total
    let kinds = result.kinds
    var metrics = [
      "chance": total.chance, "count": Double(total.count),
      "truncated": Double(result.truncated), "tokens_run": Double(result.tokensRun),
      "seconds": result.seconds,
    ]
    var columns = ["count": kinds.map { Double($0.count) }, "chance": kinds.map(\.chance)]
    for (name, suffix, path) in [
      ("accuracy", "", \TaskAccuracy.byTotal),
      ("accuracy_norm", "_norm", \TaskAccuracy.byCharacter),
      ("accuracy_bytes", "_bytes", \TaskAccuracy.byByte),
    ] {
      let share = total[keyPath: path]
      metrics[name] = share.estimate.value
      metrics["\(name)_error"] = share.estimate.error
      metrics["\(name)_lower"] = share.interval?.lower
      metrics["\(name)_upper"] = share.interval?.upper
      columns[name] = kinds.map { $0[keyPath: path].estimate.value }
      columns["error\(suffix)"] = kinds.map { $0[keyPath: path].estimate.error }
      columns["lower\(suffix)"] = kinds.map { $0[keyPath: path].interval?.lower ?? .nan }
      columns["upper\(suffix)"] = kinds.map { $0[keyPath: path].interval?.upper ?? .nan }
    }
    return Measured(
      metrics: metrics,
      series: ["kinds": Series(labels: kinds.map { $0.kind ?? "" }, columns: columns)])
  }
}
