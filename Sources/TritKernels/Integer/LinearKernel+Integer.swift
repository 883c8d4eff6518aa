import TritCore

extension Registry where Product == any LinearKernel {
  /// Adds the SIMD kernels of weights in bytes.
  mutating func registerInteger() {
    for set in Int8Kernel.InstructionSet.allCases.reversed() {
      registerLeaf(
        "int8/\(set.rawValue)", "integers of 2 to 8 bits, one a byte, by \(set.instruction)",
        source: "W8A8 inference with int32 sums",
        accepts: "integers of 2 to 8 bits, trits; scales of any granularity; int8 activations",
        features: set.features,
        facts: KernelFacts(packing: "int8", instructionSet: set.rawValue)
      ) { Int8Kernel(set) }
    }
  }
}

extension Int8Kernel.InstructionSet {
  /// What multiplies.
  var instruction: String {
    switch self {
    case .avx2: "vpmaddwd on int16"
    case .avx512vnni: "512-bit vpdpbusd"
    case .neon: "smull and sadalp"
    case .neonDotProduct: "sdot"
    }
  }
}
