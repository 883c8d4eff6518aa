internal import CTritKernels
public import TritCore

/// Activations in tiles of at most 12 tokens, as dot-product instructions want them:
/// `[columns / 4][12]` groups of 4 int8 columns, so that one 4-byte broadcast feeds 16 rows of
/// weights.
///
/// Up to three tokens are read where they are: the layout is then empty.
public struct ActivationTiles: InputLayout {
  /// Whether every int8 value is stored plus 128, as unsigned (for kernels whose weights are
  /// signed).
  public let isUnsigned: Bool

  /// The layout for signed or offset values.
  public init(isUnsigned: Bool = false) { self.isUnsigned = isUnsigned }

  /// `vnni12`, or `vnni12u`.
  public var id: String { isUnsigned ? "vnni12u" : "vnni12" }

  /// 4-column groups of one token: the columns rounded up to 16.
  static func quads(columns: Int) -> Int { (columns + 15) / 16 * 4 }

  static func tiles(rows: Int) -> Int {
    let most = Int(TK_TILE_TOKENS)
    return rows <= Int(TK_FEW_TOKENS) ? 0 : (rows + most - 1) / most
  }

  /// 48 bytes for each tile and group.
  public func byteCount(rows: Int, columns: Int) -> Int {
    Self.tiles(rows: rows) * Self.quads(columns: columns) * Int(TK_TILE_TOKENS) * 4
  }

  /// One part a tile.
  public func parts(rows: Int, columns: Int) -> Int { Self.tiles(rows: rows) }

  /// Packs the tiles in `range`.
  public func build(
    _ range: Range<Int>, from input: QuantizedRows, into output: UnsafeMutableRawPointer
  ) {
    guard !range.isEmpty else { return }
    tk_pack_tiles(
      input.values.base, input.stride, input.rows, Self.quads(columns: input.columns),
      isUnsigned ? 0x80 : 0, range.lowerBound, range.upperBound,
      output.assumingMemoryBound(to: Int32.self))
  }
}
