public import TritCore

extension StageKind where Product == any ActivationQuantizer {
  /// From float32 inputs of a layer to what its kernel multiplies.
  public static var activations: Self {
    Self(
      "activations", stage: "activation quantizer", scope: .layer, help: "Activation quantizer",
      laws: { checkActivationQuantizer($0) })
  }
}

extension StageKey {
  /// The key of activation quantizers.
  public static let activations = StageKind<any ActivationQuantizer>.activations.key
}

extension Registry where Product == any ActivationQuantizer {
  /// Every activation quantizer that the lab ships; reference first.
  public static var standard: Registry<any ActivationQuantizer> {
    var registry = Registry<any ActivationQuantizer>(.activations)
    registry.register(
      StageDescriptor(
        "int8", aliases: ["a8"],
        summary: "absmax per token to −127…127: what W1.58A8 models are trained with",
        source:
          "Ma et al. 2025, arXiv:2504.12285, §2 (levels 2^(b−1) − 1 = 127); Wang et al. 2023, "
          + "arXiv:2310.11453, equations 4–5 scale by 2^(b−1) = 128 and clip below it",
        accepts: "float32 rows", gives: "int8 rows",
        exactness: .lossy("at most half a step of max|x|/127 a value"))
    ) { _ in Int8Activations() }
    registerVariants(&registry)
    registry.register(
      StageDescriptor(
        "none", aliases: ["f32", "a16"], summary: "activations stay float32", source: "identity",
        accepts: "float32 rows", gives: "float32 rows")
    ) { _ in UnquantizedActivations() }
    return registry
  }

  private static func registerVariants(_ registry: inout Registry<any ActivationQuantizer>) {
    registry.register(
      StageDescriptor(
        "int8-clipped",
        summary:
          "int8 with the scale of a percentile of |x|; what lies above, at least one value, is clipped",
        source: "percentile calibration, Wu et al. 2020, arXiv:2004.09602, per token",
        parameters: [
          ParameterDescriptor(
            "percentile",
            "percent of magnitudes that are not clipped; below 100 the largest always is",
            .real(50...100),
            default: .real(99.9))
        ], accepts: "float32 rows", gives: "int8 rows",
        exactness: .lossy("half a step of the percentile/127, and what is clipped"))
    ) { ClippedInt8Activations(percentile: $0.real("percentile")) }
    registry.register(
      StageDescriptor(
        "int4", aliases: ["a4"], summary: "absmax per token to −7…7, in int8 rows",
        source:
          "the formula of int8 with 4 bits, 2^(b−1) − 1 = 7; Wang et al. 2023, arXiv:2310.11453, "
          + "equation 4, has 2^(b−1) = 8",
        accepts: "float32 rows", gives: "int8 rows",
        exactness: .lossy("at most half a step of max|x|/7 a value"))
    ) { _ in Int4Activations() }
    registry.register(
      StageDescriptor(
        "int4-absmean", summary: "4 bits scaled by the mean magnitude; large values are clipped",
        source: "BitNet a4.8: Wang, Ma, Wei 2024, arXiv:2411.04965", accepts: "float32 rows",
        gives: "int8 rows", exactness: .lossy("half a step of mean|x|/√7, and what is clipped"))
    ) { _ in AbsmeanInt4Activations() }
    registry.register(
      StageDescriptor(
        "hadamard-int4",
        summary:
          "Hadamard rotation, 4 bits scaled by the mean magnitude, rotation back; float32 because the "
          + "codes live in the rotated basis",
        source:
          "BitNet v2: Wang, Ma, Wei 2025, arXiv:2504.18415: absmean for 4 bits, absmax for 8",
        parameters: [
          ParameterDescriptor(
            "block", "columns that are mixed, a power of two", .integer(1...65536),
            default: .integer(1024)),
          ParameterDescriptor("bits", "bits of a code", .integer(2...8), default: .integer(4)),
          ParameterDescriptor(
            "scale", "what the codes are scaled by; auto: absmean up to 4 bits, else absmax",
            .choice(["auto", "absmean", "absmax"]), default: .text("auto")),
        ], accepts: "float32 rows", gives: "float32 rows",
        exactness: .lossy("rms error of a rotated row's step, spread over its block"))
    ) {
      try HadamardActivations(
        block: $0.integer("block"), bits: $0.integer("bits"),
        scale: HadamardActivations.Scale(rawValue: $0.text("scale")))
    }
  }
}
