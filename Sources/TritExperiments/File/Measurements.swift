public import TritEvaluation

/// What an experiment measures on every variant; a section that is nil is not measured.
public struct Measurements: Sendable {
  /// Text.
  public var generate: GenerateMeasure?
  /// Perplexity of a text.
  public var perplexity: PerplexityMeasure?
  /// Divergence of the predictions from the reference's.
  public var divergence: DivergenceMeasure?
  /// Accuracy on multiple-choice questions.
  public var tasks: TasksMeasure?
  /// Error and size of the weights.
  public var weights: WeightsMeasure?
  /// Tokens a second.
  public var speed: SpeedMeasure?
  /// Arithmetic energy a token.
  public var energy: EnergyMeasure?
  /// The kernel against what the machine can read and multiply.
  public var roofline: RooflineMeasure?

  /// Nothing is measured.
  public init() {}

  /// The keys of the sections that are measured, in the order in which they run.
  public var sections: [String] {
    var list: [String] = []
    if generate != nil { list.append("generate") }
    if perplexity != nil { list.append("perplexity") }
    if divergence != nil { list.append("divergence") }
    if tasks != nil { list.append("tasks") }
    if weights != nil { list.append("weights") }
    if speed != nil { list.append("speed") }
    if energy != nil { list.append("energy") }
    if roofline != nil { list.append("roofline") }
    return list
  }
}

/// Text generated from prompts, compared with what the reference writes.
public struct GenerateMeasure: Sendable, Hashable {
  /// The prompts, each continued on its own.
  public var prompts: [String]
  /// New tokens, at most.
  public var tokens: Int
  /// How tokens are drawn where the variant says nothing else.
  public var sampler: SamplerSettings
  /// The seed of the draw; the same for every variant, so that only the variant differs.
  public var seed: UInt64
  /// Whether an end-of-text token ends the text early.
  public var stopsAtEnd: Bool
}

/// Perplexity of a text by a named protocol.
public struct PerplexityMeasure: Sendable, Hashable {
  /// A text file, a folder, JSONL, or the name of a known data set.
  public var data: PathReference
  /// The field to read of each line of a JSONL file.
  public var field: String?
  /// Tokens a window; nil is the protocol's default, no longer than the model allows.
  public var context: Int?
  /// `llama.cpp`, `strided` or `contiguous`.
  public var protocolName: String
  /// Tokens between windows, for `strided`.
  public var stride: Int?
  /// Windows, at most; nil is all of the text.
  public var chunks: Int?
}

/// Kullback-Leibler divergence from the reference and what goes with it, as llama-perplexity reports.
public struct DivergenceMeasure: Sendable, Hashable {
  /// The text; the perplexity section's where the file says nothing.
  public var data: PathReference
  /// The field to read of each line of a JSONL file.
  public var field: String?
  /// Tokens a window; nil as in `PerplexityMeasure`.
  public var context: Int?
  /// Windows, at most; nil is all of the text.
  public var chunks: Int?
}

/// Accuracy on questions that have one right answer among several.
public struct TasksMeasure: Sendable, Hashable {
  /// `builtin:storyteller/tasks`, or a JSONL file of questions.
  public var data: PathReference
  /// Questions, at most; nil is all of a file, and 200 of the built-in ones.
  public var limit: Int?
  /// Where the tokens of a context end and those of a choice begin.
  public var split = TaskSplit.common
}

/// Error, sparsity, entropy, bits a weight and bytes of the linear layers.
public struct WeightsMeasure: Sendable, Hashable {}

/// Tokens a second of prefill and decode.
public struct SpeedMeasure: Sendable, Hashable {
  /// Tokens of the prompt.
  public var prompt: Int
  /// Tokens that are generated.
  public var tokens: Int
  /// Times that both are measured; the median is reported.
  public var repetitions: Int
  /// Whether the machine's roofs are measured beside them.
  public var roofs = false
}

/// The kinds of plots, each with a template `plots/<kind>.gp`.
public enum PlotKind: String, Sendable, Hashable, CaseIterable {
  /// Perplexity with its error, a row for each variant.
  case perplexityByVariant = "perplexity-by-variant"
  /// Perplexity against bytes of weights.
  case sizeVersusPerplexity = "size-vs-perplexity"
  /// Perplexity against bits a weight.
  case qualityVersusBits = "quality-vs-bits"
  /// Prefill and decode speed.
  case throughput
  /// Divergence along the context.
  case divergenceByPosition = "kl-by-position"
  /// Divergence (or loss of perplexity) caused by each variant, sorted: which layer hurts most.
  case layerSensitivity = "layer-sensitivity"
  /// How long each variant writes the same text as the reference.
  case generationAgreement = "generation-agreement"
  /// Share of questions answered rightly, a row for each variant.
  case taskAccuracy = "task-accuracy"
  /// Perplexity against parameters: models of several sizes, each kind of weights a curve.
  case scaling
  /// Arithmetic energy of a token by part.
  case energy
  /// Gop/s against tokens, with the roofs of reading and multiplying.
  case roofline

  /// The sections of `measure` that the plot draws from.
  public var needs: [String] {
    switch self {
    case .perplexityByVariant: ["perplexity"]
    case .sizeVersusPerplexity, .qualityVersusBits: ["perplexity", "weights"]
    case .throughput: ["speed"]
    case .divergenceByPosition, .layerSensitivity: ["divergence"]
    case .generationAgreement: ["generate"]
    case .taskAccuracy: ["tasks"]
    case .scaling: ["perplexity"]
    case .energy: ["energy"]
    case .roofline: ["roofline"]
    }
  }

  /// Whether the plot compares with the reference.
  public var needsReference: Bool {
    switch self {
    case .divergenceByPosition, .layerSensitivity, .generationAgreement: true
    default: false
    }
  }

  /// One line: what it shows.
  public var summary: String {
    switch self {
    case .perplexityByVariant: "perplexity of each variant, with its error"
    case .sizeVersusPerplexity: "perplexity against the bytes of the linear weights"
    case .qualityVersusBits: "perplexity against bits a weight (codes and scales)"
    case .throughput: "prefill and decode speed of each variant"
    case .divergenceByPosition: "KL divergence from the reference along the context"
    case .layerSensitivity: "KL divergence that each variant causes"
    case .generationAgreement: "tokens until the text leaves the reference's"
    case .taskAccuracy: "accuracy on multiple-choice questions, of all and by kind"
    case .scaling: "perplexity against the size of the model"
    case .energy: "arithmetic energy of a token, by part"
    case .roofline: "each kernel against what the machine can read and multiply"
    }
  }
}
