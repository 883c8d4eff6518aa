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
    let feedback = [
      ParameterDescriptor(
        "tau", "target surprise, in bits a token", .real(0...100), default: .real(5)),
      ParameterDescriptor(
        "eta", "how fast the bound follows", .real(0...10), default: .real(0.1)),
    ]
    registry.register(
      StageDescriptor(
        "mirostat", summary: "keeps the surprise of the text near a target: k by Zipf's exponent",
        source: "Basu et al. 2021, arXiv:2007.14966, algorithm 1", parameters: feedback,
        accepts: "candidates", gives: "a token")
    ) { Mirostat(tau: $0.real("tau"), eta: $0.real("eta")) }
    registry.register(
      StageDescriptor(
        "mirostat-v2", aliases: ["mirostat2"],
        summary: "keeps the surprise of the text near a target: leaves out what is above a bound",
        source: "Basu et al. 2021, arXiv:2007.14966, simplified by its authors; llama.cpp",
        parameters: feedback, accepts: "candidates", gives: "a token")
    ) { Mirostat2(tau: $0.real("tau"), eta: $0.real("eta")) }
    return registry
  }
}
