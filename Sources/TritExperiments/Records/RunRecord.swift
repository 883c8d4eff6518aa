/// Everything that one variant's run measured, with its provenance: one line of `results.jsonl`.
///
/// `params` and `metrics` are flat, with dots in the keys, so that any tracker or data frame takes
/// them.
public struct RunRecord: Codable, Sendable, Equatable {
  /// How a run ended.
  public enum Status: String, Codable, Sendable {
    /// Everything was measured.
    case finished
    /// A measurement failed; what came before it is kept.
    case failed
    /// Ctrl-C came in between; the variant is run again on resume.
    case interrupted
  }

  /// What the run is in its experiment.
  public enum Role: String, Codable, Sendable {
    /// One of the compared variants.
    case variant
    /// What the variants are compared with.
    case reference
  }

  /// The form of this record.
  public var schema = Self.form
  /// The form that this program writes and reads.
  public static let form = "trit/run/1"
  /// The experiment's name.
  public var experiment: String
  /// Variant or reference.
  public var role: Role
  /// The place in the plan; −1 for the reference.
  public var index: Int
  /// The id of the choices.
  public var id: String
  /// The variant in words.
  public var label: String
  /// How it ended.
  public var status: Status
  /// What went wrong, if anything.
  public var error: String?
  /// Digest of everything that the measurements depend on; equal inputs are not measured again.
  public var inputs: String
  /// The run directory that measured this, where the record was taken over from an earlier run.
  public var reusedFrom: String?
  /// UTC, `2026-11-20T10:25:12Z`.
  public var started: String
  /// UTC.
  public var ended: String
  /// What was chosen: stages, model, seed, threads, sections of `measure`.
  public var params: [String: String]
  /// What was measured. In `results.jsonl` a figure that is infinite or not defined is null, and
  /// the member `undefined` says why.
  public var metrics: [String: Double]
  /// Kernels that ran, by what they ran; facts in words.
  public var facts: [String: String] = [:]
  /// Generated texts, one for each prompt.
  public var texts: [GeneratedText] = []
  /// Curves and tables: name to columns of equal length.
  public var series: [String: Series] = [:]
  /// Where the samples are that differences are made of, relative to the run directory; nil where
  /// it has none.
  public var samples: String?
  /// What this is a part of, where the windows of a text are shared out over runs (`trit collect`
  /// joins them).
  public var part: RecordPart?
}

/// A text that a variant wrote.
public struct GeneratedText: Codable, Sendable, Equatable {
  /// The prompt.
  public var prompt: String
  /// The continuation.
  public var text: String
  /// The ids of the continuation.
  public var tokens: [Int]
  /// Why it ended: `length`, `end`, `context`.
  public var finish: String
  /// Leading tokens that the reference wrote too; nil where there is no reference.
  public var agreement: Int?
  /// Tokens of the prompt.
  public var promptTokens: Int = 0

  /// Records a text.
  public init(
    prompt: String, text: String, tokens: [Int], finish: String, agreement: Int? = nil,
    promptTokens: Int = 0
  ) {
    self.prompt = prompt
    self.text = text
    self.tokens = tokens
    self.finish = finish
    self.agreement = agreement
    self.promptTokens = promptTokens
  }
}

/// Columns of equal length, by name; `labels` names the rows where numbers do not.
public struct Series: Codable, Sendable, Equatable {
  /// Names of the rows, if they have any.
  public var labels: [String]?
  /// The columns.
  public var columns: [String: [Double]]

  /// Makes a table.
  public init(labels: [String]? = nil, columns: [String: [Double]]) {
    self.labels = labels
    self.columns = columns
  }
}
