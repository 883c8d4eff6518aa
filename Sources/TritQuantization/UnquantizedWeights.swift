public import TritCore

/// Keeps weights as they are: the float reference, and layers that an experiment leaves alone.
public struct UnquantizedWeights: WeightQuantizer {
  /// The registered name.
  public let name = "none"
  /// True: nothing is changed.
  public let isIdempotent = true

  /// Takes no parameters.
  public init() {}

  /// A gapless copy of `weights` as `.dense`.
  public func quantize(_ weights: MatrixView<Float>) throws -> QuantizedWeights {
    try WeightGroups.requireFinite(weights)
    let copy = Matrix<Float>(rows: weights.rows, columns: weights.columns)
    for row in 0..<weights.rows {
      (copy.storage.base + row * weights.columns).update(
        from: weights.base + row * weights.stride, count: weights.columns)
    }
    return .dense(copy)
  }
}
