import TritCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The normalizer of one row of logits: `log p(v) = logits[v] − shift − logSum`.
///
/// The maximum is subtracted before the exponential; exponentials are float32, their sum is double, as
/// in llama-perplexity.
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

  /// `−ln p` of a token with this logit, in nats.
  func nll(_ logit: Float) -> Double { logSum - (Double(logit) - Double(shift)) }
}
