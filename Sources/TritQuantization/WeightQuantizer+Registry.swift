public import TritCore

extension Registry where Product == any WeightQuantizer {
  /// Every weight quantizer that the lab ships; reference first.
  public static var standard: Registry<any WeightQuantizer> {
    var registry = Registry<any WeightQuantizer>(stage: "weight quantizer", key: "quantizer")
    registry.register(
      StageDescriptor(
        "absmean", aliases: ["b1.58"],
        summary:
          "round(W / mean|W|) to −1, 0, +1: BitNet b1.58, what ternary models are trained with",
        source: "Ma et al. 2024, arXiv:2402.17764, equations 1–3",
        parameters: granularityParameters(default: "tensor"), accepts: "finite float32 weights",
        gives: "ternary weights",
        exactness: .lossy("31.0 % zeros, relative MSE 0.264 on Gaussian weights"))
    ) { AbsmeanQuantizer(granularity: granularity($0)) }
    registry.register(
      StageDescriptor(
        "none", aliases: ["f32", "dense"], summary: "weights stay float32",
        source: "identity", accepts: "finite float32 weights", gives: "float32 weights")
    ) { _ in UnquantizedWeights() }
    return registry
  }

  private static func granularityParameters(default word: String) -> [ParameterDescriptor] {
    [
      ParameterDescriptor(
        "granularity", "what shares one scale", .choice(["tensor", "row", "group"]),
        default: .text(word)),
      ParameterDescriptor(
        "group",
        "columns that share a scale; above 0 it sets granularity to group; 0 stands for 128 there",
        .integer(0...65536), default: .integer(0)),
    ]
  }

  private static func granularity(_ parameters: ResolvedParameters) -> ScaleGranularity {
    let group = parameters.integer("group")
    if group > 0 { return .group(group) }
    switch parameters.text("granularity") {
    case "row": return .row
    case "group": return .group(128)
    default: return .tensor
    }
  }
}
