internal import CTritKernels
import TritCore

/// A leaf that multiplies panels of rows.
typealias PanelLeaf = @convention(c) (UnsafePointer<tk_panel_product>) -> Void

extension I2SKernel.InstructionSet {
  /// This set's leaf: this machine's, or a call of the leaf runner.
  var leaf: PanelLeaf {
    if LeafRunner.shared != nil { return self == .neon ? Self.remoteNEON : Self.remoteDotProduct }
    switch self {
    #if arch(x86_64)
      case .avx512vnni: return tk_i2s_avx512vnni
      case .avxvnni: return tk_i2s_avxvnni
      case .avx2: return tk_i2s_avx2
    #elseif arch(arm64)
      case .neonDotProduct: return tk_i2s_neon_dotprod
      case .neon: return tk_i2s_neon
    #endif
    default: preconditionFailure("no leaf \(rawValue) on this architecture")
    }
  }

  private static let remoteNEON: PanelLeaf = { runRemotely(TK_LEAF_I2S_NEON, $0.pointee) }
  private static let remoteDotProduct: PanelLeaf = {
    runRemotely(TK_LEAF_I2S_NEON_DOTPROD, $0.pointee)
  }

  private static func runRemotely(_ leaf: tk_leaf, _ product: tk_panel_product) {
    let panels = (product.rows + 31) / 32
    Leaves.remotely(
      leaf,
      [
        .input(product.panels, panels * product.steps * 128), .count(product.steps),
        .count(product.rows), .input(product.values, product.tokens * product.stride),
        .count(product.stride), .count(product.tokens), .input(product.sums, product.tokens),
        .input(product.token_scales, product.tokens), .input(product.row_scales, panels * 32),
        .output(product.y, rows: product.tokens, product.rows, stride: product.y_stride),
        .output(product.accumulators, rows: product.tokens, product.rows, stride: product.y_stride),
        .count(product.y_stride),
      ])
  }
}
