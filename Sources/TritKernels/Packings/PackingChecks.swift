public import TritCore

/// Checks that all packings share. Each throws a `badData` error that names the packing.
extension Packing {
  /// That a matrix of this shape can be in memory at all.
  public func checkShape(rows: Int, columns: Int) throws {
    guard rows > 0, columns > 0 else {
      throw LabError(
        .badData, "packing '\(name)' needs a shape of at least 1 × 1", got: "\(rows) × \(columns)")
    }
    guard byteCount(rows: rows, columns: columns) < Int(Int32.max) * 64,
      Size.product(rows, columns) < Int(Int32.max) * 64
    else {
      throw LabError(
        .badData, "packing '\(name)': a shape of \(rows) × \(columns) is too large to be true",
        expected: "fewer than 2³⁷ weights")
    }
  }

  /// That `columns` is a multiple of `block`.
  public func checkColumns(_ columns: Int, multipleOf block: Int, why: String) throws {
    guard columns % block == 0 else {
      throw LabError(
        .badData, "packing '\(name)' needs columns in multiples of \(block): \(why)",
        got: "\(columns) columns",
        advice: "use a packing that takes any shape: base3, int8")
    }
  }

  /// That the scales are per one of `words`.
  public func checkGranularity(
    _ granularity: ScaleGranularity, _ isLegal: Bool, expected: String
  ) throws {
    guard isLegal else {
      throw LabError(
        .badData, "packing '\(name)' cannot hold scales per \(granularity)", expected: expected,
        advice: "use packing 'base3' (trits) or 'int8', which keep the scales beside the bytes")
    }
  }

  /// That `count` bytes are what the shape needs.
  public func checkLength(_ count: Int, rows: Int, columns: Int) throws {
    let expected = byteCount(rows: rows, columns: columns)
    guard count == expected else {
      throw LabError(
        .badData, "packing '\(name)': wrong number of bytes for \(rows) × \(columns) weights",
        expected: "\(expected) bytes", got: "\(count) bytes")
    }
  }

  /// That `packed` was made by this packing.
  public func checkOwn(_ packed: PackedMatrix) throws {
    guard packed.packing == name else {
      throw LabError(
        .internalError, "packing '\(name)' was given bytes of packing '\(packed.packing)'")
    }
    try checkLength(packed.bytes.count, rows: packed.rows, columns: packed.columns)
    try checkScales(
      packed.scales, rows: packed.rows, columns: packed.columns, granularity: packed.granularity)
  }

  /// That `scales` are finite and as many as `granularity` says.
  public func checkScales(
    _ scales: [Float], rows: Int, columns: Int, granularity: ScaleGranularity
  ) throws {
    let expected = granularity.scaleCount(rows: rows, columns: columns)
    guard scales.count == expected else {
      throw LabError(
        .badData, "packing '\(name)': wrong number of scales per \(granularity)",
        expected: "\(expected)", got: "\(scales.count)")
    }
    if let bad = scales.firstIndex(where: { !$0.isFinite }) {
      throw LabError(
        .badData, "packing '\(name)': scale \(bad) is not a finite number", got: "\(scales[bad])")
    }
  }

  /// The trits of `weights`, after all checks of form, shape, granularity and values.
  public func ternary(_ weights: QuantizedWeights) throws -> TernaryMatrix {
    guard case .ternary(let matrix) = weights else {
      throw LabError.illegalPair(
        "packing", name, takes: "ternary weights", form: weights.form, advice: LabError.useTernary)
    }
    try check(rows: matrix.rows, columns: matrix.columns, granularity: matrix.granularity)
    try checkScales(
      matrix.scales, rows: matrix.rows, columns: matrix.columns, granularity: matrix.granularity)
    try checkTrits(matrix)
    return matrix
  }

  private func checkTrits(_ matrix: TernaryMatrix) throws {
    if let index = matrix.firstIllegalTrit {
      throw LabError(
        .badData, "packing '\(name)': a trit is −1, 0 or +1",
        at: "row \(index / matrix.columns), column \(index % matrix.columns)",
        got: "\(matrix.trits[index])")
    }
  }

  /// The error for a code that no weight has.
  public func illegalCode(_ code: String, row: Int, column: Int) -> LabError {
    LabError(
      .badData, "packing '\(name)': \(code) stands for no weight",
      at: "row \(row), column \(column)",
      advice: "the bytes are damaged, or are of another format or layout")
  }
}

extension TernaryMatrix {
  /// Index of the first value that is not −1, 0 or +1, nil in a sound matrix.
  public var firstIllegalTrit: Int? {
    if isSound { return nil }
    let trits = trits.base
    let count = rows * columns
    var worst: UInt8 = 0
    for index in 0..<count { worst = max(worst, UInt8(bitPattern: trits[index] &+ 1)) }
    guard worst > 2 else { return nil }
    return (0..<count).first { UInt8(bitPattern: trits[$0] &+ 1) > 2 }
  }
}

/// The little-endian float32 at `offset`, wherever that lies.
func loadFloat(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Float {
  Float(
    bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
}

/// Writes `value` little-endian at `base`.
func storeFloat(_ value: Float, at base: UnsafeMutablePointer<UInt8>) {
  let bits = value.bitPattern
  for byte in 0..<4 { base[byte] = UInt8(truncatingIfNeeded: bits >> UInt32(8 * byte)) }
}

extension AlignedBuffer where Element == UInt8 {
  /// A copy of `bytes`.
  public convenience init(copying bytes: UnsafeRawBufferPointer) {
    self.init(overwritten: bytes.count)
    UnsafeMutableRawBufferPointer(start: base, count: bytes.count).copyMemory(from: bytes)
  }
}
