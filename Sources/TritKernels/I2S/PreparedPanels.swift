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

/// All of a layer in panels but its memory: what a kernel says of a shape.
struct PanelForm {
  let kernel: String
  let rows: Int
  let columns: Int
  /// Rows that lie together.
  var panelRows = 32
  /// Bytes of these rows.
  let panelBytes: Int
  var input = PanelInput()
  var skips = ExpectedSparsity.none
  let leaf: PanelLeaf

  /// Panels of all rows.
  var count: Int { (rows + panelRows - 1) / panelRows }
}

/// Ternary weights in panels of 32 rows (or other runs of rows), and the leaf that multiplies them:
/// what the kernels of 2 bits, of base 3 and the sparse ones share. They differ in the bytes of a
/// panel, in how these are packed, and in the leaf.
struct PreparedPanels: KeptLinear {
  private let form: PanelForm
  /// Groups of 16 columns.
  private let steps: Int
  private let panels: AlignedBuffer<UInt8>
  private let scales: AlignedBuffer<Float>

  /// Lays weights with `rowScales` out by `pack`, which fills all panels.
  init(_ form: PanelForm, scales rowScales: [Float], pack: (UnsafeMutablePointer<UInt8>) -> Void) {
    self.form = form
    steps = Self.steps(columns: form.columns)
    panels = AlignedBuffer(count: form.count * form.panelBytes, isStreamed: true)
    scales = AlignedBuffer(count: form.count * form.panelRows)
    for (row, scale) in rowScales.enumerated() { scales[row] = scale }
    pack(panels.base)
  }

  /// The same from what was kept of such a layer.
  init(_ form: PanelForm, from memory: inout KeptMemory) throws {
    self.form = form
    steps = Self.steps(columns: form.columns)
    panels = try memory.next(form.count * form.panelBytes)
    scales = try memory.next(form.count * form.panelRows)
  }

  var memory: [any RawMemory] { [panels, scales] }
  var kernel: String { form.kernel }
  var rows: Int { form.rows }
  var columns: Int { form.columns }
  var skips: ExpectedSparsity { form.skips }

  /// Groups of 16 in `columns` columns.
  static func steps(columns: Int) -> Int { (columns + 15) / 16 }

  var weightBytes: Int { panels.count + 4 * scales.count }
  var accepts: ActivationForm { .int8 }
  /// Pairs of panels, which products of many tokens take together, unless there are few.
  var rowAlignment: Int { max(form.panelRows, rows >= 256 ? 64 : 32) }
  var inputLayout: (any InputLayout)? { form.input.layout }

  func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>) {
    run(product(x, range, y.base + range.lowerBound, nil, stride: y.stride))
  }

  func accumulate(
    _ x: QuantizedRows, rows range: Range<Int>, into accumulators: MutableMatrixView<Int32>
  ) -> Bool {
    if let layout = form.input.layout { _ = x.built(layout) }
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
    if let layout = form.input.layout, x.rows > form.input.layoutAbove { tiles = x.built(layout) }
    return tk_panel_product(
      panels: panels.base + range.lowerBound / form.panelRows * form.panelBytes,
      panels_end: panels.base + panels.count, steps: steps, rows: range.count,
      values: x.values.base, stride: x.stride, tokens: x.rows,
      tiles: tiles?.assumingMemoryBound(to: Int32.self), sums: x.sums.base,
      token_scales: x.scales.base, row_scales: scales.base + range.lowerBound, y: y,
      accumulators: accumulators, y_stride: stride, scratch: nil, gate: nil, gate_stride: 0)
  }

  private func run(_ product: tk_panel_product) {
    guard product.rows > 0, product.tokens > 0 else { return }
    var product = product
    guard form.input.layout != nil, product.tokens > form.input.scratchAbove else {
      return form.leaf(&product)
    }
    withUnsafeTemporaryAllocation(byteCount: Int(TK_SCRATCH_BYTES), alignment: 64) {
      product.scratch = $0.baseAddress?.assumingMemoryBound(to: UInt8.self)
      form.leaf(&product)
    }
  }
}
