internal import CTritKernels
public import TritCore

/// A prepared layer that can leave out single outputs.
///
/// Law (`checkLinearKernel`): outputs whose gate is above 0 are those of the whole product, bit for
/// bit; the others are those or 0.
public protocol SelectiveLinear: PreparedLinear {
  /// `multiply(_:rows:into:)`, but where `gate[t, r] ≤ 0` the output `y[t, r]` may become 0. `gate`
  /// is `[tokens, rows]` with any stride.
  func multiply(
    _ x: QuantizedRows, rows range: Range<Int>, where gate: MatrixView<Float>,
    into y: MutableMatrixView<Float>)
}

/// The instruction set of a sparse kernel.
public enum SparseInstructionSet: String, Sendable, CaseIterable {
  /// 512-bit dot products.
  case avx512vnni
  /// Plain C.
  case scalar

  /// What the CPU must have.
  public var features: CPUFeatures { self == .scalar ? [] : [.avx512, .avx512VNNI] }
}

/// Exact sparsity of inputs: 2-bit weights by columns, of which those whose activation is zero are
/// not read. For `down` behind ReLU², most of whose inputs are zero (`trit inspect --activations`
/// counts them).
///
/// A column of 256 rows is one line of memory. The columns that are not zero are listed, once per
/// input, and each token reads its own. Sums are those of the dense kernels, bit for bit.
///
/// - `scalar`: passes over columns whose activation is zero;
/// - `avx512vnni`: interleaves four listed columns, so that `vpdpbusd` adds four products to each
///   of 16 rows; 256 sums stay in registers, lines are asked for 48 columns ahead. More than eight
///   tokens of which more than 45 % is not zero go through the tiles of `i2_s/avx512vnni` for many
///   tokens, which skip nothing.
///
/// Source: activation sparsity of ReLU² models, BitNet b1.58 2B4T §2 (arXiv 2504.12285) and BitNet
/// a4.8 (arXiv 2411.04965); the layout is the lab's own.
public struct SparseColumnsKernel: LinearKernel, KeepingKernel {
  /// The instruction set.
  public let instructionSet: SparseInstructionSet

  /// A kernel on `instructionSet`, which the CPU must have.
  public init(_ instructionSet: SparseInstructionSet) { self.instructionSet = instructionSet }

  /// `sparse_columns/avx512vnni` or `sparse_columns/scalar`.
  public var name: String { "sparse_columns/\(instructionSet.rawValue)" }
  /// int8 rows.
  public var accepts: ActivationForm { .int8 }
  /// Whether it is plain C.
  public var isPlain: Bool { instructionSet == .scalar }

  /// Lays trits with one scale per tensor or row out by columns; any shape.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    try checkRuns(on: instructionSet.features)
    let matrix = try ternaryWeights(weights)
    // All columns share a sum, in which an unshifted code reaches 2 · 64.
    try checkSums(columns: matrix.columns, greatest: 128)
    let steps = PreparedPanels.steps(columns: matrix.columns)
    return PreparedPanels(
      form(rows: matrix.rows, columns: matrix.columns), scales: try rowScales(matrix)
    ) { tk_sparse_columns_pack(matrix.trits.base, matrix.rows, matrix.columns, steps, $0) }
  }

  package func restore(rows: Int, columns: Int, from memory: inout KeptMemory) throws
    -> any PreparedLinear
  {
    try checkRuns(on: instructionSet.features)
    return try PreparedPanels(form(rows: rows, columns: columns), from: &memory)
  }

  private func form(rows: Int, columns: Int) -> PanelForm {
    PanelForm(
      kernel: name, rows: rows, columns: columns, panelRows: Int(TK_COLUMN_ROWS),
      panelBytes: PreparedPanels.steps(columns: columns) * 16 * 64,
      input: PanelInput(
        layout: instructionSet == .avx512vnni ? NonzeroColumns() : nil, layoutAbove: 0,
        scratchAbove: Int(TK_SPARSE_TOKENS)), skips: .inputs,
      leaf: instructionSet.columnLeaf)
  }
}

/// Exact sparsity of outputs: 2-bit weights by rows, of which only those are read whose output is
/// wanted. For `up` behind ReLU²: where `gate` is not positive, the product is zero whatever `up`
/// is. An engine computes `gate` first and tells which outputs it wants (`SelectiveLinear`).
///
/// - `scalar`: one row after the other;
/// - `avx512vnni`: four wanted rows against one token, sixteen sums in registers, the next four
///   rows asked for meanwhile. More than eight tokens that want more than 22 % of the rows take all
///   of them, by the tiles of `i2_s/avx512vnni`.
///
/// Source: as `SparseColumnsKernel`.
public struct SparseRowsKernel: LinearKernel, KeepingKernel {
  /// The instruction set.
  public let instructionSet: SparseInstructionSet

  /// A kernel on `instructionSet`, which the CPU must have.
  public init(_ instructionSet: SparseInstructionSet) { self.instructionSet = instructionSet }

  /// `sparse_rows/avx512vnni` or `sparse_rows/scalar`.
  public var name: String { "sparse_rows/\(instructionSet.rawValue)" }
  /// int8 rows.
  public var accepts: ActivationForm { .int8 }
  /// Whether it is plain C.
  public var isPlain: Bool { instructionSet == .scalar }

  /// Lays trits with one scale per tensor or row out by rows; any shape.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    try checkRuns(on: instructionSet.features)
    let matrix = try ternaryWeights(weights)
    return PreparedRows(
      panels: PreparedPanels(
        form(rows: matrix.rows, columns: matrix.columns), scales: try rowScales(matrix)
      ) { tk_sparse_rows_pack(matrix.trits.base, matrix.rows, matrix.columns, $0) })
  }

  package func restore(rows: Int, columns: Int, from memory: inout KeptMemory) throws
    -> any PreparedLinear
  {
    try checkRuns(on: instructionSet.features)
    return PreparedRows(
      panels: try PreparedPanels(form(rows: rows, columns: columns), from: &memory))
  }

  private func form(rows: Int, columns: Int) -> PanelForm {
    PanelForm(
      kernel: name, rows: rows, columns: columns,
      panelBytes: Int(TK_PANEL_ROWS) * tk_row_lines(columns) * 64,
      input: PanelInput(
        layout: instructionSet == .avx512vnni ? ActivationTiles() : nil,
        layoutAbove: Int(TK_SPARSE_TOKENS), scratchAbove: Int(TK_SPARSE_TOKENS)), skips: .outputs,
      leaf: instructionSet.rowLeaf)
  }
}

/// Panels whose leaf asks which outputs are wanted.
private struct PreparedRows: SelectiveLinear, KeptLinear {
  let panels: PreparedPanels

  var memory: [any RawMemory] { panels.memory }
  var kernel: String { panels.kernel }
  var rows: Int { panels.rows }
  var columns: Int { panels.columns }
  var weightBytes: Int { panels.weightBytes }
  var skips: ExpectedSparsity { panels.skips }
  var accepts: ActivationForm { panels.accepts }
  var rowAlignment: Int { panels.rowAlignment }
  var inputLayout: (any InputLayout)? { panels.inputLayout }

  func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>) {
    panels.multiply(x, rows: range, into: y)
  }

  func multiply(
    _ x: QuantizedRows, rows range: Range<Int>, where gate: MatrixView<Float>,
    into y: MutableMatrixView<Float>
  ) {
    panels.multiply(x, rows: range, where: gate, into: y)
  }

  func accumulate(
    _ x: QuantizedRows, rows range: Range<Int>, into accumulators: MutableMatrixView<Int32>
  ) -> Bool { panels.accumulate(x, rows: range, into: accumulators) }
}

extension SparseInstructionSet {
  /// The leaf that passes over columns.
  fileprivate var columnLeaf: PanelLeaf {
    #if arch(x86_64)
      if self == .avx512vnni { return tk_sparse_columns_avx512vnni }
    #endif
    return tk_sparse_columns_scalar
  }

  /// The leaf that passes over rows.
  fileprivate var rowLeaf: PanelLeaf {
    #if arch(x86_64)
      if self == .avx512vnni { return tk_sparse_rows_avx512vnni }
    #endif
    return tk_sparse_rows_scalar
  }
}
