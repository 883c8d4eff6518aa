internal import CTritKernels
public import TritCore

/// TL1: two trits index a table of the sums that they can make of their two activations.
///
/// It builds, once per input, K / 2 tables of nine int16 entries, and then only looks up and adds:
/// no multiplication, no correction by the sum of the activations. Lossless, unless asked for
/// TL1_0, whose tables are rounded to int8. It takes any number of tokens, where bitnet.cpp takes
/// one.
///
/// Source: arXiv 2502.11880, TL1_1; microsoft/BitNet, codegen_tl1.py.
public struct TL1Kernel: LinearKernel, KeepingKernel, AdoptingKernel {
  /// How the look-ups are done.
  public typealias Form = LookupForm

  /// `tl1/scalar`, `tl1/avx2`, `tl1_0/avx2`…
  public let name: String
  /// int8 rows.
  public let accepts = ActivationForm.int8
  /// Whether the form is `scalar`.
  public var isPlain: Bool { form == .scalar }
  private let form: Form
  private let isLossy: Bool

  /// A kernel of one form; `isLossy` is TL1_0, which has no `avx512`; its `avx512vbmi` sums by
  /// `vpdpbusd`.
  public init(_ form: Form, isLossy: Bool = false) {
    self.form = form
    self.isLossy = isLossy
    name = "tl1\(isLossy ? "_0" : "")/\(form.rawValue)"
  }

  /// Packs trits with a scale per tensor or row; unless the form is 512 bits wide, where tiles fill
  /// the shape.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    if isLossy, form == .avx512vbmi {
      try checkRuns(on: [.avx512, .avx512VNNI, .avx512VBMI])
      let matrix = try ternaryWeights(weights)
      return LossyLookupLinear(
        kernel: name,
        layer: try TL1PanelLayer(weights, rows: matrix.rows, columns: matrix.columns),
        scales: try rowScales(matrix), form: form)
    }
    return try prepareLookup(weights, form, TK_LOOKUP_PAIRS, TL1Layer.self, isLossy: isLossy)
  }

  package func restore(rows: Int, columns: Int, from memory: inout KeptMemory) throws
    -> any PreparedLinear
  {
    try restoreLookup(rows, columns, form, TK_LOOKUP_PAIRS, isLossy: isLossy, from: &memory)
  }

  /// `tl1`, unless the form is 512 bits wide.
  public var adopts: String? { form.hasTiles ? "tl1" : nil }

  /// Looks up in the bytes where they are.
  public func adopt(_ packed: PackedMatrix) throws -> any PreparedLinear {
    try adoptLookup(packed, TL1Packing(), form, TL1Layer.self, isLossy: isLossy)
  }
}

/// TL2: three trits index a table of the sums that they can make up to the sign, and a bit is the
/// sign; the columns that no whole tile takes are done in pairs as in TL1.
///
/// K / 3 tables of 14 entries for 1.67 bits a weight, where TL1 has K / 2 for 2. Lossless, unless
/// asked for TL2_0; any number of tokens.
///
/// Source: arXiv 2502.11880, TL2_1; microsoft/BitNet, codegen_tl2.py.
public struct TL2Kernel: LinearKernel, KeepingKernel, AdoptingKernel {
  /// How the look-ups are done.
  public typealias Form = LookupForm

  /// `tl2/scalar`, `tl2/avx2`, `tl2_0/avx2`…
  public let name: String
  /// int8 rows.
  public let accepts = ActivationForm.int8
  /// Whether the form is `scalar`.
  public var isPlain: Bool { form == .scalar }
  private let form: Form
  private let isLossy: Bool

  /// A kernel of one form; `isLossy` is TL2_0, which is not 512 bits wide.
  public init(_ form: Form, isLossy: Bool = false) {
    self.form = form
    self.isLossy = isLossy
    name = "tl2\(isLossy ? "_0" : "")/\(form.rawValue)"
  }

  /// Packs trits with a scale per tensor or row; unless the form is 512 bits wide, where tiles fill
  /// the shape.
  public func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
    try prepareLookup(weights, form, TK_LOOKUP_TRIPLES, TL2Layer.self, isLossy: isLossy)
  }

  package func restore(rows: Int, columns: Int, from memory: inout KeptMemory) throws
    -> any PreparedLinear
  {
    try restoreLookup(rows, columns, form, TK_LOOKUP_TRIPLES, isLossy: isLossy, from: &memory)
  }

  /// `tl2`, unless the form is 512 bits wide.
  public var adopts: String? { form.hasTiles ? "tl2" : nil }

  /// Looks up in the bytes where they are.
  public func adopt(_ packed: PackedMatrix) throws -> any PreparedLinear {
    try adoptLookup(packed, TL2Packing(), form, TL2Layer.self, isLossy: isLossy)
  }
}

extension LinearKernel {
  /// The layer of a lookup-table kernel.
  fileprivate func prepareLookup<Layer: LookupLayer>(
    _ weights: QuantizedWeights, _ form: LookupForm, _ kind: tk_lookup_kind, _: Layer.Type,
    isLossy: Bool
  ) throws -> any PreparedLinear {
    try checkRuns(on: form.features)
    let matrix = try ternaryWeights(weights)
    let scales = try rowScales(matrix)
    if form == .avx512 || form == .avx512vbmi {
      guard !isLossy else {
        throw LabError(
          .usage, "kernel '\(name)' does not exist",
          expected:
            "a scalar or avx2 form: one look-up an int16 sum leaves int8 tables nothing to save")
      }
      return LookupPanelLinear(
        kernel: name, kind: kind, usesVBMI: form == .avx512vbmi, matrix, scales: scales)
    }
    guard !isLossy || form != .neon else {
      throw LabError(
        .usage, "kernel '\(name)' does not exist", expected: "a scalar or avx2 form")
    }
    let layer = try naming {
      try Layer(weights, rows: matrix.rows, columns: matrix.columns)
    }
    if isLossy {
      return LossyLookupLinear(kernel: name, layer: layer, scales: scales, form: form)
    }
    return LookupLinear(kernel: name, layer: layer, scales: scales, form: form)
  }

  /// The layer of a lookup-table kernel over bitnet.cpp's tiles.
  fileprivate func adoptLookup<Layer: LookupLayer>(
    _ packed: PackedMatrix, _ packing: some Packing, _ form: LookupForm, _: Layer.Type,
    isLossy: Bool
  ) throws -> any PreparedLinear {
    try checkRuns(on: form.features)
    try checkAdopted(packed, packing)
    let scales = try rowScales(packed)
    guard form.hasTiles, !isLossy || form != .neon else {
      throw LabError(
        .usage, "kernel '\(name)' has no tiles that a file could hold",
        expected: "a scalar, avx2 or lossless neon form")
    }
    let layer = try naming { try Layer(packed) }
    return isLossy
      ? LossyLookupLinear(kernel: name, layer: layer, scales: scales, form: form)
      : LookupLinear(kernel: name, layer: layer, scales: scales, form: form)
  }

  /// The layer from what was kept of it: panels alone are.
  fileprivate func restoreLookup(
    _ rows: Int, _ columns: Int, _ form: LookupForm, _ kind: tk_lookup_kind, isLossy: Bool,
    from memory: inout KeptMemory
  ) throws -> any PreparedLinear {
    try checkRuns(on: form.features)
    guard !isLossy, form == .avx512 || form == .avx512vbmi else {
      throw LabError(.badData, "kernel '\(name)' keeps no layers", expected: "a form of 512 bits")
    }
    return try LookupPanelLinear(
      kernel: name, kind: kind, usesVBMI: form == .avx512vbmi, rows: rows, columns: columns,
      from: &memory)
  }

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
public enum LookupForm: String, Sendable, CaseIterable {
  /// One at a time, in Swift.
  case scalar
  /// 32 bytes at a time by `pshufb`: two look-ups an int16 sum, one an int8 sum.
  case avx2
  /// 16 bytes at a time by `tbl`, lossless only.
  case neon
  /// 32 int16 sums at a time by `vpermw`, in panels of 64 rows; lossless only, since one look-up an
  /// int16 sum leaves int8 tables nothing to save.
  case avx512
  /// The same, and for more than one token `vpermb`, which Intel does in half the time; TL1_0: 64
  /// int8 sums by `vpermb`, added up by `vpdpbusd`.
  case avx512vbmi

  /// Whether it looks up in bitnet.cpp's tiles, the bytes of a file, and not in panels of 64 rows.
  var hasTiles: Bool { self != .avx512 && self != .avx512vbmi }

  /// What the CPU must have.
  public var features: CPUFeatures {
    switch self {
    case .scalar: []
    case .avx2: [.avx2]
    case .neon: [.neon]
    case .avx512: [.avx512]
    case .avx512vbmi: [.avx512, .avx512VBMI]
    }
  }
}
