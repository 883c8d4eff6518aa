public import TritCore

extension StageKind where Product == any WeightQuantizer {
  /// From float32 weights to trits or integers with scales.
  public static var quantizer: Self {
    Self(
      "quantizer", stage: "weight quantizer", scope: .layer, help: "Weight quantizer",
      laws: { checkWeightQuantizer($0) })
  }
}

extension StageKey {
  /// The key of weight quantizers.
  public static let quantizer = StageKind<any WeightQuantizer>.quantizer.key
}

extension Registry where Product == any WeightQuantizer {
  /// Every weight quantizer that the lab ships; reference first.
  public static var standard: Registry<any WeightQuantizer> {
    var registry = Registry<any WeightQuantizer>(.quantizer)
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
    registerScaledVariants(&registry)
    registerFittedVariants(&registry)
    for bits in [8, 4, 2] { registerInteger(bits, &registry) }
    registry.register(
      StageDescriptor(
        "none", aliases: ["f32", "dense"], summary: "weights stay float32",
        source: "identity", accepts: "finite float32 weights", gives: "float32 weights")
    ) { _ in UnquantizedWeights() }
    return registry
  }

  private static func registerScaledVariants(_ registry: inout Registry<any WeightQuantizer>) {
    registry.register(
      StageDescriptor(
        "absmean-ls", summary: "absmean's codes with the least-squares scale",
        source: "least squares on the codes of Ma et al. 2024, arXiv:2402.17764, equation 2",
        parameters: granularityParameters(default: "tensor"), accepts: "finite float32 weights",
        gives: "ternary weights",
        exactness: .lossy("31.0 % zeros, relative MSE 0.213 on Gaussian weights"))
    ) { AbsmeanLeastSquaresQuantizer(granularity: granularity($0)) }
    registry.register(
      StageDescriptor(
        "absmedian", summary: "absmean with the median: not moved by outliers",
        source: "BitNet b1.58 Reloaded: Nielsen, Schneider-Kamp 2024, arXiv:2407.09527",
        parameters: granularityParameters(default: "tensor"), accepts: "finite float32 weights",
        gives: "ternary weights",
        exactness: .lossy("26.4 % zeros, relative MSE 0.318 on Gaussian weights"))
    ) { AbsmedianQuantizer(granularity: granularity($0)) }
    registry.register(
      StageDescriptor(
        "absmax", summary: "ternary by the largest magnitude: a negative control, nearly all zeros",
        source: "absmax scaling (Dettmers et al. 2022, arXiv:2208.07339, §2) at 1.58 bits",
        parameters: granularityParameters(default: "tensor"), accepts: "finite float32 weights",
        gives: "ternary weights",
        exactness: .lossy("relative MSE near 1 on Gaussian weights"))
    ) { AbsmaxTernaryQuantizer(granularity: granularity($0)) }
    registry.register(
      StageDescriptor(
        "sign", aliases: ["1-bit"],
        summary: "sign(W − mean W) · mean|W|: BitNet's 1-bit weights, no zeros",
        source: "Wang et al. 2023, arXiv:2310.11453, equations 1–3, β of §2.1",
        parameters: granularityParameters(default: "tensor"), accepts: "finite float32 weights",
        gives: "ternary weights",
        exactness: .lossy("no zeros, relative MSE 0.364 on Gaussian weights"))
    ) { SignQuantizer(granularity: granularity($0)) }
  }

  private static func registerFittedVariants(_ registry: inout Registry<any WeightQuantizer>) {
    registry.register(
      StageDescriptor(
        "twn", summary: "threshold 0.75·mean|W|, scale the mean of what is kept",
        source: "Li, Zhang, Liu 2016, arXiv:1605.04711, α* and Δ*",
        parameters: granularityParameters(default: "tensor") + [
          ParameterDescriptor(
            "threshold", "Δ in units of mean|W|", .real(0...0.99), default: .real(0.75))
        ], accepts: "finite float32 weights", gives: "ternary weights",
        exactness: .lossy("45.1 % zeros, relative MSE 0.190 on Gaussian weights"))
    ) { TWNQuantizer(granularity: granularity($0), threshold: $0.real("threshold")) }
    registry.register(
      StageDescriptor(
        "lloyd", aliases: ["optimal"],
        summary: "the ternary weights of least squared error, exactly, by sorting",
        source:
          "Lloyd 1982; Li, Zhang, Liu 2016, arXiv:1605.04711, the problem that it approximates",
        parameters: granularityParameters(default: "tensor"), accepts: "finite float32 weights",
        gives: "ternary weights",
        exactness: .lossy("46.0 % zeros, relative MSE 0.190 on Gaussian weights"))
    ) { LloydQuantizer(granularity: granularity($0)) }
  }

  private static func registerInteger(_ bits: Int, _ registry: inout Registry<any WeightQuantizer>)
  {
    let ranges = IntegerQuantizer.CodeRange.allCases.map(\.rawValue)
    let usual = bits == 2 ? "full" : "symmetric"
    registry.register(
      StageDescriptor(
        "int\(bits)", summary: "round to nearest, \(bits) bits by the largest magnitude",
        source: "Dettmers et al. 2022, arXiv:2208.07339, §2; range full: llama.cpp Q4_0",
        parameters: granularityParameters(default: bits == 8 ? "row" : "group") + [
          ParameterDescriptor(
            "range",
            "symmetric: ±\((1 << (bits - 1)) - 1); full: −\(1 << (bits - 1))…"
              + "\((1 << (bits - 1)) - 1), scale of either sign",
            .choice(ranges), default: .text(usual))
        ], accepts: "finite float32 weights", gives: "\(bits)-bit integers",
        exactness: .lossy("half a step, except what full range clips (one step)"))
    ) {
      IntegerQuantizer(
        bits: bits, granularity: granularity($0),
        range: IntegerQuantizer.CodeRange(rawValue: $0.text("range")) ?? .symmetric)
    }
  }

  private static func granularityParameters(default word: String) -> [ParameterDescriptor] {
    [
      ParameterDescriptor(
        "granularity", "what shares one scale", .choice(["tensor", "row", "group"]),
        default: .text(word)),
      ParameterDescriptor(
        "group",
        "columns that share a scale; above 0 it sets granularity to group, and is refused beside another; "
          + "0 stands for 128 there",
        .integer(0...65536), default: .integer(0),
        onlyWhere: ParameterDescriptor.Condition("granularity", is: ["group"], isImplied: true)),
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
