public import TritCore

/// BitNet b1.58: trits are weights divided by their mean magnitude, rounded; the reference
/// quantizer.
///
/// γ = max(mean|W|, 1e−5), s = 1/γ, T = clip(round_half_even(W·s), −1, 1), Ŵ = T/s, in float32 in
/// this order of operations, which is that of the transformers library's online BitNet layers. The
/// mean is summed in double and rounded once, so it is within an ulp of any careful float32 sum.
///
/// Source: Ma et al. 2024 (arXiv:2402.17764), equations 1–3.
public struct AbsmeanQuantizer: GroupwiseTernaryQuantizer {
  /// The registered name.
  public let name = "absmean"
  /// How many weights share a scale.
  public let granularity: ScaleGranularity

  /// One scale per tensor, as b1.58 models are trained, unless told otherwise.
  public init(granularity: ScaleGranularity = .tensor) { self.granularity = granularity }

  /// Multiplier s = 1/max(mean|W|, 1e−5), scale 1/s.
  public func fit(_ group: MatrixView<Float>) -> TernaryFit {
    let multiplier = Self.multiplier(group)
    return TernaryFit(.rounding(multiplier: multiplier), scale: 1 / multiplier)
  }

  static func multiplier(_ group: MatrixView<Float>) -> Float {
    1 / max(GroupStatistics(group).meanMagnitude(), 1e-5)
  }
}
