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
      ("sparse_columns", "2 bits, a column of 256 rows a line"),
      ("sparse_rows", "2 bits, a row of 256 columns a line"),
    ] {
      registerFastest(
        packing, order: order, summary: "the fastest kernel of packing \(packing)", source: source)
    }
    let candidates = autoCandidates(order)
    let sparse: [ExpectedSparsity: [any LinearKernel]] = [
      .inputs: sparseCandidates("sparse_columns/", order),
      .outputs: sparseCandidates("sparse_rows/", order),
    ]
    register(
      StageDescriptor(
        "auto", summary: "the kernel that measures fastest on the model's own matrices",
        source: "measurement on the first rows of each shape, from memory for large models",
        parameters: [
          ParameterDescriptor(
            "use", "what the pick is for: one token, many, or both alike",
            .choice(AutoKernel.Use.allCases.map(\.rawValue)), default: .text("both")),
          ParameterDescriptor(
            "refresh", "measure again what an earlier run has measured", .flag,
            default: .flag(false)),
        ],
        accepts: "weights of any form; activations of any form", gives: "float32")
    ) { parameters in
      AutoKernel(
        candidates: candidates, sparse: sparse,
        use: AutoKernel.Use(rawValue: parameters.text("use")) ?? .both,
        refresh: parameters.flag("refresh"))
    }
  }

  /// All lossless int8 kernels that run here, the fastest instruction sets first, the reference last. Those that
  /// skip zeros are candidates only where zeros are expected.
  private func autoCandidates(_ order: [String]) -> [any LinearKernel] {
    ranked(order) { name in
      (name.contains("/") || name == "reference") && !name.hasPrefix("sparse_")
        && descriptor(name)?.exactness == .lossless
    }
  }

  private func sparseCandidates(_ prefix: String, _ order: [String]) -> [any LinearKernel] {
    ranked(order) { $0.hasPrefix(prefix) }
  }

  private func ranked(_ order: [String], where isWanted: (String) -> Bool) -> [any LinearKernel] {
    available().filter { $0.product.accepts == .int8 && isWanted($0.name) }.enumerated()
      .sorted { first, second in
        let (a, b) = (rank(first.element.name, order), rank(second.element.name, order))
        return a == b ? first.offset < second.offset : a < b
      }
      .map(\.element.product)
  }

  private func rank(_ name: String, _ order: [String]) -> Int {
    guard let slash = name.firstIndex(of: "/") else { return order.count + 1 }
    return order.firstIndex(of: String(name[name.index(after: slash)...])) ?? order.count
  }
}
