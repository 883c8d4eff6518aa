public import TritCore

/// The codes of absmean with the scale that fits them best: what absmean loses by its scale alone.
///
/// T as absmean; α = ⟨W,T⟩/⟨T,T⟩, the mean magnitude of the weights that were kept, which minimises
/// ‖W − αT‖. Source: least squares on the codes of arXiv:2402.17764, equation 2.
public struct AbsmeanLeastSquaresQuantizer: GroupwiseTernaryQuantizer {
  /// The registered name.
  public let name = "absmean-ls"
  /// True: dequantized, every kept weight is α, far above half the mean, which is at most α/2.
  public let isIdempotent = true
  /// How many weights share a scale.
  public let granularity: ScaleGranularity

  /// One scale per tensor unless told otherwise.
  public init(granularity: ScaleGranularity = .tensor) { self.granularity = granularity }

  /// absmean's coding, least-squares scale; zero for a group whose codes are all zero.
  public func fit(_ group: MatrixView<Float>) -> TernaryFit {
    let multiplier = AbsmeanQuantizer.multiplier(group)
    // round_half_even(w · s) is not 0 exactly where |w · s| > 0.5.
    let kept = GroupStatistics(group).above(0.5, multiplier: multiplier)
    return kept.count == 0
      ? .zero : TernaryFit(.rounding(multiplier: multiplier), scale: kept.mean)
  }
}

/// absmean with the median magnitude in place of the mean: not moved by outliers.
///
/// γ = max(median|W|, 1e−5) (the lower median of an even count), then as absmean.
/// Source: Nielsen, Schneider-Kamp 2024, "BitNet b1.58 Reloaded" (arXiv:2407.09527), its median
/// variant.
public struct AbsmedianQuantizer: GroupwiseTernaryQuantizer {
  /// The registered name.
  public let name = "absmedian"
  /// How many weights share a scale.
  public let granularity: ScaleGranularity

  /// One scale per tensor unless told otherwise.
  public init(granularity: ScaleGranularity = .tensor) { self.granularity = granularity }

  /// Multiplier 1/γ, scale γ.
  public func fit(_ group: MatrixView<Float>) -> TernaryFit {
    let median = SortedMagnitudes.lowerMedian(of: group)
    let multiplier = 1 / max(median, 1e-5)
    return TernaryFit(.rounding(multiplier: multiplier), scale: 1 / multiplier)
  }
}

/// Ternary by the largest magnitude: a negative control.
///
/// γ = max|W|, T = round_half_even(W/γ), Ŵ = γT: one outlier decides the scale, and nearly every
/// weight rounds to zero. It is what "absmax" does so well at 8 bits, at a width where it cannot
/// work.
public struct AbsmaxTernaryQuantizer: GroupwiseTernaryQuantizer {
  /// The registered name.
  public let name = "absmax"
  /// True: the largest magnitude is kept.
  public let isIdempotent = true
  /// How many weights share a scale.
  public let granularity: ScaleGranularity

  /// One scale per tensor unless told otherwise.
  public init(granularity: ScaleGranularity = .tensor) { self.granularity = granularity }

  /// Threshold γ/2, scale γ.
  public func fit(_ group: MatrixView<Float>) -> TernaryFit {
    let largest = GroupStatistics(group).largestMagnitude()
    return TernaryFit(.threshold(largest / 2), scale: largest)
  }
}
