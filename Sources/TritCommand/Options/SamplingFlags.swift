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
  static let logitBias = OptionSpec(
    "-l", "--logit-bias", value: "id+b", help: "Add b to a token's logit, as 15043+1 or 2-inf")
  static let seed = OptionSpec(
    "-s", "--seed", value: "seed", help: "Seed of the draw; -1 takes one from the clock",
    default: "0", environment: "TRITLAB_SEED")

  static let chain = OptionSpec(
    "--samplers", value: "a;b;c",
    help: "The whole chain by name and in your order, the sampler last, as "
      + "'typical:p=0.9;multinomial', in place of all options above but --seed ('trit list "
      + "processor' and 'trit list sampler' name the stages)")

  static let group = OptionGroup(
    "SAMPLING OPTIONS (in the order in which they act: penalties first, temperature last)",
    [
      logitBias, repeatPenalty, repeatLastN, frequencyPenalty, presencePenalty, topK, typical,
      topP, minP, temperature, seed, chain,
    ])

  /// What to generate with: the chain of `--samplers`, or that of the single options. Every bad
  /// value is told before a model is read.
  static func generation(_ arguments: ParsedArguments) throws -> GenerationOptions {
    var options = GenerationOptions(sampling: try options(arguments))
    guard let text = arguments.text(chain) else { return options }
    let single = [
      logitBias, repeatPenalty, repeatLastN, frequencyPenalty, presencePenalty, topK, typical,
      topP, minP, temperature,
    ]
    if let other = single.first(where: arguments.has) { throw ParserError.conflict(chain, other) }
    options.stages = try SamplerChain.stages(parsing: text)
    _ = try options.chain(lab: arguments.lab)
    return options
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
