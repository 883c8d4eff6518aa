internal import COpenBLAS
public import TritCore

/// Float32 weights times float32 activations by OpenBLAS: the reference path, and the way to run any
/// quantizer whose values no integer kernel takes.
///
/// Registered twice. `openblas` and `dequantize` compute the same: weights of any form are expanded to
/// float32 once, at `prepare`. The two names say what is meant: `openblas` is the fp32 reference
/// (dense weights, no quantization), `dequantize` is "fake quantization": the values that a quantizer
/// chose, in float arithmetic, so that its quality can be measured before anybody writes it a kernel.
public struct OpenBLASKernel: LinearKernel {
  /// `openblas` or `dequantize`.
  public let name: String

  /// The kernel under one of its two names.
  public init(name: String = "openblas") { self.name = name }

  /// float32.
  public var accepts: ActivationForm { .float32 }

  /// Expands `weights` to float32. Takes every form and shape.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    OpenBLASRuntime.start()
    return PreparedDense(kernel: name, weights: weights.dequantized())
  }
}

/// Float32 weights `[rows, columns]`, multiplied by OpenBLAS.
struct PreparedDense: PreparedLinear {
  let kernel: String
  let weights: Matrix<Float>

  var rows: Int { weights.rows }
  var columns: Int { weights.columns }
  var weightBytes: Int { rows * columns * 4 }
  var accepts: ActivationForm { .float32 }
  /// A range of rows is a matrix of its own to OpenBLAS, whose micro-kernels are 16 rows high.
  var rowAlignment: Int { 16 }
  var inputLayout: (any InputLayout)? { nil }

  func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>) {
    DenseProduct.multiply(x.floatView, by: weights.view.rows(range), into: y, at: range.lowerBound)
  }

  func accumulate(
    _ x: QuantizedRows, rows range: Range<Int>, into accumulators: MutableMatrixView<Int32>
  ) -> Bool { false }
}

/// `y[t, first + r] = Σ_k w[r, k] · x[t, k]` by OpenBLAS on the calling thread.
enum DenseProduct {
  static func multiply(
    _ x: MatrixView<Float>, by w: MatrixView<Float>, into y: MutableMatrixView<Float>, at first: Int
  ) {
    guard w.rows > 0, x.rows > 0 else { return }
    guard w.columns > 0 else {
      for token in 0..<x.rows {
        for row in 0..<w.rows { y.base[token * y.stride + first + row] = 0 }
      }
      return
    }
    if x.rows == 1 {
      cblas_sgemv(
        CblasRowMajor, CblasNoTrans, blasint(w.rows), blasint(w.columns), 1, w.base,
        blasint(w.stride), x.base, 1, 0, y.base + first, 1)
    } else {
      cblas_sgemm(
        CblasRowMajor, CblasNoTrans, CblasTrans, blasint(x.rows), blasint(w.rows),
        blasint(w.columns), 1, x.base, blasint(x.stride), w.base, blasint(w.stride), 0,
        y.base + first, blasint(y.stride))
    }
  }
}
