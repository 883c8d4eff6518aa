public import TritCore
public import TritFormats

/// Everything that decides what a training computes, apart from its text.
public struct TrainingSettings: Sendable, Hashable {
  /// A short name.
  public var name: String
  /// The model.
  public var shape: ModelShape
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
      "model": [
        "block": .string(shape.block.rawValue), "hidden": JSONValue(shape.hidden),
        "feed-forward": JSONValue(shape.feedForward), "layers": JSONValue(shape.layers),
        "heads": JSONValue(shape.heads), "key-value-heads": JSONValue(shape.keyValueHeads),
        "head-dimension": JSONValue(shape.headDimension),
        "vocabulary": JSONValue(shape.vocabulary), "context": JSONValue(shape.context),
        "norm-epsilon": JSONValue(shape.normEpsilon), "rope-base": JSONValue(shape.ropeBase),
        "tied": JSONValue(shape.tiesEmbeddings),
      ],
      "quantization": [
        "quantizer": .string(quantizer.description),
        "activations": .string(activations.description),
      ],
      "optimisation": .object(optimisation), "seed": .number(String(seed)),
      "deviation": JSONValue(deviation),
    ]
  }
}
