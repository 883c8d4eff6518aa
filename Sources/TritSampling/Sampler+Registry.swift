public import TritCore

extension StageKind where Product == any Sampler {
  /// What draws a token from the candidates that are left.
  public static var sampler: Self {
    Self("sampler", stage: "sampler", scope: .sampling, laws: { checkSampler($0) })
  }
}

extension StageKey {
  /// The key of samplers.
  public static let sampler = StageKind<any Sampler>.sampler.key
}

extension Registry where Product == any Sampler {
  /// Every sampler that the lab ships; reference first.
  public static var standard: Registry<any Sampler> {
    var registry = Registry<any Sampler>(.sampler)
    registry.register(
      StageDescriptor(
        "greedy", summary: "always the most likely token, the smallest id on a tie",
        source: "argmax of the logits", accepts: "candidates", gives: "a token")
    ) { _ in Greedy() }
    registry.register(
      StageDescriptor(
        "multinomial", summary: "draws a token by its softmax probability, seeded",
        source: "inverse transform sampling of softmax(z)", accepts: "candidates", gives: "a token")
    ) { _ in Multinomial() }
    return registry
  }
}
