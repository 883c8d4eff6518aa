public import TritCore
public import TritModel
import TritFormats

/// How tasks are run.
public struct HarnessOptions: Sendable, Hashable {
  /// Examples before each question.
  public var shots: Int
  /// Questions of each task: a number of them, or below 1 a share, rounded up; nil for all.
  public var limit: Double?
  /// Seeds the choice of examples.
  public var seed: UInt64
  /// Resamples of the error of a perplexity.
  public var resamples: Int

  /// As the harness where nobody says.
  public init(shots: Int = 0, limit: Double? = nil, seed: UInt64 = 1234, resamples: Int = 100_000) {
    self.shots = shots
    self.limit = limit
    self.seed = seed
    self.resamples = resamples
  }

  /// How many of `count` questions are asked.
  func asked(of count: Int) -> Int {
    guard let limit else { return count }
    let wanted = limit < 1 ? (Double(count) * limit).rounded(.up) : limit.rounded(.down)
    return wanted >= Double(count) ? count : max(1, Int(wanted))
  }
}

/// The records of a task, read and checked as far as they are asked.
public struct HarnessQuestions: Sendable {
  /// The task.
  public let task: HarnessTask
  /// All questions that there are.
  public let records: TaskRecords
  /// Where examples come from; nil where there are none.
  public let examples: TaskRecords?

  /// Finds what `options` need of a task. Throws `missingInput` or `badData` with what to do.
  public init(_ task: HarnessTask, _ data: HarnessData, _ options: HarnessOptions) throws {
    self.task = task
    records = try data.questions(task)
    examples = options.shots > 0 && task.takesExamples ? try data.examples(task) : nil
  }
}

/// Runs tasks of lm-evaluation-harness.
public enum HarnessEvaluation {
  /// Asks `scorer` every question of every task. `selection` says which groups are told beside the
  /// tasks, `prompt` in which form questions are asked.
  ///
  /// Throws `badData` with `file:line: field` for a record that is none of its task's, `badData`
  /// for what a model cannot score, and `interrupted` on Ctrl-C.
  public static func measure(
    _ scorer: inout some RequestScorer, _ selection: HarnessSelection,
    _ questions: [HarnessQuestions], _ options: HarnessOptions = HarnessOptions(),
    prompt: TaskPrompt = .plain, progress: ProgressReporter? = nil
  ) throws -> HarnessResults {
    let start = MonotonicClock.nanoseconds()
    let counts = questions.map { options.asked(of: $0.records.count) }
    var meter = ProgressMeter(task: "tasks", total: counts.reduce(0, +), report: progress)
    var results: [HarnessTaskResult] = []
    for (questions, count) in zip(questions, counts) {
      let outcomes = try outcomes(&scorer, questions, count, options, prompt) {
        meter.advance(value: nil)
      }
      results.append(
        try HarnessTaskResult(
          questions.task, outcomes, of: questions.records.count,
          shots: questions.task.takesExamples ? options.shots : 0,
          digest: questions.records.digest, resamples: options.resamples))
    }
    return HarnessResults(
      tasks: results, groups: selection.groups.map { HarnessGroupResult($0, results) },
      options: options, seconds: Double(MonotonicClock.nanoseconds() - start) * 1e-9)
  }

  /// Asks a model.
  public static func measure(
    _ model: any LanguageModel, _ selection: HarnessSelection, _ questions: [HarnessQuestions],
    _ options: HarnessOptions = HarnessOptions(), prompt: TaskPrompt = .plain,
    progress: ProgressReporter? = nil
  ) throws -> HarnessResults {
    var scorer = ModelScorer(model)
    var results = try measure(
      &scorer, selection, questions, options, prompt: prompt, progress: progress)
    results.tokensRun = scorer.tokensRun
    results.truncated = scorer.truncated
    return results
  }

  private static func outcomes(
    _ scorer: inout some RequestScorer, _ questions: HarnessQuestions, _ count: Int,
    _ options: HarnessOptions, _ prompt: TaskPrompt, done: () -> Void
  ) throws -> [TaskOutcome] {
    let task = questions.task
    var sampler = try questions.examples.map {
      try FewShotSampler(task, $0, count: options.shots, seed: options.seed)
    }
    var outcomes: [TaskOutcome] = []
    outcomes.reserveCapacity(count)
    for index in 0..<count {
      try Interruption.check()
      let record = try questions.records.record(index)
      let document = try task.document(record)
      let examples = try sampler?.examples(for: record) ?? []
      do {
        let answers: [TaskAnswer]
        if case .rolling(let text, _, _) = document {
          answers = [
            TaskAnswer(logLikelihood: try scorer.logLikelihood(of: text), isGreedy: nil)
          ]
        } else {
          answers = try scorer.answers(
            to: task.requests(document, examples: examples, prompt: prompt))
        }
        outcomes.append(TaskOutcome(document, answers))
      } catch let error as LabError where error.kind != .interrupted {
        throw error.inside(record.place)
      }
      done()
    }
    return outcomes
  }
}
