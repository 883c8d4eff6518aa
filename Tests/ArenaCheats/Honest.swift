import TritCore
import TritKernels

/// What cheats do beside cheating: the plain product, one weight after the other.
struct PlainLayer: Sendable {
  let rows: Int
  let columns: Int
  let trits: AlignedBuffer<Int8>
  let scale: Float

  init(_ weights: QuantizedWeights, for kernel: String) throws {
    guard case .ternary(let matrix) = weights, matrix.granularity == .tensor else {
      throw LabError(
        .usage, "kernel '\(kernel)' takes ternary weights with one scale", got: weights.form)
    }
    rows = matrix.rows
    columns = matrix.columns
    trits = matrix.trits
    scale = matrix.scales[0]
  }

  func sum(_ x: QuantizedRows, _ token: Int, _ row: Int) -> Int32 {
    let values = x.row(token)
    let weights = trits.base + row * columns
    var sum: Int32 = 0
    for column in 0..<columns { sum &+= Int32(weights[column]) &* Int32(values[column]) }
    return sum
  }

  func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>) {
    for token in 0..<x.rows {
      for row in range {
        y.base[token * y.stride + row] = Float(sum(x, token, row)) * (x.scales[token] * scale)
      }
    }
  }

  func accumulate(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Int32>) {
    for token in 0..<x.rows {
      for row in range { y.base[token * y.stride + row] = sum(x, token, row) }
    }
  }
}

/// A layer that a cheat alters in one point. `multiply` gets the plain layer, and everything that a
/// kernel gets.
struct CheatLayer: PreparedLinear {
  typealias Multiply =
    @Sendable (
      PlainLayer, QuantizedRows, Range<Int>, MutableMatrixView<Float>
    ) -> Void

  var kernel: String
  var plain: PlainLayer
  var change: Multiply
  var claimed: Int?
  var layout: (any InputLayout)?

  var rows: Int { plain.rows }
  var columns: Int { plain.columns }
  var weightBytes: Int { claimed ?? rows * columns }
  var accepts: ActivationForm { .int8 }
  var rowAlignment: Int { 1 }
  var inputLayout: (any InputLayout)? { layout }

  func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>) {
    change(plain, x, range, y)
  }

  func accumulate(
    _ x: QuantizedRows, rows range: Range<Int>, into accumulators: MutableMatrixView<Int32>
  ) -> Bool {
    plain.accumulate(x, rows: range, into: accumulators)
    return true
  }
}

/// A kernel whose layers one function makes.
struct CheatKernel: LinearKernel {
  let name: String
  let accepts = ActivationForm.int8
  let make: @Sendable (PlainLayer, String) throws -> any PreparedLinear

  func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    try make(try PlainLayer(weights, for: name), name)
  }

  /// One that changes the product alone.
  init(_ name: String, _ change: @escaping CheatLayer.Multiply) {
    self.init(name) { plain, name in CheatLayer(kernel: name, plain: plain, change: change) }
  }

  init(
    _ name: String, make: @escaping @Sendable (PlainLayer, String) throws -> any PreparedLinear
  ) {
    self.name = name
    self.make = make
  }
}
