import TritCore

/// The gated feed-forward unit `h = f(gate) · up`, forward and backward, `f` being silu or squared
/// ReLU.
///
/// A row of `gateUp` `[tokens, 2 · width]` holds the gates, then the ups.
/// Source: Shazeer 2020 (arXiv:2002.05202), eq. 6; Ma et al. 2025 (arXiv:2504.12285), §2.
struct GatedUnit {
  /// squared ReLU in `bitnet`, SiLU in `llama`.
  let block: TrainingBlock
  let width: Int

  func forward(_ gateUp: MatrixView<Float>, into h: MutableMatrixView<Float>) {
    for row in 0..<gateUp.rows {
      let gate = gateUp.base + row * gateUp.stride
      let out = h.base + row * h.stride
      switch block {
      case .bitnet:
        VectorMath.reluSquaredMultiply(gate: gate, up: gate + width, into: out, count: width)
      case .llama: VectorMath.siluMultiply(gate: gate, up: gate + width, into: out, count: width)
      }
    }
  }

  /// `dGateUp` from `dh`; `scratch` has room for `width` values.
  func backward(
    _ gateUp: MatrixView<Float>, dh: MatrixView<Float>, into dGateUp: MutableMatrixView<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    for row in 0..<gateUp.rows {
      let gate = gateUp.base + row * gateUp.stride
      let gradient = dh.base + row * dh.stride
      let out = dGateUp.base + row * dGateUp.stride
      switch block {
      case .bitnet: reluSquared(gate, gradient, out)
      case .llama: silu(gate, gradient, out, scratch)
      }
    }
  }

  /// `dgate = 2 · max(g, 0) · u · dh`, `dup = max(g, 0)² · dh`.
  private func reluSquared(
    _ gate: UnsafePointer<Float>, _ dh: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Float>
  ) {
    let up = gate + width
    let dUp = out + width
    for index in 0..<width {
      let value = gate[index]
      let positive = value > 0 ? value : 0
      let scaled = positive * dh[index]
      out[index] = 2 * scaled * up[index]
      dUp[index] = positive * scaled
    }
  }

  /// With `σ = 1/(1 + e^−g)`: `dgate = σ · (1 + g · (1 − σ)) · u · dh`, `dup = g · σ · dh`.
  private func silu(
    _ gate: UnsafePointer<Float>, _ dh: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Float>,
    _ scratch: UnsafeMutablePointer<Float>
  ) {
    let up = gate + width
    let dUp = out + width
    VectorMath.scale(gate, by: -1, into: scratch, count: width)
    VectorMath.exp(scratch, minus: 0, into: scratch, count: width)
    for index in 0..<width {
      let sigmoid = 1 / (1 + scratch[index])
      let value = gate[index]
      let scaled = sigmoid * dh[index]
      out[index] = scaled * (1 + value * (1 - sigmoid)) * up[index]
      dUp[index] = value * scaled
    }
  }
}
