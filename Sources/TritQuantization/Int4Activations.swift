public import TritCore

/// Absmax per token to 4 bits, −7…7, in int8 rows, so that every int8 kernel runs it.
///
/// m = max(max|x|, 1e−5), s = 7/m, q = clip(round_half_even(x·s), −8, 7), scale m/7; −8 never
/// occurs. Source: `int8`'s formula at 4 bits, levels 2^(b−1) − 1 = 7. Equation 4 of Wang et al.
/// 2023 (arXiv:2310.11453) would scale by 2^(b−1) = 8 and clip the largest value to just below it.
public struct Int4Activations: ActivationQuantizer {
  /// The registered name.
  public let name = "int4"
  /// int8 rows, values −7…7.
  public let form = ActivationForm.int8

  /// Takes no parameters.
  public init() {}

  /// Quantizes each row by its own largest magnitude.
  public func quantize(_ x: MatrixView<Float>, rows range: Range<Int>, into output: QuantizedRows) {
    for row in range {
      let values = x.base + row * x.stride
      let largest = max(RowCoder.largestMagnitude(values, x.columns), 1e-5)
      RowCoder.code(
        values, x.columns, multiplier: 7 / largest, scale: largest / 7, limit: 7, row: row,
        into: output)
    }
  }
}

/// BitNet a4.8's 4-bit inputs: the scale comes from the mean magnitude, large values are clipped.
///
/// β = max(mean|x|, 1e−5), q = clip(round_half_even(√7·x/β), −8, 7), scale β/√7: for a Gaussian row
/// the levels reach 2.1–2.4 standard deviations. Source: Wang, Ma, Wei 2024 (arXiv:2411.04965).
public struct AbsmeanInt4Activations: ActivationQuantizer {
  /// The registered name.
  public let name = "int4-absmean"
  /// int8 rows, values −8…7.
  public let form = ActivationForm.int8

  /// Takes no parameters.
  public init() {}

  /// Quantizes each row by its own mean magnitude.
  public func quantize(_ x: MatrixView<Float>, rows range: Range<Int>, into output: QuantizedRows) {
    let root = Float(7).squareRoot()
    for row in range {
      let values = x.base + row * x.stride
      let mean = GroupStatistics(
        MatrixView(base: values, rows: 1, columns: x.columns)
      ).meanMagnitude()
      let beta = max(mean, 1e-5)
      RowCoder.code(
        values, x.columns, multiplier: root / beta, scale: beta / root, limit: 7, row: row,
        into: output)
    }
  }
}
