import TritCore

/// How TL2 splits the columns and cuts a matrix into tiles; see `TL2Packing`.
public struct TL2Tiling: Sendable, Hashable {
  /// Rows of a row group: the 32 bytes of one vector.
  public static let innerRows = 32
  /// Columns of a tile of the pair part.
  public static let pairTile = 32

  /// Number of rows.
  public let rows: Int
  /// Number of columns.
  public let columns: Int
  /// Rows of an outer tile (BM).
  public let rowTile: Int
  /// Columns of a tile (BK) of the triple part; sums of one tile fit int16.
  public let columnTile: Int

  /// Columns that are coded as triples: the whole tiles.
  public var tripleColumns: Int { columns / columnTile * columnTile }
  /// Columns that are left and coded as pairs; a multiple of 32.
  public var pairColumns: Int { columns - tripleColumns }

  /// Takes the numbers as they are, nil where they do not fit.
  public init?(rows: Int, columns: Int, rowTile: Int, columnTile: Int) {
    guard rows > 0, columns > 0, rowTile > 0, (1...255).contains(columnTile),
      rows % rowTile == 0, rowTile % Self.innerRows == 0,
      columnTile % 24 == 0, columns % columnTile % Self.pairTile == 0
    else { return nil }
    self.rows = rows
    self.columns = columns
    self.rowTile = rowTile
    self.columnTile = columnTile
  }

  /// BM and BK that bitnet.cpp's `setup_env.py` passes to its code generator.
  static let presets: [WeightShape: (rowTile: Int, columnTile: Int)] = [
    WeightShape(1536, 4096): (256, 96), WeightShape(1536, 1536): (128, 192),
    WeightShape(4096, 1536): (256, 96), WeightShape(3200, 8640): (160, 96),
    WeightShape(3200, 3200): (320, 96), WeightShape(8640, 3200): (320, 96),
    WeightShape(14336, 4096): (256, 96), WeightShape(4096, 14336): (128, 96),
    WeightShape(1024, 4096): (256, 96), WeightShape(4096, 4096): (128, 96),
  ]

  /// The tiling for a shape: bitnet.cpp's where it has one, else its usual BK of 96, which takes
  /// every multiple of 32 columns, else the first BK that leaves a multiple of 32. nil where none
  /// does, or rows are not a multiple of 32.
  public init?(rows: Int, columns: Int) {
    guard rows > 0, columns > 0, rows % Self.innerRows == 0 else { return nil }
    if let preset = Self.presets[WeightShape(rows, columns)] {
      self.init(
        rows: rows, columns: columns, rowTile: preset.rowTile, columnTile: preset.columnTile)
      return
    }
    let rowTile = TL1Tiling.largest(dividing: rows, step: Self.innerRows)
    for columnTile in [96, 192, 240, 216, 168, 144, 120, 72, 48, 24] {
      if let tiling = TL2Tiling(
        rows: rows, columns: columns, rowTile: rowTile, columnTile: columnTile)
      {
        self = tiling
        return
      }
    }
    return nil
  }

  /// Bytes of the plane of triple indices (A).
  var indexBytes: Int { rows * tripleColumns / 6 }
  /// Bytes of the plane of triple signs (S).
  var signBytes: Int { rows * tripleColumns / 24 }
  /// Bytes of the plane of pair indices (B).
  var pairBytes: Int { rows * pairColumns / 4 }

  /// Bytes of all codes: what a multiply reads. The file's allocation can be larger.
  var codeBytes: Int { indexBytes + signBytes + pairBytes }

  /// Where a row of a group of 32 stands in its 32 bytes: groups of eight in the order 0, 2, 1, 3,
  /// so that AVX2's unpack, which works in halves of 16 bytes, puts rows 0–15 and 16–31 together.
  @inline(__always) static func position(_ row: Int) -> Int {
    switch row / 8 {
    case 1: row + 8
    case 2: row - 8
    default: row
    }
  }

  /// Offset in A of the byte of triple 0 in `row`.
  func indexRow(_ row: Int) -> Int {
    let inTile = row % rowTile
    return (row / rowTile * rowTile * tripleColumns + inTile / 32 * 32 * columnTile) / 6
      + Self.position(inTile % 32)
  }

  /// What triple `triple` adds to that; an even triple is the high nibble.
  func indexColumn(_ triple: Int) -> Int {
    let tile = 3 * triple / columnTile
    let inTile = triple % (columnTile / 3)
    return tile * rowTile * columnTile / 6 + inTile / 2 * 32
  }

  /// Offset in S of the 16-bit word of triple 0 in `row`.
  func signRow(_ row: Int) -> Int {
    let inTile = row % rowTile
    return (row / rowTile * rowTile * tripleColumns + inTile / 32 * 32 * columnTile) / 24
      + 2 * (inTile % 16)
  }

  /// What triple `triple` adds to that.
  func signColumn(_ triple: Int) -> Int {
    let tile = 3 * triple / columnTile
    return tile * rowTile * columnTile / 24 + triple % (columnTile / 3) / 8 * 32
  }

  /// The bit of the word that is the sign of `triple` in `row`.
  func signBit(_ row: Int, _ triple: Int) -> Int {
    15 - (2 * (triple % (columnTile / 3) % 8) + row % 32 / 16)
  }

  /// Offset in B of the byte of pair 0 in `row`.
  func pairRow(_ row: Int) -> Int {
    let inTile = row % rowTile
    return (row / rowTile * rowTile * pairColumns + inTile / 32 * 32 * Self.pairTile) / 4
      + Self.position(inTile % 32)
  }

  /// What pair `pair` adds to that; an even pair is the high nibble.
  func pairColumn(_ pair: Int) -> Int {
    pair / 16 * rowTile * Self.pairTile / 4 + pair % 16 / 2 * 32
  }
}
