import TritCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Cross-entropy of the next token, in nats, and its gradient.
enum CrossEntropy {
  /// A target that is not to be learned or counted.
  static let ignored: Int32 = -1

  /// Sum over the rows of `−log softmax(logits)[target]`, in double, and how many rows counted.
  /// With a `scale`, `logits` `[tokens, vocabulary]` becomes the gradient
  /// `(softmax − onehot) · scale`.
  static func loss(
    _ logits: MutableMatrixView<Float>, targets: UnsafePointer<Int32>, gradientScale scale: Float?
  ) -> (sum: Double, count: Int) {
    var sum = 0.0
    var count = 0
    for row in 0..<logits.rows {
      let values = logits.base + row * logits.stride
      let target = Int(targets[row])
      guard target >= 0 else {
        if scale != nil { values.update(repeating: 0, count: logits.columns) }
        continue
      }
      let largest = VectorMath.maximum(values, count: logits.columns)
      let chosen = values[target]
      let total = VectorMath.exp(values, minus: largest, into: values, count: logits.columns)
      sum += log(total) + Double(largest) - Double(chosen)
      count += 1
      if let scale {
        VectorMath.scale(
          values, by: Float(Double(scale) / total), into: values, count: logits.columns)
        values[target] -= scale
      }
    }
    return (sum, count)
  }
}
