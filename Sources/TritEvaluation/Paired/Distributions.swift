#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The standard normal distribution.
public enum NormalDistribution {
  /// The share of it below `x`.
  public static func cumulative(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }

  /// The point with the share `p` of it below, for `0 < p < 1`; infinite at the ends.
  ///
  /// Newton's method on `cumulative`, within brackets that a bisection narrows.
  public static func quantile(_ p: Double) -> Double {
    guard p > 0 else { return -.infinity }
    guard p < 1 else { return .infinity }
    return Root.of(target: p, in: -40...40, cumulative)
  }
}

/// Student's t distribution.
public struct StudentDistribution: Sendable {
  /// Degrees of freedom, above 0.
  public let degrees: Double

  /// The distribution with `degrees` of freedom.
  public init(degrees: Double) {
    precondition(degrees > 0, "degrees of freedom are above 0")
    self.degrees = degrees
  }

  /// The share of it whose distance from 0 is at least `|t|`: the two-sided p of a statistic `t`.
  public func beyond(_ t: Double) -> Double {
    guard t.isFinite else { return t.isNaN ? .nan : 0 }
    return IncompleteBeta.regularized(degrees / (degrees + t * t), degrees / 2, 0.5)
  }

  /// The t that the share `p` of it lies beyond, on both sides together, `0 < p < 1`.
  public func critical(_ p: Double) -> Double {
    precondition(p > 0 && p < 1, "a share between 0 and 1")
    var high = 2.0
    while beyond(high) > p, high < 1e300 { high *= 2 }
    return Root.of(target: -p, in: 0...high) { -beyond($0) }
  }
}

/// The binomial distribution with both outcomes equally likely: the sign test.
public enum SignTest {
  /// The exact two-sided p that of `a + b` fair coins so few or fewer show one side as the smaller
  /// of the two: 1 where they are equal or there are none.
  public static func pValue(_ a: Int, _ b: Int) -> Double {
    precondition(a >= 0 && b >= 0, "counts")
    let total = Double(a + b)
    let low = min(a, b)
    guard a != b else { return 1 }
    // ln C(n, k) 2^-n, summed from the largest term down.
    let constant = lgammaOf(total + 1) - total * log(2)
    var sum = 0.0
    for k in stride(from: low, through: 0, by: -1) {
      let term = exp(constant - lgammaOf(Double(k) + 1) - lgammaOf(total - Double(k) + 1))
      sum += term
      if term < sum * 1e-17 { break }
    }
    return min(1, 2 * sum)
  }
}

/// Where an increasing function takes a value.
enum Root {
  /// The `x` of `range` with `function(x) = target`, to the last digits.
  static func of(
    target: Double, in range: ClosedRange<Double>, _ function: (Double) -> Double
  ) -> Double {
    var (low, high) = (range.lowerBound, range.upperBound)
    for _ in 0..<200 {
      let middle = low + (high - low) / 2
      guard middle > low, middle < high else { break }
      if function(middle) < target { low = middle } else { high = middle }
    }
    return low + (high - low) / 2
  }
}

/// The regularized incomplete beta function `I_x(a, b)` (NIST DLMF 8.17), by the continued fraction
/// 8.17.22, evaluated after Lentz.
enum IncompleteBeta {
  static func regularized(_ x: Double, _ a: Double, _ b: Double) -> Double {
    guard x > 0 else { return 0 }
    guard x < 1 else { return 1 }
    // The fraction converges fast below the mean; above it the other tail does (8.17.4).
    return x < (a + 1) / (a + b + 2) ? tail(x, a, b) : 1 - tail(1 - x, b, a)
  }

  private static func tail(_ x: Double, _ a: Double, _ b: Double) -> Double {
    let front = exp(
      lgammaOf(a + b) - lgammaOf(a) - lgammaOf(b) + a * log(x) + b * log1p(-x))
    return front / a / fraction(x, a, b)
  }

  /// `1 + d₁/(1 + d₂/(1 + …))` of DLMF 8.17.22.
  private static func fraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
    let tiny = 1e-300
    var value = 1.0
    var c = 1.0
    var d = 0.0
    for step in 1...10_000 {
      let m = Double(step / 2)
      let term =
        step.isMultiple(of: 2)
        ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      d = 1 + term * d
      if abs(d) < tiny { d = tiny }
      d = 1 / d
      c = 1 + term / c
      if abs(c) < tiny { c = tiny }
      value *= c * d
      if abs(c * d - 1) < 1e-16 { break }
    }
    return value
  }
}

/// ln Γ(x) for `x > 0`.
private func lgammaOf(_ x: Double) -> Double {
  #if canImport(Glibc)
    var sign: Int32 = 0
    // lgamma itself writes a global, which threads would share.
    return lgamma_r(x, &sign)
  #else
    return lgamma(x)
  #endif
}
