internal import CTritKernels
public import TritCore

/// Ternary weights of 2 bits by SIMD: codes 0, 1, 2 for −1, 0, +1, so that `Σ trit·q = Σ code·q − Σ q`,
/// and unsigned × signed dot-product instructions do the rest.
///
/// What each instruction set adds to the scalar kernel:
/// - `avx2`: 32 codes a `vpmaddubsw`, summed in int16 and widened before it could overflow;
/// - `avxvnni`: `vpdpbusd` sums four products straight into int32;
/// - `avx512vnni`: 64 codes at once; for few tokens the 2-bit fields are masked but not shifted, for many
///   a tile of 32 rows × 12 tokens stays in registers for all columns;
/// - `neon`: 16 codes a pair of `smlal`, summed in int16 and widened in time;
/// - `neon-dotprod`: `sdot` sums four products straight into int32, and one load of 16 activations serves
///   four fields.
///
/// In memory weights lie in panels of 32 rows (see tk_i2s.h), not in the I2_S file layout: any shape is
/// legal, and each worker reads one sequential stream.
public struct I2SKernel: LinearKernel {
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

  /// A kernel on `instructionSet`, which the CPU must have.
  public init(_ instructionSet: InstructionSet) { self.instructionSet = instructionSet }

  /// `i2_s/avx512vnni` and so on.
  public var name: String { "i2_s/\(instructionSet.rawValue)" }
  /// int8 rows.
  public var accepts: ActivationForm { .int8 }

  /// Lays trits with one scale per tensor or row out in panels; any shape.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    try checkRuns(on: instructionSet.features)
    let matrix = try ternaryWeights(weights)
    // Unshifted fields reach 2 · 64 times a value; a quarter of the columns share a sum.
    try checkSums(columns: matrix.columns, greatest: 32)
    let scales = try rowScales(matrix)
    return PreparedI2S(kernel: name, instructionSet: instructionSet, matrix, scales: scales)
  }
}

extension LinearKernel {
  /// That this machine has `features`: a kernel may be made by hand, without the registry.
  func checkRuns(on features: CPUFeatures) throws {
    let missing = features.missingHere
    guard missing.isEmpty else {
      throw LabError(
        .usage,
        "kernel '\(name)' cannot run here: this CPU has no \(missing.joined(separator: ", "))",
        advice: "use kernel 'auto'")
    }
  }
}

/// 2-bit panels and the leaf that multiplies them.
struct PreparedI2S: PreparedLinear {
  let kernel: String
  let rows: Int
  let columns: Int
  private let instructionSet: I2SKernel.InstructionSet
  private let steps: Int
  private let panels: AlignedBuffer<UInt8>
  private let scales: AlignedBuffer<Float>

  init(
    kernel: String, instructionSet: I2SKernel.InstructionSet, _ matrix: TernaryMatrix,
    scales rowScales: [Float]
  ) {
    self.kernel = kernel
    self.instructionSet = instructionSet
    rows = matrix.rows
    columns = matrix.columns
    steps = (matrix.columns + 15) / 16
    let panelCount = (matrix.rows + 31) / 32
    panels = AlignedBuffer(count: panelCount * steps * 128)
    scales = AlignedBuffer(count: panelCount * 32)
    for (row, scale) in rowScales.enumerated() { scales[row] = scale }
    tk_i2s_pack(matrix.trits.base, rows, columns, steps, panels.base)
  }

  var weightBytes: Int { panels.count + 4 * scales.count }
  var accepts: ActivationForm { .int8 }
  var rowAlignment: Int { 32 }
  var inputLayout: (any InputLayout)? {
    instructionSet == .avx512vnni ? ActivationTiles() : nil
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
    if instructionSet == .avx512vnni, x.rows > Int(TK_FEW_TOKENS) {
      tiles = x.built(ActivationTiles())
    }
    var product = tk_panel_product(
      panels: panels.base + range.lowerBound / 32 * steps * 128, steps: steps, rows: range.count,
      values: x.values.base, stride: x.stride, tokens: x.rows,
      tiles: tiles?.assumingMemoryBound(to: Int32.self), sums: x.sums.base,
      token_scales: x.scales.base, row_scales: scales.base + range.lowerBound, y: y,
      accumulators: accumulators, y_stride: stride)
    instructionSet.run(&product)
  }
}
