import Foundation
import TritLab

/// The options of the sampling chain, with llama.cpp's names and defaults.
package enum SamplingFlags {
  static let temperature = OptionSpec(
    "-temp", "--temperature", "--temp", value: "t", help: "Divides the logits; 0 is greedy",
    default: "0.8")
  static let topK = OptionSpec(
    "--top-k", value: "k", help: "Keep the k best; 0 keeps all", default: "40")
  static let topP = OptionSpec(
    "--top-p", value: "p", help: "Keep the best that sum to p; 1 keeps all", default: "0.95")
  static let minP = OptionSpec(
    "--min-p", value: "p", help: "Keep those at least p as likely as the best; 0 keeps all",
    default: "0.05")
  static let typical = OptionSpec(
    "--typical", value: "p", help: "Keep the most typical that sum to p; 1 keeps all",
    default: "1")
  static let repeatPenalty = OptionSpec(
    "--repeat-penalty", value: "x", help: "Divides logits of recent tokens; 1 is off",
    default: "1")
  static let repeatLastN = OptionSpec(
    "--repeat-last-n", value: "n", help: "Tokens that penalties look back at; 0 none, -1 all",
    default: "64")
  static let presencePenalty = OptionSpec(
    "--presence-penalty", value: "x", help: "Subtracted from logits of recent tokens",
    default: "0")
  static let frequencyPenalty = OptionSpec(
    "--frequency-penalty", value: "x", help: "Subtracted for each occurrence", default: "0")
  static let dryMultiplier = OptionSpec(
    "--dry-multiplier", value: "x", help: "What a repetition costs (DRY); 0 is off", default: "0")
  static let dryBase = OptionSpec(
    "--dry-base", value: "x", help: "Each further token of it multiplies that", default: "1.75")
  static let dryAllowedLength = OptionSpec(
    "--dry-allowed-length", value: "n", help: "Tokens of a repetition that begins to cost",
    default: "2")
  static let dryPenaltyLastN = OptionSpec(
    "--dry-penalty-last-n", value: "n", help: "Tokens that DRY looks back at; 0 none, -1 all",
    default: "-1")
  static let dryBreaker = OptionSpec(
    "--dry-sequence-breaker", value: "text",
    help: "Text at which repetitions end, in place of newline, colon, quotation mark and asterisk; "
      + "may be repeated; 'none' is none")
  static let xtcProbability = OptionSpec(
    "--xtc-probability", value: "p", help: "How often top choices are left out (XTC); 0 is off",
    default: "0")
  static let xtcThreshold = OptionSpec(
    "--xtc-threshold", value: "p", help: "Probability of a top choice; above 0.5 there is none",
    default: "0.1")
  static let mirostat = OptionSpec(
    "--mirostat", value: "version",
    help: "1 or 2: keep the surprise near a target, in place of all but temperature; 0 is off",
    default: "0")
  static let mirostatRate = OptionSpec(
    "--mirostat-lr", value: "x", help: "How fast mirostat follows (eta)", default: "0.1")
  static let mirostatTarget = OptionSpec(
    "--mirostat-ent", value: "bits", help: "Mirostat's target surprise a token (tau)", default: "5")
  static let logitBias = OptionSpec(
    "-l", "--logit-bias", value: "id+b", help: "Add b to a token's logit, as 15043+1 or 2-inf")
  static let seed = OptionSpec(
    "-s", "--seed", value: "seed", help: "Seed of the draw; -1 takes one from the clock",
    default: "0", environment: "TRITLAB_SEED")

  static let chain = OptionSpec(
    "--samplers", value: "a;b;c",
    help: "The chain by name and in your order, the sampler last, as "
      + "'top-k;typical:p=0.9;temperature'; a stage without parameters has those of the "
      + "options above ('trit list processor' and 'trit list sampler' name the stages)")

  static let group = OptionGroup(
    "SAMPLING OPTIONS (in the order in which they act: penalties first, temperature last)",
    [
      logitBias, repeatPenalty, repeatLastN, frequencyPenalty, presencePenalty, dryMultiplier,
      dryBase, dryAllowedLength, dryPenaltyLastN, dryBreaker, topK, typical, topP, minP,
      xtcProbability, xtcThreshold, temperature, mirostat, mirostatRate, mirostatTarget, seed,
      chain,
    ])

  /// An option that gives a stage of `--samplers` a parameter: both names, and that of the library.
  private struct StageParameter {
    let name: String
    let option: OptionSpec
    let key: String

    init(_ name: String, _ option: OptionSpec, _ key: String) {
      (self.name, self.option, self.key) = (name, option, key)
    }
  }

  private static let parameters: [String: [StageParameter]] = [
    "repetition-penalty": [
      .init("penalty", repeatPenalty, "repeat-penalty"),
      .init("last-n", repeatLastN, "repeat-last-n"),
    ],
    "frequency-penalty": [
      .init("penalty", frequencyPenalty, "frequency-penalty"),
      .init("last-n", repeatLastN, "repeat-last-n"),
    ],
    "presence-penalty": [
      .init("penalty", presencePenalty, "presence-penalty"),
      .init("last-n", repeatLastN, "repeat-last-n"),
    ],
    "dry": [
      .init("multiplier", dryMultiplier, "dry-multiplier"), .init("base", dryBase, "dry-base"),
      .init("allowed-length", dryAllowedLength, "dry-allowed-length"),
      .init("last-n", dryPenaltyLastN, "dry-penalty-last-n"),
    ],
    "top-k": [.init("k", topK, "top-k")], "typical": [.init("p", typical, "typical")],
    "top-p": [.init("p", topP, "top-p")], "min-p": [.init("p", minP, "min-p")],
    "xtc": [
      .init("probability", xtcProbability, "xtc-probability"),
      .init("threshold", xtcThreshold, "xtc-threshold"),
    ],
    "temperature": [.init("value", temperature, "temperature")],
    "mirostat": [
      .init("tau", mirostatTarget, "mirostat-tau"), .init("eta", mirostatRate, "mirostat-eta"),
    ],
    "mirostat-v2": [
      .init("tau", mirostatTarget, "mirostat-tau"), .init("eta", mirostatRate, "mirostat-eta"),
    ],
  ]

  /// What to generate with: the chain of `--samplers`, or that of the single options. Every bad
  /// value is told before a model is read.
  static func generation(_ arguments: ParsedArguments) throws -> GenerationOptions {
    var options = GenerationOptions(sampling: try options(arguments))
    guard let text = arguments.text(chain) else { return options }
    options.stages = try stages(try SamplerChain.stages(parsing: text), arguments)
    _ = try options.chain(lab: arguments.lab)
    return options
  }

  /// The stages of `--samplers`: one without parameters has those of the single options, as in
  /// llama.cpp; one with some takes the others from options that were given. Throws a usage error
  /// for an option that no stage takes, and for one beside the same parameter of a stage.
  private static func stages(_ named: [StageChoice], _ arguments: ParsedArguments) throws
    -> [StageChoice]
  {
    let options = try options(arguments)
    var used: Set<String> = []
    let stages = try named.flatMap { choice -> [StageChoice] in
      if choice.name == "penalties", choice.parameters.isEmpty {
        let names = ["repetition-penalty", "frequency-penalty", "presence-penalty"]
        used.formUnion(names.flatMap { parameters[$0] ?? [] }.map(\.option.mainName))
        return try names.map { try filled(StageChoice($0), $0, options, arguments, &used) }
      }
      let lab = arguments.lab
      let known = lab[.processor].descriptor(choice.name) ?? lab[.sampler].descriptor(choice.name)
      return [try filled(choice, known?.name ?? choice.name, options, arguments, &used)]
    }
    let all = parameters.values.flatMap { $0.map(\.option) } + [logitBias, mirostat, dryBreaker]
    if let other = all.first(where: { arguments.has($0) && !used.contains($0.mainName) }) {
      throw ParserError.conflict(chain, other)
    }
    return stages
  }

  private static func filled(
    _ choice: StageChoice, _ name: String, _ options: SamplingOptions,
    _ arguments: ParsedArguments, _ used: inout Set<String>
  ) throws -> StageChoice {
    var result = choice
    if name == "dry" { used.insert(dryBreaker.mainName) }
    for parameter in parameters[name] ?? [] {
      let isGiven = arguments.has(parameter.option)
      if isGiven, choice.parameters[parameter.name] != nil {
        throw ParserError.conflict(chain, parameter.option)
      }
      if isGiven || choice.parameters.isEmpty {
        result.parameters[parameter.name] = options.value(of: parameter.key)
      }
      used.insert(parameter.option.mainName)
    }
    return result
  }

  /// The chain's options. Ranges are the library's; every bad value is told at once.
  package static func options(_ arguments: ParsedArguments) throws -> SamplingOptions {
    var options = SamplingOptions()
    options.temperature = try real(temperature, "temperature", arguments) ?? options.temperature
    options.topK = try integer(topK, "top-k", arguments) ?? options.topK
    options.topP = try real(topP, "top-p", arguments) ?? options.topP
    options.minP = try real(minP, "min-p", arguments) ?? options.minP
    options.typical = try real(typical, "typical", arguments) ?? options.typical
    options.repeatPenalty =
      try real(repeatPenalty, "repeat-penalty", arguments) ?? options.repeatPenalty
    options.repeatLastN =
      try integer(repeatLastN, "repeat-last-n", arguments) ?? options.repeatLastN
    options.presencePenalty = try real(presencePenalty, "presence-penalty", arguments) ?? 0
    options.frequencyPenalty = try real(frequencyPenalty, "frequency-penalty", arguments) ?? 0
    options.dryMultiplier = try real(dryMultiplier, "dry-multiplier", arguments) ?? 0
    options.dryBase = try real(dryBase, "dry-base", arguments) ?? options.dryBase
    options.dryAllowedLength =
      try integer(dryAllowedLength, "dry-allowed-length", arguments) ?? options.dryAllowedLength
    options.dryPenaltyLastN =
      try integer(dryPenaltyLastN, "dry-penalty-last-n", arguments) ?? options.dryPenaltyLastN
    if arguments.has(dryBreaker) {
      options.dryBreakers = arguments.all(dryBreaker).filter { $0 != "none" }
        .map(TextInput.unescaped)
    }
    options.xtcProbability = try real(xtcProbability, "xtc-probability", arguments) ?? 0
    options.xtcThreshold =
      try real(xtcThreshold, "xtc-threshold", arguments) ?? options.xtcThreshold
    options.mirostat = try integer(mirostat, "mirostat", arguments) ?? 0
    options.mirostatEta = try real(mirostatRate, "mirostat-eta", arguments) ?? options.mirostatEta
    options.mirostatTau =
      try real(mirostatTarget, "mirostat-tau", arguments) ?? options.mirostatTau
    options.logitBias = try arguments.all(logitBias).map(bias)
    let number = try arguments.integer(seed, in: -1...Int.max) ?? 0
    options.seed = number < 0 ? clockSeed() : UInt64(number)
    try options.validate()
    return options
  }

  /// A finite number; its range is checked with all others, what is no number is told with its
  /// range at once.
  private static func real(_ option: OptionSpec, _ name: String, _ arguments: ParsedArguments)
    throws -> Double?
  {
    let all = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
    return try arguments.real(option, in: all, expected: domain(name))
  }

  private static func integer(_ option: OptionSpec, _ name: String, _ arguments: ParsedArguments)
    throws -> Int?
  {
    try arguments.integer(option, in: Int.min...Int.max, expected: domain(name))
  }

  /// What the library accepts for a sampling option, in words.
  private static func domain(_ name: String) -> String? {
    SamplingOptions.parameters.first { $0.name == name }.map { descriptor in
      switch descriptor.domain {
      case .real(let range): "a number from \(Int(range.lowerBound)) to \(Int(range.upperBound))"
      case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
      default: descriptor.domainText
      }
    }
  }

  /// `ID+B` or `ID-B`.
  private static func bias(_ text: String) throws -> LogitBias.Entry {
    guard let sign = text.firstIndex(where: { $0 == "+" || $0 == "-" }),
      let token = Int32(text[..<sign]), let amount = Float(text[sign...])
    else {
      throw ParserError.invalidValue(logitBias, value: text, expected: "ID+B, as 15043+1 or 2-inf")
    }
    return LogitBias.Entry(token: token, bias: amount)
  }

  /// Kept below 2^53, so that a record of it survives JSON.
  private static func clockSeed() -> UInt64 {
    UInt64(Date().timeIntervalSince1970 * 1e6) & ((1 << 53) - 1)
  }
}
