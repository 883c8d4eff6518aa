import TritCore

/// The float16 scales that llama.cpp's block formats keep inside each block.
enum HalfScale {
  /// `scale` rounded to float16, or an error where it is out of range.
  static func bits(_ scale: Float, packing: String) throws -> UInt16 {
    let half = Float16(scale)
    guard half.isFinite else {
      throw LabError(
        .badData, "packing '\(packing)': a scale is too large for float16",
        expected: "at most 65504", got: "\(scale)",
        advice: "use a packing that keeps float32 scales: i2_s, base3")
    }
    return half.bitPattern
  }

  /// The scale at `base`, little-endian.
  static func load(_ base: UnsafePointer<UInt8>) -> Float {
    Float(Float16(bitPattern: UInt16(base[0]) | UInt16(base[1]) << 8))
  }

  /// Writes `bits` at `base`, little-endian.
  static func store(_ bits: UInt16, at base: UnsafeMutablePointer<UInt8>) {
    base[0] = UInt8(truncatingIfNeeded: bits)
    base[1] = UInt8(truncatingIfNeeded: bits >> 8)
  }
}

/// A format of blocks of trits, each with a float16 scale before or behind its codes: what TQ1_0,
/// TQ2_0, Q2_0, PQ2_0, PTQ1_0 and Q1_0 have in common.
protocol BlockPacking: Packing {
  /// Weights of one block.
  static var columns: Int { get }
  /// Bytes of one block, scale included.
  static var blockBytes: Int { get }
  /// Whether the scale stands before the codes.
  static var isScaleFirst: Bool { get }
  /// The trits of a block to its code bytes.
  static func packBlock(_ trits: UnsafePointer<Int8>, into bytes: UnsafeMutablePointer<UInt8>)
  /// The code bytes of a block to its trits.
  static func unpackBlock(_ bytes: UnsafePointer<UInt8>, into trits: UnsafeMutablePointer<Int8>)
  /// The first weight of the block whose code is illegal, nil if none.
  static func firstIllegal(_ bytes: UnsafePointer<UInt8>) -> Int?
  /// What an illegal code is, for messages.
  static var illegalCode: String { get }
}

/// Weights in one block of TQ1_0 and TQ2_0.
let blockColumns = 256

extension BlockPacking {
  static var columns: Int { blockColumns }
  static var isScaleFirst: Bool { false }
  static var illegalCode: String { "a code" }
  /// Where the codes of a block begin.
  static var codeOffset: Int { isScaleFirst ? 2 : 0 }
  /// Where its scale does.
  static var scaleOffset: Int { isScaleFirst ? 0 : blockBytes - 2 }

  func checkBlocks(rows: Int, columns: Int, granularity: ScaleGranularity) throws {
    try checkShape(rows: rows, columns: columns)
    try checkColumns(
      columns, multipleOf: Self.columns, why: "a block of \(Self.columns) weights has one scale")
    var isLegal = true
    if case .group(let size) = granularity { isLegal = size > 0 && size % Self.columns == 0 }
    try checkGranularity(
      granularity, isLegal, expected: "tensor, row, or groups of a multiple of \(Self.columns)")
  }

  func blockByteCount(rows: Int, columns: Int) -> Int {
    Size.product(rows, Size.quotient(columns, Self.columns), Self.blockBytes)
  }

  func packBlocks(_ weights: QuantizedWeights) throws -> PackedMatrix {
    let matrix = try ternary(weights)
    let blocks = matrix.columns / Self.columns
    let bytes = AlignedBuffer<UInt8>(
      count: byteCount(rows: matrix.rows, columns: matrix.columns))
    var scales: [Float] = []
    scales.reserveCapacity(matrix.rows * blocks)
    for row in 0..<matrix.rows {
      for block in 0..<blocks {
        let at = bytes.base + (row * blocks + block) * Self.blockBytes
        let column = block * Self.columns
        let scale = try HalfScale.bits(matrix.scale(row: row, column: column), packing: name)
        Self.packBlock(
          matrix.trits.base + row * matrix.columns + column, into: at + Self.codeOffset)
        HalfScale.store(scale, at: at + Self.scaleOffset)
        scales.append(Float(Float16(bitPattern: scale)))
      }
    }
    return PackedMatrix(
      packing: name, rows: matrix.rows, columns: matrix.columns, bytes: bytes, scales: scales,
      granularity: .group(Self.columns))
  }

  func unpackBlocks(_ packed: PackedMatrix) throws -> QuantizedWeights {
    try checkOwn(packed)
    let trits = AlignedBuffer<Int8>(count: packed.rows * packed.columns)
    for block in 0..<(trits.count / Self.columns) {
      Self.unpackBlock(
        packed.bytes.base + block * Self.blockBytes + Self.codeOffset,
        into: trits.base + block * Self.columns)
    }
    return .ternary(
      TernaryMatrix(
        rows: packed.rows, columns: packed.columns, trits: trits, scales: packed.scales,
        granularity: packed.granularity))
  }

  /// Whether the codes of all blocks are those of zeros, whatever the scales.
  func isZeroInBlocks(_ packed: PackedMatrix) -> Bool {
    let codes = Self.blockBytes - 2
    return withUnsafeTemporaryAllocation(of: Int8.self, capacity: Self.columns) { trits in
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: codes) { zero in
        guard let trits = trits.baseAddress, let zero = zero.baseAddress else { return false }
        trits.update(repeating: 0, count: Self.columns)
        Self.packBlock(trits, into: zero)
        return stride(from: Self.codeOffset, to: packed.bytes.count, by: Self.blockBytes)
          .allSatisfy { start in
            (0..<codes).allSatisfy { packed.bytes.base[start + $0] == zero[$0] }
          }
      }
    }
  }

  func readBlocks(_ bytes: UnsafeRawBufferPointer, rows: Int, columns: Int) throws -> PackedMatrix {
    try check(rows: rows, columns: columns, granularity: .group(Self.columns))
    try checkLength(bytes.count, rows: rows, columns: columns)
    let copy = AlignedBuffer<UInt8>(copying: bytes)
    let blocks = rows * columns / Self.columns
    var scales: [Float] = []
    scales.reserveCapacity(blocks)
    for block in 0..<blocks {
      let at = copy.base + block * Self.blockBytes
      if let weight = Self.firstIllegal(at + Self.codeOffset) {
        let index = block * Self.columns + weight
        throw illegalCode(Self.illegalCode, row: index / columns, column: index % columns)
      }
      scales.append(HalfScale.load(at + Self.scaleOffset))
    }
    try checkScales(scales, rows: rows, columns: columns, granularity: .group(Self.columns))
    return PackedMatrix(
      packing: name, rows: rows, columns: columns, bytes: copy, scales: scales,
      granularity: .group(Self.columns))
  }

  /// The values of the blocks at `bytes`, `count` of them, codes checked before. Allocates nothing.
  func decodeBlocks(
    _ bytes: UnsafePointer<UInt8>, count: Int, into values: UnsafeMutablePointer<Float>
  ) {
    withUnsafeTemporaryAllocation(of: Int8.self, capacity: Self.columns) { trits in
      guard let trits = trits.baseAddress else { return }
      for block in 0..<count {
        let at = bytes + block * Self.blockBytes
        let scale = HalfScale.load(at + Self.scaleOffset)
        Self.unpackBlock(at + Self.codeOffset, into: trits)
        let out = values + block * Self.columns
        for index in 0..<Self.columns { out[index] = Float(trits[index]) * scale }
      }
    }
  }
}
