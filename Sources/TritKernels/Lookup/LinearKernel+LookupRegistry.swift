import TritCore

extension Registry where Product == any LinearKernel {
  /// The lookup-table kernels.
  mutating func registerLookup() {
    let pairs =
      "ternary weights, scale per tensor or row; rows in 32s, columns in 8s (4s where rows are in 64s)"
    let triples = "ternary weights, scale per tensor or row; rows in 32s, columns in 24s or 32s"
    register(
      .scalar, "tl1", "replaces products by look-ups: 2 trits index the 9 sums of 2 activations",
      pairs
    ) { TL1Kernel($0) }
    register(.avx2, "tl1", "adds pshufb: 32 look-ups at once, int16 sums within a tile", pairs) {
      TL1Kernel($0)
    }
    register(.neon, "tl1", "adds tbl: 16 look-ups at once, high bytes summed as bytes", pairs) {
      TL1Kernel($0)
    }
    register(
      .avx512, "tl1", "adds vpermw: 32 int16 look-ups at once; 8 tokens a pass over the weights",
      nil
    ) { TL1Kernel($0) }
    register(
      .avx512vbmi, "tl1", "adds vpermb for more than one token: half the shuffles on Intel", nil
    ) { TL1Kernel($0) }
    register(
      .scalar, "tl2", "3 trits to one of 14 look-ups and a sign: 1.67 bits a weight", triples
    ) {
      TL2Kernel($0)
    }
    register(.avx2, "tl2", "adds pshufb: 32 look-ups at once, signs by add and xor", triples) {
      TL2Kernel($0)
    }
    register(.neon, "tl2", "adds tbl: 16 look-ups at once, signs by multiply-add", triples) {
      TL2Kernel($0)
    }
    register(
      .avx512, "tl2", "adds vpermw: 32 int16 look-ups at once, the sign a fifth bit of the index",
      nil
    ) { TL2Kernel($0) }
    register(
      .avx512vbmi, "tl2", "adds vpermb for more than one token: half the shuffles on Intel", nil
    ) { TL2Kernel($0) }
    let pairBound =
      "|error| ≤ ⌈columns/2⌉ · f/2 · s_x · |s_w|, f = max(1, (greatest |a| + |b|) / 127); none if f = 1"
    for form in [LookupForm.scalar, .avx2] {
      let isFirst = form == .scalar
      register(
        form, "tl1_0",
        isFirst
          ? "TL1 with int8 tables: one look-up in place of two, rounded"
          : "adds pshufb: 32 look-ups at once, bytes summed in pairs", pairs,
        pairBound
      ) { TL1Kernel($0, isLossy: true) }
      register(
        form, "tl2_0",
        isFirst
          ? "TL2 with int8 tables: one look-up in place of two, rounded"
          : "adds pshufb: 32 look-ups at once, signs by add and xor", triples,
        "|error| ≤ Σ over look-ups of f/2 · s_x · |s_w|, f = max(1, (greatest sum of |a|) / 127)"
      ) { TL2Kernel($0, isLossy: true) }
    }
    register(
      .avx512vbmi, "tl1_0", "adds vpermb: 64 look-ups at once, added up by vpdpbusd", nil,
      pairBound,
      also: .avx512VNNI
    ) { TL1Kernel($0, isLossy: true) }
  }

  /// Adds one form of one packing; `shapes` nil means any, `bound` nil lossless.
  private mutating func register(
    _ form: LookupForm, _ packing: String, _ summary: String, _ shapes: String?,
    _ bound: String? = nil, also features: CPUFeatures = [],
    make: @escaping @Sendable (LookupForm) -> any LinearKernel
  ) {
    let features = form.features.union(features)
    let missing = features.missingHere
    register(
      StageDescriptor(
        "\(packing)/\(form.rawValue)", summary: summary,
        source: bound == nil
          ? "Bitnet.cpp, arXiv 2502.11880 §3 (\(packing.uppercased())_1)"
          : "Bitnet.cpp, arXiv 2502.11880 (\(packing.uppercased())), after T-MAC, arXiv 2407.00088",
        accepts: (shapes ?? "ternary weights, scale per tensor or row; any shape")
          + "; int8 activations",
        gives: bound == nil ? "int32 sums, float32 outputs" : "float32 outputs",
        instructionSets: features.names,
        exactness: bound.map { .lossy($0) } ?? .lossless,
        unavailable: missing.isEmpty
          ? nil : "this CPU lacks \(missing.joined(separator: ", "))",
        kernel: KernelFacts(packing: packing, instructionSet: form.rawValue))
    ) { _ in make(form) }
  }
}
