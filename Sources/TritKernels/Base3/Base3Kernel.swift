internal import CTritKernels
public import TritCore

/// Ternary weights of 1.6 bits by SIMD: five trits a byte, a fifth less to read than 2 bits where reading is
/// what takes the time.
///
/// What each instruction set adds to the scalar kernel:
/// - `avx2`: digits by comparison and subtraction, 32 bytes at once, then `vpmaddubsw` as with 2 bits; the
///   decoding costs more than the fifth less to read gives back, unless memory is slow;
/// - `avx512vbmi`: `vpermb` decodes 64 bytes at once in registers, 14 operations for 320 weights; for more
///   than three tokens stretches of a panel are expanded to 2 bits once, and the tiles of
///   `i2_s/avx512vnni` do the rest.
///
/// In memory weights lie in panels of 32 rows (see tk_base3.h), not in the `base3` packing's rows: any shape
/// is legal, and each worker reads one sequential stream.
///
/// Source: the density is base 3's (five digits in 243 of 256 values); the code that a 64-entry table and a
/// mask decode, and the block that expands line by line, are the lab's own.
public struct Base3Kernel: LinearKernel {
  /// The instruction set of a kernel.
  public enum InstructionSet: String, Sendable, CaseIterable {
    /// 512-bit byte permutations and dot products.
    case avx512vbmi
    /// 256-bit arithmetic.
    case avx2

    /// What the CPU must have.
    public var features: CPUFeatures {
      switch self {
      case .avx512vbmi: [.avx512, .avx512VNNI, .avx512VBMI]
      case .avx2: [.avx2]
      }
    }
  }

  /// The instruction set.
  public let instructionSet: InstructionSet

  /// A kernel on `instructionSet`, which the CPU must have.
  public init(_ instructionSet: InstructionSet) { self.instructionSet = instructionSet }

  /// `base3/avx512vbmi` or `base3/avx2`.
  public var name: String { "base3/\(instructionSet.rawValue)" }
  /// int8 rows.
  public var accepts: ActivationForm { .int8 }

  /// Lays trits with one scale per tensor or row out in panels; any shape.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    try checkRuns(on: instructionSet.features)
    let matrix = try ternaryWeights(weights)
    // Two fields of five share a sum in which a code counts 64 times.
    try checkSums(columns: matrix.columns, greatest: 64)
    let scales = try rowScales(matrix)
    return PreparedBase3(kernel: name, instructionSet: instructionSet, matrix, scales: scales)
  }
}

/// Base-3 panels and the leaf that multiplies them.
struct PreparedBase3: PreparedLinear {
  let kernel: String
  let rows: Int
  let columns: Int
  private let instructionSet: Base3Kernel.InstructionSet
  /// Groups of 16 columns.
  private let steps: Int
  private let panelBytes: Int
  private let panels: AlignedBuffer<UInt8>
  private let scales: AlignedBuffer<Float>

  init(
    kernel: String, instructionSet: Base3Kernel.InstructionSet, _ matrix: TernaryMatrix,
    scales rowScales: [Float]
  ) {
    self.kernel = kernel
    self.instructionSet = instructionSet
    rows = matrix.rows
    columns = matrix.columns
    steps = (matrix.columns + 15) / 16
    panelBytes = tk_base3_lines(steps) * 128
    let panelCount = (matrix.rows + 31) / 32
    panels = AlignedBuffer(count: panelCount * panelBytes)
    scales = AlignedBuffer(count: panelCount * 32)
    for (row, scale) in rowScales.enumerated() { scales[row] = scale }
    #if arch(x86_64)
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 243) { codes in
        guard let codes = codes.baseAddress else { return }
        switch instructionSet {
        case .avx512vbmi: tk_base3_codes_vbmi(codes)
        case .avx2: tk_base3_codes_avx2(codes)
        }
        tk_base3_pack(matrix.trits.base, rows, columns, codes, panels.base)
      }
    #endif
  }

  var weightBytes: Int { panels.count + 4 * scales.count }
  var accepts: ActivationForm { .int8 }
  var rowAlignment: Int { 32 }
  var inputLayout: (any InputLayout)? {
    instructionSet == .avx512vbmi ? ActivationTiles() : nil
  }

  func multiply(_ x: QuantizedRows, rows range: Range<Int>, into y: MutableMatrixView<Float>) {
    run(x, range, y.base + range.lowerBound, nil, stride: y.stride)
  }

  func accumulate(
    _ x: QuantizedRows, rows range: Range<Int>, into accumulators: MutableMatrixView<Int32>
  ) -> Bool {
    if let inputLayout { _ = x.built(inputLayout) }
    run(x, range, nil, accumulators.base + range.lowerBound, stride: accumulators.stride)
    return true
  }

  private func run(
    _ x: QuantizedRows, _ range: Range<Int>, _ y: UnsafeMutablePointer<Float>?,
    _ accumulators: UnsafeMutablePointer<Int32>?, stride: Int
  ) {
    guard !range.isEmpty, x.rows > 0 else { return }
    var tiles: UnsafeRawPointer?
    if instructionSet == .avx512vbmi, x.rows > Int(TK_FEW_TOKENS) {
      tiles = x.built(ActivationTiles())
    }
    var product = tk_panel_product(
      panels: panels.base + range.lowerBound / 32 * panelBytes, steps: steps, rows: range.count,
      values: x.values.base, stride: x.stride, tokens: x.rows,
      tiles: tiles?.assumingMemoryBound(to: Int32.self), sums: x.sums.base,
      token_scales: x.scales.base, row_scales: scales.base + range.lowerBound, y: y,
      accumulators: accumulators, y_stride: stride)
    #if arch(x86_64)
      switch instructionSet {
      case .avx512vbmi: tk_base3_avx512vbmi(&product)
      case .avx2: tk_base3_avx2(&product)
      }
    #endif
  }
}
