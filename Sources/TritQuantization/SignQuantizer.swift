public import TritCore

/// BitNet's 1-bit weights: the sign around the mean, times the mean magnitude. No zeros.
///
/// μ = mean W, T = +1 where W > μ, else −1, β = mean|W|, Ŵ = βT. Source: Wang et al. 2023 (BitNet,
/// arXiv:2310.11453), equations 1–3, scale β of §2.1.
public struct SignQuantizer: GroupwiseTernaryQuantizer {
  /// The registered name.
  public let name = "sign"
  /// How many weights share a scale.
  public let granularity: ScaleGranularity

  /// One scale per tensor, as in the paper, unless told otherwise.
  public init(granularity: ScaleGranularity = .tensor) { self.granularity = granularity }

  /// Centre μ, scale β; zero for a group of zeros.
  public func fit(_ group: MatrixView<Float>) -> TernaryFit {
    let statistics = GroupStatistics(group)
    let scale = statistics.meanMagnitude()
    if scale == 0 { return .zero }
    let centre = Float(statistics.sum() / Double(statistics.count))
    return TernaryFit(.sign(centre: centre), scale: scale)
  }
}
