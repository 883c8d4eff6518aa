import TritLab

/// Ternary weights with a given share of them kept: those of the largest magnitude become ±1, the
/// others 0. The scale is the mean magnitude of those kept, which is the least-squares one for
/// these trits.
public struct KeptQuantizer: GroupwiseTernaryQuantizer {
  /// The registered name.
  public let name = "kept"
  /// One scale a matrix.
  public let granularity = ScaleGranularity.tensor
  /// Of the weights that are kept, above 0 up to 1.
  public let share: Double

  /// Keeps `share` of the weights.
  public init(share: Double = 0.6) { self.share = share }

  /// The threshold is the largest magnitude that is not kept; equal ones go with it.
  public func fit(_ group: MatrixView<Float>) -> TernaryFit {
    var magnitudes: [Float] = []
    magnitudes.reserveCapacity(group.rows * group.columns)
    for row in 0..<group.rows { magnitudes += group.row(row).lazy.map(\.magnitude) }
    magnitudes.sort(by: >)
    let kept = Int((share * Double(magnitudes.count)).rounded())
    let threshold = kept < magnitudes.count ? magnitudes[kept] : 0
    let large = magnitudes.prefix { $0 > threshold }
    guard !large.isEmpty else { return .zero }
    let sum = large.reduce(0.0) { $0 + Double($1) }
    return TernaryFit(.threshold(threshold), scale: Float(sum / Double(large.count)))
  }
}
