import TritCore

extension Registry where Product == any LinearKernel {
  /// Adds the SIMD kernels of 2-bit weights. TQ2_0 has theirs under its own name: weights of two
  /// bits lie in the same panels, whatever file they come from, with the scales of their groups.
  mutating func registerI2S() {
    for set in I2SKernel.InstructionSet.allCases.reversed() {
      registerLeaf(
        "tq2_0/\(set.rawValue)",
        "\(set.summary), repacked at load from blocks to panels of 32 rows",
        source: "llama.cpp TQ2_0 weights on the panel layout of i2_s",
        accepts: "ternary weights, scale per tensor, row or groups of 16s; int8 activations",
        features: set.features,
        // The same product as i2_s of the set, which `auto` times.
        facts: KernelFacts(
          packing: "tq2_0", instructionSet: set.rawValue, isCandidate: false)
      ) { I2SKernel(set, packing: "tq2_0") }
    }
    for set in I2SKernel.InstructionSet.allCases.reversed() {
      registerLeaf(
        "i2_s/\(set.rawValue)", set.summary,
        source: "bitnet.cpp I2_S arithmetic on a 32-row panel layout",
        accepts: "ternary weights, scale per tensor, row or groups of 16s; int8 activations",
        features: set.features,
        facts: KernelFacts(packing: "i2_s", instructionSet: set.rawValue)
      ) { I2SKernel(set) }
    }
  }

  /// Adds a kernel whose leaf needs `features`.
  mutating func registerLeaf(
    _ name: String, _ summary: String, source: String,
    accepts: String = "ternary weights (scale per tensor or row), int8 activations",
    features: CPUFeatures, facts: KernelFacts, make: @escaping @Sendable () -> any LinearKernel
  ) {
    let missing = features.missingHere
    register(
      StageDescriptor(
        name, summary: summary, source: source, accepts: accepts, gives: "float32",
        instructionSets: features.names,
        unavailable: missing.isEmpty
          ? nil : "this CPU has no \(missing.joined(separator: ", "))", kernel: facts)
    ) { _ in make() }
  }
}

extension I2SKernel.InstructionSet {
  /// One line: what it adds.
  var summary: String {
    switch self {
    case .avx2: "2-bit codes by vpmaddubsw, int16 sums widened in time"
    case .avxvnni: "2-bit codes by 256-bit vpdpbusd"
    case .neon: "2-bit codes by smlal, int16 sums widened in time"
    case .neonDotProduct: "2-bit codes by sdot"
    case .avx512vnni: "2-bit codes by 512-bit vpdpbusd: unshifted masks, 32 × 12 register tiles"
    }
  }
}
