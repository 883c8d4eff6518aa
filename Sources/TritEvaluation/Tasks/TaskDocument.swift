import TritCore
import TritFormats

/// One record of a data set, as its task reads it: what a model is asked, and what is right.
public enum TaskDocument: Sendable {
  /// Which of `choices` goes on from `question`? `answer` is an index of them.
  case choice(question: String, choices: [String], answer: Int)
  /// After which of `contexts` is `target` likelier? `answer` is an index of them.
  case context(contexts: [String], target: String, answer: Int)
  /// How likely is `target` after `question`?
  case target(question: String, target: String)
  /// How likely is the whole `text`? `words` and `bytes` are those of the text before it was
  /// prepared, by which the log-likelihood is divided.
  case rolling(text: String, words: Int, bytes: Int)
}

/// A continuation after a context: what a model is asked for, as lm-evaluation-harness'
/// `loglikelihood`.
public struct TaskRequest: Sendable {
  /// The text before. Empty where there is none.
  public let context: String
  /// The text whose likelihood is asked for.
  public let continuation: String

  /// A request.
  public init(context: String, continuation: String) {
    self.context = context
    self.continuation = continuation
  }
}

/// How likely a continuation is.
public struct TaskAnswer: Sendable, Hashable {
  /// ln p, in nats.
  public let logLikelihood: Double
  /// Whether each of its tokens is the likeliest; nil for whole texts, where nobody asks.
  public let isGreedy: Bool?

  /// An answer.
  public init(logLikelihood: Double, isGreedy: Bool?) {
    self.logLikelihood = logLikelihood
    self.isGreedy = isGreedy
  }
}

extension HarnessTask {
  /// The space between a question and its answer (`target_delimiter`).
  static let targetDelimiter = " "
  /// What stands after each example (`fewshot_delimiter`).
  static let exampleDelimiter = "\n\n"

  /// What the model is asked for a document, after its examples; nothing for a whole text.
  ///
  /// The strings are those of `ConfigurableTask.fewshot_context` and `construct_requests` (0.4.13):
  /// description, examples, each with its answer and an empty line after it, and the question.
  func requests(
    _ document: TaskDocument, examples: [TaskDocument], prompt: TaskPrompt = .plain
  ) throws -> [TaskRequest] {
    let turns = examples.flatMap(Self.example)
    func context(_ question: String) throws -> String {
      try prompt.context(description, turns + [PromptTurn(role: .user, text: question)])
    }
    switch document {
    case .choice(let question, let choices, _):
      let context = try context(question)
      return choices.map {
        TaskRequest(context: context, continuation: prompt.choiceDelimiter + $0)
      }
    case .context(let contexts, let target, _):
      return try contexts.map {
        TaskRequest(context: try context($0), continuation: prompt.choiceDelimiter + target)
      }
    case .target(let question, let target):
      return [TaskRequest(context: try context(question), continuation: target)]
    case .rolling: return []
    }
  }

  /// An example as it stands before a question. One whose answer is an empty text has no answer and
  /// no delimiters, as in the harness (`build_qa_turn`).
  private static func example(_ document: TaskDocument) -> [PromptTurn] {
    func answered(_ question: String, _ answer: String) -> [PromptTurn] {
      [
        PromptTurn(role: .user, text: question, delimiter: targetDelimiter),
        PromptTurn(role: .assistant, text: answer, delimiter: exampleDelimiter),
      ]
    }
    switch document {
    case .choice(let question, let choices, let answer): return answered(question, choices[answer])
    case .context(let contexts, let target, let answer):
      guard !target.isEmpty else { return [PromptTurn(role: .user, text: contexts[answer])] }
      return answered(contexts[answer], target)
    case .target(let question, let target):
      guard !target.isEmpty else { return [PromptTurn(role: .user, text: question)] }
      return answered(question, target)
    case .rolling: return []
    }
  }
}
