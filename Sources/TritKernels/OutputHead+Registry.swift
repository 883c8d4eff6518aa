public import TritCore

extension Registry where Product == any OutputHead {
  /// Every output head that the lab ships; reference first.
  public static var standard: Registry<any OutputHead> {
    var registry = Registry<any OutputHead>(stage: "output head", key: "head")
    registry.register(
      StageDescriptor(
        "f32", summary: "float32 weights through OpenBLAS: the reference",
        source: "the formula logits = x · Wᵀ", accepts: "float32 weights", gives: "logits")
    ) { _ in Float32Head() }
    registry.register(
      StageDescriptor(
        "f16", summary: "binary16 weights, widened as they are read", source: "IEEE 754 binary16",
        accepts: "float32 weights up to 65504", gives: "logits",
        exactness: .lossy("each weight within 2^-11 of its magnitude"))
    ) { _ in HalfHead(.f16) }
    registry.register(
      StageDescriptor(
        "bf16", summary: "bfloat16 weights; exact for checkpoints stored in bfloat16",
        source: "bfloat16: the upper half of a float32", accepts: "float32 weights",
        gives: "logits", exactness: .lossy("each weight within 2^-8 of its magnitude"))
    ) { _ in HalfHead(.bf16) }
    return registry
  }
}
