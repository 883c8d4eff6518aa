import TritCore

/// How TL1 cuts a matrix into tiles; see `TL1Packing`.
///
/// bitnet.cpp generates one kernel per shape from a table of these numbers, which stand in no file.
/// Here they follow from the shape: bitnet.cpp's own choice where it has one, else the largest
/// tiles that fit.
public struct TL1Tiling: Sendable, Hashable {
  /// Rows of an outer tile (BM).
  public let rowTile: Int
  /// Columns of a tile (BK); sums of one tile fit int16.
  public let columnTile: Int
  /// Rows of an inner tile (bm): 32 or 64.
  public let innerRows: Int

  /// Columns of an inner tile (by): an inner tile is 64 bytes of two pairs each.
  public var innerColumns: Int { 256 / innerRows }

  /// Takes the three numbers; `check` says whether they fit a shape.
  public init(rowTile: Int, columnTile: Int, innerRows: Int) {
    self.rowTile = rowTile
    self.columnTile = columnTile
    self.innerRows = innerRows
  }

  /// What bitnet.cpp's `setup_env.py` passes to its code generator.
  static let presets: [WeightShape: TL1Tiling] = [
    WeightShape(1536, 4096): TL1Tiling(rowTile: 256, columnTile: 128, innerRows: 32),
    WeightShape(1536, 1536): TL1Tiling(rowTile: 128, columnTile: 64, innerRows: 64),
    WeightShape(4096, 1536): TL1Tiling(rowTile: 256, columnTile: 128, innerRows: 32),
    WeightShape(3200, 8640): TL1Tiling(rowTile: 160, columnTile: 64, innerRows: 32),
    WeightShape(3200, 3200): TL1Tiling(rowTile: 320, columnTile: 128, innerRows: 64),
    WeightShape(8640, 3200): TL1Tiling(rowTile: 320, columnTile: 64, innerRows: 32),
    WeightShape(14336, 4096): TL1Tiling(rowTile: 256, columnTile: 128, innerRows: 32),
    WeightShape(4096, 14336): TL1Tiling(rowTile: 128, columnTile: 64, innerRows: 64),
    WeightShape(1024, 4096): TL1Tiling(rowTile: 256, columnTile: 128, innerRows: 32),
    WeightShape(4096, 4096): TL1Tiling(rowTile: 128, columnTile: 64, innerRows: 64),
  ]

  /// The tiling for a shape, nil where none fits: rows must be a multiple of 32, and columns of 8
  /// (of 4 where rows are a multiple of 64).
  public init?(rows: Int, columns: Int) {
    guard rows > 0, columns > 0, rows % 32 == 0 else { return nil }
    let shape = WeightShape(rows, columns)
    if let preset = Self.presets[shape], preset.fits(shape) {
      self = preset
      return
    }
    let inner: Int
    if columns % 8 == 0 {
      inner = 32
    } else if columns % 4 == 0, rows % 64 == 0 {
      inner = 64
    } else {
      return nil
    }
    let rowTile = Self.largest(dividing: rows, step: inner)
    let columnTile = Self.largest(dividing: columns, step: 256 / inner)
    self.init(rowTile: rowTile, columnTile: columnTile, innerRows: inner)
  }

  /// Whether the tiles fill a shape without remainder.
  public func fits(_ shape: WeightShape) -> Bool {
    (innerRows == 32 || innerRows == 64) && rowTile > 0 && columnTile > 0 && columnTile <= 256
      && shape.rows % rowTile == 0 && shape.columns % columnTile == 0
      && rowTile % innerRows == 0 && columnTile % innerColumns == 0
  }

  /// The largest multiple of `step` up to 256 that divides `count`, itself a multiple of `step`.
  static func largest(dividing count: Int, step: Int) -> Int {
    stride(from: 256, through: step, by: -step).first { count % $0 == 0 } ?? step
  }

  /// What the row adds to the offset of a byte.
  func rowOffset(_ row: Int, columns: Int) -> Int {
    let inTile = row % rowTile
    let inner = inTile % innerRows
    return row / rowTile * (rowTile * columns / 4) + inTile / innerRows
      * (innerRows * columnTile / 4)
      + inner / 16 * (innerColumns * 4) + inner % 16
  }

  /// What the four columns from `column` on add to the offset of their byte.
  func columnOffset(_ column: Int) -> Int {
    let inTile = column % columnTile
    return column / columnTile * (rowTile * columnTile / 4) + inTile / innerColumns * 64
      + inTile % innerColumns / 4 * 16
  }
}
