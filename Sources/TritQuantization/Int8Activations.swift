public import TritCore

/// Absmax per token to int8: what W1.58A8 models are trained with; the reference.
///
/// m = max(max|x|, 1e−5), s = 127/m in float32, q = clip(round_half_even(x·s), −128, 127); the stored scale
/// is m/127. A row with NaN or infinity gets a scale that is not finite, so that the damage shows in every
/// product instead of hiding in some integer.
///
/// Source: Ma et al. 2025 (arXiv:2504.12285), §2; Wang et al. 2023 (arXiv:2310.11453), equations 4–5.
public struct Int8Activations: ActivationQuantizer {
  /// The registered name.
  public let name = "int8"
  /// int8 rows.
  public let form = ActivationForm.int8

  /// Takes no parameters.
  public init() {}

  /// Quantizes each row by its own largest magnitude.
  public func quantize(_ x: MatrixView<Float>, rows range: Range<Int>, into output: QuantizedRows) {
    for row in range {
      let values = x.base + row * x.stride
      let largest = max(RowCoder.largestMagnitude(values, x.columns), 1e-5)
      RowCoder.code(
        values, x.columns, multiplier: 127 / largest, scale: largest / 127, low: -128, high: 127,
        row: row, into: output)
    }
  }
}
