public import TritCore

/// TL1: two trits index a table of the sums that they can make of their two activations.
///
/// It builds, once per input, K / 2 tables of nine int16 entries, and then only looks up and adds: no
/// multiplication, no correction by the sum of the activations. Lossless, since int16 entries are looked
/// up as two bytes. It takes any number of tokens, where bitnet.cpp takes one.
///
/// Source: arXiv 2502.11880, TL1_1; microsoft/BitNet, codegen_tl1.py.
public struct TL1Kernel: LinearKernel {
  /// How the look-ups are done.
  public typealias Form = LookupForm

  /// `tl1/scalar`, `tl1/avx2`, `tl1/neon` or `tl1_0`.
  public let name: String
  /// int8 rows.
  public let accepts = ActivationForm.int8
  private let form: Form

  /// A kernel of one form.
  public init(_ form: Form) {
    self.form = form
    name = form == .lossy ? "tl1_0" : "tl1/\(form.rawValue)"
  }

  /// Packs trits with a scale per tensor or row, where tiles fill the shape.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    try checkRuns(on: form.features)
    let matrix = try ternaryWeights(weights)
    let scales = try rowScales(matrix)
    let packing = TL1Packing()
    let layer = try naming {
      TL1Layer(
        rows: matrix.rows, columns: matrix.columns,
        tiling: try packing.tiling(rows: matrix.rows, columns: matrix.columns),
        bytes: try packing.pack(weights).bytes)
    }
    if form == .lossy { return TL1LossyLinear(kernel: name, layer: layer, scales: scales) }
    return TL1Linear(
      kernel: name, layer: layer, scales: scales, usesShuffles: form == .avx2 || form == .neon)
  }
}

/// TL2: three trits index a table of the sums that they can make up to the sign, and a bit is the sign;
/// the columns that no whole tile takes are done in pairs as in TL1.
///
/// K / 3 tables of 14 entries for 1.67 bits a weight, where TL1 has K / 2 for 2. Lossless, any number of
/// tokens.
///
/// Source: arXiv 2502.11880, TL2_1; microsoft/BitNet, codegen_tl2.py.
public struct TL2Kernel: LinearKernel {
  /// How the look-ups are done.
  public typealias Form = LookupForm

  /// `tl2/scalar`, `tl2/avx2`, `tl2/neon` or `tl2_0`.
  public let name: String
  /// int8 rows.
  public let accepts = ActivationForm.int8
  private let form: Form

  /// A kernel of one form.
  public init(_ form: Form) {
    self.form = form
    name = form == .lossy ? "tl2_0" : "tl2/\(form.rawValue)"
  }

  /// Packs trits with a scale per tensor or row, where tiles fill the shape.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    try checkRuns(on: form.features)
    let matrix = try ternaryWeights(weights)
    let scales = try rowScales(matrix)
    let packing = TL2Packing()
    let layer = try naming {
      TL2Layer(
        tiling: try packing.tiling(rows: matrix.rows, columns: matrix.columns),
        bytes: try packing.pack(weights).bytes)
    }
    if form == .lossy { return TL2LossyLinear(kernel: name, layer: layer, scales: scales) }
    return TL2Linear(
      kernel: name, layer: layer, scales: scales, usesShuffles: form == .avx2 || form == .neon)
  }
}

extension LinearKernel {
  /// Runs `body` and puts this kernel's name before what it throws.
  func naming<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let error as LabError {
      throw error.inside("kernel '\(name)'")
    }
  }
}

/// How a lookup-table kernel does its look-ups.
public enum LookupForm: String, Sendable {
  /// One at a time, in Swift.
  case scalar
  /// 32 at a time by `pshufb`.
  case avx2
  /// 16 at a time by `tbl`.
  case neon
  /// One at a time, in int8 tables: TL1_0 and TL2_0, lossy.
  case lossy

  /// What the CPU must have.
  var features: CPUFeatures {
    switch self {
    case .scalar, .lossy: []
    case .avx2: [.avx2]
    case .neon: [.neon]
    }
  }
}
