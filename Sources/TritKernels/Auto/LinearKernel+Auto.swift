import TritCore

extension Registry where Product == any LinearKernel {
  /// Adds the packings' bare names and `auto`, from what has been registered before.
  mutating func registerAuto() {
    let order = [
      "avx512vbmi", "avx512vnni", "avx512", "avxvnni", "avx2", "neon-dotprod", "neon", "scalar",
    ]
    for (packing, source) in [
      ("i2_s", "bitnet.cpp I2_S"), ("tl1", "bitnet.cpp TL1"), ("tl2", "bitnet.cpp TL2"),
      ("tl1_0", "bitnet.cpp TL1_0"), ("tl2_0", "bitnet.cpp TL2_0"),
      ("tq1_0", "llama.cpp TQ1_0"), ("tq2_0", "llama.cpp TQ2_0"),
      ("base3", "five trits a byte"), ("int8", "one byte a weight"),
    ] {
      registerFastest(
        packing, order: order, summary: "the fastest kernel of packing \(packing)", source: source)
    }
    let candidates = autoCandidates(order)
    register(
      StageDescriptor(
        "auto", summary: "the kernel that measures fastest on the model's own matrices",
        source: "measurement on the first rows of each shape",
        accepts: "weights of any form; activations of any form", gives: "float32")
    ) { _ in AutoKernel(candidates: candidates) }
  }

  /// All lossless int8 kernels that run here, the fastest instruction sets first, the reference last.
  private func autoCandidates(_ order: [String]) -> [any LinearKernel] {
    let kernels = available().filter { kernel in
      kernel.product.accepts == .int8 && (kernel.name.contains("/") || kernel.name == "reference")
        && descriptor(kernel.name)?.exactness == .lossless
    }
    let ranked = kernels.enumerated().sorted { first, second in
      let (a, b) = (rank(first.element.name, order), rank(second.element.name, order))
      return a == b ? first.offset < second.offset : a < b
    }
    return ranked.map(\.element.product)
  }

  private func rank(_ name: String, _ order: [String]) -> Int {
    guard let slash = name.firstIndex(of: "/") else { return order.count + 1 }
    return order.firstIndex(of: String(name[name.index(after: slash)...])) ?? order.count
  }
}
