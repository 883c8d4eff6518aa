public import TritCore
public import TritEvaluation
public import TritModel

/// A variant that is loaded, and what a measure may use beside it.
public struct MeasureRun {
  let session: LabSession
  let request: MeasureRequest

  /// The model with the variant's choices.
  public var engine: Engine { session.engine }
  /// What it was made from.
  public var checkpoint: Checkpoint { session.checkpoint }
  /// Every stage that there is.
  public var lab: Lab { session.lab }
  /// How the variant draws tokens, where it says so itself.
  public var sampler: SamplerSettings? { request.sampler }
  /// Whether this is the reference.
  public var isReference: Bool { request.isReference }
  /// What the reference wrote, in the order of the prompts; nil where there is none, and for the
  /// reference itself.
  public var referenceTexts: [GeneratedText]? { request.referenceTexts }

  /// Tells how much is done, 0…1.
  public func progress(_ fraction: Double) { request.progress(fraction) }

  /// The text that the measure needs.
  public func text() throws -> TextDataset { try session.dataset(request.text) }

  /// The questions that the measure needs.
  public func questions() throws -> TaskDataset { try session.taskDataset(request.questions) }

  /// The tasks that the measure needs, with their records.
  public func tasks() throws -> HarnessBatch { try session.taskBatch(request.questions) }

  /// The queries and documents that the measure needs.
  public func retrieval() throws -> RetrievalDataset {
    try session.retrievalDataset(request.questions)
  }

  /// The reference as a model whose logits are kept, so that it is run once for many comparisons,
  /// and the longest window that it takes unasked. Throws what loading it throws.
  public func reference() throws -> (model: any LanguageModel, longestWindow: Int) {
    guard let reference = try request.reference() as? LabSession else {
      throw LabError(.internalError, "a reference of another kind")
    }
    return (reference.asReference, reference.longestWindow)
  }

  /// The longest window that is taken without being asked for: what fits the cache, and no more
  /// than the model was trained with (tokens).
  public var longestWindow: Int { session.longestWindow }

  /// Facts about windows of `context` tokens: a warning where the model never saw so many.
  public func warnings(_ section: String, context: Int) -> [String: String] {
    let trained = engine.configuration.contextLength
    guard context > trained else { return [:] }
    return [
      Warnings.key(section):
        "windows of \(context) tokens are longer than the \(trained) that the model was "
        + "trained with: the figure is about positions it never saw, not about the text"
    ]
  }
}

/// What a session is asked to measure with.
package struct MeasureRequest {
  /// How the variant draws tokens, where it says so.
  package var sampler: SamplerSettings?
  /// Whether this is the reference.
  package var isReference: Bool
  /// The text.
  package var text: InputIdentity?
  /// The questions.
  package var questions: InputIdentity?
  /// What the reference wrote.
  package var referenceTexts: [GeneratedText]?
  /// Loads the reference.
  package var reference: () throws -> any VariantSession
  /// Told a fraction of what is to be done.
  package var progress: (Double) -> Void
}

/// What a section measured on a variant.
public struct Measured: Sendable, Codable {
  /// Figures, flat; infinite and undefined ones are kept as such.
  public var metrics: [String: Double]
  /// Curves and tables.
  public var series: [String: Series]
  /// Facts in words, with their full names.
  public var facts: [String: String]
  /// Texts that were written.
  public var texts: [GeneratedText]
  /// What was seen unit by unit.
  public var samples: SampleTable?
  /// What every scored token gave, where a part of the text's windows was measured.
  public var part: WindowPart?

  /// Figures, and what goes with them.
  public init(
    metrics: [String: Double], series: [String: Series] = [:], facts: [String: String] = [:],
    texts: [GeneratedText] = [], samples: SampleTable? = nil
  ) {
    self.metrics = metrics
    self.series = series
    self.facts = facts
    self.texts = texts
    self.samples = samples
  }
}

/// Facts of a record that are warnings: what a reader must know before trusting a figure.
public enum Warnings {
  private static let beginning = "warning: "

  /// The fact's name for a section of `measure`.
  public static func key(_ section: String) -> String { beginning + section }

  /// The warnings among `facts`, section and text, in the order of the sections' names.
  package static func of(_ facts: [String: String]) -> [(section: String, text: String)] {
    facts.filter { $0.key.hasPrefix(beginning) }
      .map { (String($0.key.dropFirst(beginning.count)), $0.value) }
      .sorted { $0.0 < $1.0 }
  }

  /// What warnings of one kind have in common: the section and the words before the first figure or
  /// colon.
  package static func kind(section: String, text: String) -> String {
    "\(section): \(text.prefix { $0 != ":" && !$0.isNumber })"
  }
}
