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
        gives: "int32 sums, float32 outputs",
        kernel: KernelFacts())
    ) { _ in ReferenceKernel() }
    register(
      StageDescriptor(
        "reference-f32",
        summary: "the formula in floating point: float32 weights and activations, float64 sums",
        source: "y = Σ w · x",
        accepts: "any weights (dequantized to float32); float32 activations",
        gives: "float32 outputs",
        kernel: KernelFacts(isCandidate: false))
    ) { _ in ReferenceFloatKernel() }
    registerScalar()
  }

  private mutating func registerScalar() {
    register(
      StageDescriptor(
        "int8/scalar",
        summary:
          "adds blocking: a row is read once for 16 tokens, plain Swift that the compiler vectorizes",
        source: "y = s_x · s_w · Σ w · q",
        accepts: "ternary or integer weights, any scales and shape; int8 activations",
        gives: "int32 sums, float32 outputs",
        kernel: KernelFacts(packing: "int8", instructionSet: "scalar"))
    ) { _ in Int8ScalarKernel() }
    register(
      StageDescriptor(
        "int4/scalar", summary: "adds packing: two weights a byte, unpacked run by run",
        source: "two's-complement nibbles",
        accepts: "ternary weights or integers of 2 to 4 bits, even groups; int8 activations",
        gives: "int32 sums, float32 outputs",
        kernel: KernelFacts(packing: "int4", instructionSet: "scalar"))
    ) { _ in Int4ScalarKernel() }
    register(
      StageDescriptor(
        "i2_s/scalar", summary: "adds trits in 2 bits: four shifts and masks a byte",
        source: "bitnet.cpp's I2_S, arXiv 2502.11880; microsoft/BitNet, ggml-bitnet-mad.cpp",
        accepts:
          "ternary weights, scale per tensor, row or groups of 32s, any shape; int8 activations",
        gives: "int32 sums (but for groups), float32 outputs",
        kernel: KernelFacts(packing: "i2_s", instructionSet: "scalar"))
    ) { _ in I2SScalarKernel() }
    register(
      StageDescriptor(
        "tq2_0/scalar", summary: "as i2_s, in blocks of 256 that can have their own scales",
        source: "llama.cpp, TQ2_0",
        accepts: "ternary weights, scale per tensor, row or groups of 256; int8 activations",
        gives: "int32 sums (but for groups), float32 outputs",
        kernel: KernelFacts(packing: "tq2_0", instructionSet: "scalar"))
    ) { _ in TQ2ScalarKernel() }
    register(
      StageDescriptor(
        "tq1_0/scalar", summary: "adds 1.69 bits: base-3 digits come out by multiplying by 3",
        source: "llama.cpp, TQ1_0",
        accepts: "ternary weights, scale per tensor, row or groups of 256; int8 activations",
        gives: "int32 sums (but for groups), float32 outputs",
        kernel: KernelFacts(packing: "tq1_0", instructionSet: "scalar"))
    ) { _ in TQ1ScalarKernel() }
    register(
      StageDescriptor(
        "base3/scalar", summary: "adds 1.6 bits: one look-up in a table of 256 gives five trits",
        source: "3⁵ = 243 < 256",
        accepts: "ternary weights, any scales and shape; int8 activations",
        gives: "int32 sums (but for groups), float32 outputs",
        kernel: KernelFacts(packing: "base3", instructionSet: "scalar"))
    ) { _ in Base3ScalarKernel() }
  }
}
