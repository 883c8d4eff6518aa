/// What a model made of one question.
public struct TaskOutcome: Sendable {
  /// How likely each choice is, or the target, or the whole text.
  public let answers: [TaskAnswer]
  /// The right choice; nil where nothing is chosen.
  public let right: Int?
  /// The figure of each metric of the task: 1 or 0, or ln p.
  public let values: [TaskMetric: Double]
  /// What a whole text's ln p is divided by, for its metrics.
  public let weights: [TaskMetric: Int]

  /// What `process_results` of the harness makes of answers.
  init(_ document: TaskDocument, _ answers: [TaskAnswer]) {
    switch document {
    case .choice(_, let choices, let answer):
      self.init(answers, choices: choices, right: answer)
    case .context(let contexts, _, let answer):
      self.init(answers, choices: contexts, right: answer)
    case .target:
      self.init(
        answers,
        values: [
          .perplexity: answers[0].logLikelihood, .accuracy: answers[0].isGreedy == true ? 1 : 0,
        ])
    case .rolling(_, let words, let bytes):
      let value = answers[0].logLikelihood
      self.init(
        answers, values: [.wordPerplexity: value, .bytePerplexity: value, .bitsPerByte: value],
        weights: [.wordPerplexity: words, .bytePerplexity: bytes, .bitsPerByte: bytes])
    }
  }

  private init(
    _ answers: [TaskAnswer], right: Int? = nil, values: [TaskMetric: Double],
    weights: [TaskMetric: Int] = [:]
  ) {
    self.answers = answers
    self.right = right
    self.values = values
    self.weights = weights
  }

  private init(_ answers: [TaskAnswer], choices: [String], right: Int) {
    let sums = answers.map(\.logLikelihood)
    func isRight(_ lengths: [Int]?) -> Double {
      let values = lengths.map { zip(sums, $0).map { $0 / Double($1) } } ?? sums
      return Self.best(values) == right ? 1 : 0
    }
    self.init(
      answers, right: right,
      values: [
        .accuracy: isRight(nil), .normalizedAccuracy: isRight(choices.map(\.unicodeScalars.count)),
        .byteAccuracy: isRight(choices.map(\.utf8.count)),
      ])
  }

  /// The first of the greatest, or the first that is no number, as numpy's `argmax`.
  private static func best(_ values: [Double]) -> Int {
    values.firstIndex { $0.isNaN } ?? values.indices.reduce(0) { values[$1] > values[$0] ? $1 : $0 }
  }
}
