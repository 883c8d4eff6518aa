internal import CTritKernels
import TritCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The two inner loops of attention over rows of one head: scores (dot products with keys) and the
/// weighted sum of values, by the C leaves for this CPU.
///
/// Each result is summed in an order that depends only on the head dimension, never on how many
/// rows are done at once: that is what makes attention independent of chunking.
enum RowLoops {
  private static let ops =
    LeafRunner.shared == nil ? tk_attention_for(CPUFeatures.here.rawValue).pointee : remote

  /// The same, each a call of the leaf runner.
  private static let remote = tk_attention_ops(
    scores: { query, keys, stride, count, d, scale, out in
      Leaves.remotely(
        TK_LEAF_ATTENTION_SCORES,
        [
          .input(query, d), .input(keys, rows: count, d, stride: stride), .count(stride),
          .count(count), .count(d), .real(scale), .output(out, count),
        ])
    },
    accumulate: { weights, values, stride, count, d, decay, out in
      Leaves.remotely(
        TK_LEAF_ATTENTION_ACCUMULATE,
        [
          .input(weights, count), .input(values, rows: count, d, stride: stride), .count(stride),
          .count(count), .count(d), .real(decay), .output(out, d),
        ])
    })

  /// `output[p] = scale · query·keys[p]` for `count` rows of `d` elements, `stride` apart.
  static func scores(
    _ query: UnsafePointer<Float>, keys: UnsafePointer<Float>, stride: Int, count: Int, d: Int,
    scale: Float, into output: UnsafeMutablePointer<Float>
  ) { ops.scores(query, keys, stride, count, d, scale, output) }

  /// `scores[p] = cap · tanh(scores[p] / cap)`; nothing without a cap.
  static func soften(_ scores: UnsafeMutablePointer<Float>, cap: Float?, count: Int) {
    guard let cap else { return }
    for index in 0..<count { scores[index] = cap * tanhf(scores[index] / cap) }
  }

  /// `output[i] = decay · output[i] + Σ_p weights[p] · values[p][i]`, positions in order.
  static func accumulate(
    _ weights: UnsafePointer<Float>, values: UnsafePointer<Float>, stride: Int, count: Int, d: Int,
    decay: Float, into output: UnsafeMutablePointer<Float>
  ) { ops.accumulate(weights, values, stride, count, d, decay, output) }
}
