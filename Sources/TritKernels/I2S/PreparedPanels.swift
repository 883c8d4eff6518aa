internal import CTritKernels
import TritCore

/// What a leaf of panels wants beside the weights, by the number of tokens.
struct PanelInput {
  /// What is built from the activations.
  var layout: (any InputLayout)?
  /// It is wanted for more tokens than this,
  var layoutAbove = Int(TK_FEW_TOKENS)
  /// and room for expanded weights for more than this.
  var scratchAbove = Int(TK_FEW_TOKENS)
}

/// Ternary weights in panels of 32 rows (or other runs of rows), and the leaf that multiplies them: what the
/// kernels of 2 bits, of base 3 and the sparse ones share. They differ in the bytes of a panel, in how these are
/// packed, and in the leaf.
struct PreparedPanels: PreparedLinear {
  let kernel: String
  let rows: Int
  let columns: Int
  let skips: ExpectedSparsity
  private let input: PanelInput
  /// Groups of 16 columns.
  private let steps: Int
  private let panelRows: Int
  private let panelBytes: Int
  private let panels: AlignedBuffer<UInt8>
  private let scales: AlignedBuffer<Float>
  private let leaf: @Sendable (inout tk_panel_product) -> Void

  /// Lays `matrix` out by `pack`, which fills panels of `panelBytes` bytes.
  init(
    kernel: String, _ matrix: TernaryMatrix, scales rowScales: [Float], panelRows: Int = 32,
    panelBytes: Int, input: PanelInput = PanelInput(), skips: ExpectedSparsity = .none,
    leaf: @escaping @Sendable (inout tk_panel_product) -> Void,
    pack: (UnsafeMutablePointer<UInt8>) -> Void
  ) {
    self.kernel = kernel
    self.input = input
    self.skips = skips
    self.panelRows = panelRows
    self.panelBytes = panelBytes
    self.leaf = leaf
    rows = matrix.rows
    columns = matrix.columns
    steps = Self.steps(columns: matrix.columns)
    let panelCount = (matrix.rows + panelRows - 1) / panelRows
    panels = AlignedBuffer(count: panelCount * panelBytes, isStreamed: true)
    scales = AlignedBuffer(count: panelCount * panelRows)
    for (row, scale) in rowScales.enumerated() { scales[row] = scale }
    pack(panels.base)
  }

  /// Groups of 16 in `columns` columns.
  static func steps(columns: Int) -> Int { (columns + 15) / 16 }

  var weightBytes: Int { panels.count + 4 * scales.count }
  var accepts: ActivationForm { .int8 }
  /// Pairs of panels, which products of many tokens take together, unless there are few.
  var rowAlignment: Int { max(panelRows, rows >= 256 ? 64 : 32) }
  var inputLayout: (any InputLayout)? { input.layout }

  func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>) {
    run(product(x, range, y.base + range.lowerBound, nil, stride: y.stride))
  }

  func accumulate(
    _ x: QuantizedRows, rows range: Range<Int>, into accumulators: MutableMatrixView<Int32>
  ) -> Bool {
    if let layout = input.layout { _ = x.built(layout) }
    run(product(x, range, nil, accumulators.base + range.lowerBound, stride: accumulators.stride))
    return true
  }

  /// The rows in `range` whose `gate` wants them, where the leaf asks.
  func multiply(
    _ x: QuantizedRows, rows range: Range<Int>, where gate: MatrixView<Float>,
    into y: MutableMatrixView<Float>
  ) {
    var product = product(x, range, y.base + range.lowerBound, nil, stride: y.stride)
    product.gate = gate.base + range.lowerBound
    product.gate_stride = gate.stride
    run(product)
  }

  private func product(
    _ x: QuantizedRows, _ range: Range<Int>, _ y: UnsafeMutablePointer<Float>?,
    _ accumulators: UnsafeMutablePointer<Int32>?, stride: Int
  ) -> tk_panel_product {
    var tiles: UnsafeRawPointer?
    if let layout = input.layout, x.rows > input.layoutAbove { tiles = x.built(layout) }
    return tk_panel_product(
      panels: panels.base + range.lowerBound / panelRows * panelBytes,
      panels_end: panels.base + panels.count, steps: steps, rows: range.count,
      values: x.values.base, stride: x.stride, tokens: x.rows,
      tiles: tiles?.assumingMemoryBound(to: Int32.self), sums: x.sums.base,
      token_scales: x.scales.base, row_scales: scales.base + range.lowerBound, y: y,
      accumulators: accumulators, y_stride: stride, scratch: nil, gate: nil, gate_stride: 0)
  }

  private func run(_ product: tk_panel_product) {
    guard product.rows > 0, product.tokens > 0 else { return }
    var product = product
    guard input.layout != nil, product.tokens > input.scratchAbove else { return leaf(&product) }
    withUnsafeTemporaryAllocation(byteCount: Int(TK_SCRATCH_BYTES), alignment: 64) {
      product.scratch = $0.baseAddress?.assumingMemoryBound(to: UInt8.self)
      leaf(&product)
    }
  }
}
