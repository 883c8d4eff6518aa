internal import CTritKernels
import TritCore

/// TL2 bytes with the loops over them.
struct TL2Layer: LookupLayer {
  private let tiling: TL2Tiling
  private let bytes: AlignedBuffer<UInt8>

  init(_ weights: QuantizedWeights, rows: Int, columns: Int) throws {
    let packing = TL2Packing()
    tiling = try packing.tiling(rows: rows, columns: columns)
    bytes = try packing.pack(weights).bytes
  }

  init(_ packed: PackedMatrix) throws {
    tiling = try TL2Packing().tiling(rows: packed.rows, columns: packed.columns)
    bytes = packed.bytes
  }

  var rows: Int { tiling.rows }
  var columns: Int { tiling.columns }
  var codeBytes: Int { tiling.codeBytes }
  var memory: [any RawMemory] { [bytes] }
  var group: Int { TL2Tiling.innerRows }
  var tripleColumns: Int { tiling.tripleColumns }
  var tables: any LookupTables { TL2Tables(tripleColumns: tiling.tripleColumns) }
  private var triples: Int { tiling.columnTile / 3 }
  private var tiles: Int { tiling.tripleColumns / tiling.columnTile }
  private var pairTiles: Int { tiling.pairColumns / TL2Tiling.pairTile }
  private var indexStride: Int { tiling.rowTile * tiling.columnTile / 6 }
  private var signStride: Int { tiling.rowTile * tiling.columnTile / 24 }
  private var pairStride: Int { tiling.rowTile * TL2Tiling.pairTile / 4 }
  private var signs: UnsafeMutablePointer<UInt8> { bytes.base + tiling.indexBytes }
  private var pairs: UnsafeMutablePointer<UInt8> { signs + tiling.signBytes }

  func sums(
    _ row: Int, _ tables: UnsafePointer<UInt8>, stride: Int, tokens: Int, _ form: LookupForm,
    into sums: UnsafeMutablePointer<Int32>
  ) {
    let pairTables = tables + tiling.tripleColumns / 3 * LowHighTable.bytes
    #if arch(x86_64)
      if form == .avx2 {
        tk_tl2_avx2(
          bytes.base + tiling.indexRow(row), indexStride, signs + tiling.signRow(row), signStride,
          tiles, triples, tables, pairs + tiling.pairRow(row), pairStride, pairTiles, pairTables,
          stride, tokens, sums)
        return
      }
    #endif
    if form == .neon {
      for token in 0..<tokens {
        sumsByNEON(row, tables + token * stride, into: sums + token * group)
      }
      return
    }
    sums.update(repeating: 0, count: tokens * group)
    for token in 0..<tokens {
      let own = sums + token * group
      addTriples(row, tables + token * stride, LowHighTable.self, to: own)
      addPairs(row, pairTables + token * stride, LowHighTable.self, to: own)
    }
  }

  private func sumsByNEON(
    _ row: Int, _ tables: UnsafePointer<UInt8>, into sums: UnsafeMutablePointer<Int32>
  ) {
    let pairTables = tables + tiling.tripleColumns / 3 * LowHighTable.bytes
    let index = UnsafePointer(bytes.base + tiling.indexRow(row))
    let sign = UnsafePointer(signs + tiling.signRow(row))
    let pair = UnsafePointer(pairs + tiling.pairRow(row))
    LookupLeaves.triples(
      index, indexStride, sign, signStride, tiles, triples, tables, pair, pairStride, pairTiles,
      pairTables, sums)
  }

  func lossySums(
    _ row: Int, _ tables: UnsafePointer<UInt8>, stride: Int, tokens: Int, _ form: LookupForm,
    triples: UnsafeMutablePointer<Int32>, pairs: UnsafeMutablePointer<Int32>
  ) {
    let pairTables = tables + tiling.tripleColumns / 3 * ByteTable.bytes
    #if arch(x86_64)
      if form == .avx2 {
        tk_tl2_0_avx2(
          bytes.base + tiling.indexRow(row), indexStride, signs + tiling.signRow(row), signStride,
          tiles, self.triples, tables, self.pairs + tiling.pairRow(row), pairStride, pairTiles,
          pairTables, stride, tokens, triples, pairs)
        return
      }
    #endif
    triples.update(repeating: 0, count: tokens * group)
    pairs.update(repeating: 0, count: tokens * group)
    for token in 0..<tokens {
      addTriples(row, tables + token * stride, ByteTable.self, to: triples + token * group)
      addPairs(row, pairTables + token * stride, ByteTable.self, to: pairs + token * group)
    }
  }

  /// Adds the triples of the 32 rows from `row` on to `sums`, by plain look-ups.
  @inline(__always) private func addTriples<Table: TableForm>(
    _ row: Int, _ tables: UnsafePointer<UInt8>, _ form: Table.Type,
    to sums: UnsafeMutablePointer<Int32>
  ) {
    let indexStart = bytes.base + tiling.indexRow(row)
    let signStart = signs + tiling.signRow(row)
    var table = tables
    for tile in 0..<tiles {
      let index = indexStart + tile * indexStride
      let sign = signStart + tile * signStride
      for triple in stride(from: 0, to: triples, by: 2) {
        let codes = index + triple / 2 * 32
        let words = sign + triple / 8 * 32
        let second = table + Table.bytes
        for position in 0..<32 {
          let inner = TL2Tiling.position(position)
          let byte = Int(codes[position])
          let at = 2 * (inner & 15)
          let word = Int(words[at]) | Int(words[at + 1]) << 8
          let bit = 15 - 2 * (triple & 7) - inner >> 4
          let first = Table.entry(table, byte >> 4)
          let next = Table.entry(second, byte & 15)
          sums[inner] &+= word >> bit & 1 == 1 ? 0 &- first : first
          sums[inner] &+= word >> (bit - 2) & 1 == 1 ? 0 &- next : next
        }
        table = second + Table.bytes
      }
    }
  }

  /// Adds the pairs of the 32 rows from `row` on to `sums`.
  @inline(__always) private func addPairs<Table: TableForm>(
    _ row: Int, _ tables: UnsafePointer<UInt8>, _ form: Table.Type,
    to sums: UnsafeMutablePointer<Int32>
  ) {
    let start = pairs + tiling.pairRow(row)
    var table = tables
    for tile in 0..<pairTiles {
      for pair in stride(from: 0, to: 16, by: 2) {
        let codes = start + tile * pairStride + pair / 2 * 32
        let second = table + Table.bytes
        for position in 0..<32 {
          let byte = Int(codes[position])
          sums[TL2Tiling.position(position)] &+=
            Table.entry(table, byte >> 4) &+ Table.entry(second, byte & 15)
        }
        table = second + Table.bytes
      }
    }
  }
}
