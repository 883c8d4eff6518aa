public import TritCore

/// Weights of any form times float32 activations, summed in float64 so that its own rounding does
/// not show: `y[t, r] = Float(Σ_k Double(w[r, k]) · Double(x[t, k]))`.
///
/// The formula for what OpenBLAS does fast, and the check of it. It dequantizes trits and integers
/// to the float32 values they stand for. It is *not* the oracle of the integer kernels: those round
/// activations to int8 first, see `ReferenceKernel`.
public struct ReferenceFloatKernel: LinearKernel {
  /// `reference-f32`.
  public let name = "reference-f32"
  /// float32 rows.
  public let accepts = ActivationForm.float32
  /// There to be read.
  public let isPlain = true

  /// The kernel has no parameters.
  public init() {}

  /// Takes any weights.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    ReferenceFloatLinear(weights: weights.dequantized())
  }
}

/// The float32 values, and the formula.
struct ReferenceFloatLinear: PreparedLinear {
  let weights: Matrix<Float>
  let kernel = "reference-f32"
  let accepts = ActivationForm.float32
  let rowAlignment = 1
  let inputLayout: (any InputLayout)? = nil

  var rows: Int { weights.rows }
  var columns: Int { weights.columns }
  var weightBytes: Int { 4 * rows * columns }
  var memory: [any RawMemory] { [weights.storage] }

  func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>) {
    for token in 0..<x.rows {
      let input = x.floats.base + token * columns
      for row in range { y[token, row] = dot(weights.storage.base + row * columns, input) }
    }
  }

  func accumulate(
    _ x: QuantizedRows, rows range: Range<Int>, into accumulators: MutableMatrixView<Int32>
  ) -> Bool {
    false
  }

  private func dot(_ w: UnsafePointer<Float>, _ x: UnsafePointer<Float>) -> Float {
    // Eight sums side by side: a single chain of additions would wait for each in turn.
    var sums = SIMD8<Double>()
    var k = 0
    while k + 8 <= columns {
      let a = UnsafeRawPointer(w + k).loadUnaligned(as: SIMD8<Float>.self)
      let b = UnsafeRawPointer(x + k).loadUnaligned(as: SIMD8<Float>.self)
      sums += SIMD8<Double>(a) * SIMD8<Double>(b)
      k += 8
    }
    var sum = sums.sum()
    while k < columns {
      sum += Double(w[k]) * Double(x[k])
      k += 1
    }
    return Float(sum)
  }
}
