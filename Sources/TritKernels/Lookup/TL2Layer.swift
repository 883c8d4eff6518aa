internal import CTritKernels
import TritCore

/// TL2 bytes with the loops over them.
struct TL2Layer: Sendable {
  let tiling: TL2Tiling
  let bytes: AlignedBuffer<UInt8>

  /// Rows whose sums one call makes.
  static var group: Int { TL2Tiling.innerRows }

  private var triples: Int { tiling.columnTile / 3 }
  private var tiles: Int { tiling.tripleColumns / tiling.columnTile }
  private var pairTiles: Int { tiling.pairColumns / TL2Tiling.pairTile }
  private var indexStride: Int { tiling.rowTile * tiling.columnTile / 6 }
  private var signStride: Int { tiling.rowTile * tiling.columnTile / 24 }
  private var pairStride: Int { tiling.rowTile * TL2Tiling.pairTile / 4 }
  private var signs: UnsafeMutablePointer<UInt8> { bytes.base + tiling.indexBytes }
  private var pairs: UnsafeMutablePointer<UInt8> { signs + tiling.signBytes }

  /// Adds the triples of the 32 rows from `row` on to `sums`, by plain look-ups.
  @inline(__always) func addTriples<Table: TableForm>(
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
  @inline(__always) func addPairs<Table: TableForm>(
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

  /// All columns of the 32 rows from `row` on, by byte shuffles.
  @inline(__always) func sumsByShuffles(
    _ row: Int, _ tables: UnsafePointer<UInt8>, into sums: UnsafeMutablePointer<Int32>
  ) {
    let pairTables = tables + tiling.tripleColumns / 3 * 32
    let index = UnsafePointer(bytes.base + tiling.indexRow(row))
    let sign = UnsafePointer(signs + tiling.signRow(row))
    let pair = UnsafePointer(pairs + tiling.pairRow(row))
    if LeafRunner.shared != nil {
      Leaves.remotely(
        TK_LEAF_TL2_NEON,
        [
          .input(index, rows: tiles, triples / 2 * 32, stride: indexStride), .count(indexStride),
          .input(sign, rows: tiles, triples / 8 * 32, stride: signStride), .count(signStride),
          .count(tiles), .count(triples), .input(tables, tiles * triples * 32),
          .input(pair, rows: pairTiles, 8 * 32, stride: pairStride), .count(pairStride),
          .count(pairTiles), .input(pairTables, pairTiles * 16 * 32), .output(sums, Self.group),
        ])
      return
    }
    #if arch(x86_64)
      tk_tl2_avx2(
        index, indexStride, sign, signStride, tiles, triples, tables, pair, pairStride, pairTiles,
        pairTables, sums)
    #elseif arch(arm64)
      tk_tl2_neon(
        index, indexStride, sign, signStride, tiles, triples, tables, pair, pairStride, pairTiles,
        pairTables, sums)
    #else
      sums.update(repeating: 0, count: Self.group)
      addTriples(row, tables, LowHighTable.self, to: sums)
      addPairs(row, pairTables, LowHighTable.self, to: sums)
    #endif
  }
}

/// TL2, lossless: look-ups in int16 tables split in two bytes, signs beside.
struct TL2Linear: PreparedLinear {
  let kernel: String
  let layer: TL2Layer
  /// One a row.
  let scales: [Float]
  let usesShuffles: Bool
  let accepts = ActivationForm.int8

  private var tables: TL2Tables { TL2Tables(tripleColumns: layer.tiling.tripleColumns) }
  var rows: Int { layer.tiling.rows }
  var columns: Int { layer.tiling.columns }
  var weightBytes: Int { layer.tiling.codeBytes + 4 * scales.count }
  var rowAlignment: Int { TL2Layer.group }
  let inputLayout: (any InputLayout)?

  init(kernel: String, layer: TL2Layer, scales: [Float], usesShuffles: Bool) {
    self.kernel = kernel
    self.layer = layer
    self.scales = scales
    self.usesShuffles = usesShuffles
    inputLayout = TL2Tables(tripleColumns: layer.tiling.tripleColumns)
  }

  func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>) {
    products(x, range) { token, row, sums in
      let out = y.base + token * y.stride + row
      for lane in 0..<TL2Layer.group {
        out[lane] = Float(sums[lane]) * (x.scales.base[token] * scales[row + lane])
      }
    }
  }

  func accumulate(
    _ x: QuantizedRows, rows range: Range<Int>, into accumulators: MutableMatrixView<Int32>
  ) -> Bool {
    products(x, range) { token, row, sums in
      (accumulators.base + token * accumulators.stride + row)
        .update(from: sums, count: TL2Layer.group)
    }
    return true
  }

  /// Calls `body` with the sums of each group of rows and each token.
  @inline(__always) private func products(
    _ x: QuantizedRows, _ range: Range<Int>,
    _ body: (_ token: Int, _ row: Int, _ sums: UnsafePointer<Int32>) -> Void
  ) {
    let tables = tables
    let built = x.built(tables).assumingMemoryBound(to: UInt8.self)
    let perToken = tables.byteCount(rows: 1, columns: columns)
    let pairOffset = tables.tripleColumns / 3 * 32
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: TL2Layer.group) { buffer in
      guard let sums = buffer.baseAddress else { return }
      for row in stride(from: range.lowerBound, to: range.upperBound, by: TL2Layer.group) {
        for token in 0..<x.rows {
          let own = built + token * perToken
          if usesShuffles {
            layer.sumsByShuffles(row, own, into: sums)
          } else {
            sums.update(repeating: 0, count: TL2Layer.group)
            layer.addTriples(row, own, LowHighTable.self, to: sums)
            layer.addPairs(row, own + pairOffset, LowHighTable.self, to: sums)
          }
          body(token, row, sums)
        }
      }
    }
  }
}

/// TL2_0: look-ups in int8 tables, signs beside.
struct TL2LossyLinear: LossyLinear {
  let kernel: String
  let layer: TL2Layer
  /// One a row.
  let scales: [Float]
  let accepts = ActivationForm.int8

  private var tables: ByteTables { ByteTables(tripleColumns: layer.tiling.tripleColumns) }
  var rows: Int { layer.tiling.rows }
  var columns: Int { layer.tiling.columns }
  var weightBytes: Int { layer.tiling.codeBytes + 4 * scales.count }
  var rowAlignment: Int { TL2Layer.group }
  var inputLayout: (any InputLayout)? { tables }

  func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>) {
    let tables = tables
    let built = x.built(tables)
    let perToken = tables.rowBytes(columns: columns)
    let group = TL2Layer.group
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: 2 * group) { buffer in
      guard let sums = buffer.baseAddress else { return }
      for row in stride(from: range.lowerBound, to: range.upperBound, by: group) {
        for token in 0..<x.rows {
          let head = built + token * perToken
          let tripleFactor = head.load(as: Float.self)
          let pairFactor = head.load(fromByteOffset: 4, as: Float.self)
          let entries = (head + ByteTables.head).assumingMemoryBound(to: UInt8.self)
          sums.update(repeating: 0, count: 2 * group)
          layer.addTriples(row, entries, ByteTable.self, to: sums)
          layer.addPairs(
            row, entries + tables.tripleColumns / 3 * 16, ByteTable.self, to: sums + group)
          for lane in 0..<group {
            let sum = Float(sums[lane]) * tripleFactor + Float(sums[group + lane]) * pairFactor
            y.base[token * y.stride + row + lane] =
              sum * (x.scales.base[token] * scales[row + lane])
          }
        }
      }
    }
  }

  func accumulate(
    _ x: QuantizedRows, rows range: Range<Int>, into accumulators: MutableMatrixView<Int32>
  ) -> Bool {
    false
  }

  /// Every look-up is off by at most half a step of the token's tables.
  func errorBound(_ x: QuantizedRows, token: Int, row: Int) -> Float {
    let tables = tables
    let head = x.built(tables) + token * tables.rowBytes(columns: columns)
    var lookups: Float = 0
    for (count, offset) in [(tables.tripleColumns / 3, 0), (layer.tiling.pairColumns / 2, 4)] {
      let factor = head.load(fromByteOffset: offset, as: Float.self)
      if factor > 1 { lookups += Float(count) * factor }
    }
    return lookups * 0.5001 * x.scales[token] * abs(scales[row])
  }
}
