public import TritCore

/// Ternary weight networks: a threshold at a fixed share of the mean magnitude, and the scale that
/// fits.
///
/// Δ = 0.75·mean|W|, T = sign(W)·[|W| > Δ], α = mean of |W| over |W| > Δ, Ŵ = αT. Source: Li,
/// Zhang, Liu 2016 (arXiv:1605.04711), α* and Δ*; the paper derives 0.75 for Gaussian and 0.7 is
/// its compromise with uniform weights.
public struct TWNQuantizer: GroupwiseTernaryQuantizer {
  /// The registered name.
  public let name = "twn"
  /// True: dequantized, every kept weight is α, above 0.75 of a mean that is at most α.
  public let isIdempotent = true
  /// How many weights share a scale.
  public let granularity: ScaleGranularity
  /// Δ in units of the mean magnitude.
  public let threshold: Double

  /// One scale per tensor and 0.75 unless told otherwise; `threshold` is in 0..<1.
  public init(granularity: ScaleGranularity = .tensor, threshold: Double = 0.75) {
    self.granularity = granularity
    self.threshold = threshold
  }

  /// Threshold Δ, scale α; zero for a group of zeros.
  public func fit(_ group: MatrixView<Float>) -> TernaryFit {
    let statistics = GroupStatistics(group)
    let limit = Float(threshold) * statistics.meanMagnitude()
    let kept = statistics.above(limit)
    return kept.count == 0 ? .zero : TernaryFit(.threshold(limit), scale: kept.mean)
  }
}

/// The ternary quantizer of least squared error, exactly.
///
/// For a set S of kept weights the best scale is mean|W| over S and lowers the squared error by
/// (Σ_S |w|)²/|S|; the best S of a size holds the largest magnitudes. So: sort |W| falling, take
/// the k that maximises (Σ_{i≤k} |w|ᵢ)²/k. Lloyd's iteration Δ = α/2 finds a local optimum of the
/// same; this is the global one. Source: Lloyd 1982, "Least squares quantization in PCM"; Li et al.
/// 2016 (arXiv:1605.04711), the problem that it approximates.
public struct LloydQuantizer: GroupwiseTernaryQuantizer {
  /// The registered name.
  public let name = "lloyd"
  /// True: levels −α, 0, α are represented without error.
  public let isIdempotent = true
  /// How many weights share a scale.
  public let granularity: ScaleGranularity

  /// One scale per tensor unless told otherwise.
  public init(granularity: ScaleGranularity = .tensor) { self.granularity = granularity }

  /// The optimal threshold and scale; zero for a group of zeros.
  public func fit(_ group: MatrixView<Float>) -> TernaryFit {
    SortedMagnitudes.withSorted(group) { rising in
      var sum = 0.0
      var best = (gain: 0.0, dropped: rising.count, mean: 0.0)
      for dropped in stride(from: rising.count - 1, through: 0, by: -1) {
        let magnitude = rising[dropped]
        sum += Double(Float(bitPattern: magnitude))
        // The gain is convex along equal magnitudes, so keeping all or none of them is best.
        if dropped > 0, rising[dropped - 1] == magnitude { continue }
        let kept = Double(rising.count - dropped)
        let gain = sum * sum / kept
        if gain > best.gain { best = (gain, dropped, sum / kept) }
      }
      guard Float(best.mean) > 0 else { return .zero }
      let threshold = best.dropped == 0 ? 0 : Float(bitPattern: rising[best.dropped - 1])
      return TernaryFit(.threshold(threshold), scale: Float(best.mean))
    }
  }
}
