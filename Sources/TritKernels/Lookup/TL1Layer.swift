internal import CTritKernels
import TritCore

/// TL1 bytes with the loops over them.
struct TL1Layer: LookupLayer {
  let rows: Int
  let columns: Int
  private let tiling: TL1Tiling
  private let bytes: AlignedBuffer<UInt8>

  init(_ weights: QuantizedWeights, rows: Int, columns: Int) throws {
    let packing = TL1Packing()
    self.rows = rows
    self.columns = columns
    tiling = try packing.tiling(rows: rows, columns: columns)
    bytes = try packing.pack(weights).bytes
  }

  init(_ packed: PackedMatrix) throws {
    rows = packed.rows
    columns = packed.columns
    tiling = try TL1Packing().tiling(rows: packed.rows, columns: packed.columns)
    bytes = packed.bytes
  }

  var codeBytes: Int { bytes.count }
  var memory: [any RawMemory] { [bytes] }
  var group: Int { tiling.innerRows }
  let tripleColumns = 0
  var tables: any LookupTables { TL1Tables() }
  private var tiles: Int { columns / tiling.columnTile }
  private var tileStride: Int { tiling.rowTile * tiling.columnTile / 4 }
  private var groupsPerTile: Int { tiling.columnTile / tiling.innerColumns }

  func sums(
    _ row: Int, _ tables: UnsafePointer<UInt8>, stride: Int, tokens: Int, _ form: LookupForm,
    into sums: UnsafeMutablePointer<Int32>
  ) {
    #if arch(x86_64)
      if form == .avx2 {
        tk_tl1_avx2(
          bytes.base + tiling.rowOffset(row, columns: columns), tileStride, tiles, groupsPerTile,
          group, tables, stride, tokens, sums)
        return
      }
    #endif
    for token in 0..<tokens {
      let (own, out) = (tables + token * stride, sums + token * group)
      if form == .neon {
        sumsByNEON(row, own, into: out)
      } else {
        self.sums(row, own, HighLowTable.self, into: out)
      }
    }
  }

  private func sumsByNEON(
    _ row: Int, _ tables: UnsafePointer<UInt8>, into sums: UnsafeMutablePointer<Int32>
  ) {
    let codes = UnsafePointer(bytes.base + tiling.rowOffset(row, columns: columns))
    let groups = groupsPerTile
    LookupLeaves.pairs(codes, tileStride, tiles, groups, group, tables, sums)
  }

  func lossySums(
    _ row: Int, _ tables: UnsafePointer<UInt8>, stride: Int, tokens: Int, _ form: LookupForm,
    triples: UnsafeMutablePointer<Int32>, pairs: UnsafeMutablePointer<Int32>
  ) {
    triples.update(repeating: 0, count: tokens * group)
    #if arch(x86_64)
      if form == .avx2 {
        tk_tl1_0_avx2(
          bytes.base + tiling.rowOffset(row, columns: columns), tileStride, tiles, groupsPerTile,
          group, tables, stride, tokens, pairs)
        return
      }
    #endif
    for token in 0..<tokens {
      sums(row, tables + token * stride, ByteTable.self, into: pairs + token * group)
    }
  }

  /// The sums of the rows from `row` on for one token, by plain look-ups.
  @inline(__always) private func sums<Table: TableForm>(
    _ row: Int, _ tables: UnsafePointer<UInt8>, _ form: Table.Type,
    into sums: UnsafeMutablePointer<Int32>
  ) {
    let start = bytes.base + tiling.rowOffset(row, columns: columns)
    let quads = tiling.innerColumns / 4
    let strips = tiling.innerRows / 16
    sums.update(repeating: 0, count: tiling.innerRows)
    var table = tables
    for tile in 0..<tiles {
      for inner in 0..<groupsPerTile {
        for quad in 0..<quads {
          let codes = start + tile * tileStride + inner * 64 + quad * 16
          let second = table + Table.bytes
          for strip in 0..<strips {
            for lane in 0..<16 {
              let byte = Int(codes[strip * quads * 16 + lane])
              sums[strip * 16 + lane] &+=
                Table.entry(table, byte >> 4) &+ Table.entry(second, byte & 15)
            }
          }
          table = second + Table.bytes
        }
      }
    }
  }
}
