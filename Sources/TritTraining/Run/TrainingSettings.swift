public import TritCore
public import TritFormats
import TritModel

/// Everything that decides what a training computes, apart from its text.
public struct TrainingSettings: Sendable, Hashable {
  /// A short name.
  public var name: String
  /// The model.
  public var shape: ModelShape
  /// The checkpoint that the training begins with, of this shape; nil begins with random weights.
  public var checkpoint: String?
  /// What quantizes the weights of linear layers, forward; `none` trains in full precision.
  public var quantizer: StageChoice
  /// What quantizes the inputs of linear layers, forward.
  public var activations: StageChoice
  /// Learning rate, weight decay and number of steps.
  public var schedule: LearningRateSchedule
  /// Decay rates of Adam's means.
  public var beta1 = 0.9, beta2 = 0.95
  /// The longest gradient; nil for no clipping.
  public var clip: Double? = 1
  /// Sequences of a batch.
  public var sequences: Int
  /// Batches whose gradients make one step.
  public var accumulation = 1
  /// Tokens of a sequence.
  public var length: Int
  /// Decides the starting weights and the order of the text.
  public var seed: UInt64 = 1
  /// Standard deviation of the starting weights.
  public var deviation = 0.02
  /// Steps from one validation to the next; 0 for none but the last.
  public var validationInterval = 100
  /// Sequences that a validation reads at most.
  public var validationSequences = 64
  /// Steps from one checkpoint to the next.
  public var checkpointInterval = 100

  /// Settings with the usual rest.
  public init(
    name: String, shape: ModelShape, quantizer: StageChoice = StageChoice("absmean"),
    activations: StageChoice = StageChoice("int8"), schedule: LearningRateSchedule, sequences: Int,
    length: Int
  ) {
    self.name = name
    self.shape = shape
    self.quantizer = quantizer
    self.activations = activations
    self.schedule = schedule
    self.sequences = sequences
    self.length = length
  }

  /// Tokens of one step.
  public var tokensPerStep: Int { sequences * accumulation * length }

  /// The settings as JSON, for records and for telling whether a checkpoint continues this
  /// training.
  public var document: JSONValue {
    var optimisation: [(key: String, value: JSONValue)] = [
      ("steps", JSONValue(schedule.steps)), ("warmup", JSONValue(schedule.warmup)),
      ("peak", JSONValue(schedule.peak)), ("shape", .string(schedule.shape.rawValue)),
      ("final", JSONValue(schedule.final)), ("weight-decay", JSONValue(schedule.weightDecay)),
      ("beta1", JSONValue(beta1)), ("beta2", JSONValue(beta2)),
      ("clip", clip.map { JSONValue($0) } ?? .null), ("batch", JSONValue(sequences)),
      ("accumulation", JSONValue(accumulation)), ("length", JSONValue(length)),
    ]
    if let second = schedule.second {
      optimisation.append(
        ("second-stage", ["start": JSONValue(second.start), "peak": JSONValue(second.peak)]))
    }
    return [
      "name": .string(name),
      "model": model,
      "quantization": [
        "quantizer": .string(quantizer.description),
        "activations": .string(activations.description),
      ],
      "optimisation": .object(optimisation), "seed": .number(String(seed)),
      "deviation": JSONValue(deviation),
    ]
  }

  /// The model as JSON: sizes where its family needs no more, as all models had it once, whose
  /// trainings go on; else its `config.json`, and the checkpoint that it begins with.
  private var model: JSONValue {
    let configuration = shape.configuration
    let sizes = ModelSizes(
      family: configuration.activation == .relu2 ? "bitnet" : "llama",
      hidden: shape.hidden, feedForward: configuration.feedForwardSize, layers: shape.layers,
      heads: configuration.heads, keyValueHeads: configuration.keyValueHeads,
      headDimension: configuration.headDimension, vocabulary: shape.vocabulary,
      context: shape.context, normEpsilon: configuration.normEpsilon,
      ropeBase: configuration.ropeBase, tiesEmbeddings: shape.tiesEmbeddings)
    guard checkpoint == nil, shape.document == sizes.document else {
      return .object(
        [("config", shape.document)] + (checkpoint.map { [("checkpoint", .string($0))] } ?? []))
    }
    return [
      "block": .string(sizes.family), "hidden": JSONValue(sizes.hidden),
      "feed-forward": JSONValue(sizes.feedForward), "layers": JSONValue(sizes.layers),
      "heads": JSONValue(sizes.heads), "key-value-heads": JSONValue(sizes.keyValueHeads),
      "head-dimension": JSONValue(sizes.headDimension),
      "vocabulary": JSONValue(sizes.vocabulary), "context": JSONValue(sizes.context),
      "norm-epsilon": JSONValue(sizes.normEpsilon), "rope-base": JSONValue(sizes.ropeBase),
      "tied": JSONValue(sizes.tiesEmbeddings),
    ]
  }
}
