import TritCore

extension Registry where Product == any LinearKernel {
  /// Adds the kernels that skip zeros.
  mutating func registerSparse() {
    for set in SparseInstructionSet.allCases.reversed() {
      let adds = set == .scalar ? "plain C" : "four at a time by 512-bit vpdpbusd"
      registerLeaf(
        "sparse_columns/\(set.rawValue)",
        "exact: columns whose activation is 0 are not read (down behind ReLU²); \(adds)",
        source: "activation sparsity, BitNet a4.8, arXiv 2411.04965; the lab's own layout",
        features: set.features,
        facts: KernelFacts(
          packing: "sparse_columns", instructionSet: set.rawValue, skips: .inputs)
      ) { SparseColumnsKernel(set) }
      registerLeaf(
        "sparse_rows/\(set.rawValue)",
        "exact: rows whose gate is not positive are not read (up behind ReLU²); \(adds)",
        source: "activation sparsity, BitNet a4.8, arXiv 2411.04965; the lab's own layout",
        features: set.features,
        facts: KernelFacts(
          packing: "sparse_rows", instructionSet: set.rawValue, skips: .outputs)
      ) { SparseRowsKernel(set) }
    }
  }
}
