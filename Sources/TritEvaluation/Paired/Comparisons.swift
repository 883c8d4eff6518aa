#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Corrections for many comparisons at once.
public enum HolmCorrection {
  /// Each p as it counts among all of them, in their order: the smallest times their number, the
  /// next times one less, and so on, none below one before it (Holm, "A simple sequentially
  /// rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979). At 0.05 no
  /// more than 5 % of such families hold a false finding. Values that are not numbers stay as they
  /// are and do not count.
  public static func adjusted(_ values: [Double]) -> [Double] {
    let order = values.indices.filter { !values[$0].isNaN }
      .sorted { (values[$0], $0) < (values[$1], $1) }
    var result = values
    var least = 0.0
    for (rank, index) in order.enumerated() {
      least = max(least, min(1, values[index] * Double(order.count - rank)))
      result[index] = least
    }
    return result
  }
}

/// What a sample can see: the smallest difference that a comparison finds with a given probability.
public struct DetectableDifference: Sendable, Hashable {
  /// The standard error of the difference, raw.
  public let rawError: Double
  /// What it is told in.
  public let scale: DifferenceScale
  /// The level of the test, two-sided.
  public static let level = 0.05
  /// The probability of finding what is there.
  public static let power = 0.8

  /// What can be seen with a standard error of `rawError`, before it is told in the unit of
  /// `scale`.
  public init(rawError: Double, scale: DifferenceScale) {
    self.rawError = rawError
    self.scale = scale
  }

  /// Standard errors between no difference and one that is found with 80 % (`z_{0.975} + z_{0.8}`,
  /// 2.80).
  public static var standardErrors: Double {
    NormalDistribution.quantile(1 - level / 2) + NormalDistribution.quantile(power)
  }

  /// The smallest difference that is found with 80 % probability at 5 %, in the unit.
  public var value: Double { scale.told(Self.standardErrors * rawError) }

  /// How many times as many units as there are find a difference of `target` (in the unit, not 0)
  /// with the same probability: errors fall with the root of their number.
  public func factor(toSee target: Double) -> Double {
    let ratio = Self.standardErrors * rawError / abs(scale.raw(abs(target)))
    return ratio * ratio
  }
}
