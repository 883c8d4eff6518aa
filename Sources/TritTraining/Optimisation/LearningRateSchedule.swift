#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// How the learning rate and the weight decay move over a training.
///
/// The rate rises in a straight line over the warm-up, then falls from `peak` to `final · peak`
/// along a cosine or a line. With a second stage it falls along that curve until `second.start`,
/// drops to `second.peak`, and falls from there, with no weight decay: the high rate finds signs,
/// the low one lets them settle. Source: "The Era of 1-bit LLMs: Training Tips, Code and FAQ"
/// (Microsoft 2024), §2; Ma et al. 2025 (arXiv:2504.12285), §3.1.
public struct LearningRateSchedule: Sendable, Hashable {
  /// The curve after the warm-up.
  public enum Shape: String, Sendable, Hashable, CaseIterable {
    /// Half a cosine wave.
    case cosine
    /// A straight line.
    case linear
    /// No fall.
    case constant
  }

  /// The second stage of ternary training.
  public struct SecondStage: Sendable, Hashable {
    /// Where it begins, as a share of all steps, 0…1.
    public var start: Double
    /// The rate it begins with.
    public var peak: Double

    /// Describes a second stage.
    public init(start: Double = 0.5, peak: Double) {
      self.start = start
      self.peak = peak
    }
  }

  /// Steps in all.
  public var steps: Int
  /// Steps of the warm-up.
  public var warmup: Int
  /// The highest rate.
  public var peak: Double
  /// The curve.
  public var shape: Shape
  /// What is left at the end, as a share of the peak.
  public var final: Double
  /// Weight decay of matrices (until the second stage).
  public var weightDecay: Double
  /// The second stage, if there is one.
  public var second: SecondStage?

  /// Describes a schedule.
  public init(
    steps: Int, warmup: Int, peak: Double, shape: Shape = .cosine, final: Double = 0,
    weightDecay: Double = 0.1, second: SecondStage? = nil
  ) {
    self.steps = steps
    self.warmup = warmup
    self.peak = peak
    self.shape = shape
    self.final = final
    self.weightDecay = weightDecay
    self.second = second
  }

  private func fall(_ share: Double) -> Double {
    let left: Double =
      switch shape {
      case .cosine: 0.5 * (1 + cos(.pi * share))
      case .linear: 1 - share
      case .constant: 1
      }
    return final + (1 - final) * left
  }

  /// The first step of the second stage; `steps` where there is none.
  public var secondStart: Int {
    second.map { Int((Double(steps) * $0.start).rounded()) } ?? steps
  }

  /// The learning rate of step `step`, from 0.
  public func rate(_ step: Int) -> Double {
    if step < warmup { return peak * Double(step + 1) / Double(warmup) }
    if let second, step >= secondStart {
      let share = Double(step - secondStart) / Double(max(steps - secondStart, 1))
      return second.peak * fall(min(share, 1))
    }
    return peak * fall(min(Double(step - warmup) / Double(max(steps - warmup, 1)), 1))
  }

  /// The weight decay of step `step`.
  public func decay(_ step: Int) -> Double { step >= secondStart ? 0 : weightDecay }
}
