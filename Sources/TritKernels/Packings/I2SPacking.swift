public import TritCore

/// I2_S of bitnet.cpp: two bits a trit, code = trit + 1, one float32 scale for the whole tensor.
///
/// Layout: weights in row order, cut in blocks of 128; a block is 32 bytes, and byte `p` holds the
/// weights p, 32 + p, 64 + p, 96 + p, the first in the top two bits. One 32-byte load and three
/// shifts thus give four runs of 32 consecutive weights, in step with 32 consecutive activations.
/// After the `n / 4` bytes of codes stands a tail of 32 bytes: the scale, little-endian, then
/// zeros.
///
/// Size: `rows * columns / 4 + 32` bytes. Columns in multiples of 128, so that no block spans two
/// rows.
///
/// Scales per row (post-training quantization) are allowed in memory: the bytes keep the standard
/// form with a zero in place of the tensor's scale, and the scales stay in `PackedMatrix.scales`. A
/// file cannot hold them; a writer must insist on `granularity == .tensor`.
///
/// This is *not* the layout that bitnet.cpp's ARM builds write since November 2025 (blocks of 64,
/// with nothing in the file to tell them apart), nor TQ2_0, whose first quarter sits in the *low*
/// bits.
///
/// Source: microsoft/BitNet, `src/ggml-bitnet-mad.cpp` (`quantize_i2_s`) and
/// `utils/convert-hf-to-gguf`; GGUF tensor type 36.
public struct I2SPacking: Packing {
  /// Weights in one block.
  public static let block = 128
  /// Bytes after the codes.
  public static let tail = 32

  /// `i2_s`.
  public let name = "i2_s"

  /// The packing has no parameters.
  public init() {}

  /// Columns in multiples of 128; a scale per tensor or row.
  public func check(rows: Int, columns: Int, granularity: ScaleGranularity) throws {
    try checkShape(rows: rows, columns: columns)
    try checkColumns(columns, multipleOf: Self.block, why: "a block of 128 must not span two rows")
    try checkGranularity(
      granularity, granularity == .tensor || granularity == .row, expected: "tensor, row")
  }

  /// A quarter of the weights, and the tail.
  public func byteCount(rows: Int, columns: Int) -> Int {
    Size.sum(Size.product(rows, columns) / 4, Self.tail)
  }

  /// Packs trits with a scale per tensor or row.
  public func pack(_ weights: QuantizedWeights) throws -> PackedMatrix {
    let matrix = try ternary(weights)
    let count = matrix.rows * matrix.columns
    let bytes = AlignedBuffer<UInt8>(
      count: byteCount(rows: matrix.rows, columns: matrix.columns))
    for block in 0..<(count / Self.block) {
      Self.packBlock(matrix.trits.base + block * Self.block, into: bytes.base + block * 32)
    }
    if matrix.granularity == .tensor {
      storeFloat(matrix.scales[0], at: bytes.base + count / 4)
    }
    return PackedMatrix(
      packing: name, rows: matrix.rows, columns: matrix.columns, bytes: bytes,
      scales: matrix.scales, granularity: matrix.granularity)
  }

  /// The trits again.
  public func unpack(_ packed: PackedMatrix) throws -> QuantizedWeights {
    try checkOwn(packed)
    try check(rows: packed.rows, columns: packed.columns, granularity: packed.granularity)
    // Whole blocks, by the check.
    let trits = AlignedBuffer<Int8>(overwritten: packed.rows * packed.columns)
    for block in 0..<(trits.count / Self.block) {
      Self.unpackBlock(packed.bytes.base + block * 32, into: trits.base + block * Self.block)
    }
    var matrix = TernaryMatrix(
      rows: packed.rows, columns: packed.columns, trits: trits, scales: packed.scales,
      granularity: packed.granularity)
    matrix.isSound = Self.suspects(packed.bytes.rawBuffer, trits.count / 4).isEmpty
    return .ternary(matrix)
  }

  /// Reads a tensor of a file: codes, scale, tail. `scales`, one or one a row, replace the tail's.
  public func read(
    _ bytes: UnsafeRawBufferPointer, rows: Int, columns: Int, scales: [Float]?
  ) throws -> PackedMatrix {
    let granularity: ScaleGranularity = (scales?.count ?? 1) == 1 ? .tensor : .row
    try check(rows: rows, columns: columns, granularity: granularity)
    try checkLength(bytes.count, rows: rows, columns: columns)
    let count = rows * columns
    // A code of 3 has both bits set.
    for index in Self.suspects(bytes, count / 4)
    where bytes[index] & (bytes[index] >> 1) & 0x55 != 0 {
      let byte = Int(bytes[index])
      let quarter = [0, 1, 2].first(where: { byte >> (6 - 2 * $0) & 3 == 3 }) ?? 3
      let weight: Int = index / 32 * Self.block + quarter * 32 + index % 32
      throw illegalCode("code 3", row: weight / columns, column: weight % columns)
    }
    let given = scales ?? [loadFloat(bytes, at: count / 4)]
    try checkScales(given, rows: rows, columns: columns, granularity: granularity)
    let copy = AlignedBuffer<UInt8>(copying: bytes)
    // The 28 bytes after the scale are unspecified in files; ours are zero.
    for index in (count / 4)..<bytes.count { copy.base[index] = 0 }
    if granularity == .tensor { storeFloat(given[0], at: copy.base + count / 4) }
    return PackedMatrix(
      packing: name, rows: rows, columns: columns, bytes: copy, scales: given,
      granularity: granularity)
  }

  /// Whether all codes are 1, which is looked for in the bytes.
  public func isZero(_ packed: PackedMatrix) -> Bool {
    packed.bytes.rawBuffer.prefix(packed.rows * packed.columns / 4).allSatisfy { $0 == 0x55 }
  }

  /// The first stretch of the first `count` bytes that holds a code of 3; empty where none does.
  /// Looking at whole stretches keeps the loop free of exits, so that it runs in vectors.
  private static func suspects(_ bytes: UnsafeRawBufferPointer, _ count: Int) -> Range<Int> {
    guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return 0..<0 }
    for start in stride(from: 0, to: count, by: 4096) {
      let end = min(start + 4096, count)
      var both: UInt8 = 0
      for index in start..<end { both |= base[index] & (base[index] >> 1) & 0x55 }
      if both != 0 { return start..<end }
    }
    return 0..<0
  }

  /// 128 trits to 32 bytes.
  @inline(__always) package static func packBlock(
    _ trits: UnsafePointer<Int8>, into bytes: UnsafeMutablePointer<UInt8>
  ) {
    for p in 0..<32 {
      let a = UInt8(bitPattern: trits[p] &+ 1)
      let b = UInt8(bitPattern: trits[32 + p] &+ 1)
      let c = UInt8(bitPattern: trits[64 + p] &+ 1)
      let d = UInt8(bitPattern: trits[96 + p] &+ 1)
      bytes[p] = a << 6 | b << 4 | c << 2 | d
    }
  }

  /// 32 bytes to 128 trits.
  @inline(__always) package static func unpackBlock(
    _ bytes: UnsafePointer<UInt8>, into trits: UnsafeMutablePointer<Int8>
  ) {
    for p in 0..<32 {
      let byte = bytes[p]
      trits[p] = Int8(bitPattern: byte >> 6) &- 1
      trits[32 + p] = Int8(bitPattern: byte >> 4 & 3) &- 1
      trits[64 + p] = Int8(bitPattern: byte >> 2 & 3) &- 1
      trits[96 + p] = Int8(bitPattern: byte & 3) &- 1
    }
  }
}
