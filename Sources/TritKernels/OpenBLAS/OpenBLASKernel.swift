public import TritCore

/// Float32 weights times float32 activations by OpenBLAS: the reference path, and the way to run
/// any quantizer whose values no integer kernel takes.
///
/// Registered twice; weights of any form are expanded to float32 once, at `prepare`. `openblas` is
/// the fp32 reference and takes float32 activations alone. `dequantize` is "fake quantization": the
/// values that quantizers chose, in float arithmetic, so that their quality can be measured before
/// anybody writes a kernel. It also takes int8 activations, which it expands to `q · scale`.
public struct OpenBLASKernel: LinearKernel {
  /// `openblas` or `dequantize`.
  public let name: String

  /// The kernel under one of its two names.
  public init(name: String = "openblas") { self.name = name }

  /// float32.
  public var accepts: ActivationForm { .float32 }

  /// float32; int8 too for `dequantize`.
  public var forms: Set<ActivationForm> { isReference ? [.float32] : [.float32, .int8] }

  /// Whether it is `openblas`, the fp32 reference.
  private var isReference: Bool { name == "openblas" }

  /// Expands `weights` to float32. Takes every form and shape.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    try prepare(weights, for: .float32)
  }

  /// The same for activations of `form`; int8 for `dequantize` alone.
  public func prepare(_ weights: QuantizedWeights, for form: ActivationForm) throws
    -> any PreparedLinear
  {
    try checkForm(form)
    try OpenBLASRuntime.start()
    return PreparedDense(
      kernel: name, weights: weights.dequantized(), accepts: form, isDenseBaseline: isReference)
  }
}

/// int8 rows expanded to float32 `[rows, columns]`, `q · scale`.
struct ExpandedRows: InputLayout {
  let id = "float32"

  func byteCount(rows: Int, columns: Int) -> Int { rows * columns * 4 }

  func parts(rows: Int, columns: Int) -> Int { rows }

  func build(
    _ range: Range<Int>, from input: QuantizedRows, into output: UnsafeMutableRawPointer
  ) {
    let columns = input.columns
    for row in range {
      let target = output.assumingMemoryBound(to: Float.self) + row * columns
      let source = input.row(row)
      let scale = input.scales[row]
      for column in 0..<columns { target[column] = Float(source[column]) * scale }
    }
  }
}

/// Float32 weights `[rows, columns]`, multiplied by OpenBLAS.
struct PreparedDense: PreparedLinear {
  let kernel: String
  let weights: Matrix<Float>
  let accepts: ActivationForm
  let isDenseBaseline: Bool

  /// int8 rows are widened before they are multiplied.
  var arithmetic: ProductArithmetic { .float32 }
  var rows: Int { weights.rows }
  var columns: Int { weights.columns }
  var weightBytes: Int { rows * columns * 4 }
  var memory: [any RawMemory] { [weights.storage] }
  var rowAlignment: Int { DenseProduct.block(rows: rows) }
  var inputLayout: (any InputLayout)? { accepts == .int8 ? ExpandedRows() : nil }

  func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>) {
    let input =
      accepts == .float32
      ? x.floatView
      : MatrixView(
        base: x.built(ExpandedRows()).assumingMemoryBound(to: Float.self), rows: x.rows,
        columns: columns)
    DenseProduct.multiply(input, by: weights.view, rows: range, into: y)
  }

  func accumulate(
    _ x: QuantizedRows, rows range: Range<Int>, into accumulators: MutableMatrixView<Int32>
  ) -> Bool { false }
}

/// `x · wᵀ` by OpenBLAS on the calling thread.
enum DenseProduct {
  /// Rows of a `[rows, …]` matrix that one call takes.
  ///
  /// OpenBLAS chooses its code path, and with it the order of a sum, by the shape of each call.
  /// Blocks that depend on the matrix alone keep results independent of the number of threads.
  static func block(rows: Int) -> Int { max(16, min(256, (rows / 4 + 15) / 16 * 16)) }

  /// `y[t, r] = Σ_k w[r, k] · x[t, k]` for the rows `r` in `range`, which starts at a multiple of
  /// the block and ends at one or at the last row.
  static func multiply(
    _ x: MatrixView<Float>, by w: MatrixView<Float>, rows range: Range<Int>,
    into y: MutableMatrixView<Float>
  ) {
    let block = block(rows: w.rows)
    for start in stride(from: range.lowerBound, to: range.upperBound, by: block) {
      let end = min(start + block, range.upperBound)
      multiply(x, by: w.rows(start..<end), into: y.base + start, stride: y.stride)
    }
  }

  private static func multiply(
    _ x: MatrixView<Float>, by w: MatrixView<Float>, into y: UnsafeMutablePointer<Float>,
    stride: Int
  ) {
    guard w.rows > 0, x.rows > 0 else { return }
    guard w.columns > 0 else {
      for token in 0..<x.rows { (y + token * stride).update(repeating: 0, count: w.rows) }
      return
    }
    if x.rows == 1 {
      BLAS.multiply(
        BLAS.Input(w.base, stride: w.stride), rows: w.rows, columns: w.columns, by: x.base, into: y)
    } else {
      BLAS.multiply(
        BLAS.Input(x.base, stride: x.stride), BLAS.Input(w.base, stride: w.stride, .transposed),
        m: x.rows, n: w.rows, k: w.columns, into: y, stride: stride)
    }
  }
}
