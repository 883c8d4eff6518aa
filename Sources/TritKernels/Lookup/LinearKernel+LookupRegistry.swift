import TritCore

extension Registry where Product == any LinearKernel {
  /// The lookup-table kernels.
  mutating func registerLookup() {
    let lacking = CPUFeatures.avx2.missingHere
    let reason =
      lacking.isEmpty ? nil : "this CPU lacks \(lacking.joined(separator: ", "))"
    let noNEON = CPUFeatures.neon.missingHere.isEmpty ? nil : "this CPU lacks neon"
    let rows = "ternary weights, scale per tensor or row; rows in 32s"
    register(
      StageDescriptor(
        "tl1/scalar",
        summary: "replaces products by look-ups: 2 trits index the 9 sums of 2 activations",
        source: "Bitnet.cpp, arXiv 2502.11880 §3 (TL1_1)",
        accepts: "\(rows), columns in 8s (4s where rows are in 64s); int8 activations",
        gives: "int32 sums, float32 outputs")
    ) { _ in TL1Kernel(.scalar) }
    register(
      StageDescriptor(
        "tl1/avx2", summary: "adds pshufb: 32 look-ups at once, int16 sums within a tile",
        source: "Bitnet.cpp, arXiv 2502.11880 §3 (TL1_1)",
        accepts: "\(rows), columns in 8s (4s where rows are in 64s); int8 activations",
        gives: "int32 sums, float32 outputs", instructionSets: ["avx2"], unavailable: reason)
    ) { _ in TL1Kernel(.avx2) }
    register(
      StageDescriptor(
        "tl1/neon", summary: "adds tbl: 16 look-ups at once, high bytes summed as bytes",
        source: "Bitnet.cpp, arXiv 2502.11880 §3 (TL1_1)",
        accepts: "\(rows), columns in 8s (4s where rows are in 64s); int8 activations",
        gives: "int32 sums, float32 outputs", instructionSets: ["neon"], unavailable: noNEON)
    ) { _ in TL1Kernel(.neon) }
    register(
      StageDescriptor(
        "tl2/scalar", summary: "3 trits to one of 14 look-ups and a sign: 1.67 bits a weight",
        source: "Bitnet.cpp, arXiv 2502.11880 §3.2 (TL2_1)",
        accepts: "\(rows), columns in 24s or 32s; int8 activations",
        gives: "int32 sums, float32 outputs")
    ) { _ in TL2Kernel(.scalar) }
    register(
      StageDescriptor(
        "tl2/avx2", summary: "adds pshufb: 32 look-ups at once, signs by add and xor",
        source: "Bitnet.cpp, arXiv 2502.11880 §3.2 (TL2_1)",
        accepts: "\(rows), columns in 24s or 32s; int8 activations",
        gives: "int32 sums, float32 outputs", instructionSets: ["avx2"], unavailable: reason)
    ) { _ in TL2Kernel(.avx2) }
    register(
      StageDescriptor(
        "tl2/neon", summary: "adds tbl: 16 look-ups at once, signs by multiply-add",
        source: "Bitnet.cpp, arXiv 2502.11880 §3.2 (TL2_1)",
        accepts: "\(rows), columns in 24s or 32s; int8 activations",
        gives: "int32 sums, float32 outputs", instructionSets: ["neon"], unavailable: noNEON)
    ) { _ in TL2Kernel(.neon) }
    register(
      StageDescriptor(
        "tl1_0", summary: "TL1 with int8 tables: one look-up in place of two, rounded",
        source: "Bitnet.cpp, arXiv 2502.11880 (TL1_0), after T-MAC, arXiv 2407.00088",
        accepts: "\(rows), columns in 8s (4s where rows are in 64s); int8 activations",
        gives: "float32 outputs",
        exactness: .lossy(
          "|error| ≤ columns/2 · f/2 · s_x · |s_w|, f = max(1, (greatest |a| + |b|) / 127); none if f = 1"
        ))
    ) { _ in TL1Kernel(.lossy) }
    register(
      StageDescriptor(
        "tl2_0", summary: "TL2 with int8 tables: one look-up in place of two, rounded",
        source: "Bitnet.cpp, arXiv 2502.11880 (TL2_0), after T-MAC, arXiv 2407.00088",
        accepts: "\(rows), columns in 24s or 32s; int8 activations",
        gives: "float32 outputs",
        exactness: .lossy(
          "|error| ≤ Σ over look-ups of f/2 · s_x · |s_w|, f = max(1, (greatest sum of |a|) / 127)")
      )
    ) { _ in TL2Kernel(.lossy) }
  }
}
