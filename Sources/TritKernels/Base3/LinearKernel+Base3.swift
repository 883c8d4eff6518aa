import TritCore

extension Registry where Product == any LinearKernel {
  /// Adds the SIMD kernels of 1.6-bit weights.
  mutating func registerBase3() {
    for set in Base3Kernel.InstructionSet.allCases.reversed() {
      registerLeaf(
        "base3/\(set.rawValue)", set.summary,
        source: "five trits a byte on a 32-row panel layout, the lab's own", features: set.features,
        facts: KernelFacts(packing: "base3", instructionSet: set.rawValue)
      ) { Base3Kernel(set) }
    }
  }
}

extension Base3Kernel.InstructionSet {
  /// One line: what it adds.
  var summary: String {
    switch self {
    case .avx2: "adds SIMD decoding by comparisons and byte shuffles, then the 2-bit kernel"
    case .avx512vbmi: "adds vpermb: 64 bytes decoded at once; many tokens expand to bytes"
    }
  }
}
