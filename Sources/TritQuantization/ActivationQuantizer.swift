public import TritCore

/// Turns float activations into what a linear kernel multiplies: int8 rows with one scale each, or
/// float32 rows (unquantized, or quantized and dequantized where the codes themselves cannot be
/// multiplied).
///
/// Laws (`checkActivationQuantizer`): rows are independent; a zero row gives zeros and a finite
/// scale; padding columns are zero; `sums` are the sums of `values`; NaN and infinity stay visible
/// in what the row dequantizes to; no allocation after the first call.
public protocol ActivationQuantizer: Sendable {
  /// The registered name.
  var name: String { get }
  /// The form that `quantize` leaves.
  var form: ActivationForm { get }
  /// Quantizes the rows `range` of `x` `[tokens, columns]` into the same rows of `output`, on which
  /// somebody has called `begin(rows:form:)`. Disjoint ranges may run on different threads.
  func quantize(_ x: MatrixView<Float>, rows range: Range<Int>, into output: QuantizedRows)
}

extension ActivationQuantizer {
  /// Quantizes all rows of `x` on the calling thread.
  public func quantize(_ x: MatrixView<Float>, into output: QuantizedRows) {
    output.begin(rows: x.rows, form: form)
    quantize(x, rows: 0..<x.rows, into: output)
  }

  /// Quantizes all rows of `x`, which lives until that is done, on the calling thread.
  public func quantize(_ x: MatrixSpan<Float>, into output: QuantizedRows) {
    x.withUnsafeView { quantize($0, into: output) }
  }
}
