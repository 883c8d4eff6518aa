internal import CTritKernels
public import TritCore

/// Ternary weights of 2 bits by SIMD: codes 0, 1, 2 for −1, 0, +1, so that
/// `Σ trit·q = Σ code·q − Σ q`, and unsigned × signed dot-product instructions do the rest.
///
/// What each instruction set adds to the scalar kernel:
/// - `avx2`: 32 codes a `vpmaddubsw`, summed in int16 and widened before it could overflow;
/// - `avxvnni`: `vpdpbusd` sums four products straight into int32;
/// - `avx512vnni`: 64 codes at once; for few tokens the 2-bit fields are masked but not shifted,
///   for more a tile of 32 rows × 12 tokens stays in registers for all columns, for many weights
///   are expanded to bytes once and meet all tokens in tiles of 64 rows × 6;
/// - `neon`: 16 codes a pair of `smlal`, summed in int16 and widened in time;
/// - `neon-dotprod`: `sdot` sums four products straight into int32, and one load of 16 activations
///   serves four fields.
///
/// In memory weights lie in panels of 32 rows (see tk_i2s.h), not in the I2_S file layout: any
/// shape is legal, and each worker reads one sequential stream.
public struct I2SKernel: LinearKernel, KeepingKernel {
  /// The instruction set of a kernel.
  public enum InstructionSet: String, Sendable, CaseIterable {
    /// 512-bit dot products.
    case avx512vnni
    /// 256-bit dot products.
    case avxvnni
    /// 256-bit multiplies of bytes.
    case avx2
    /// 128-bit dot products of ARM (`sdot`).
    case neonDotProduct = "neon-dotprod"
    /// 128-bit multiplies of bytes, every AArch64.
    case neon

    /// What the CPU must have.
    public var features: CPUFeatures {
      switch self {
      case .avx512vnni: [.avx512, .avx512VNNI]
      case .avxvnni: [.avx2, .avxVNNI]
      case .avx2: [.avx2]
      case .neonDotProduct: [.neon, .neonDotProduct]
      case .neon: [.neon]
      }
    }
  }

  /// The instruction set.
  public let instructionSet: InstructionSet
  /// The packing whose kernel it is: that of two bits, whose panels lie in memory alike.
  private let packing: String

  /// A kernel on `instructionSet`, which the CPU must have.
  public init(_ instructionSet: InstructionSet) { self.init(instructionSet, packing: "i2_s") }

  init(_ instructionSet: InstructionSet, packing: String) {
    self.instructionSet = instructionSet
    self.packing = packing
  }

  /// `i2_s/avx512vnni` and so on.
  public var name: String { "\(packing)/\(instructionSet.rawValue)" }
  /// int8 rows.
  public var accepts: ActivationForm { .int8 }

  /// Lays trits out in panels; any shape, one scale per tensor, row, or group of a multiple of 16
  /// columns.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    try checkRuns(on: instructionSet.features)
    let matrix = try ternaryWeights(weights)
    // Unshifted fields reach 2 · 64 times a value; a quarter of the columns share a sum.
    try checkSums(columns: matrix.columns, greatest: 32)
    if case .group = matrix.granularity {
      try checkGroups(matrix)
      return PreparedGroups(
        kernel: name, matrix, accepts: .int8, isWide: instructionSet == .avx512vnni,
        leaf: instructionSet.groupLeaf)
    }
    let steps = PreparedPanels.steps(columns: matrix.columns)
    return PreparedPanels(
      form(rows: matrix.rows, columns: matrix.columns), scales: try rowScales(matrix)
    ) { tk_i2s_pack(matrix.trits.base, matrix.rows, matrix.columns, steps, $0) }
  }

  package func restore(rows: Int, columns: Int, from memory: inout KeptMemory) throws
    -> any PreparedLinear
  {
    try checkRuns(on: instructionSet.features)
    if memory.nextByteCount == PreparedGroups.headerBytes {
      return try PreparedGroups(
        kernel: name, rows: rows, columns: columns, accepts: .int8,
        isWide: instructionSet == .avx512vnni, leaf: instructionSet.groupLeaf, from: &memory)
    }
    return try PreparedPanels(form(rows: rows, columns: columns), from: &memory)
  }

  private func form(rows: Int, columns: Int) -> PanelForm {
    PanelForm(
      kernel: name, rows: rows, columns: columns,
      panelBytes: PreparedPanels.steps(columns: columns) * 128,
      input: PanelInput(layout: instructionSet == .avx512vnni ? ActivationTiles() : nil),
      leaf: instructionSet.leaf)
  }
}

extension LinearKernel {
  /// That this machine has `features`: a kernel may be made by hand, without the registry. Throws
  /// `usage` that names what is missing.
  public func checkRuns(on features: CPUFeatures) throws {
    let missing = features.missingHere
    guard missing.isEmpty else {
      throw LabError(
        .usage,
        "kernel '\(name)' cannot run here: this CPU has no \(missing.joined(separator: ", "))",
        advice: "use kernel 'auto'")
    }
  }
}
