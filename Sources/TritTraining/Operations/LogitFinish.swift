import TritCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What a family does to its logits, `y = cap · tanh(multiplier · x / cap)`, or the product alone
/// where there is no cap; and how a gradient comes back through it.
struct LogitFinish: Sendable {
  let multiplier: Float
  let cap: Float?

  /// In place.
  func apply(_ logits: MutableMatrixView<Float>) {
    guard multiplier != 1 || cap != nil else { return }
    for row in 0..<logits.rows {
      let values = logits.base + row * logits.stride
      if multiplier != 1 {
        VectorMath.scale(values, by: multiplier, into: values, count: logits.columns)
      }
      guard let cap else { continue }
      for index in 0..<logits.columns { values[index] = cap * tanhf(values[index] / cap) }
    }
  }

  /// The cross-entropy of finished logits; with a scale they become the gradient of `x`.
  /// `scratch` has room for a row.
  func loss(
    _ logits: MutableMatrixView<Float>, targets: UnsafePointer<Int32>, gradientScale: Float?,
    scratch: UnsafeMutablePointer<Float>
  ) -> (sum: Double, count: Int) {
    let scale = gradientScale.map { $0 * multiplier }
    guard let cap, scale != nil else {
      return CrossEntropy.loss(logits, targets: targets, gradientScale: scale)
    }
    var total = (sum: 0.0, count: 0)
    let width = logits.columns
    for row in 0..<logits.rows {
      let values = logits.rows(row..<row + 1)
      for index in 0..<width {
        let bent = values.base[index] / cap
        scratch[index] = 1 - bent * bent
      }
      let part = CrossEntropy.loss(values, targets: targets + row, gradientScale: scale)
      total.sum += part.sum
      total.count += part.count
      VectorMath.multiply(values.base, scratch, into: values.base, count: width)
    }
    return total
  }
}
