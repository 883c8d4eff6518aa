#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Where a share that was counted on a sample may lie: the score interval of Wilson, "Probable
/// Inference, the Law of Succession, and Statistical Inference", JASA 22 (1927), p. 209–212.
///
/// It holds the shares `p` at which what was counted is less than `z` standard deviations from what
/// `p` lets expect. So it stays within 0…1, leans to the middle, and is not empty where all or none
/// were right: none of two is 0 to 0.66, where `√(p (1 − p) / n)` says 0 ± 0. Things that were
/// counted are taken as independent.
public struct ShareInterval: Sendable, Hashable {
  /// Lower end, 0…1.
  public let lower: Double
  /// Upper end, 0…1.
  public let upper: Double

  /// The two-sided 95 % point of the normal distribution.
  public static let standardScore = 1.959_963_984_540_054
  /// What the ends mean, for headings.
  public static let name = "95 % Wilson interval"

  /// The interval for `count` of `total`, `0 ≤ count ≤ total`; nil for a total of 0. `score` is how
  /// many standard deviations it takes; 1 gives the interval that belongs to one standard error.
  public init?(_ count: Int, of total: Int, score: Double = standardScore) {
    precondition(count >= 0 && count <= total, "a share counts some of all")
    guard total > 0 else { return nil }
    let n = Double(total)
    let p = Double(count) / n
    let square = score * score
    let middle = (p + square / (2 * n)) / (1 + square / n)
    let half =
      score * (p * (1 - p) / n + square / (4 * n * n)).squareRoot() / (1 + square / n)
    // At the ends both terms are equal but for rounding.
    lower = count == 0 ? 0 : max(0, middle - half)
    upper = count == total ? 1 : min(1, middle + half)
  }

  /// The interval for a share that somebody else has computed, of `total` things; nil where it is
  /// none.
  public init?(share: Double, of total: Double, score: Double = standardScore) {
    guard share >= 0, share <= 1, total >= 1, total < 0x1p53 else { return nil }
    let whole = Int(total)
    self.init(min(whole, Int((share * Double(whole)).rounded())), of: whole, score: score)
  }
}
