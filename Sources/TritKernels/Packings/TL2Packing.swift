public import TritCore

/// TL2 of bitnet.cpp: five bits for three trits, 1.67 bits a weight. Four bits index one of 14
/// values that three trits can give their activations up to the sign, and one bit is the sign.
///
/// Layout: v = 9 w₀ + 3 w₁ + w₂ in −13…13; the index is |v|, the sign bit is set where v < 0. Only
/// as many columns as fill whole tiles of BK are coded so; the rest, a multiple of 32, is coded in
/// pairs as in TL1. Three planes follow each other: A, the indices of the triples, two a byte, the
/// even one in the high nibble, 32 rows side by side (groups of eight in the order 0, 2, 1, 3); S,
/// the signs, 16-bit words that hold eight triples of the rows r and r + 16; B, the indices of the
/// pairs. Then zeros up to the allocated size, the float32 scale, and a tail of 32 bytes.
/// `TL2Tiling` has the addresses.
///
/// Size: ((columns − 256) · rows / 3) · 5 / 8 + 256 · rows / 2 · 4 / 8 (integer divisions), rounded
/// up to 32, and 32 for the scale: bitnet.cpp allocates as if 256 columns were coded as pairs. Rows
/// in multiples of 32; columns in multiples of 24 or 32, or what some BK ≤ 240 leaves a multiple of
/// 32 of. Scales per row are allowed in memory, as in `I2SPacking`.
///
/// This is *not* base 3: three trits take 5 bits here, five take 8 there; and not the TL2_0 of the
/// paper's branch, whose sign bits are inverted.
///
/// Source: Wang et al., "Bitnet.cpp", arXiv 2502.11880, §3.2; microsoft/BitNet
/// `utils/codegen_tl2.py` and `utils/convert-hf-to-gguf-bitnet.py` (`process_tl2`).
public struct TL2Packing: Packing {
  /// Bytes after the codes and their padding.
  public static let tail = 32

  /// `tl2`.
  public let name = "tl2"
  private let rowTile: Int?
  private let columnTile: Int?

  /// Tiles as the shape suggests, or of `rowTile` (BM) rows and `columnTile` (BK) columns.
  public init(rowTile: Int? = nil, columnTile: Int? = nil) {
    self.rowTile = rowTile
    self.columnTile = columnTile
  }

  /// The tiles for a shape, or an error that says why there are none.
  public func tiling(rows: Int, columns: Int) throws -> TL2Tiling {
    var tiling = TL2Tiling(rows: rows, columns: columns)
    if rowTile != nil || columnTile != nil {
      tiling = TL2Tiling(
        rows: rows, columns: columns, rowTile: rowTile ?? tiling?.rowTile ?? 32,
        columnTile: columnTile ?? tiling?.columnTile ?? 96)
    }
    guard let tiling else {
      throw LabError(
        .badData, "packing 'tl2' cannot cut \(rows) × \(columns) weights into tiles",
        expected:
          "rows in multiples of 32, and columns that tiles of a multiple of 24 (at most 240)"
          + " leave a multiple of 32 of: every multiple of 24 or 32",
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

  /// The allocation of bitnet.cpp, tail included.
  public func byteCount(rows: Int, columns: Int) -> Int {
    let scaled = Size.product(max(columns, 256), rows, 5)
    guard scaled < .max else { return .max }
    return scaleOffset(rows: rows, columns: columns) + Self.tail
  }

  /// Where the scale stands.
  func scaleOffset(rows: Int, columns: Int) -> Int {
    let bytes = (columns - 256) * rows / 3 * 5 / 8 + 256 * rows / 2 * 4 / 8
    return (bytes + 31) / 32 * 32
  }

  /// Packs trits with a scale per tensor or row.
  public func pack(_ weights: QuantizedWeights) throws -> PackedMatrix {
    let matrix = try ternary(weights)
    let (rows, columns) = (matrix.rows, matrix.columns)
    let tiling = try tiling(rows: rows, columns: columns)
    let bytes = AlignedBuffer<UInt8>(count: byteCount(rows: rows, columns: columns))
    let signs = bytes.base + tiling.indexBytes
    let pairs = signs + tiling.signBytes
    for row in 0..<rows {
      let trits = matrix.trits.base + row * columns
      let indexLine = bytes.base + tiling.indexRow(row)
      let signLine = signs + tiling.signRow(row)
      for triple in 0..<(tiling.tripleColumns / 3) {
        let w = trits + 3 * triple
        let value = 9 * Int(w[0]) + 3 * Int(w[1]) + Int(w[2])
        let shift = UInt8(triple % 2 == 0 ? 4 : 0)
        indexLine[tiling.indexColumn(triple)] |= UInt8(abs(value)) << shift
        if value < 0 {
          let bit = tiling.signBit(row, triple)
          signLine[tiling.signColumn(triple) + bit / 8] |= 1 << UInt8(bit % 8)
        }
      }
      let pairLine = pairs + tiling.pairRow(row)
      for pair in 0..<(tiling.pairColumns / 2) {
        let w = trits + tiling.tripleColumns + 2 * pair
        let shift = UInt8(pair % 2 == 0 ? 4 : 0)
        pairLine[tiling.pairColumn(pair)] |= TL1Packing.index(w[0], w[1]) << shift
      }
    }
    if matrix.granularity == .tensor {
      storeFloat(matrix.scales[0], at: bytes.base + scaleOffset(rows: rows, columns: columns))
    }
    return PackedMatrix(
      packing: name, rows: rows, columns: columns, bytes: bytes, scales: matrix.scales,
      granularity: matrix.granularity)
  }

  /// The trits again.
  public func unpack(_ packed: PackedMatrix) throws -> QuantizedWeights {
    try checkOwn(packed)
    let tiling = try tiling(rows: packed.rows, columns: packed.columns)
    let trits = try decode(packed.bytes.rawBuffer, tiling)
    return .ternary(
      TernaryMatrix(
        rows: packed.rows, columns: packed.columns, trits: trits, scales: packed.scales,
        granularity: packed.granularity))
  }

  /// Whether all indices are those of zero, 0 of triples and 4 of pairs, which is looked for in the
  /// bytes.
  public func isZero(_ packed: PackedMatrix) -> Bool {
    guard let tiling = try? tiling(rows: packed.rows, columns: packed.columns) else { return false }
    let bytes = packed.bytes.rawBuffer
    let pairs = tiling.indexBytes + tiling.signBytes
    return bytes[..<pairs].allSatisfy { $0 == 0 }
      && bytes[pairs..<pairs + tiling.pairBytes].allSatisfy { $0 == 0x44 }
  }

  /// Reads a tensor of a file: planes, padding, scale, tail. `scales`, one or one a row, replace
  /// the tail's.
  public func read(
    _ bytes: UnsafeRawBufferPointer, rows: Int, columns: Int, scales: [Float]?
  ) throws -> PackedMatrix {
    let granularity: ScaleGranularity = (scales?.count ?? 1) == 1 ? .tensor : .row
    try check(rows: rows, columns: columns, granularity: granularity)
    try checkLength(bytes.count, rows: rows, columns: columns)
    let tiling = try tiling(rows: rows, columns: columns)
    _ = try decode(bytes, tiling)
    let offset = scaleOffset(rows: rows, columns: columns)
    let given = scales ?? [loadFloat(bytes, at: offset)]
    try checkScales(given, rows: rows, columns: columns, granularity: granularity)
    let copy = AlignedBuffer<UInt8>(copying: bytes)
    let used = tiling.indexBytes + tiling.signBytes + tiling.pairBytes
    for index in used..<bytes.count { copy.base[index] = 0 }
    if granularity == .tensor { storeFloat(given[0], at: copy.base + offset) }
    return PackedMatrix(
      packing: name, rows: rows, columns: columns, bytes: copy, scales: given,
      granularity: granularity)
  }

  /// The trits of the three planes, or an error at the first illegal code.
  private func decode(_ bytes: UnsafeRawBufferPointer, _ tiling: TL2Tiling) throws
    -> AlignedBuffer<Int8>
  {
    let (rows, columns) = (tiling.rows, tiling.columns)
    let trits = AlignedBuffer<Int8>(count: rows * columns)
    let signs = tiling.indexBytes
    let pairs = signs + tiling.signBytes
    for row in 0..<rows {
      let out = trits.base + row * columns
      for triple in 0..<(tiling.tripleColumns / 3) {
        let byte = bytes[tiling.indexRow(row) + tiling.indexColumn(triple)]
        let index = Int(triple % 2 == 0 ? byte >> 4 : byte & 15)
        let bit = tiling.signBit(row, triple)
        let word = bytes[signs + tiling.signRow(row) + tiling.signColumn(triple) + bit / 8]
        let isNegative = word >> UInt8(bit % 8) & 1 == 1
        guard index <= 13 else {
          throw illegalCode("index \(index)", row: row, column: 3 * triple)
        }
        guard index > 0 || !isNegative else {
          throw illegalCode("index 0 with a sign", row: row, column: 3 * triple)
        }
        let digits = (isNegative ? -index : index) + 13
        out[3 * triple] = Int8(digits / 9) - 1
        out[3 * triple + 1] = Int8(digits / 3 % 3) - 1
        out[3 * triple + 2] = Int8(digits % 3) - 1
      }
      for pair in 0..<(tiling.pairColumns / 2) {
        let byte = bytes[pairs + tiling.pairRow(row) + tiling.pairColumn(pair)]
        let index = pair % 2 == 0 ? byte >> 4 : byte & 15
        let column = tiling.tripleColumns + 2 * pair
        guard index <= 8 else { throw illegalCode("index \(index)", row: row, column: column) }
        out[column] = Int8(index / 3) - 1
        out[column + 1] = Int8(index % 3) - 1
      }
    }
    return trits
  }
}
