import TritCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The normalizer of one row of logits: `log p(v) = logits[v] − shift − logSum`.
///
/// The maximum is subtracted before the exponential; exponentials are float32, their sum is double,
/// as in llama-perplexity.
struct LogSoftmax {
  /// Greatest logit.
  let shift: Float
  /// `ln Σ e^(logits − shift)`.
  let logSum: Double

  /// Normalizes `logits`; `powers` (as many elements) receives `e^(logits − shift)`.
  init(_ logits: UnsafeBufferPointer<Float>, powers: UnsafeMutablePointer<Float>) {
    guard let base = logits.baseAddress, !logits.isEmpty else {
      shift = 0
      logSum = .nan
      return
    }
    shift = VectorMath.maximum(base, count: logits.count)
    logSum = log(VectorMath.exp(base, minus: shift, into: powers, count: logits.count))
  }

  /// Takes `values` as log-probabilities: nothing is normalized. `powers` receives the
  /// probabilities.
  init(logProbabilities values: UnsafeBufferPointer<Float>, powers: UnsafeMutablePointer<Float>) {
    shift = 0
    logSum = 0
    guard let base = values.baseAddress, !values.isEmpty else { return }
    _ = VectorMath.exp(base, minus: 0, into: powers, count: values.count)
  }

  /// `−ln p` of a token with this logit, in nats.
  func nll(_ logit: Float) -> Double { logSum - (Double(logit) - Double(shift)) }
}
