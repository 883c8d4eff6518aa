import TritCore
import TritModel

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The gated feed-forward unit `h = f(gate) · up`, forward and backward.
///
/// Source: Shazeer 2020 (arXiv:2002.05202), eq. 6; Ma et al. 2025 (arXiv:2504.12285), §2 (squared
/// ReLU); Hendrycks and Gimpel 2016 (arXiv:1606.08415), eq. 2 and what follows (GELU).
struct GatedUnit: Sendable {
  /// `f`.
  let activation: FeedForwardActivation

  /// `scratch` has room for a row.
  func forward(
    gate: MatrixView<Float>, up: MatrixView<Float>, into h: MutableMatrixView<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let width = h.columns
    for row in 0..<gate.rows {
      let gate = gate.base + row * gate.stride
      let up = up.base + row * up.stride
      let out = h.base + row * h.stride
      switch activation {
      case .relu2: VectorMath.reluSquaredMultiply(gate: gate, up: up, into: out, count: width)
      case .silu: VectorMath.siluMultiply(gate: gate, up: up, into: out, count: width)
      case .geluTanh, .gelu:
        out.update(from: gate, count: width)
        scratch.update(from: up, count: width)
        activation.multiply(gate: out, up: scratch, count: width)
      }
    }
  }

  /// `dGate` and `dUp` from `dh`; `scratch` has room for a row.
  func backward(
    gate: MatrixView<Float>, up: MatrixView<Float>, dh: MatrixView<Float>,
    dGate: MutableMatrixView<Float>, dUp: MutableMatrixView<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let width = dh.columns
    for row in 0..<gate.rows {
      let line = Row(
        gate: gate.base + row * gate.stride, up: up.base + row * up.stride,
        dh: dh.base + row * dh.stride, dGate: dGate.base + row * dGate.stride,
        dUp: dUp.base + row * dUp.stride, width: width)
      switch activation {
      case .relu2: line.reluSquared()
      case .silu: line.silu(scratch)
      case .geluTanh: line.geluTanh(scratch)
      case .gelu: line.gelu()
      }
    }
  }

  private struct Row {
    let gate: UnsafePointer<Float>, up: UnsafePointer<Float>, dh: UnsafePointer<Float>
    let dGate: UnsafeMutablePointer<Float>, dUp: UnsafeMutablePointer<Float>
    let width: Int

    /// `dgate = 2 · max(g, 0) · u · dh`, `dup = max(g, 0)² · dh`.
    func reluSquared() {
      for index in 0..<width {
        let value = gate[index]
        let positive = value > 0 ? value : 0
        let scaled = positive * dh[index]
        dGate[index] = 2 * scaled * up[index]
        dUp[index] = positive * scaled
      }
    }

    /// With `σ = 1/(1 + e^−g)`: `dgate = σ · (1 + g · (1 − σ)) · u · dh`, `dup = g · σ · dh`.
    func silu(_ scratch: UnsafeMutablePointer<Float>) {
      VectorMath.scale(gate, by: -1, into: scratch, count: width)
      VectorMath.exp(scratch, minus: 0, into: scratch, count: width)
      for index in 0..<width {
        let sigmoid = 1 / (1 + scratch[index])
        let value = gate[index]
        let scaled = sigmoid * dh[index]
        dGate[index] = scaled * (1 + value * (1 - sigmoid)) * up[index]
        dUp[index] = value * scaled
      }
    }

    /// `½ (1 + tanh z)` is `σ(2z)`, `z = √(2/π) (g + 0.044715 g³)`: with that σ,
    /// `dgate = σ · (1 + g · (1 − σ) · 2z′) · u · dh`, `dup = g · σ · dh`.
    func geluTanh(_ scratch: UnsafeMutablePointer<Float>) {
      let slope = 2 * (2 / Float.pi).squareRoot()
      for index in 0..<width {
        // Beyond 1e4 the sigmoid is 0 or 1; the cube stays finite.
        let value = min(max(gate[index], -1e4), 1e4)
        scratch[index] = min(max(-slope * value * (1 + 0.044715 * value * value), -80), 80)
      }
      VectorMath.exp(scratch, minus: 0, into: scratch, count: width)
      for index in 0..<width {
        let sigmoid = 1 / (1 + scratch[index])
        let value = gate[index]
        let bounded = min(max(value, -1e4), 1e4)
        let bend = slope * (1 + 3 * 0.044715 * bounded * bounded)
        let scaled = sigmoid * dh[index]
        dGate[index] = scaled * (1 + value * ((1 - sigmoid) * bend)) * up[index]
        dUp[index] = value * scaled
      }
    }

    /// With the normal distribution Φ and its density φ: `dgate = (Φ(g) + g · φ(g)) · u · dh`,
    /// `dup = g · Φ(g) · dh`.
    func gelu() {
      let root = Float(0.5).squareRoot()
      let height = 1 / (2 * Float.pi).squareRoot()
      for index in 0..<width {
        let value = gate[index]
        let share = 0.5 * (1 + erff(value * root))
        let density = height * expf(-0.5 * value * value)
        dGate[index] = (share + value * density) * up[index] * dh[index]
        dUp[index] = value * share * dh[index]
      }
    }
  }
}
