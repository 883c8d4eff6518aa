import TritCore
public import TritModel
import TritTokenization

/// How a model judged one question.
public struct TaskScore: Sendable, Hashable {
  /// The question's kind.
  public let kind: String
  /// ln p of each choice after the context, in nats.
  public let logProbabilities: [Double]
  /// Unicode code points of each choice, as Python's `len` counts, the one space in front not
  /// counted.
  public let characterCounts: [Int]
  /// UTF-8 bytes of each choice, the one space in front not counted.
  public let byteCounts: [Int]
  /// Index of the right choice.
  public let answer: Int
  /// Whether the context had to be cut at its beginning to fit the model.
  public let wasTruncated: Bool

  /// Scores of a question's choices: one log-probability and one count of each kind for every
  /// choice.
  public init(
    kind: String, logProbabilities: [Double], characterCounts: [Int], byteCounts: [Int],
    answer: Int, wasTruncated: Bool
  ) {
    precondition(
      logProbabilities.count == byteCounts.count && byteCounts.count == characterCounts.count,
      "one count for each choice")
    self.kind = kind
    self.logProbabilities = logProbabilities
    self.characterCounts = characterCounts
    self.byteCounts = byteCounts
    self.answer = answer
    self.wasTruncated = wasTruncated
  }

  /// Whether the right choice is the likeliest: lm-evaluation-harness's `acc`. Of equal ones the
  /// first.
  public var isRight: Bool { Self.best(logProbabilities) == answer }
  /// Whether it is the likeliest a character, which favours no short choice: the harness's
  /// `acc_norm`.
  public var isRightByCharacter: Bool { isRight(by: characterCounts) }
  /// Whether it is the likeliest a byte: the harness's `acc_bytes`.
  public var isRightByByte: Bool { isRight(by: byteCounts) }
  /// Accuracy of guessing.
  public var chance: Double { 1 / Double(max(logProbabilities.count, 1)) }

  /// The text of a choice as its length is counted. The harness puts a space, its
  /// `target_delimiter`, in front of each choice and counts the choice alone; in a file of
  /// questions that space is part of the choice.
  static func counted(_ choice: String) -> String.UnicodeScalarView.SubSequence {
    let scalars = choice.unicodeScalars
    return scalars.first == " " && scalars.count > 1 ? scalars.dropFirst() : scalars[...]
  }

  private func isRight(by counts: [Int]) -> Bool {
    Self.best(zip(logProbabilities, counts).map { $0 / Double(max($1, 1)) }) == answer
  }

  private static func best(_ values: [Double]) -> Int {
    values.indices.reduce(0) { values[$1] > values[$0] ? $1 : $0 }
  }
}

/// A share of questions: what was counted, the share with its standard error, and where it may lie.
public struct TaskShare: Sendable, Hashable {
  /// Questions answered rightly.
  public let right: Int
  /// Questions.
  public let count: Int

  init(_ answers: [Bool]) {
    right = answers.count { $0 }
    count = answers.count
  }

  /// The share with the harness's standard error `√(p (1 − p) / (n − 1))`: NaN for one question,
  /// and 0, which says nothing, where all or none are right.
  public var estimate: Estimate {
    let share = Double(right) / Double(count)
    guard count > 1 else { return Estimate(share, .nan) }
    return Estimate(share, (share * (1 - share) / Double(count - 1)).squareRoot())
  }
  /// Where the share may lie; nil without questions.
  public var interval: ShareInterval? { ShareInterval(right, of: count) }
}

/// How many questions a model answered rightly: of one kind, or of all.
public struct TaskAccuracy: Sendable, Hashable {
  /// The kind; nil for all of them.
  public let kind: String?
  /// Questions.
  public let count: Int
  /// Questions whose likeliest choice is right: `acc`.
  public let byTotal: TaskShare
  /// The same with log-probabilities a character: `acc_norm`.
  public let byCharacter: TaskShare
  /// The same with log-probabilities a byte: `acc_bytes`.
  public let byByte: TaskShare
  /// Mean over the questions of one over the number of choices: what guessing reaches.
  public let chance: Double

  init(_ kind: String?, _ scores: [TaskScore]) {
    self.kind = kind
    count = scores.count
    byTotal = TaskShare(scores.map(\.isRight))
    byCharacter = TaskShare(scores.map(\.isRightByCharacter))
    byByte = TaskShare(scores.map(\.isRightByByte))
    chance = Moments.mean(scores.map(\.chance))
  }

  /// `acc` with its standard error.
  public var accuracy: Estimate { byTotal.estimate }
  /// `acc_norm` with its standard error.
  public var normalizedAccuracy: Estimate { byCharacter.estimate }
  /// `acc_bytes` with its standard error.
  public var byteAccuracy: Estimate { byByte.estimate }
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
/// lm-evaluation-harness does (`loglikelihood`): context and choice are tokenized together, and cut
/// as `TaskSplit` says. The context runs once for all choices, and questions run in an order in
/// which one often begins as the last did, so that the KV cache keeps that part
/// (`forEachLogits(of:from:keeping:)`). A context that does not fit loses its beginning, its BOS
/// apart.
public enum TaskEvaluation {
  /// Scores `tasks`. Throws `badData` for a choice without tokens of its own or longer than the
  /// model's context and for logits that are not finite, and `interrupted` on Ctrl-C.
  public static func measure(
    _ model: any LanguageModel, tasks: [MultipleChoiceTask], split: TaskSplit = .common,
    progress: ProgressReporter? = nil
  ) throws -> TaskResult {
    let start = MonotonicClock.nanoseconds()
    var runner = Runner(model, split)
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

  static func commonPrefix(_ a: some Sequence<Int>, _ b: some Sequence<Int>) -> Int {
    zip(a, b).prefix { $0 == $1 }.count
  }

  /// A model and what its cache holds.
  private struct Runner {
    let model: any LanguageModel
    let split: TaskSplit
    let powers: AlignedBuffer<Float>
    var held: [Int] = []
    var tokensRun = 0
    var tokensScored = 0

    init(_ model: any LanguageModel, _ split: TaskSplit) {
      self.model = model
      self.split = split
      powers = AlignedBuffer<Float>(count: model.vocabularySize)
    }

    mutating func score(_ task: MultipleChoiceTask) throws -> TaskScore {
      let (whole, choices) = try split.tokens(task, model.tokenizer)
      let longest = choices.map(\.count).max() ?? 0
      guard !whole.isEmpty, choices.allSatisfy({ !$0.isEmpty }) else {
        throw LabError(
          .badData, "nothing stands before the choice, or a choice adds no token",
          expected: "a context and choices of at least one token each",
          got: split == .lmEval && !whole.isEmpty
            ? "a token that spans context and choice, behind which the split 'lm-eval' finds nothing"
            : nil,
          advice: split == .lmEval
            ? "leave --split lm-eval out: the split 'common' can score it" : nil)
      }
      // The last token of a choice is predicted, not run.
      guard model.contextLength - longest + 1 >= 1 else {
        throw LabError(
          .badData, "a choice is longer than the context of the model",
          expected: "at most \(model.contextLength) tokens", got: "\(longest)")
      }
      let contexts = split.contexts(whole, choices, in: model)
      return TaskScore(
        kind: task.kind, logProbabilities: try logProbabilities(contexts, choices),
        characterCounts: task.choices.map { TaskScore.counted($0).count },
        byteCounts: task.choices.map { choice in
          TaskScore.counted(choice).reduce(0) { $0 + UTF8.width($1) }
        },
        answer: task.answer, wasTruncated: contexts.contains { $0.count < whole.count })
    }

    /// ln p of each choice after its context.
    private mutating func logProbabilities(
      _ contexts: [[Int]], _ choices: [[Int]]
    ) throws -> [Double] {
      var sums = Array(repeating: 0.0, count: choices.count)
      // Choices after one context read their first tokens from one row of logits.
      var first = 0
      while first < choices.count {
        let end =
          contexts[first...].firstIndex { $0 != contexts[first] } ?? choices.count
        try add(to: &sums, first..<end, contexts[first], choices)
        first = end
      }
      for (index, sum) in sums.enumerated() where !sum.isFinite {
        throw Perplexity.notFinite("choice \(index + 1)", -sum)
      }
      return sums
    }

    private mutating func add(
      to sums: inout [Double], _ range: Range<Int>, _ context: [Int], _ choices: [[Int]]
    ) throws {
      tokensScored += range.reduce(0) { $0 + context.count + choices[$1].count - 1 }
      var found = sums
      try run(context, from: context.count - 1) { _, logits, normalizer in
        for index in range { found[index] -= normalizer.nll(logits[choices[index][0]]) }
      }
      for index in range where choices[index].count > 1 {
        let choice = choices[index]
        try run(context + choice.dropLast(), from: context.count) { position, logits, normalizer in
          found[index] -= normalizer.nll(logits[choice[position - context.count + 1]])
        }
      }
      sums = found
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
