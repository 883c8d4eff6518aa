import TritCore

extension Registry where Product == any LinearKernel {
  /// Adds the packings' bare names and `auto`, from what has been registered before.
  mutating func registerAuto() {
    let order = [
      "avx512vbmi", "avx512vnni", "avx512", "avxvnni", "avx2", "neon-dotprod", "neon", "scalar",
    ]
    // Before the bare names, which stand for kernels that are candidates themselves.
    let candidates = kernels(skipping: .none, order)
    let sparse: [ExpectedSparsity: [any LinearKernel]] = [
      .inputs: kernels(skipping: .inputs, order),
      .outputs: kernels(skipping: .outputs, order),
    ]
    let ternaryFloat = ranked(
      available().filter { name, product in
        product.forms == [.float32] && descriptor(name)?.kernel?.packing != nil
      }, order
    ).map(\.product)
    registerBareNames(order: order)
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
        candidates: candidates, sparse: sparse, ternaryFloat: ternaryFloat,
        use: AutoKernel.Use(rawValue: parameters.text("use")) ?? .both,
        refresh: parameters.flag("refresh"))
    }
  }

  /// All lossless kernels that run here, take int8 activations and skip `sparsity`, the fastest
  /// instruction sets first, the reference last. One without facts, as from outside, is a candidate
  /// like any other.
  private func kernels(skipping sparsity: ExpectedSparsity, _ order: [String])
    -> [any LinearKernel]
  {
    let own = available().filter { name, product in
      guard product.forms.contains(.int8), let descriptor = descriptor(name) else {
        return false
      }
      let facts = descriptor.kernel ?? KernelFacts()
      return facts.isCandidate && facts.skips == sparsity && descriptor.exactness == .lossless
    }
    return ranked(own, order).map(\.product)
  }

  /// Kernels by the place of their instruction set in `order`, others after them in the order in
  /// which they come, those of no packing last.
  func ranked(
    _ kernels: [(name: String, product: any LinearKernel)], _ order: [String]
  ) -> [(name: String, product: any LinearKernel)] {
    func rank(_ name: String) -> Int {
      guard let facts = descriptor(name)?.kernel, facts.packing != nil else {
        return order.count + 1
      }
      return facts.instructionSet.flatMap(order.firstIndex) ?? order.count
    }
    return kernels.enumerated()
      .sorted { first, second in
        let (a, b) = (rank(first.element.name), rank(second.element.name))
        return a == b ? first.offset < second.offset : a < b
      }
      .map(\.element)
  }
}
