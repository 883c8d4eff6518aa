internal import CTritKernels
public import TritCore

/// Ternary weights of two bits times float32 activations: what models run on that were trained
/// without activation quantization, at a sixteenth of the bytes of float32 weights.
///
/// A code becomes −1, 0 or +1 in a register and meets the activation in a fused multiply-add; sums
/// of a group are scaled once. AVX-512 looks two weights up at once where tokens are few. Any shape; a scale per tensor, row, or group of a multiple of 16
/// columns. Results are within the rounding of a float32 sum, and those of one token and of many
/// may differ by it.
public struct TernaryFloatKernel: LinearKernel, KeepingKernel {
  /// The instruction set of a kernel.
  public enum InstructionSet: String, Sendable, CaseIterable {
    /// 512-bit registers.
    case avx512
    /// 256-bit registers.
    case avx2
    /// 128-bit registers, every AArch64.
    case neon

    /// What the CPU must have.
    public var features: CPUFeatures {
      switch self {
      case .avx512: [.avx512]
      case .avx2: [.avx2]
      case .neon: [.neon]
      }
    }

    var leaf: GroupLeaf {
      if LeafRunner.shared != nil { return Self.remote }
      switch self {
      #if arch(x86_64)
        case .avx512: return tk_group_f32_avx512
        case .avx2: return tk_group_f32_avx2
      #elseif arch(arm64)
        case .neon: return tk_group_f32_neon
      #endif
      default: preconditionFailure("no leaf \(rawValue) on this architecture")
      }
    }

    private static let remote: GroupLeaf = {
      GroupLeaves.runRemotely(TK_LEAF_GROUP_F32_NEON, $0.pointee)
    }
  }

  /// The instruction set.
  public let instructionSet: InstructionSet

  /// A kernel on `instructionSet`, which the CPU must have.
  public init(_ instructionSet: InstructionSet) { self.instructionSet = instructionSet }

  /// `trits_f32/avx512` and so on.
  public var name: String { "trits_f32/\(instructionSet.rawValue)" }
  /// float32 rows.
  public var accepts: ActivationForm { .float32 }

  /// Lays trits out in panels.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    try checkRuns(on: instructionSet.features)
    let matrix = try ternaryWeights(weights)
    try checkGroups(matrix)
    return PreparedGroups(
      kernel: name, matrix, accepts: .float32, isWide: instructionSet == .avx512,
      leaf: instructionSet.leaf)
  }

  package func restore(rows: Int, columns: Int, from memory: inout KeptMemory) throws
    -> any PreparedLinear
  {
    try checkRuns(on: instructionSet.features)
    return try PreparedGroups(
      kernel: name, rows: rows, columns: columns, accepts: .float32,
      isWide: instructionSet == .avx512,
      leaf: instructionSet.leaf, from: &memory)
  }
}

extension LinearKernel {
  /// That groups of scales end at whole steps of 16 columns, as panels have them. Throws `usage`.
  func checkGroups(_ matrix: TernaryMatrix) throws {
    guard case .group(let size) = matrix.granularity, size < matrix.columns,
      !size.isMultiple(of: 16)
    else { return }
    throw LabError(
      .usage, "kernel '\(name)' takes scales per groups of a multiple of 16 columns",
      got: "groups of \(size)", advice: "use kernel 'auto', or another group size")
  }
}

extension Registry where Product == any LinearKernel {
  /// Adds the SIMD kernels of ternary weights and float32 activations.
  mutating func registerTernaryFloat() {
    for set in TernaryFloatKernel.InstructionSet.allCases.reversed() {
      registerLeaf(
        "trits_f32/\(set.rawValue)", "2-bit codes to -1, 0, +1 in registers, fused multiply-adds",
        source: "y = Σ s · Σ w · x over groups, in float32",
        accepts:
          "ternary weights, scale per tensor, row or groups of 16s; float32 activations",
        features: set.features,
        facts: KernelFacts(packing: "trits_f32", instructionSet: set.rawValue)
      ) { TernaryFloatKernel(set) }
    }
  }
}
