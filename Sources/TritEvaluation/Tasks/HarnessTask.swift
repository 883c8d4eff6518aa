public import TritCore
import TritFormats

/// A task of lm-evaluation-harness: which data set, how a record becomes a question, and which
/// metrics.
///
/// Names, prompts, splits, metrics and versions are those of the harness's release 0.4.13. Figures
/// of one task and version are comparable with those that papers take from it.
public struct HarnessTask: Sendable {
  /// Its name in the harness: `hellaswag`, `mmlu_anatomy`.
  public let name: String
  /// Its name in tables; the same, but for members of a group.
  public let alias: String
  /// The version of the task in the harness.
  public let version: Double
  /// The data set on the Hugging Face hub.
  public let dataset: String
  /// The configuration of the data set; nil for its only one.
  public let configuration: String?
  /// The split whose records are the questions.
  public let split: String
  /// The split that examples are taken from.
  public let exampleSplit: String
  /// What the model is asked: `multiple_choice`, `loglikelihood` or `loglikelihood_rolling`.
  public let outputType: String
  /// What is told of the answers, in the order of the harness.
  public let metrics: [TaskMetric]
  /// What stands before everything.
  public let description: String
  /// How examples are picked.
  let examples: FewShotSampler.Method
  /// Further keys that its configuration has in results files.
  let settings: [(key: String, value: JSONValue)]
  /// Where a file holds the records of several tasks: the field that tells them apart, and its
  /// value here.
  let part: (field: String, value: String)?
  private let reader: @Sendable (RecordFields) throws -> TaskDocument

  init(
    _ name: String, alias: String? = nil, version: Double = 1, dataset: String,
    configuration: String? = nil, split: String, exampleSplit: String,
    outputType: String = "multiple_choice", metrics: [TaskMetric], description: String = "",
    examples: FewShotSampler.Method, settings: [(key: String, value: JSONValue)] = [],
    part: (field: String, value: String)? = nil,
    reader: @escaping @Sendable (RecordFields) throws -> TaskDocument
  ) {
    self.name = name
    self.alias = alias ?? name
    self.version = version
    self.dataset = dataset
    self.configuration = configuration
    self.split = split
    self.exampleSplit = exampleSplit
    self.outputType = outputType
    self.metrics = metrics
    self.description = description
    self.examples = examples
    self.settings = settings
    self.part = part
    self.reader = reader
  }

  /// Whether examples before a question mean anything: whole texts have none.
  public var takesExamples: Bool { outputType != "loglikelihood_rolling" }

  /// The question that a record holds. Throws `badData` with `file:line: field` for a field that is
  /// missing, of another type, or a label outside the choices.
  public func document(_ record: TaskRecord) throws -> TaskDocument {
    try reader(RecordFields(record))
  }

  /// The release of the harness whose tasks these are.
  public static let harnessVersion = "0.4.13"
}

/// A figure of a task's answers.
public enum TaskMetric: String, Sendable, CaseIterable {
  /// Share of questions whose right choice has the greatest log-likelihood; of texts whose target
  /// is greedy.
  case accuracy = "acc"
  /// The same with log-likelihoods a character, as Python's `len` counts them.
  case normalizedAccuracy = "acc_norm"
  /// The same with log-likelihoods a byte of UTF-8.
  case byteAccuracy = "acc_bytes"
  /// `exp` of the mean negative log-likelihood of a target.
  case perplexity
  /// `exp` of the negative log-likelihood a word.
  case wordPerplexity = "word_perplexity"
  /// `exp` of the negative log-likelihood a byte.
  case bytePerplexity = "byte_perplexity"
  /// The negative log-likelihood a byte, in bits.
  case bitsPerByte = "bits_per_byte"

  /// Whether more is better.
  public var higherIsBetter: Bool {
    switch self {
    case .accuracy, .normalizedAccuracy, .byteAccuracy: true
    default: false
    }
  }
}
