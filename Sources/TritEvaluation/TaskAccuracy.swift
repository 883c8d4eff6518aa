import TritCore
public import TritModel
import TritTokenization

/// How a model judged one question.
public struct TaskScore: Sendable, Hashable {
  /// The question's kind.
  public let kind: String
  /// ln p of each choice after the context, in nats.
  public let logProbabilities: [Double]
  /// UTF-8 bytes of each choice, white space in front not counted.
  public let byteCounts: [Int]
  /// Index of the right choice.
  public let answer: Int
  /// Whether the context had to be cut at its beginning to fit the model.
  public let wasTruncated: Bool

  /// Scores of a question's choices: one log-probability and one count of bytes for each.
  public init(
    kind: String, logProbabilities: [Double], byteCounts: [Int], answer: Int, wasTruncated: Bool
  ) {
    precondition(logProbabilities.count == byteCounts.count, "one count for each choice")
    self.kind = kind
    self.logProbabilities = logProbabilities
    self.byteCounts = byteCounts
    self.answer = answer
    self.wasTruncated = wasTruncated
  }

  /// Whether the right choice is the likeliest: lm-evaluation-harness's `acc`. Of equal ones the first.
  public var isRight: Bool { Self.best(logProbabilities) == answer }
  /// Whether it is the likeliest a byte, which favours no short choice: the harness's `acc_norm`.
  public var isRightByByte: Bool {
    Self.best(zip(logProbabilities, byteCounts).map { $0 / Double(max($1, 1)) }) == answer
  }
  /// Accuracy of guessing.
  public var chance: Double { 1 / Double(max(logProbabilities.count, 1)) }

  private static func best(_ values: [Double]) -> Int {
    values.indices.reduce(0) { values[$1] > values[$0] ? $1 : $0 }
  }
}

/// How many questions a model answered rightly: of one kind, or of all.
public struct TaskAccuracy: Sendable, Hashable {
  /// The kind; nil for all of them.
  public let kind: String?
  /// Questions.
  public let count: Int
  /// Share of questions whose likeliest choice is right, with its standard error `√(p (1 − p) / (n − 1))`.
  public let accuracy: Estimate
  /// The same with log-probabilities a byte.
  public let normalizedAccuracy: Estimate
  /// Mean over the questions of one over the number of choices: what guessing reaches.
  public let chance: Double

  init(_ kind: String?, _ scores: [TaskScore]) {
    self.kind = kind
    count = scores.count
    accuracy = Moments.estimate(scores.map { $0.isRight ? 1 : 0 })
    normalizedAccuracy = Moments.estimate(scores.map { $0.isRightByByte ? 1 : 0 })
    chance = Moments.mean(scores.map(\.chance))
  }
}

/// Scores of all questions, in their order.
public struct TaskResult: Sendable {
  /// One for each question.
  public let scores: [TaskScore]
  /// Tokens that the model ran.
  public let tokensRun: Int
  /// Tokens of all contexts and choices, each counted on its own: what would run without a cache.
  public let tokensScored: Int
  /// Seconds it took.
  public let seconds: Double

  /// Scores, and what they cost.
  public init(scores: [TaskScore], tokensRun: Int, tokensScored: Int, seconds: Double) {
    self.scores = scores
    self.tokensRun = tokensRun
    self.tokensScored = tokensScored
    self.seconds = seconds
  }

  /// Accuracy on all questions.
  public var total: TaskAccuracy { TaskAccuracy(nil, scores) }
  /// Accuracy by kind, in the order in which the kinds first appear.
  public var kinds: [TaskAccuracy] {
    var order: [String] = []
    var groups: [String: [TaskScore]] = [:]
    for score in scores {
      if groups[score.kind] == nil { order.append(score.kind) }
      groups[score.kind, default: []].append(score)
    }
    return order.map { TaskAccuracy($0, groups[$0] ?? []) }
  }
  /// Questions whose context was cut.
  public var truncated: Int { scores.count(where: \.wasTruncated) }
}

/// Accuracy of a model on multiple-choice questions.
///
/// A choice is scored by the log-probability of its tokens after those of the context, as
/// lm-evaluation-harness does (`loglikelihood`): context and choice are tokenized together; what all
/// choices share with the context alone is the context. The context runs once for all choices, and
/// questions run in an order in which one often begins as the last did, so that the KV cache keeps that
/// part (`forEachLogits(of:from:keeping:)`). A context that does not fit loses its beginning, its BOS
/// apart.
public enum TaskEvaluation {
  /// Scores `tasks`. Throws `badData` for a choice without tokens of its own or longer than the model's
  /// context and for logits that are not finite, and `interrupted` on Ctrl-C.
  public static func measure(
    _ model: any LanguageModel, tasks: [MultipleChoiceTask], progress: ProgressReporter? = nil
  ) throws -> TaskResult {
    let start = MonotonicClock.nanoseconds()
    var runner = Runner(model)
    var scores: [TaskScore?] = Array(repeating: nil, count: tasks.count)
    var meter = ProgressMeter(task: "tasks", total: tasks.count, report: progress)
    var right = 0
    // Contexts of one story stand together, a shorter one before those that it begins.
    let order = tasks.indices.sorted {
      (tasks[$0].context, $0) < (tasks[$1].context, $1)
    }
    for (done, index) in order.enumerated() {
      try Interruption.check()
      do {
        let score = try runner.score(tasks[index])
        scores[index] = score
        right += score.isRight ? 1 : 0
      } catch let error as LabError where error.kind != .interrupted {
        throw error.inside("question \(index + 1)")
      }
      meter.advance(value: Double(right) / Double(done + 1))
    }
    return TaskResult(
      scores: scores.compactMap { $0 }, tokensRun: runner.tokensRun,
      tokensScored: runner.tokensScored,
      seconds: Double(MonotonicClock.nanoseconds() - start) * 1e-9)
  }

  /// The tokens of a question: those of the context, and of each choice what comes after them.
  static func split(
    _ task: MultipleChoiceTask, _ tokenizer: any Tokenizer
  ) throws -> (context: [Int], choices: [[Int]]) {
    let alone = try tokenizer.encode(task.context, addSpecial: true, parseSpecial: false)
    let whole = try task.choices.map {
      try tokenizer.encode(task.context + $0, addSpecial: true, parseSpecial: false)
    }
    // A merge over the border would leave the choices different contexts: the shortest is common.
    let shared = whole.map { commonPrefix($0, alone) }.min() ?? 0
    return (Array(alone.prefix(shared)), whole.map { Array($0.dropFirst(shared)) })
  }

  static func commonPrefix(_ a: some Sequence<Int>, _ b: some Sequence<Int>) -> Int {
    zip(a, b).prefix { $0 == $1 }.count
  }

  /// A model and what its cache holds.
  private struct Runner {
    let model: any LanguageModel
    let powers: AlignedBuffer<Float>
    var held: [Int] = []
    var tokensRun = 0
    var tokensScored = 0

    init(_ model: any LanguageModel) {
      self.model = model
      powers = AlignedBuffer<Float>(count: model.vocabularySize)
    }

    mutating func score(_ task: MultipleChoiceTask) throws -> TaskScore {
      let (whole, choices) = try TaskEvaluation.split(task, model.tokenizer)
      var context = whole
      let longest = choices.map(\.count).max() ?? 0
      guard !context.isEmpty, choices.allSatisfy({ !$0.isEmpty }) else {
        throw LabError(
          .badData, "nothing stands before the choice, or a choice adds no token",
          expected: "a context and choices of at least one token each")
      }
      // The last token of a choice is predicted, not run.
      let room = model.contextLength - longest + 1
      guard room >= 1 else {
        throw LabError(
          .badData, "a choice is longer than the context of the model",
          expected: "at most \(model.contextLength) tokens", got: "\(longest)")
      }
      let wasTruncated = context.count > room
      if wasTruncated {
        let bos = context.first == model.tokenizer.bos && model.tokenizer.addsBOS && room > 1
        context = (bos ? [context[0]] : []) + context.suffix(room - (bos ? 1 : 0))
      }
      let values = try logProbabilities(context, choices)
      return TaskScore(
        kind: task.kind, logProbabilities: values,
        byteCounts: task.choices.map { $0.drop { $0.isWhitespace }.utf8.count },
        answer: task.answer, wasTruncated: wasTruncated)
    }

    /// ln p of each choice after `context`.
    private mutating func logProbabilities(
      _ context: [Int], _ choices: [[Int]]
    ) throws -> [Double] {
      tokensScored += choices.reduce(0) { $0 + context.count + $1.count - 1 }
      // All first tokens are read from one row of logits.
      var sums = Array(repeating: 0.0, count: choices.count)
      try run(context, from: context.count - 1) { _, logits, normalizer in
        for (index, choice) in choices.enumerated() {
          sums[index] -= normalizer.nll(logits[choice[0]])
        }
      }
      for (index, choice) in choices.enumerated() where choice.count > 1 {
        try run(context + choice.dropLast(), from: context.count) { position, logits, normalizer in
          sums[index] -= normalizer.nll(logits[choice[position - context.count + 1]])
        }
      }
      for (index, sum) in sums.enumerated() where !sum.isFinite {
        throw Perplexity.notFinite("choice \(index + 1)", -sum)
      }
      return sums
    }

    /// Runs a sequence from where it leaves the one before, or from `first`.
    private mutating func run(
      _ tokens: [Int], from first: Int,
      _ body: (Int, UnsafeBufferPointer<Float>, LogSoftmax) throws -> Void
    ) throws {
      for (index, token) in tokens.enumerated() where !(0..<model.vocabularySize).contains(token) {
        throw LabError(
          .badData, "the tokenizer gives an id that the model has no logit for",
          at: "token \(index)", expected: "0..<\(model.vocabularySize)", got: "\(token)",
          advice: "check that tokenizer and model belong together")
      }
      let kept = min(TaskEvaluation.commonPrefix(tokens, held), first)
      tokensRun += tokens.count - kept
      // What is not whole must not be taken for held.
      held = []
      let powers = powers
      try model.forEachLogits(of: tokens, from: first, keeping: kept) { position, logits in
        try body(position, logits, LogSoftmax(logits, powers: powers.base))
      }
      held = tokens
    }
  }
}
