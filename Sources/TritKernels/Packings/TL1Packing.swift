public import TritCore

/// TL1 of bitnet.cpp: four bits index one of the nine values that two trits can give their pair of
/// activations, so that a kernel looks sums up instead of multiplying.
///
/// Layout: the index of the weights (w₀, w₁) is 3 w₀ + w₁ + 4, in 0…8; a byte holds the pair of
/// columns 4 i, 4 i + 1 in the high and 4 i + 2, 4 i + 3 in the low nibble. Bytes are nested,
/// slowest first: row tile (BM rows), column tile (BK), row group (bm rows), inner group of 256 /
/// bm columns (64 bytes), strip of 16 rows, byte column, 16 rows side by side. A 16-byte load thus
/// gives 16 rows of the same four columns, which share their tables. After the codes the float32
/// scale, in a tail of 32 bytes.
///
/// Size: `rows * columns / 4 + 32` bytes, as I2_S. Rows in multiples of 32, columns of 8 (of 4
/// where rows are a multiple of 64). Scales per row are allowed in memory, as in `I2SPacking`.
///
/// This is *not* a multiply-add format: the nibble is no number to multiply with, and a file can
/// only be read by who knows its tile sizes, which stand nowhere in it; `TL1Tiling` tells ours.
///
/// Source: Wang et al., "Bitnet.cpp", arXiv 2502.11880, §3; microsoft/BitNet `utils/codegen_tl1.py`
/// and `utils/convert-hf-to-gguf-bitnet.py` (`process_tl1`).
public struct TL1Packing: Packing {
  /// Bytes after the codes.
  public static let tail = 32

  /// `tl1`.
  public let name = "tl1"
  private let tiling: TL1Tiling?

  /// Tiles as the shape suggests, or `tiling`, for bytes that were made with other tiles.
  public init(tiling: TL1Tiling? = nil) { self.tiling = tiling }

  /// The tiles for a shape, or an error that says why there are none.
  public func tiling(rows: Int, columns: Int) throws -> TL1Tiling {
    if let tiling {
      guard tiling.fits(WeightShape(rows, columns)) else {
        throw LabError(
          .badData, "packing 'tl1': the tiles do not fill \(rows) × \(columns) weights",
          expected: "rows % BM, columns % BK, BM % bm and BK % (256 / bm) all 0; BK ≤ 256",
          got: "BM \(tiling.rowTile), BK \(tiling.columnTile), bm \(tiling.innerRows)")
      }
      return tiling
    }
    guard let tiling = TL1Tiling(rows: rows, columns: columns) else {
      throw LabError(
        .badData, "packing 'tl1' cannot cut \(rows) × \(columns) weights into tiles",
        expected: "rows in multiples of 32 and columns in multiples of 8"
          + " (of 4 where rows are a multiple of 64)",
        advice: "use packing or kernel 'i2_s', or 'base3', which takes any shape")
    }
    return tiling
  }

  /// Shapes that tiles fill; a scale per tensor or row.
  public func check(rows: Int, columns: Int, granularity: ScaleGranularity) throws {
    try checkShape(rows: rows, columns: columns)
    _ = try tiling(rows: rows, columns: columns)
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
    let (rows, columns) = (matrix.rows, matrix.columns)
    let tiling = try tiling(rows: rows, columns: columns)
    let bytes = AlignedBuffer<UInt8>(count: byteCount(rows: rows, columns: columns))
    for row in 0..<rows {
      let trits = matrix.trits.base + row * columns
      let line = bytes.base + tiling.rowOffset(row, columns: columns)
      for column in stride(from: 0, to: columns, by: 4) {
        let high = Self.index(trits[column], trits[column + 1])
        let low = Self.index(trits[column + 2], trits[column + 3])
        line[tiling.columnOffset(column)] = high << 4 | low
      }
    }
    if matrix.granularity == .tensor {
      storeFloat(matrix.scales[0], at: bytes.base + rows * columns / 4)
    }
    return PackedMatrix(
      packing: name, rows: rows, columns: columns, bytes: bytes, scales: matrix.scales,
      granularity: matrix.granularity)
  }

  /// The trits again.
  public func unpack(_ packed: PackedMatrix) throws -> QuantizedWeights {
    try checkOwn(packed)
    let (rows, columns) = (packed.rows, packed.columns)
    let tiling = try tiling(rows: rows, columns: columns)
    let trits = AlignedBuffer<Int8>(count: rows * columns)
    for row in 0..<rows {
      let line = packed.bytes.base + tiling.rowOffset(row, columns: columns)
      let out = trits.base + row * columns
      for column in stride(from: 0, to: columns, by: 4) {
        let byte = line[tiling.columnOffset(column)]
        for (pair, index) in [byte >> 4, byte & 15].enumerated() {
          out[column + 2 * pair] = Int8(index / 3) - 1
          out[column + 2 * pair + 1] = Int8(index % 3) - 1
        }
      }
    }
    return .ternary(
      TernaryMatrix(
        rows: rows, columns: columns, trits: trits, scales: packed.scales,
        granularity: packed.granularity))
  }

  /// Reads a tensor of a file: codes, scale, tail. `scales`, one or one a row, replace the tail's.
  public func read(
    _ bytes: UnsafeRawBufferPointer, rows: Int, columns: Int, scales: [Float]?
  ) throws -> PackedMatrix {
    let granularity: ScaleGranularity = (scales?.count ?? 1) == 1 ? .tensor : .row
    try check(rows: rows, columns: columns, granularity: granularity)
    try checkLength(bytes.count, rows: rows, columns: columns)
    let count = rows * columns / 4
    let tiling = try tiling(rows: rows, columns: columns)
    for row in 0..<rows {
      let start = tiling.rowOffset(row, columns: columns)
      for column in stride(from: 0, to: columns, by: 4) {
        let byte = bytes[start + tiling.columnOffset(column)]
        if byte >> 4 > 8 { throw illegalCode("index \(byte >> 4)", row: row, column: column) }
        if byte & 15 > 8 { throw illegalCode("index \(byte & 15)", row: row, column: column + 2) }
      }
    }
    let given = scales ?? [loadFloat(bytes, at: count)]
    try checkScales(given, rows: rows, columns: columns, granularity: granularity)
    let copy = AlignedBuffer<UInt8>(copying: bytes)
    for index in count..<bytes.count { copy.base[index] = 0 }
    if granularity == .tensor { storeFloat(given[0], at: copy.base + count) }
    return PackedMatrix(
      packing: name, rows: rows, columns: columns, bytes: copy, scales: given,
      granularity: granularity)
  }

  /// Whether all indices are 4, which is looked for in the bytes.
  public func isZero(_ packed: PackedMatrix) -> Bool {
    packed.bytes.rawBuffer.prefix(packed.rows * packed.columns / 4).allSatisfy { $0 == 0x44 }
  }

  /// 3 w₀ + w₁ + 4.
  @inline(__always) static func index(_ first: Int8, _ second: Int8) -> UInt8 {
    UInt8(bitPattern: 3 &* first &+ second &+ 4)
  }
}
