internal import CTritKernels
import TritCore

extension Int8Kernel.InstructionSet {
  /// A leaf that multiplies 8-bit panels.
  typealias Leaf = @convention(c) (UnsafePointer<tk_int8_product>) -> Void

  /// This set's leaf: this machine's, or a call of the leaf runner.
  var leaf: Leaf {
    if LeafRunner.shared != nil { return self == .neon ? Self.remoteNEON : Self.remoteDotProduct }
    switch self {
    #if arch(x86_64)
      case .avx512vnni: return tk_int8_avx512vnni
      case .avx2: return tk_int8_avx2
    #elseif arch(arm64)
      case .neonDotProduct: return tk_int8_neon_dotprod
      case .neon: return tk_int8_neon
    #endif
    default: preconditionFailure("no leaf \(rawValue) on this architecture")
    }
  }

  private static let remoteNEON: Leaf = { runRemotely(TK_LEAF_INT8_NEON, $0.pointee) }
  private static let remoteDotProduct: Leaf = {
    runRemotely(TK_LEAF_INT8_NEON_DOTPROD, $0.pointee)
  }

  private static func runRemotely(_ leaf: tk_leaf, _ product: tk_int8_product) {
    let panels = (product.rows + 31) / 32
    Leaves.remotely(
      leaf,
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
