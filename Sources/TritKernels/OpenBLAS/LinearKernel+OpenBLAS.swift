import TritCore

extension Registry where Product == any LinearKernel {
  /// Adds the float32 kernels.
  mutating func registerOpenBLAS() {
    register(
      StageDescriptor(
        "openblas", summary: "float32 weights and activations through OpenBLAS: the fp32 reference",
        source: "cblas_sgemm, cblas_sgemv", accepts: "weights of any form, float32 activations",
        gives: "float32", exactness: .lossy("float32 rounding of the sums"),
        kernel: KernelFacts(isCandidate: false))
    ) { _ in OpenBLASKernel() }
    register(
      StageDescriptor(
        "dequantize",
        summary: "any quantized weights expanded to float32 (fake quantization), through OpenBLAS",
        source: "cblas_sgemm, cblas_sgemv", accepts: "weights of any form, float32 activations",
        gives: "float32", exactness: .lossy("float32 rounding of the sums"),
        kernel: KernelFacts(isCandidate: false))
    ) { _ in OpenBLASKernel(name: "dequantize") }
  }
}
