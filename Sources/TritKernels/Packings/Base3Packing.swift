public import TritCore

/// Five trits a byte: 3⁵ = 243 values in 256, 1.6 bits a trit where log₂ 3 = 1.585 is the floor.
///
/// Layout: each row starts at a byte and takes ⌈columns / 5⌉ of them; byte j of a row is
/// 81 d₀ + 27 d₁ + 9 d₂ + 3 d₃ + d₄ with dᵢ = trit + 1 of column 5 j + i. Columns past the end
/// count as zero weights (digit 1). One table look-up of 256 entries decodes a byte.
///
/// Size: `rows * ⌈columns / 5⌉` bytes; any shape. Scales of any granularity stay beside the bytes.
///
/// This is *not* TQ1_0, which scatters the five over a block and stores a fixed-point fraction.
///
/// Source: the densest whole-byte code for trits; the idea is that of llama.cpp's TQ1_0 (pull
/// request 8151), the layout is the lab's own.
public struct Base3Packing: Packing {
  /// `base3`.
  public let name = "base3"

  /// The packing has no parameters.
  public init() {}

  /// Any shape and granularity.
  public func check(rows: Int, columns: Int, granularity: ScaleGranularity) throws {
    try checkShape(rows: rows, columns: columns)
  }

  /// A fifth of the columns, rounded up, a row.
  public func byteCount(rows: Int, columns: Int) -> Int {
    Size.product(rows, Size.quotient(columns, 5))
  }

  /// Packs trits with any scales.
  public func pack(_ weights: QuantizedWeights) throws -> PackedMatrix {
    let matrix = try ternary(weights)
    let bytes = AlignedBuffer<UInt8>(
      count: byteCount(rows: matrix.rows, columns: matrix.columns))
    let rowBytes = (matrix.columns + 4) / 5
    for row in 0..<matrix.rows {
      let trits = matrix.trits.base + row * matrix.columns
      for index in 0..<rowBytes {
        var value = 0
        for digit in (5 * index)..<(5 * index + 5) {
          value = value * 3 + (digit < matrix.columns ? Int(trits[digit]) + 1 : 1)
        }
        bytes.base[row * rowBytes + index] = UInt8(truncatingIfNeeded: value)
      }
    }
    return PackedMatrix(
      packing: name, rows: matrix.rows, columns: matrix.columns, bytes: bytes,
      scales: matrix.scales, granularity: matrix.granularity)
  }

  /// The trits again.
  public func unpack(_ packed: PackedMatrix) throws -> QuantizedWeights {
    try checkOwn(packed)
    let trits = AlignedBuffer<Int8>(count: packed.rows * packed.columns)
    let rowBytes = (packed.columns + 4) / 5
    for row in 0..<packed.rows {
      for column in 0..<packed.columns {
        let digits = Self.digits[Int(packed.bytes.base[row * rowBytes + column / 5])]
        trits.base[row * packed.columns + column] = digits[column % 5]
      }
    }
    return .ternary(
      TernaryMatrix(
        rows: packed.rows, columns: packed.columns, trits: trits, scales: packed.scales,
        granularity: packed.granularity))
  }

  /// Reads bytes with their `scales`: one, one a row, or one per equal group of columns.
  public func read(
    _ bytes: UnsafeRawBufferPointer, rows: Int, columns: Int, scales: [Float]?
  ) throws -> PackedMatrix {
    let granularity = try granularity(of: scales, rows: rows, columns: columns)
    try check(rows: rows, columns: columns, granularity: granularity)
    try checkLength(bytes.count, rows: rows, columns: columns)
    let given = scales ?? [1]
    try checkScales(given, rows: rows, columns: columns, granularity: granularity)
    let rowBytes = (columns + 4) / 5
    for index in 0..<bytes.count {
      let row = index / rowBytes
      let column = index % rowBytes * 5
      guard bytes[index] <= 242 else {
        throw illegalCode("byte \(bytes[index])", row: row, column: column)
      }
      guard column + 5 > columns else { continue }
      for digit in (columns - column)..<5 where Self.digits[Int(bytes[index])][digit] != 0 {
        throw illegalCode("padding other than zero", row: row, column: column + digit)
      }
    }
    return PackedMatrix(
      packing: name, rows: rows, columns: columns, bytes: AlignedBuffer(copying: bytes),
      scales: given, granularity: granularity)
  }

  /// The five trits of every byte, in the first five lanes; bytes past 242 give zeros.
  static let digits: [SIMD8<Int8>] = (0..<256).map { byte in
    var trits = SIMD8<Int8>()
    guard byte < 243 else { return trits }
    var rest = byte
    for lane in (0..<5).reversed() {
      trits[lane] = Int8(rest % 3) - 1
      rest /= 3
    }
    return trits
  }
}

extension Packing {
  /// The granularity that a count of scales stands for: one for all, one a row, or groups of the
  /// smallest power-of-two size that gives that many a row.
  public func granularity(of scales: [Float]?, rows: Int, columns: Int) throws -> ScaleGranularity {
    let count = scales?.count ?? 1
    if count == 1 { return .tensor }
    if count == rows { return .row }
    if rows > 0, columns > 0, count > rows, count % rows == 0 {
      let groups = count / rows
      var size = 1
      while size < columns {
        if Size.quotient(columns, size) == groups { return .group(size) }
        size *= 2
      }
    }
    throw LabError(
      .badData, "packing '\(name)': \(count) scales do not fit \(rows) × \(columns) weights",
      expected: "1, \(rows), or one per row and group of 2ⁿ columns")
  }
}
