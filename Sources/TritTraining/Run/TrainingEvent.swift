/// One step of a training, as it is logged.
public struct StepRecord: Sendable, Equatable {
  /// The step, from 1.
  public var step: Int
  /// Tokens read so far.
  public var tokens: Int
  /// Mean cross-entropy of the step's batch, nats a token.
  public var loss: Double
  /// The learning rate.
  public var rate: Double
  /// Norm of the gradient before clipping.
  public var gradientNorm: Double
  /// Tokens trained on per second, of this step.
  public var tokensPerSecond: Double
  /// Seconds of training so far, over all runs.
  public var seconds: Double
}

/// What a training tells while it runs.
public enum TrainingEvent: Sendable {
  /// It begins after `step` steps of `of`; more than 0 where a checkpoint is continued.
  case started(step: Int, of: Int)
  /// A step is done; `remaining` is the estimate of the seconds to the end.
  case step(StepRecord, of: Int, remaining: Double)
  /// The loss on held-out text after `step` steps.
  case validated(step: Int, loss: Double)
  /// A checkpoint was written.
  case saved(step: Int)
}

/// How a training ended.
public struct TrainingOutcome: Sendable, Equatable {
  /// Steps done.
  public var steps: Int
  /// Loss of the last step, nats a token.
  public var lastLoss: Double
  /// Loss on held-out text after the last step.
  public var validationLoss: Double
  /// Seconds of training over all runs.
  public var seconds: Double
}
