public import TritCore

/// Keeps activations in float32: weight-only quantization, and the fp32 reference.
public struct UnquantizedActivations: ActivationQuantizer {
  /// The registered name.
  public let name = "none"
  /// float32 rows.
  public let form = ActivationForm.float32

  /// Takes no parameters.
  public init() {}

  /// Copies each row.
  public func quantize(_ x: MatrixView<Float>, rows range: Range<Int>, into output: QuantizedRows) {
    let floats = output.floats.base
    for row in range {
      (floats + row * output.columns).update(from: x.base + row * x.stride, count: x.columns)
    }
  }
}
