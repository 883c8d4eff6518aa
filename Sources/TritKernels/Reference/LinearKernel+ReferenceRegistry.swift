import TritCore

extension Registry where Product == any LinearKernel {
  /// The two references, then one plain kernel per packing.
  mutating func registerReferenceAndScalar() {
    register(
      StageDescriptor(
        "reference",
        summary: "the formula: one integer product after the other; the oracle of all the others",
        source: "BitNet b1.58, arXiv 2402.17764; y = s_x · s_w · Σ w · q",
        accepts: "ternary or integer weights, any scales and shape; int8 activations",
        gives: "int32 sums, float32 outputs")
    ) { _ in ReferenceKernel() }
    register(
      StageDescriptor(
        "reference-f32",
        summary: "the formula in floating point: float32 weights and activations, float64 sums",
        source: "y = Σ w · x",
        accepts: "any weights (dequantized to float32); float32 activations",
        gives: "float32 outputs")
    ) { _ in ReferenceFloatKernel() }
  }
}
