public import TritCore

/// Round-to-nearest to 2…8 bits by the largest magnitude of a group, no zero point: the
/// post-training baseline that ternary training is compared with.
///
/// `symmetric`: L = 2^(b−1) − 1, scale = max|W|/L, q = round_half_even(W·(L/max|W|)) in −L…L.
/// `full`: scale = −(the value of largest magnitude)/2^(b−1), so that this value is coded −2^(b−1)
/// exactly and all 2^b codes are in use; the scale may be negative. It matters at 2 bits, where
/// `symmetric` is ternary. Source: symmetric: Dettmers et al. 2022 (LLM.int8(), arXiv:2208.07339),
/// §2; full: llama.cpp's Q4_0.
public struct IntegerQuantizer: WeightQuantizer {
  /// Which codes are used.
  public enum CodeRange: String, Sendable, Hashable, CaseIterable {
    /// −L…L with L = 2^(b−1) − 1.
    case symmetric
    /// −2^(b−1)…2^(b−1) − 1.
    case full
  }

  /// The registered name: `int` and the bits.
  public var name: String { "int\(bits)" }
  /// True: the value of largest magnitude is kept (up to rounding), so the grid stays.
  public let isIdempotent = true
  /// Bits of a code, 2…8.
  public let bits: Int
  /// How many weights share a scale.
  public let granularity: ScaleGranularity
  /// Which codes are used.
  public let range: CodeRange

  /// Codes of `bits` bits, 2…8.
  public init(bits: Int, granularity: ScaleGranularity, range: CodeRange = .symmetric) {
    precondition((2...8).contains(bits), "an integer quantizer has 2 to 8 bits, not \(bits)")
    self.bits = bits
    self.granularity = granularity
    self.range = range
  }

  /// `.integer` of the same shape. A group of zeros has scale 0.
  public func quantize(_ weights: MatrixView<Float>) throws -> QuantizedWeights {
    try WeightGroups.requireFinite(weights)
    let values = AlignedBuffer<Int8>(count: weights.rows * weights.columns)
    var scales = [Float](
      repeating: 0,
      count: granularity.scaleCount(rows: weights.rows, columns: weights.columns))
    let half = Float(1 << (bits - 1))
    let low = range == .full ? -half : 1 - half
    WeightGroups.forEach(of: weights, by: granularity) { group, first, index in
      guard group.rows * group.columns > 0, let step = step(group, half: half) else { return }
      scales[index] = step.scale
      for row in 0..<group.rows {
        TritCoder.round(
          group.base + row * group.stride, group.columns, multiplier: step.multiplier, low: low,
          high: half - 1, into: values.base + first + row * group.columns)
      }
    }
    return .integer(
      IntegerMatrix(
        rows: weights.rows, columns: weights.columns, bits: bits, values: values, scales: scales,
        granularity: granularity))
  }

  /// Scale and its inverse; nil where the group is zero, or so small that the inverse overflows.
  private func step(
    _ group: MatrixView<Float>, half: Float
  ) -> (scale: Float, multiplier: Float)? {
    let statistics = GroupStatistics(group)
    let extreme: Float
    let levels: Float
    switch range {
    case .symmetric: (extreme, levels) = (statistics.largestMagnitude(), half - 1)
    case .full: (extreme, levels) = (statistics.valueOfLargestMagnitude(), -half)
    }
    var scale = extreme / levels
    // At the end of float32's range a scale that was rounded up would make infinity of the largest
    // weight.
    if !(scale * levels).isFinite { scale = scale > 0 ? scale.nextDown : scale.nextUp }
    let multiplier = levels / extreme
    return extreme != 0 && multiplier.isFinite && scale != 0 ? (scale, multiplier) : nil
  }
}
