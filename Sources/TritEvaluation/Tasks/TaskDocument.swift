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
  /// The strings are those of `ConfigurableTask.fewshot_context` and `construct_requests` (0.4.13),
  /// without a chat template: description, examples, each with its answer and an empty line after
  /// it, and the question.
  func requests(_ document: TaskDocument, examples: [TaskDocument]) -> [TaskRequest] {
    let front = description + examples.map(Self.example).joined()
    switch document {
    case .choice(let question, let choices, _):
      return choices.map {
        TaskRequest(context: front + question, continuation: Self.targetDelimiter + $0)
      }
    case .context(let contexts, let target, _):
      return contexts.map {
        TaskRequest(context: front + $0, continuation: Self.targetDelimiter + target)
      }
    case .target(let question, let target):
      return [TaskRequest(context: front + question, continuation: target)]
    case .rolling: return []
    }
  }

  /// An example as it stands before a question. One whose answer is an empty text has no delimiters
  /// either, as in the harness (`build_qa_turn`).
  private static func example(_ document: TaskDocument) -> String {
    func answered(_ question: String, _ answer: String) -> String {
      answer.isEmpty ? question : question + targetDelimiter + answer + exampleDelimiter
    }
    switch document {
    case .choice(let question, let choices, let answer):
      return question + targetDelimiter + choices[answer] + exampleDelimiter
    case .context(let contexts, let target, let answer): return answered(contexts[answer], target)
    case .target(let question, let target): return answered(question, target)
    case .rolling: return ""
    }
  }
}
