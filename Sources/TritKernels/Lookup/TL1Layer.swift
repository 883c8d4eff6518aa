internal import CTritKernels
import TritCore

/// TL1 bytes with the loops over them.
struct TL1Layer: Sendable {
  let rows: Int
  let columns: Int
  let tiling: TL1Tiling
  let bytes: AlignedBuffer<UInt8>

  /// Rows whose sums one call makes.
  var group: Int { tiling.innerRows }
  private var tiles: Int { columns / tiling.columnTile }
  private var tileStride: Int { tiling.rowTile * tiling.columnTile / 4 }
  private var groupsPerTile: Int { tiling.columnTile / tiling.innerColumns }

  /// The sums of the rows from `row` on, by plain look-ups.
  @inline(__always) func sums<Table: TableForm>(
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

  /// The same by byte shuffles.
  @inline(__always) func sumsByShuffles(
    _ row: Int, _ tables: UnsafePointer<UInt8>, into sums: UnsafeMutablePointer<Int32>
  ) {
    let codes = UnsafePointer(bytes.base + tiling.rowOffset(row, columns: columns))
    let groups = groupsPerTile
    if LeafRunner.shared != nil {
      Leaves.remotely(
        TK_LEAF_TL1_NEON,
        [
          .input(codes, rows: tiles, groups * 64, stride: tileStride), .count(tileStride),
          .count(tiles), .count(groups), .count(group), .input(tables, columns / 2 * 32),
          .output(sums, group),
        ])
      return
    }
    #if arch(x86_64)
      tk_tl1_avx2(codes, tileStride, tiles, groups, group, tables, sums)
    #elseif arch(arm64)
      tk_tl1_neon(codes, tileStride, tiles, groups, group, tables, sums)
    #else
      self.sums(row, tables, HighLowTable.self, into: sums)
    #endif
  }
}

/// TL1, lossless: look-ups in int16 tables split in two bytes.
struct TL1Linear: PreparedLinear {
  let kernel: String
  let layer: TL1Layer
  /// One a row.
  let scales: [Float]
  let usesShuffles: Bool
  let accepts = ActivationForm.int8
  private let tables = TL1Tables()

  init(kernel: String, layer: TL1Layer, scales: [Float], usesShuffles: Bool) {
    self.kernel = kernel
    self.layer = layer
    self.scales = scales
    self.usesShuffles = usesShuffles
  }

  var rows: Int { layer.rows }
  var columns: Int { layer.columns }
  var weightBytes: Int { layer.bytes.count + 4 * scales.count }
  var rowAlignment: Int { layer.group }
  var inputLayout: (any InputLayout)? { tables }

  func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>) {
    products(x, range) { token, row, sums in
      let out = y.base + token * y.stride + row
      for lane in 0..<layer.group {
        out[lane] = Float(sums[lane]) * (x.scales.base[token] * scales[row + lane])
      }
    }
  }

  func accumulate(
    _ x: QuantizedRows, rows range: Range<Int>, into accumulators: MutableMatrixView<Int32>
  ) -> Bool {
    products(x, range) { token, row, sums in
      (accumulators.base + token * accumulators.stride + row)
        .update(from: sums, count: layer.group)
    }
    return true
  }

  /// Calls `body` with the sums of each group of rows and each token.
  @inline(__always) private func products(
    _ x: QuantizedRows, _ range: Range<Int>,
    _ body: (_ token: Int, _ row: Int, _ sums: UnsafePointer<Int32>) -> Void
  ) {
    let built = x.built(tables).assumingMemoryBound(to: UInt8.self)
    let perToken = tables.byteCount(rows: 1, columns: columns)
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: 64) { buffer in
      guard let sums = buffer.baseAddress else { return }
      for row in stride(from: range.lowerBound, to: range.upperBound, by: layer.group) {
        for token in 0..<x.rows {
          if usesShuffles {
            layer.sumsByShuffles(row, built + token * perToken, into: sums)
          } else {
            layer.sums(row, built + token * perToken, HighLowTable.self, into: sums)
          }
          body(token, row, sums)
        }
      }
    }
  }
}

/// TL1_0: look-ups in int8 tables.
struct TL1LossyLinear: LossyLinear {
  let kernel: String
  let layer: TL1Layer
  /// One a row.
  let scales: [Float]
  let accepts = ActivationForm.int8
  private let tables = ByteTables(tripleColumns: 0)

  init(kernel: String, layer: TL1Layer, scales: [Float]) {
    self.kernel = kernel
    self.layer = layer
    self.scales = scales
  }

  var rows: Int { layer.rows }
  var columns: Int { layer.columns }
  var weightBytes: Int { layer.bytes.count + 4 * scales.count }
  var rowAlignment: Int { layer.group }
  var inputLayout: (any InputLayout)? { tables }

  func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>) {
    let built = x.built(tables)
    let perToken = tables.rowBytes(columns: columns)
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: 64) { buffer in
      guard let sums = buffer.baseAddress else { return }
      for row in stride(from: range.lowerBound, to: range.upperBound, by: layer.group) {
        for token in 0..<x.rows {
          let head = built + token * perToken
          let factor = head.load(fromByteOffset: 4, as: Float.self)
          let entries = (head + ByteTables.head).assumingMemoryBound(to: UInt8.self)
          layer.sums(row, entries, ByteTable.self, into: sums)
          for lane in 0..<layer.group {
            y.base[token * y.stride + row + lane] =
              Float(sums[lane]) * factor * (x.scales.base[token] * scales[row + lane])
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

  /// Every look-up is off by at most half a step of the token's table.
  func errorBound(_ x: QuantizedRows, token: Int, row: Int) -> Float {
    let factor = x.built(tables)
      .load(fromByteOffset: token * tables.rowBytes(columns: columns) + 4, as: Float.self)
    if factor == 1 { return 0 }
    return Float(columns / 2) * factor * 0.5001 * x.scales[token] * abs(scales[row])
  }
}
