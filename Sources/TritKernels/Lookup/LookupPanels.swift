internal import CTritKernels
import TritCore

/// Tables of int16 sums in tiles of at most eight tokens, as word shuffles want them:
/// `[group][token]`, 16 entries for each pair of columns or 32 for each triple, so that a part of
/// the columns is one stretch of memory for all tokens of a tile. All layers with the same input
/// share them.
struct LookupPanelTables: InputLayout {
  let kind: tk_lookup_kind

  var id: String { "words-\(kind.rawValue)" }

  /// int16 entries of a table.
  private var entries: Int { kind == TK_LOOKUP_TRIPLES ? 32 : 16 }
  /// Tables that one part holds, for each token of a tile.
  private static let partGroups = 128

  private func groups(columns: Int) -> Int { tk_lookup_lines(kind, columns) * 4 }
  private func tiles(rows: Int) -> Int { Size.quotient(rows, Int(TK_LOOKUP_TOKENS)) }

  func byteCount(rows: Int, columns: Int) -> Int {
    rows * groups(columns: columns) * entries * 2
  }

  func parts(rows: Int, columns: Int) -> Int {
    tiles(rows: rows) * Size.quotient(groups(columns: columns), Self.partGroups)
  }

  func build(
    _ range: Range<Int>, from input: QuantizedRows, into output: UnsafeMutableRawPointer
  ) {
    let groups = groups(columns: input.columns)
    let partsPerTile = Size.quotient(groups, Self.partGroups)
    let out = output.assumingMemoryBound(to: Int16.self)
    for part in range {
      let tile = part / partsPerTile
      let first = part % partsPerTile * Self.partGroups
      let token = tk_lookup_tile_start(input.rows, tile)
      let tokens = tk_lookup_tile_start(input.rows, tile + 1) - token
      #if arch(x86_64)
        tk_lookup_tables_avx512(
          kind, input.row(token), input.stride, input.columns, tokens, first,
          min(first + Self.partGroups, groups), out + token * groups * entries)
      #endif
    }
  }
}

/// Indices in panels of 64 rows, looked up 32 rows at a time by `vpermw` or `vpermb`: lossless, any
/// shape.
struct LookupPanelLinear: KeptLinear {
  let kernel: String
  let rows: Int
  let columns: Int
  private let tables: LookupPanelTables
  private let usesVBMI: Bool
  private let lines: Int
  private let panelBytes: Int
  private let panels: AlignedBuffer<UInt8>
  private let scales: AlignedBuffer<Float>
  let accepts = ActivationForm.int8
  let rowAlignment = Int(TK_LOOKUP_ROWS)

  /// Lays `matrix` with a scale a row out.
  init(
    kernel: String, kind: tk_lookup_kind, usesVBMI: Bool, _ matrix: TernaryMatrix,
    scales rowScales: [Float]
  ) {
    self.init(
      kernel: kernel, kind: kind, usesVBMI: usesVBMI, rows: matrix.rows, columns: matrix.columns
    ) {
      AlignedBuffer(count: $0, isStreamed: true)
    } scales: {
      AlignedBuffer(count: $0)
    }
    for (row, scale) in rowScales.enumerated() { scales[row] = scale }
    tk_lookup_pack(kind, matrix.trits.base, rows, columns, panels.base)
  }

  /// The same from what was kept of such a layer.
  init(
    kernel: String, kind: tk_lookup_kind, usesVBMI: Bool, rows: Int, columns: Int,
    from memory: inout KeptMemory
  ) throws {
    try self.init(kernel: kernel, kind: kind, usesVBMI: usesVBMI, rows: rows, columns: columns) {
      try memory.next($0)
    } scales: {
      try memory.next($0)
    }
  }

  private init(
    kernel: String, kind: tk_lookup_kind, usesVBMI: Bool, rows: Int, columns: Int,
    panels: (Int) throws -> AlignedBuffer<UInt8>, scales: (Int) throws -> AlignedBuffer<Float>
  ) rethrows {
    self.kernel = kernel
    self.usesVBMI = usesVBMI
    self.rows = rows
    self.columns = columns
    tables = LookupPanelTables(kind: kind)
    lines = tk_lookup_lines(kind, columns)
    panelBytes = tk_lookup_panel_bytes(kind, lines)
    let count = Size.quotient(rows, Int(TK_LOOKUP_ROWS))
    self.panels = try panels(count * panelBytes)
    self.scales = try scales(count * Int(TK_LOOKUP_ROWS))
  }

  var memory: [any RawMemory] { [panels, scales] }

  var weightBytes: Int { panels.count + 4 * scales.count }
  var inputLayout: (any InputLayout)? { tables }

  func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>) {
    run(x, range, y.base + range.lowerBound, nil, stride: y.stride)
  }

  func accumulate(
    _ x: QuantizedRows, rows range: Range<Int>, into accumulators: MutableMatrixView<Int32>
  ) -> Bool {
    run(x, range, nil, accumulators.base + range.lowerBound, stride: accumulators.stride)
    return true
  }

  private func run(
    _ x: QuantizedRows, _ range: Range<Int>, _ y: UnsafeMutablePointer<Float>?,
    _ accumulators: UnsafeMutablePointer<Int32>?, stride: Int
  ) {
    guard !range.isEmpty, x.rows > 0 else { return }
    let built = x.built(tables).assumingMemoryBound(to: Int16.self)
    var product = tk_lookup_product(
      panels: panels.base + range.lowerBound / rowAlignment * panelBytes, lines: lines,
      rows: range.count, tables: built, tokens: x.rows, token_scales: x.scales.base,
      row_scales: scales.base + range.lowerBound, y: y, accumulators: accumulators,
      y_stride: stride)
    #if arch(x86_64)
      switch (tables.kind, usesVBMI) {
      case (TK_LOOKUP_TRIPLES, true): tk_tl2_avx512vbmi(&product)
      case (TK_LOOKUP_TRIPLES, false): tk_tl2_avx512(&product)
      case (_, true): tk_tl1_avx512vbmi(&product)
      case (_, false): tk_tl1_avx512(&product)
      }
    #endif
  }
}
