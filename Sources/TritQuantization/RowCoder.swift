import TritCore

/// The steps that activation quantizers share: magnitude of a row, codes, sum and padding.
enum RowCoder {
  /// Largest |x|; NaN if any element is NaN, so that the damage reaches the scale.
  static func largestMagnitude(_ values: UnsafePointer<Float>, _ count: Int) -> Float {
    VectorMath.largestMagnitude(values, count: count)
  }

  /// Writes `clip(round_half_even(x · multiplier), −limit − 1, limit)`, zero padding, sum and scale
  /// of row `row` of `output`.
  static func code(
    _ values: UnsafePointer<Float>, _ count: Int, multiplier: Float, scale: Float, limit: Int32,
    row: Int, into output: QuantizedRows
  ) {
    let codes = output.row(row)
    output.sums.base[row] = VectorMath.quantize(
      values, multiplier: multiplier, limit: limit, into: codes, count: count)
    (codes + count).update(repeating: 0, count: output.stride - count)
    output.scales.base[row] = scale
  }
}
