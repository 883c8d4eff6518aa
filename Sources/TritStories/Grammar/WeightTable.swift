import Foundation

/// Weights of a random choice, with the sums that make its exact probabilities cheap.
///
/// Option `i` has probability `weights[i] / Σ weights`; where options are excluded, over the sum
/// of the rest.
struct WeightTable: Sendable {
  let weights: [Double]
  let total: Double
  /// `Σ w ln w`, from which the entropy is `ln T − (Σ w ln w) / T`.
  let weightedLogs: Double

  init(_ weights: [Double]) {
    self.weights = weights
    total = weights.reduce(0, +)
    weightedLogs = weights.reduce(0) { $0 + ($1 > 0 ? $1 * log($1) : 0) }
  }

  /// `count` options of equal weight.
  static func uniform(_ count: Int) -> WeightTable {
    count < uniformTables.count
      ? uniformTables[count] : WeightTable([Double](repeating: 1, count: count))
  }

  private static let uniformTables = (0..<200).map {
    WeightTable([Double](repeating: 1, count: $0))
  }

  /// Falling weights `1 / (i + 12)`: the first words of a list are the common ones, as in real
  /// text.
  static func falling(_ count: Int) -> WeightTable {
    WeightTable((0..<count).map { 1 / Double($0 + 12) })
  }
}
