public import TritCore

/// How the next token is chosen, with llama.cpp's names and defaults.
///
/// The chain it stands for: logit bias, repetition, frequency and presence penalties, DRY, top-k,
/// typical, top-p, min-p, XTC, temperature, draw. That is llama.cpp's order, temperature last
/// (transformers applies it first, so the same top-p keeps other tokens there). Stages that would
/// change nothing are left out. At temperature 0 the best candidate after bias and penalties is
/// taken and nothing is random. With mirostat it is logit bias, temperature and mirostat alone, as in
/// llama.cpp.
public struct SamplingOptions: Sendable, Hashable, Codable {
  /// Divides the logits; 0 is greedy.
  public var temperature = 0.8
  /// Keep the k best; 0 keeps all.
  public var topK = 40
  /// Keep the best that sum to this probability, in (0, 1]; 1 keeps all.
  public var topP = 0.95
  /// Keep those at least this likely relative to the best, in [0, 1]; 0 keeps all.
  public var minP = 0.05
  /// Keep the most typical that sum to this probability, in (0, 1]; 1 keeps all.
  public var typical = 1.0
  /// Divides positive and multiplies other logits of recent tokens, above 0; 1 changes nothing.
  public var repeatPenalty = 1.0
  /// How many of the newest tokens the penalties look at; −1 all, 0 none.
  public var repeatLastN = 64
  /// Subtracted from logits of recent tokens.
  public var presencePenalty = 0.0
  /// Subtracted from logits of recent tokens for each occurrence.
  public var frequencyPenalty = 0.0
  /// What the shortest repetition loses (`DRY`); 0 is off.
  public var dryMultiplier = 0.0
  /// By how much each further token of a repetition multiplies it, at least 1.
  public var dryBase = 1.75
  /// Tokens of a repetition that begins to cost, at least 1.
  public var dryAllowedLength = 2
  /// How many of the newest tokens DRY looks at; −1 all, 0 none.
  public var dryPenaltyLastN = -1
  /// Texts at which repetitions end.
  public var dryBreakers = ["\n", ":", "\"", "*"]
  /// How often top choices are left out (`XTC`); 0 is off.
  public var xtcProbability = 0.0
  /// The probability of a top choice, in [0, 1]; above 0.5 there are never two.
  public var xtcThreshold = 0.1
  /// 1 or 2: `Mirostat` of that version; 0 is off.
  public var mirostat = 0
  /// Mirostat's target surprise, in bits a token.
  public var mirostatTau = 5.0
  /// Mirostat's learning rate.
  public var mirostatEta = 0.1
  /// Added to the logits of some tokens.
  public var logitBias: [LogitBias.Entry] = []
  /// Seed of the draw: same seed, same logits, same tokens.
  public var seed: UInt64 = 0

  /// The defaults; change what you need.
  public init() {}

  /// The defaults with another temperature, top-k, top-p, min-p or seed.
  public init(
    temperature: Double = 0.8, topK: Int = 40, topP: Double = 0.95, minP: Double = 0.05,
    seed: UInt64 = 0
  ) {
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
    self.minP = minP
    self.seed = seed
  }

  /// Always the most likely token.
  public static let greedy = SamplingOptions(temperature: 0)

  /// Whether the choice is free of chance.
  public var isGreedy: Bool { temperature == 0 }

  /// Everything that is wrong with the values; empty where they can be used.
  public func problems() -> [LabError] {
    var problems: [LabError] = []
    func require(_ isRight: Bool, _ name: String, _ expected: String, _ got: some Any) {
      guard !isRight else { return }
      problems.append(
        LabError(
          .usage, "bad value for the sampling option '\(name)'", expected: expected, got: "\(got)"))
    }
    for descriptor in Self.parameters where descriptor.name != "seed" {
      let value = value(of: descriptor.name)
      require(
        value.map(descriptor.accepts) ?? true, descriptor.name, descriptor.domainText,
        value.map(\.description) ?? "")
    }
    for entry in logitBias {
      require(entry.token >= 0, "logit-bias", "token ids from 0", entry.token)
      require(
        entry.bias == -.infinity || entry.bias.magnitude <= 1e6, "logit-bias",
        "a bias in −1000000…1000000, or −inf to ban token \(entry.token)", entry.bias)
    }
    return problems
  }

  /// Throws `LabErrors` with all `problems()`, if there are any.
  public func validate() throws {
    let problems = problems()
    if !problems.isEmpty { throw LabErrors(problems) }
  }
}

extension SamplingOptions {
  /// Name, range and default of every option that is one value: for help texts, schemas,
  /// validation.
  public static let parameters: [ParameterDescriptor] = [
    ParameterDescriptor(
      "temperature", "divides the logits; 0 is greedy", .real(0...100), default: .real(0.8)),
    ParameterDescriptor(
      "top-k", "keep the k best; 0 keeps all", .integer(0...1 << 24), default: .integer(40)),
    ParameterDescriptor(
      "top-p", "keep the best that sum to this probability; 1 keeps all", .real(1e-6...1),
      default: .real(0.95)),
    ParameterDescriptor(
      "min-p", "keep those at least this likely relative to the best; 0 keeps all", .real(0...1),
      default: .real(0.05)),
    ParameterDescriptor(
      "typical", "keep the most typical that sum to this probability; 1 keeps all", .real(1e-6...1),
      default: .real(1)),
    ParameterDescriptor(
      "repeat-penalty", "divides positive, multiplies other logits of recent tokens; 1 is off",
      .real(1e-6...100), default: .real(1)),
    ParameterDescriptor(
      "repeat-last-n", "how many of the newest tokens the penalties look at; -1 all, 0 none",
      .integer(-1...1 << 30), default: .integer(64)),
    ParameterDescriptor(
      "presence-penalty", "subtracted from logits of recent tokens; 0 is off", .real(-100...100),
      default: .real(0)),
    ParameterDescriptor(
      "frequency-penalty", "subtracted from logits of recent tokens for each occurrence; 0 is off",
      .real(-100...100), default: .real(0)),
    ParameterDescriptor(
      "dry-multiplier", "what the shortest repetition loses; 0 is off", .real(0...100),
      default: .real(0)),
    ParameterDescriptor(
      "dry-base", "each further token of a repetition multiplies that by this", .real(1...100),
      default: .real(1.75)),
    ParameterDescriptor(
      "dry-allowed-length", "tokens of a repetition that begins to cost", .integer(1...1 << 20),
      default: .integer(2)),
    ParameterDescriptor(
      "dry-penalty-last-n", "how many of the newest tokens DRY looks at; -1 all, 0 none",
      .integer(-1...1 << 30), default: .integer(-1)),
    ParameterDescriptor(
      "xtc-probability", "how often top choices are left out; 0 is off", .real(0...1),
      default: .real(0)),
    ParameterDescriptor(
      "xtc-threshold", "the probability of a top choice; above 0.5 it never acts", .real(0...1),
      default: .real(0.1)),
    ParameterDescriptor(
      "mirostat", "1 or 2 in place of all but temperature; 0 is off", .integer(0...2),
      default: .integer(0)),
    ParameterDescriptor(
      "mirostat-tau", "target surprise, in bits a token", .real(0...100), default: .real(5)),
    ParameterDescriptor(
      "mirostat-eta", "how fast mirostat's bound follows", .real(0...10), default: .real(0.1)),
    ParameterDescriptor(
      "seed", "same seed, same tokens", .integer(0...Int.max), default: .integer(0)),
  ]

  /// The options in `values` by the names of `parameters` (`temp` is `temperature`), defaults for
  /// the rest. Throws `LabErrors` with every unknown name and bad value.
  public init(_ values: [String: ParameterValue]) throws {
    self.init()
    var problems: [LabError] = []
    let names = Self.parameters.map(\.name)
    for (key, value) in values.sorted(by: { $0.key < $1.key }) {
      let name = key == "temp" ? "temperature" : key
      guard let descriptor = Self.parameters.first(where: { $0.name == name }) else {
        problems.append(
          LabError(
            .usage, "unknown sampling option '\(key)'", expected: names.joined(separator: ", "),
            advice: Suggestion.didYouMean(key, names)))
        continue
      }
      guard descriptor.accepts(value), set(name, value) else {
        problems.append(
          LabError(
            .usage, "bad value for the sampling option '\(key)'", expected: descriptor.domainText,
            got: value.description))
        continue
      }
    }
    problems += self.problems()
    if !problems.isEmpty { throw LabErrors(problems) }
  }

  /// The value of the option `name` of `parameters`.
  public func value(of name: String) -> ParameterValue? {
    switch name {
    case "temperature": .real(temperature)
    case "top-k": .integer(topK)
    case "top-p": .real(topP)
    case "min-p": .real(minP)
    case "typical": .real(typical)
    case "repeat-penalty": .real(repeatPenalty)
    case "repeat-last-n": .integer(repeatLastN)
    case "presence-penalty": .real(presencePenalty)
    case "frequency-penalty": .real(frequencyPenalty)
    case "dry-multiplier": .real(dryMultiplier)
    case "dry-base": .real(dryBase)
    case "dry-allowed-length": .integer(dryAllowedLength)
    case "dry-penalty-last-n": .integer(dryPenaltyLastN)
    case "xtc-probability": .real(xtcProbability)
    case "xtc-threshold": .real(xtcThreshold)
    case "mirostat": .integer(mirostat)
    case "mirostat-tau": .real(mirostatTau)
    case "mirostat-eta": .real(mirostatEta)
    case "seed": .integer(Int(truncatingIfNeeded: seed))
    default: nil
    }
  }

  /// Sets `name`; false where `value` is of the wrong kind.
  private mutating func set(_ name: String, _ value: ParameterValue) -> Bool {
    if case .integer(let number) = value {
      switch name {
      case "top-k":
        topK = number
        return true
      case "repeat-last-n":
        repeatLastN = number
        return true
      case "dry-allowed-length":
        dryAllowedLength = number
        return true
      case "dry-penalty-last-n":
        dryPenaltyLastN = number
        return true
      case "mirostat":
        mirostat = number
        return true
      case "seed":
        seed = UInt64(bitPattern: Int64(number))
        return true
      default: break
      }
    }
    guard let real = value.asReal else { return false }
    switch name {
    case "temperature": temperature = real
    case "top-p": topP = real
    case "min-p": minP = real
    case "typical": typical = real
    case "repeat-penalty": repeatPenalty = real
    case "presence-penalty": presencePenalty = real
    case "frequency-penalty": frequencyPenalty = real
    case "dry-multiplier": dryMultiplier = real
    case "dry-base": dryBase = real
    case "xtc-probability": xtcProbability = real
    case "xtc-threshold": xtcThreshold = real
    case "mirostat-tau": mirostatTau = real
    case "mirostat-eta": mirostatEta = real
    default: return false
    }
    return true
  }
}

extension SamplingOptions {
  /// How many of the greatest logits decide the token, whatever the others are: 1 for the greatest,
  /// k where top-k comes first in the chain; nil where all of them count.
  public var decidingLogits: Int? { try? SamplerChain(self).decidingLogits }

  /// The chain by name: the processors that change something, in their order, then the sampler.
  /// Logit biases, which come before all of them, are not in it.
  public var stages: [StageChoice] {
    var chain: [StageChoice] = []
    func add(_ name: String, _ parameters: [String: ParameterValue]) {
      chain.append(StageChoice(name, parameters))
    }
    if mirostat > 0, !isGreedy {
      if temperature != 1 { add("temperature", ["value": .real(temperature)]) }
      return chain + [
        StageChoice(
          mirostat == 1 ? "mirostat" : "mirostat-v2",
          ["tau": .real(mirostatTau), "eta": .real(mirostatEta)])
      ]
    }
    if repeatLastN != 0 {
      let count = ParameterValue.integer(repeatLastN)
      if repeatPenalty != 1 {
        add("repetition-penalty", ["penalty": .real(repeatPenalty), "last-n": count])
      }
      if frequencyPenalty != 0 {
        add("frequency-penalty", ["penalty": .real(frequencyPenalty), "last-n": count])
      }
      if presencePenalty != 0 {
        add("presence-penalty", ["penalty": .real(presencePenalty), "last-n": count])
      }
    }
    if dryMultiplier > 0, dryPenaltyLastN != 0 {
      add(
        "dry",
        [
          "multiplier": .real(dryMultiplier), "base": .real(dryBase),
          "allowed-length": .integer(dryAllowedLength), "last-n": .integer(dryPenaltyLastN),
        ])
    }
    if isGreedy { return chain + [StageChoice("greedy")] }
    if topK > 0 { add("top-k", ["k": .integer(topK)]) }
    if typical < 1 { add("typical", ["p": .real(typical)]) }
    if topP < 1 { add("top-p", ["p": .real(topP)]) }
    if minP > 0 { add("min-p", ["p": .real(minP)]) }
    if xtcProbability > 0 {
      add("xtc", ["probability": .real(xtcProbability), "threshold": .real(xtcThreshold)])
    }
    if temperature != 1 { add("temperature", ["value": .real(temperature)]) }
    return chain + [StageChoice("multinomial")]
  }
}
