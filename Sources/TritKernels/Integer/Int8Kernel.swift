internal import CTritKernels
public import TritCore

/// Integers of 2 to 8 bits (or trits), one byte each, by SIMD: for quantizers whose values do not
/// fit the ternary packings, with one scale per tensor, row, or group of columns.
///
/// - `avx2`: both sides widened to int16, `vpmaddwd` (bytes would saturate);
/// - `avx512vnni`: `vpdpbusd` with activations plus 128, started from −128 · Σ w, so that sums are
///   exact;
/// - `neon`: `smull` to int16, `sadalp` into int32;
/// - `neon-dotprod`: `sdot`, both sides signed.
public struct Int8Kernel: LinearKernel, KeepingKernel {
  /// The instruction set of a kernel.
  public enum InstructionSet: String, Sendable, CaseIterable {
    /// 512-bit dot products.
    case avx512vnni
    /// 256-bit multiplies of int16.
    case avx2
    /// 128-bit dot products of ARM (`sdot`).
    case neonDotProduct = "neon-dotprod"
    /// 128-bit multiplies of bytes, every AArch64.
    case neon

    /// What the CPU must have.
    public var features: CPUFeatures {
      switch self {
      case .avx512vnni: [.avx512, .avx512VNNI]
      case .avx2: [.avx2]
      case .neonDotProduct: [.neon, .neonDotProduct]
      case .neon: [.neon]
      }
    }
  }

  /// The instruction set.
  public let instructionSet: InstructionSet

  /// A kernel on `instructionSet`, which the CPU must have.
  public init(_ instructionSet: InstructionSet) { self.instructionSet = instructionSet }

  /// `int8/avx512vnni` and so on.
  public var name: String { "int8/\(instructionSet.rawValue)" }
  /// int8 rows.
  public var accepts: ActivationForm { .int8 }

  /// Lays integers or trits of any shape out in panels; groups of columns in multiples of 4.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    try checkRuns(on: instructionSet.features)
    let matrix = try integerWeights(weights)
    if case .group(let size) = matrix.granularity, size % 4 != 0, size < matrix.columns {
      throw LabError(
        .usage, "kernel '\(name)' takes scales per groups of a multiple of 4 columns",
        got: "groups of \(size)", advice: "use kernel 'reference' or another group size")
    }
    return PreparedInt8(kernel: name, instructionSet: instructionSet, matrix)
  }

  package func restore(rows: Int, columns: Int, from memory: inout KeptMemory) throws
    -> any PreparedLinear
  {
    try checkRuns(on: instructionSet.features)
    return try PreparedInt8(
      kernel: name, instructionSet: instructionSet, rows: rows, columns: columns, from: &memory)
  }
}

/// 8-bit panels and the leaf that multiplies them.
struct PreparedInt8: KeptLinear {
  let kernel: String
  let rows: Int
  let columns: Int
  /// Whether the leaf reads tiles of unsigned activations.
  private let takesTiles: Bool
  private let leaf: Int8Kernel.InstructionSet.Leaf
  private let isGrouped: Bool
  private let steps: Int
  private let groupSteps: Int
  private let groups: Int
  private let panels: AlignedBuffer<UInt8>
  private let corrections: AlignedBuffer<Int32>
  private let scales: AlignedBuffer<Float>

  init(kernel: String, instructionSet: Int8Kernel.InstructionSet, _ matrix: IntegerWeights) {
    self.kernel = kernel
    takesTiles = instructionSet == .avx512vnni
    leaf = instructionSet.leaf
    rows = matrix.rows
    columns = matrix.columns
    steps = (columns + 3) / 4
    groups = max(matrix.granularity.groups(columns: columns), 1)
    if case .group(let size) = matrix.granularity {
      isGrouped = true
      groupSteps = groups == 1 ? max(steps, 1) : size / 4
    } else {
      isGrouped = false
      groupSteps = max(steps, 1)
    }
    let panelCount = (rows + 31) / 32
    panels = AlignedBuffer(count: panelCount * steps * 128, isStreamed: true)
    corrections = AlignedBuffer(count: panelCount * groups * 32)
    scales = AlignedBuffer(count: panelCount * groups * 32)
    let span = matrix.granularity.span(columns: columns)
    for row in 0..<rows {
      for group in 0..<groups {
        let index = matrix.granularity.scaleIndex(row: row, column: group * span, columns: columns)
        scales[(row / 32 * groups + group) * 32 + row % 32] = matrix.scales[index]
      }
    }
    tk_int8_pack(
      matrix.values.base, rows, columns, steps, groupSteps, groups, panels.base, corrections.base)
  }

  /// What was kept of a layer with one scale a row.
  init(
    kernel: String, instructionSet: Int8Kernel.InstructionSet, rows: Int, columns: Int,
    from memory: inout KeptMemory
  ) throws {
    self.kernel = kernel
    takesTiles = instructionSet == .avx512vnni
    leaf = instructionSet.leaf
    self.rows = rows
    self.columns = columns
    steps = (columns + 3) / 4
    (groups, isGrouped, groupSteps) = (1, false, max(steps, 1))
    let panelCount = (rows + 31) / 32
    panels = try memory.next(panelCount * steps * 128)
    corrections = try memory.next(panelCount * 32)
    scales = try memory.next(panelCount * 32)
  }

  var memory: [any RawMemory] { [panels, corrections, scales] }
  var isKept: Bool { !isGrouped }
  var weightBytes: Int { panels.count + 4 * (scales.count + corrections.count) }
  var accepts: ActivationForm { .int8 }
  var rowAlignment: Int { 32 }
  var inputLayout: (any InputLayout)? {
    takesTiles ? ActivationTiles(isUnsigned: true) : nil
  }

  func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>) {
    run(x, range, y.base + range.lowerBound, nil, stride: y.stride)
  }

  func accumulate(
    _ x: QuantizedRows, rows range: Range<Int>, into accumulators: MutableMatrixView<Int32>
  ) -> Bool {
    guard !isGrouped else { return false }
    run(x, range, nil, accumulators.base + range.lowerBound, stride: accumulators.stride)
    return true
  }

  private func run(
    _ x: QuantizedRows, _ range: Range<Int>, _ y: UnsafeMutablePointer<Float>?,
    _ accumulators: UnsafeMutablePointer<Int32>?, stride: Int
  ) {
    guard !range.isEmpty, x.rows > 0 else { return }
    var tiles: UnsafeRawPointer?
    if takesTiles, x.rows > Int(TK_FEW_TOKENS) {
      tiles = x.built(ActivationTiles(isUnsigned: true))
    }
    let panel = range.lowerBound / 32
    var product = tk_int8_product(
      panels: panels.base + panel * steps * 128, steps: steps, group_steps: groupSteps,
      groups: groups, rows: range.count, values: x.values.base, stride: x.stride, tokens: x.rows,
      tiles: tiles?.assumingMemoryBound(to: Int32.self),
      tile_quads: ActivationTiles.quads(columns: columns), token_scales: x.scales.base,
      corrections: corrections.base + panel * groups * 32,
      scales: scales.base + panel * groups * 32,
      y: y, accumulators: accumulators, y_stride: stride)
    leaf(&product)
  }
}
