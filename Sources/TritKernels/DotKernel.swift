public import TritCore

/// A kernel from one function: the sum of one row times one token. Form, packing, padding, scales,
/// tokens and ranges of rows are done here.
///
/// Trits lie as codes 0, 1, 2 for −1, 0, +1, four in a byte. A row is padded to a multiple of 128
/// columns with code 1, the trit 0, and lies in blocks of 32 bytes: byte `i` of a block holds the
/// codes of its columns `i`, `i + 32`, `i + 64` and `i + 96`, from the low bits up.
///
///     byte i    7 6      5 4      3 2      1 0
///             i + 96   i + 64   i + 32     i
///
/// This is *not* I2_S, which has the first column in the high bits. The function returns `Σ_k
/// code[k] · x[k]`, and what the codes are too large by is taken off here: `Σ trit · x = Σ code · x
/// − Σ x`.
///
/// ```swift
/// let kernel = DotKernel("mine") { codes, x, columns in
///   var sum: Int32 = 0
///   for k in 0..<columns {
///     let code = codes[k / 128 * 32 + k % 32] >> UInt8(k % 128 / 32 * 2) & 3
///     sum += Int32(code) * Int32(x[k])
///   }
///   return sum
/// }
/// checkLinearKernel(kernel)  // []
/// ```
///
/// It takes ternary weights of any shape with one scale per tensor or row.
public struct DotKernel: LinearKernel {
  /// `Σ_k code[k] · x[k]` over `columns`, a multiple of 128. Codes begin at a multiple of 32 bytes.
  /// Called on several threads at once.
  public typealias Dot =
    @Sendable (
      _ codes: UnsafePointer<UInt8>, _ x: UnsafePointer<Int8>, _ columns: Int
    ) -> Int32

  /// The same in C: `int32_t dot(const uint8_t *codes, const int8_t *x, size_t columns)`.
  public typealias CDot =
    @convention(c) (
      _ codes: UnsafePointer<UInt8>?, _ x: UnsafePointer<Int8>?, _ columns: Int
    ) -> Int32

  /// Columns of a block.
  public static let block = 128

  /// The registered name.
  public let name: String
  /// int8 rows.
  public let accepts = ActivationForm.int8
  /// What the CPU must have.
  public let features: CPUFeatures
  private let dot: Dot

  /// A kernel called `name` that multiplies by `dot`, which needs `features`.
  public init(_ name: String, features: CPUFeatures = [], dot: @escaping Dot) {
    self.name = name
    self.features = features
    self.dot = dot
  }

  /// The same from a function of C.
  public init(_ name: String, features: CPUFeatures = [], function: @escaping CDot) {
    let dot: Dot = { codes, x, columns in function(codes, x, columns) }
    self.init(name, features: features, dot: dot)
  }

  /// Packs trits with one scale per tensor or row; any shape.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    try checkRuns(on: features)
    let matrix = try ternaryWeights(weights)
    let scales = try rowScales(matrix)
    let padded = PaddedRows(multiple: Self.block).padded(matrix.columns)
    let bytes = Size.product(matrix.rows, padded / 4)
    try MemoryLimit.require(bytes, for: "the weights of kernel '\(name)'")
    return DotLinear(
      kernel: name, rows: matrix.rows, columns: matrix.columns, padded: padded,
      codes: Self.pack(matrix, padded: padded), scales: scales, dot: dot,
      padding: PaddedRows.needed(columns: matrix.columns, multiple: Self.block))
  }

  private static func pack(_ matrix: TernaryMatrix, padded: Int) -> AlignedBuffer<UInt8> {
    let codes = AlignedBuffer<UInt8>(count: matrix.rows * padded / 4, isStreamed: true)
    for row in 0..<matrix.rows {
      let out = codes.base + row * padded / 4
      let trits = matrix.trits.base + row * matrix.columns
      for column in 0..<padded {
        let code = column < matrix.columns ? UInt8(trits[column] + 1) : 1
        out[column / block * 32 + column % 32] |= code << UInt8(column % block / 32 * 2)
      }
    }
    return codes
  }
}

/// Codes, scales, and the function.
private struct DotLinear: PreparedLinear {
  let kernel: String
  let rows: Int
  let columns: Int
  let padded: Int
  let codes: AlignedBuffer<UInt8>
  let scales: [Float]
  let dot: DotKernel.Dot
  let padding: PaddedRows?
  let accepts = ActivationForm.int8
  let rowAlignment = 1

  var memory: [any RawMemory] { [codes] }
  var weightBytes: Int { codes.count + 4 * scales.count }
  var inputLayout: (any InputLayout)? { padding }

  func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>) {
    let (values, stride) = input(x)
    for token in 0..<x.rows {
      let scale = x.scales[token]
      let sum = x.sums[token]
      for row in range {
        let codes = dot(codes.base + row * padded / 4, values + token * stride, padded)
        y[token, row] = Float(codes &- sum) * (scale * scales[row])
      }
    }
  }

  func accumulate(
    _ x: QuantizedRows, rows range: Range<Int>, into accumulators: MutableMatrixView<Int32>
  ) -> Bool {
    let (values, stride) = input(x)
    for token in 0..<x.rows {
      for row in range {
        let codes = dot(codes.base + row * padded / 4, values + token * stride, padded)
        accumulators[token, row] = codes &- x.sums[token]
      }
    }
    return true
  }

  private func input(_ x: QuantizedRows) -> (values: UnsafePointer<Int8>, stride: Int) {
    guard let padding else { return (UnsafePointer(x.values.base), x.stride) }
    return (x.built(padding).assumingMemoryBound(to: Int8.self), padding.stride(columns))
  }
}
