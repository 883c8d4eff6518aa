public import TritCore

/// One signed byte a weight, row by row without gaps: the plain form.
///
/// Takes integers of 2 to 8 bits and trits, any shape; scales of any granularity stay beside the
/// bytes. `unpack` gives 8-bit integers, since the bytes do not say how narrow the values once
/// were. Size: `rows * columns` bytes.
///
/// This is *not* Q8_0 of GGUF, which has a float16 scale in each block of 32.
///
/// Source: the two's-complement byte.
public struct Int8Packing: Packing {
  /// `int8`.
  public let name = "int8"

  /// The packing has no parameters.
  public init() {}

  /// Any shape and granularity.
  public func check(rows: Int, columns: Int, granularity: ScaleGranularity) throws {
    try checkShape(rows: rows, columns: columns)
  }

  /// A byte a weight.
  public func byteCount(rows: Int, columns: Int) -> Int { Size.product(rows, columns) }

  /// Packs integers of any width, or trits.
  public func pack(_ weights: QuantizedWeights) throws -> PackedMatrix {
    let matrix = try integers(weights, bits: 8)
    return PackedMatrix(
      packing: name, rows: matrix.rows, columns: matrix.columns,
      bytes: AlignedBuffer(copying: matrix.values.rawBuffer), scales: matrix.scales,
      granularity: matrix.granularity)
  }

  /// The values, as 8-bit integers.
  public func unpack(_ packed: PackedMatrix) throws -> QuantizedWeights {
    try checkOwn(packed)
    let values = AlignedBuffer<Int8>(count: packed.rows * packed.columns)
    UnsafeMutableRawPointer(values.base)
      .copyMemory(from: packed.bytes.base, byteCount: values.count)
    return .integer(
      IntegerMatrix(
        rows: packed.rows, columns: packed.columns, bits: 8, values: values,
        scales: packed.scales, granularity: packed.granularity))
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
    return PackedMatrix(
      packing: name, rows: rows, columns: columns, bytes: AlignedBuffer(copying: bytes),
      scales: given, granularity: granularity)
  }
}

/// Two signed nibbles a byte: the even column in the low one, the odd column in the high one.
///
/// Takes integers of 2 to 4 bits and trits, any shape: a row of odd length ends in a nibble of
/// zero. Scales of any granularity stay beside the bytes. `unpack` gives 4-bit integers. Size:
/// `rows * ⌈columns / 2⌉` bytes.
///
/// This is *not* Q4_0 of GGUF, which counts from −8 and has a float16 scale in each block of 32.
///
/// Source: the two's-complement nibble.
public struct Int4Packing: Packing {
  /// `int4`.
  public let name = "int4"

  /// The packing has no parameters.
  public init() {}

  /// Any shape and granularity.
  public func check(rows: Int, columns: Int, granularity: ScaleGranularity) throws {
    try checkShape(rows: rows, columns: columns)
  }

  /// Half a byte a weight, rounded up for each row.
  public func byteCount(rows: Int, columns: Int) -> Int {
    Size.product(rows, Size.quotient(columns, 2))
  }

  /// Packs integers of at most 4 bits, or trits.
  public func pack(_ weights: QuantizedWeights) throws -> PackedMatrix {
    let matrix = try integers(weights, bits: 4)
    let rowBytes = (matrix.columns + 1) / 2
    let bytes = AlignedBuffer<UInt8>(count: matrix.rows * rowBytes)
    for row in 0..<matrix.rows {
      let values = matrix.values.base + row * matrix.columns
      for index in 0..<rowBytes {
        let low = UInt8(bitPattern: values[2 * index]) & 15
        let high =
          2 * index + 1 < matrix.columns ? UInt8(bitPattern: values[2 * index + 1]) << 4 : 0
        bytes.base[row * rowBytes + index] = low | high
      }
    }
    return PackedMatrix(
      packing: name, rows: matrix.rows, columns: matrix.columns, bytes: bytes,
      scales: matrix.scales, granularity: matrix.granularity)
  }

  /// The values, as 4-bit integers.
  public func unpack(_ packed: PackedMatrix) throws -> QuantizedWeights {
    try checkOwn(packed)
    let values = AlignedBuffer<Int8>(count: packed.rows * packed.columns)
    let rowBytes = (packed.columns + 1) / 2
    for row in 0..<packed.rows {
      for column in 0..<packed.columns {
        values.base[row * packed.columns + column] = Self.value(
          packed.bytes.base[row * rowBytes + column / 2], column)
      }
    }
    return .integer(
      IntegerMatrix(
        rows: packed.rows, columns: packed.columns, bits: 4, values: values,
        scales: packed.scales, granularity: packed.granularity))
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
    let rowBytes = (columns + 1) / 2
    if columns % 2 == 1 {
      for row in 0..<rows where bytes[(row + 1) * rowBytes - 1] >> 4 != 0 {
        throw illegalCode("padding other than zero", row: row, column: columns)
      }
    }
    return PackedMatrix(
      packing: name, rows: rows, columns: columns, bytes: AlignedBuffer(copying: bytes),
      scales: given, granularity: granularity)
  }

  /// The value of `column` in its byte.
  @inline(__always) static func value(_ byte: UInt8, _ column: Int) -> Int8 {
    Int8(bitPattern: column & 1 == 0 ? byte << 4 : byte & 0xF0) >> 4
  }
}

extension Packing {
  /// The values of `weights`, after all checks, if they have at most `bits` bits.
  func integers(_ weights: QuantizedWeights, bits: Int) throws -> IntegerWeights {
    guard let matrix = weights.integers, (matrix.bits ?? 2) <= bits else {
      throw LabError.illegalPair(
        "packing", name, takes: "ternary weights or integers of 2 to \(bits) bits",
        form: weights.form, advice: LabError.useQuantized)
    }
    try check(rows: matrix.rows, columns: matrix.columns, granularity: matrix.granularity)
    try checkScales(
      matrix.scales, rows: matrix.rows, columns: matrix.columns, granularity: matrix.granularity)
    let limit = Int8(truncatingIfNeeded: (1 << ((matrix.bits ?? 2) - 1)) - 1)
    if let index = matrix.values.buffer.firstIndex(where: { $0 > limit || $0 < -limit - 1 }) {
      throw LabError(
        .badData, "packing '\(name)': a value does not fit \(matrix.bits ?? 2) bits",
        at: "row \(index / matrix.columns), column \(index % matrix.columns)",
        got: "\(matrix.values[index])")
    }
    return matrix
  }
}
