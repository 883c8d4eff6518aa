internal import CTritKernels
public import TritCore

/// Ternary weights of 1.6 bits by SIMD: five trits a byte, a fifth less to read than 2 bits where
/// reading is what takes the time.
///
/// What each instruction set adds to the scalar kernel:
/// - `avx2`: digits by comparison and subtraction, 32 bytes at once, then `vpmaddubsw` as with 2
///   bits; the decoding costs more than the fifth less to read gives back, unless memory is slow;
/// - `avx512vbmi`: `vpermb` decodes 64 bytes at once in registers, 14 operations for 320 weights;
///   for more than eight tokens stretches of a panel are expanded to bytes once, and the tiles of
///   `i2_s/avx512vnni` for many tokens do the rest.
///
/// In memory weights lie in panels of 32 rows (see tk_base3.h), not in the `base3` packing's rows:
/// any shape is legal, and each worker reads one sequential stream.
///
/// Source: the density is base 3's (five digits in 243 of 256 values); the code that a 64-entry
/// table and a mask decode, and the block that expands line by line, are the lab's own.
public struct Base3Kernel: LinearKernel, KeepingKernel {
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
    return PreparedPanels(
      form(rows: matrix.rows, columns: matrix.columns), scales: try rowScales(matrix)
    ) { instructionSet.pack(matrix, into: $0) }
  }

  package func restore(rows: Int, columns: Int, from memory: inout KeptMemory) throws
    -> any PreparedLinear
  {
    try checkRuns(on: instructionSet.features)
    return try PreparedPanels(form(rows: rows, columns: columns), from: &memory)
  }

  private func form(rows: Int, columns: Int) -> PanelForm {
    PanelForm(
      kernel: name, rows: rows, columns: columns,
      panelBytes: tk_base3_lines(PreparedPanels.steps(columns: columns)) * 128,
      input: PanelInput(layout: instructionSet == .avx512vbmi ? ActivationTiles() : nil),
      leaf: instructionSet.leaf)
  }
}

extension Base3Kernel.InstructionSet {
  /// Fills panels with the codes that this set's leaf decodes.
  fileprivate func pack(_ matrix: TernaryMatrix, into panels: UnsafeMutablePointer<UInt8>) {
    #if arch(x86_64)
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 243) { codes in
        guard let codes = codes.baseAddress else { return }
        switch self {
        case .avx512vbmi: tk_base3_codes_vbmi(codes)
        case .avx2: tk_base3_codes_avx2(codes)
        }
        tk_base3_pack(matrix.trits.base, matrix.rows, matrix.columns, codes, panels)
      }
    #endif
  }

  /// This set's leaf.
  fileprivate var leaf: PanelLeaf {
    #if arch(x86_64)
      switch self {
      case .avx512vbmi: tk_base3_avx512vbmi
      case .avx2: tk_base3_avx2
      }
    #else
      preconditionFailure("no leaf \(rawValue) on this architecture")
    #endif
  }
}
