internal import CTritKernels
import TritCore

extension Int8Kernel.InstructionSet {
  /// Runs one product on this set's leaf.
  func run(_ product: inout tk_int8_product) {
    if LeafRunner.shared != nil { return runRemotely(product) }
    switch self {
    #if arch(x86_64)
      case .avx512vnni: tk_int8_avx512vnni(&product)
      case .avx2: tk_int8_avx2(&product)
    #elseif arch(arm64)
      case .neonDotProduct: tk_int8_neon_dotprod(&product)
      case .neon: tk_int8_neon(&product)
    #endif
    default: preconditionFailure("no leaf \(rawValue) on this architecture")
    }
  }

  /// The same on a leaf runner, whose features have chosen the set.
  private func runRemotely(_ product: tk_int8_product) {
    let panels = (product.rows + 31) / 32
    Leaves.remotely(
      self == .neon ? TK_LEAF_INT8_NEON : TK_LEAF_INT8_NEON_DOTPROD,
      [
        .input(product.panels, panels * product.steps * 128), .count(product.steps),
        .count(product.group_steps), .count(product.groups), .count(product.rows),
        .input(product.values, product.tokens * product.stride), .count(product.stride),
        .count(product.tokens), .input(product.token_scales, product.tokens),
        .input(product.corrections, panels * product.groups * 32),
        .input(product.scales, panels * product.groups * 32),
        .output(product.y, rows: product.tokens, product.rows, stride: product.y_stride),
        .output(product.accumulators, rows: product.tokens, product.rows, stride: product.y_stride),
        .count(product.y_stride),
      ])
  }
}
