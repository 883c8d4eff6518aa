public import TritCore

extension StageKind where Product == any LogitsProcessor {
  /// What changes or removes candidates before one is drawn.
  public static var processor: Self {
    Self(
      "processor", stage: "logits processor", scope: .sampling, laws: { checkLogitsProcessor($0) })
  }
}

extension StageKey {
  /// The key of logits processors.
  public static let processor = StageKind<any LogitsProcessor>.processor.key
}

extension Registry where Product == any LogitsProcessor {
  /// Every logits processor that the lab ships.
  public static var standard: Registry<any LogitsProcessor> {
    var registry = Registry<any LogitsProcessor>(.processor)
    registerRescaling(&registry)
    registerTruncation(&registry)
    registerPenalties(&registry)
    return registry
  }

  private static func registerRescaling(_ registry: inout Registry<any LogitsProcessor>) {
    registry.register(
      StageDescriptor(
        "temperature", aliases: ["temp"], summary: "divides logits by T; 0 keeps only the best",
        source: "Ackley, Hinton, Sejnowski 1985: softmax(z/T)",
        parameters: [
          ParameterDescriptor(
            "value", "T; below 1 sharpens", .real(0...100), default: .real(0.8))
        ], accepts: "candidates", gives: "the same candidates, rescaled")
    ) { Temperature($0.real("value")) }
    registry.register(
      StageDescriptor(
        "logit-bias", summary: "adds a constant to the logit of one token",
        source: "OpenAI API logit_bias; llama.cpp --logit-bias",
        parameters: [
          ParameterDescriptor(
            "token", "token id", .integer(0...Int(Int32.max)), default: .integer(0)),
          ParameterDescriptor(
            "bias", "added to the logit", .real(-1e6...1e6), default: .real(0)),
        ], accepts: "candidates", gives: "the same candidates, rescaled")
    ) {
      LogitBias([
        LogitBias.Entry(
          token: Int32(truncatingIfNeeded: $0.integer("token")), bias: Float($0.real("bias")))
      ])
    }
  }

  private static func registerTruncation(_ registry: inout Registry<any LogitsProcessor>) {
    registry.register(
      StageDescriptor(
        "top-k", aliases: ["top_k"], summary: "keeps the k most likely tokens",
        source: "Fan et al. 2018, arXiv:1805.04833",
        parameters: [
          ParameterDescriptor(
            "k", "how many stay; 0 keeps all", .integer(0...1 << 24), default: .integer(40))
        ], accepts: "candidates", gives: "at most k candidates")
    ) { TopK($0.integer("k")) }
    registry.register(
      StageDescriptor(
        "top-p", aliases: ["top_p"],
        summary: "keeps the smallest set of most likely tokens with probability p (nucleus)",
        source: "Holtzman et al. 2020, arXiv:1904.09751, equation 2",
        parameters: [probability("p", "probability to keep; 1 keeps all", default: 0.95)],
        accepts: "candidates", gives: "fewer candidates")
    ) { TopP($0.real("p")) }
    registry.register(
      StageDescriptor(
        "min-p", aliases: ["min_p"], summary: "keeps tokens at least p times as likely as the best",
        source: "Nguyen et al. 2024, arXiv:2407.01082",
        parameters: [
          ParameterDescriptor(
            "p", "share of the best token's probability; 0 keeps all", .real(0...1),
            default: .real(0.05))
        ], accepts: "candidates", gives: "fewer candidates")
    ) { MinP($0.real("p")) }
    registry.register(
      StageDescriptor(
        "typical", aliases: ["typ_p", "typical-p"],
        summary: "keeps the tokens whose surprise is nearest to the entropy (locally typical)",
        source: "Meister et al. 2023, arXiv:2202.00666",
        parameters: [probability("p", "probability to keep; 1 keeps all", default: 0.95)],
        accepts: "candidates", gives: "fewer candidates")
    ) { Typical($0.real("p")) }
    registry.register(
      StageDescriptor(
        "xtc", summary: "now and then leaves out all but the least likely of the top choices",
        source: "p-e-w, text-generation-webui pull request 6335; llama.cpp --xtc-probability",
        parameters: [
          ParameterDescriptor(
            "probability", "how often it acts; 0 never", .real(0...1), default: .real(0.5)),
          ParameterDescriptor(
            "threshold", "the probability of a top choice; above 0.5 it never acts", .real(0...1),
            default: .real(0.1)),
        ], accepts: "candidates", gives: "fewer candidates")
    ) { XTC($0.real("probability"), threshold: $0.real("threshold")) }
  }

  private static func registerPenalties(_ registry: inout Registry<any LogitsProcessor>) {
    let lastN = ParameterDescriptor(
      "last-n", "how many of the newest tokens count; -1 all, 0 none", .integer(-1...1 << 30),
      default: .integer(64))
    let subtracted = ParameterDescriptor(
      "penalty", "subtracted from the logit; negative favours repetition", .real(-100...100),
      default: .real(0.5))
    registry.register(
      StageDescriptor(
        "repetition-penalty", aliases: ["repeat-penalty"],
        summary: "divides positive logits of recent tokens, multiplies negative ones",
        source: "Keskar et al. 2019, arXiv:1909.05858, §4.1, in its sign-aware form",
        parameters: [
          ParameterDescriptor(
            "penalty", "θ above 0; 1 changes nothing", .real(1e-6...100), default: .real(1.1)),
          lastN,
        ], accepts: "candidates", gives: "the same candidates, rescaled")
    ) { RepetitionPenalty($0.real("penalty"), lastN: $0.integer("last-n")) }
    registry.register(
      StageDescriptor(
        "presence-penalty", summary: "subtracts a constant from the logits of recent tokens",
        source: "OpenAI API presence_penalty", parameters: [subtracted, lastN],
        accepts: "candidates", gives: "the same candidates, rescaled")
    ) { PresencePenalty($0.real("penalty"), lastN: $0.integer("last-n")) }
    registry.register(
      StageDescriptor(
        "frequency-penalty",
        summary: "subtracts a constant for each occurrence of a recent token",
        source: "OpenAI API frequency_penalty", parameters: [subtracted, lastN],
        accepts: "candidates", gives: "the same candidates, rescaled")
    ) { FrequencyPenalty($0.real("penalty"), lastN: $0.integer("last-n")) }
    registry.register(
      StageDescriptor(
        "dry", summary: "penalizes tokens that would continue a repetition, the longer the more",
        source: "p-e-w, text-generation-webui pull request 5677; llama.cpp --dry-multiplier",
        parameters: [
          ParameterDescriptor(
            "multiplier", "what the shortest repetition loses; 0 is off", .real(0...100),
            default: .real(0.8)),
          ParameterDescriptor(
            "base", "each further token multiplies it by this", .real(1...100),
            default: .real(1.75)),
          ParameterDescriptor(
            "allowed-length", "tokens of a repetition that begins to cost", .integer(1...1 << 20),
            default: .integer(2)),
          ParameterDescriptor(
            "last-n", "how many of the newest tokens count; -1 all, 0 none",
            .integer(-1...1 << 30), default: .integer(-1)),
        ], accepts: "candidates", gives: "the same candidates, rescaled")
    ) {
      DRY(
        $0.real("multiplier"), base: $0.real("base"), allowedLength: $0.integer("allowed-length"),
        lastN: $0.integer("last-n"))
    }
  }

  /// A probability above 0: a truncation that kept nothing would be no truncation.
  private static func probability(
    _ name: String, _ summary: String, default value: Double
  ) -> ParameterDescriptor {
    ParameterDescriptor(name, summary, .real(1e-6...1), default: .real(value))
  }
}
