public import TritCore

extension Registry where Product == any ActivationQuantizer {
  /// Every activation quantizer that the lab ships; reference first.
  public static var standard: Registry<any ActivationQuantizer> {
    var registry = Registry<any ActivationQuantizer>(
      stage: "activation quantizer", key: "activations")
    registry.register(
      StageDescriptor(
        "int8", aliases: ["a8"],
        summary: "absmax per token to −127…127: what W1.58A8 models are trained with",
        source:
          "Wang et al. 2023, arXiv:2310.11453, equations 4–5; Ma et al. 2025, arXiv:2504.12285",
        accepts: "float32 rows", gives: "int8 rows",
        exactness: .lossy("at most half a step of max|x|/127 a value"))
    ) { _ in Int8Activations() }
    registry.register(
      StageDescriptor(
        "none", aliases: ["f32", "a16"], summary: "activations stay float32", source: "identity",
        accepts: "float32 rows", gives: "float32 rows")
    ) { _ in UnquantizedActivations() }
    return registry
  }
}
