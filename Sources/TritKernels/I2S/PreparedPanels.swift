internal import CTritKernels
import TritCore

/// Ternary weights in panels of 32 rows, and the leaf that multiplies them: what the kernels of 2 bits and of
/// base 3 share. They differ in the bytes of a panel, in how these are packed, and in the leaf.
struct PreparedPanels: PreparedLinear {
  let kernel: String
  let rows: Int
  let columns: Int
  /// The tiles that the leaf takes for more than `TK_FEW_TOKENS` tokens, if it takes any.
  private let tiles: ActivationTiles?
  /// Groups of 16 columns.
  private let steps: Int
  private let panelBytes: Int
  private let panels: AlignedBuffer<UInt8>
  private let scales: AlignedBuffer<Float>
  private let leaf: @Sendable (inout tk_panel_product) -> Void

  /// Lays `matrix` out by `pack`, which fills panels of `panelBytes` bytes.
  init(
    kernel: String, _ matrix: TernaryMatrix, scales rowScales: [Float], panelBytes: Int,
    tiles: ActivationTiles?, leaf: @escaping @Sendable (inout tk_panel_product) -> Void,
    pack: (UnsafeMutablePointer<UInt8>) -> Void
  ) {
    self.kernel = kernel
    self.tiles = tiles
    self.panelBytes = panelBytes
    self.leaf = leaf
    rows = matrix.rows
    columns = matrix.columns
    steps = Self.steps(columns: matrix.columns)
    let panelCount = (matrix.rows + 31) / 32
    panels = AlignedBuffer(count: panelCount * panelBytes)
    scales = AlignedBuffer(count: panelCount * 32)
    for (row, scale) in rowScales.enumerated() { scales[row] = scale }
    pack(panels.base)
  }

  /// Groups of 16 in `columns` columns.
  static func steps(columns: Int) -> Int { (columns + 15) / 16 }

  var weightBytes: Int { panels.count + 4 * scales.count }
  var accepts: ActivationForm { .int8 }
  /// Pairs of panels, which products of many tokens take together, unless there are few.
  var rowAlignment: Int { rows >= 256 ? 64 : 32 }
  var inputLayout: (any InputLayout)? { tiles }

  func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>) {
    run(x, range, y.base + range.lowerBound, nil, stride: y.stride)
  }

  func accumulate(
    _ x: QuantizedRows, rows range: Range<Int>, into accumulators: MutableMatrixView<Int32>
  ) -> Bool {
    if let tiles { _ = x.built(tiles) }
    run(x, range, nil, accumulators.base + range.lowerBound, stride: accumulators.stride)
    return true
  }

  private func run(
    _ x: QuantizedRows, _ range: Range<Int>, _ y: UnsafeMutablePointer<Float>?,
    _ accumulators: UnsafeMutablePointer<Int32>?, stride: Int
  ) {
    guard !range.isEmpty, x.rows > 0 else { return }
    guard let tiles, x.rows > Int(TK_FEW_TOKENS) else {
      return run(x, range, y, accumulators, stride: stride, tiles: nil, scratch: nil)
    }
    let tiled = x.built(tiles)
    withUnsafeTemporaryAllocation(byteCount: Int(TK_SCRATCH_BYTES), alignment: 64) {
      run(x, range, y, accumulators, stride: stride, tiles: tiled, scratch: $0.baseAddress)
    }
  }

  private func run(
    _ x: QuantizedRows, _ range: Range<Int>, _ y: UnsafeMutablePointer<Float>?,
    _ accumulators: UnsafeMutablePointer<Int32>?, stride: Int, tiles: UnsafeRawPointer?,
    scratch: UnsafeMutableRawPointer?
  ) {
    var product = tk_panel_product(
      panels: panels.base + range.lowerBound / 32 * panelBytes,
      panels_end: panels.base + panels.count, steps: steps, rows: range.count,
      values: x.values.base, stride: x.stride, tokens: x.rows,
      tiles: tiles?.assumingMemoryBound(to: Int32.self), sums: x.sums.base,
      token_scales: x.scales.base, row_scales: scales.base + range.lowerBound, y: y,
      accumulators: accumulators, y_stride: stride,
      scratch: scratch?.assumingMemoryBound(to: UInt8.self))
    leaf(&product)
  }
}
