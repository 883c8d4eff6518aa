public import TritCore

/// Logits in, token out: processors in order, then a sampler, a seeded random source, and the
/// memory they need, kept so that a token costs no allocation.
///
/// A value: copying a chain copies its random state, so two copies draw the same tokens from the
/// same logits. One chain serves one sequence.
public struct SamplerChain: Sendable {
  private var processors: [any LogitsProcessor]
  private var sampler: any Sampler
  /// The sampler as it is before it has drawn.
  private let unused: any Sampler
  private let seed: UInt64
  private var random: SeededRandom
  private var candidates: [Candidate] = []

  /// A chain of ready-made stages; `vocabulary` logits fit before the first allocation. `breakers`
  /// are the token sequences at which repetitions end for a `DRY` among them that has none.
  public init(
    processors: [any LogitsProcessor], sampler: any Sampler, seed: UInt64 = 0, vocabulary: Int = 0,
    breakers: [[Int32]] = []
  ) {
    self.processors = processors.map { processor in
      guard var dry = processor as? DRY, dry.breakers.isEmpty else { return processor }
      dry.breakers = breakers
      return dry
    }
    self.sampler = sampler
    unused = sampler
    self.seed = seed
    random = SeededRandom(seed: seed)
    candidates.reserveCapacity(vocabulary)
  }

  /// The chain that `options` stands for, its stages made by name from the registries. Throws
  /// `LabErrors` for options that cannot be used, and a usage error for a biased token beyond a
  /// `vocabulary` that is given.
  public init(
    _ options: SamplingOptions, vocabulary: Int = 0, breakers: [[Int32]] = [],
    processors registry: Registry<any LogitsProcessor> = .standard,
    samplers: Registry<any Sampler> = .standard
  ) throws {
    try options.validate()
    let outside = options.logitBias.first { vocabulary > 0 && Int($0.token) >= vocabulary }
    if let outside {
      throw LabError(
        .usage, "the logit bias names a token that is not in the vocabulary",
        expected: "0…\(vocabulary - 1)", got: "\(outside.token)",
        advice: "'trit tokenize' shows the ids of a text")
    }
    // Many biases, and bans of −∞, are one processor; by name it takes a single finite one.
    let biases: [any LogitsProcessor] =
      options.logitBias.isEmpty ? [] : [LogitBias(options.logitBias)]
    let stages = options.stages
    self.init(
      processors: biases + (try stages.dropLast().map(registry.make)),
      sampler: try samplers.make(stages[stages.count - 1]), seed: options.seed,
      vocabulary: vocabulary, breakers: breakers)
  }

  /// A chain in an order of your own: any number of processors by name, and a sampler by name last
  /// (`multinomial` where there is none). Throws a usage error for unknown names and bad
  /// parameters.
  public init(
    stages: [StageChoice], seed: UInt64 = 0, vocabulary: Int = 0, breakers: [[Int32]] = [],
    processors registry: Registry<any LogitsProcessor> = .standard,
    samplers: Registry<any Sampler> = .standard
  ) throws {
    var processors: [any LogitsProcessor] = []
    var sampler: (any Sampler)?
    for (index, choice) in stages.enumerated() {
      if samplers.descriptor(choice.name) != nil {
        guard index == stages.count - 1 else {
          throw LabError(
            .usage, "the sampler '\(choice.name)' is not the last stage of the chain",
            expected: "processors first, one sampler last",
            got: stages.map(\.description).joined(separator: "; "))
        }
        sampler = try samplers.make(choice)
      } else if registry.descriptor(choice.name) != nil {
        processors.append(try registry.make(choice))
      } else {
        let known = registry.names + samplers.names
        throw LabError(
          .usage, "unknown stage '\(choice.name)' of the sampling chain",
          expected: "logits processors: \(registry.names.joined(separator: ", ")); last a sampler: "
            + samplers.names.joined(separator: ", "),
          advice: Suggestion.didYouMean(choice.name, known))
      }
    }
    self.init(
      processors: processors, sampler: try sampler ?? samplers.make(StageChoice("multinomial")),
      seed: seed, vocabulary: vocabulary, breakers: breakers)
  }

  /// Reads a chain written in one line, `top-k:k=40; temperature:value=0.7; multinomial`: stages in
  /// their order, a semicolon between two. Throws a usage error for an empty stage or bad
  /// parameters; names are looked up when the chain is made.
  public static func stages(parsing text: String) throws -> [StageChoice] {
    try text.split(separator: ";", omittingEmptySubsequences: false).map { part in
      let words = part.drop { $0 == " " }
      let end = words.lastIndex { $0 != " " }.map(words.index(after:)) ?? words.startIndex
      guard end > words.startIndex else {
        throw LabError(
          .usage, "a stage of the sampling chain is empty",
          expected: "stages in their order, as 'top-k:k=40;temperature:value=0.7'", got: text)
      }
      return try StageChoice(parsing: String(words[..<end]))
    }
  }

  /// How many of the greatest logits decide the token, whatever the others are: k where top-k comes
  /// first, 1 where the greatest is taken as it comes; nil where all of them count.
  public var decidingLogits: Int? {
    if let first = processors.first as? TopK { return first.k > 0 ? first.k : nil }
    return processors.isEmpty && sampler is Greedy ? 1 : nil
  }

  /// The names of the stages in order, the sampler last: for records and headings.
  public var stageNames: [String] { processors.map(\.name) + [sampler.name] }

  /// Whether a stage looks for token sequences at which repetitions end.
  public var usesBreakers: Bool { processors.contains { $0 is DRY } }

  /// Starts the random source again from the seed, and the sampler from what it knew at first.
  public mutating func reset() {
    random = SeededRandom(seed: seed)
    sampler = unused
  }

  /// The next token for `logits` (one per token of the vocabulary) after `history`.
  ///
  /// Throws `badData` for NaN or +∞ among the logits, and where every token is at −∞.
  public mutating func next(
    logits: UnsafeBufferPointer<Float>, history: borrowing TokenHistory
  ) throws -> Int32 {
    if processors.isEmpty, sampler is Greedy { return try Self.argmax(logits) }
    var random = random
    defer { self.random = random }
    try process(logits, history, &random)
    let token = sampler.sample(candidates, random: &random)
    guard token >= 0, Int(token) < logits.count else {
      throw LabError(
        .internalError, "the sampler '\(sampler.name)' drew a token that is not in the vocabulary",
        expected: "0…\(logits.count - 1)", got: "\(token)",
        advice: "a sampler draws one of the candidates it is given: checkSampler finds the case")
    }
    return token
  }

  /// The candidates that the sampler would draw from and their probabilities, most likely first:
  /// for notebooks and tests. Draws nothing.
  public mutating func distribution(
    logits: UnsafeBufferPointer<Float>, history: borrowing TokenHistory
  ) throws -> [(token: Int32, probability: Double)] {
    var random = random
    try process(logits, history, &random)
    var sorted = candidates
    sorted.withUnsafeMutableBufferPointer { CandidateSelection.sort($0) }
    return Softmax.probabilities(sorted).enumerated().map { (sorted[$0.offset].token, $0.element) }
  }

  private mutating func process(
    _ logits: UnsafeBufferPointer<Float>, _ history: borrowing TokenHistory,
    _ random: inout SeededRandom
  ) throws {
    try Self.require(logits)
    candidates.removeAll(keepingCapacity: true)
    for index in 0..<logits.count {
      candidates.append(Candidate(token: Int32(truncatingIfNeeded: index), logit: logits[index]))
    }
    for index in processors.indices {
      processors[index].process(&candidates, history: history, random: &random)
      if candidates.isEmpty {
        throw LabError(
          .internalError, "the logits processor '\(processors[index].name)' left no candidate",
          expected: "at least one candidate stays",
          advice: "checkLogitsProcessor finds the case")
      }
    }
    guard CandidateSelection.best(candidates).logit > -.infinity else {
      throw LabError(
        .badData, "every token has a logit of −∞: nothing can be drawn",
        expected: "at least one token that is not banned",
        advice: "look at the logit biases: they ban the whole vocabulary")
    }
  }

  /// The best token, smallest id on a tie.
  private static func argmax(_ logits: UnsafeBufferPointer<Float>) throws -> Int32 {
    try require(logits)
    var best = 0
    for index in 1..<max(logits.count, 1) where logits[index] > logits[best] { best = index }
    return Int32(truncatingIfNeeded: best)
  }

  /// One pass that is cheap when all is well: NaN and +∞ are what does not lie below +∞.
  private static func require(_ logits: UnsafeBufferPointer<Float>) throws {
    guard !logits.isEmpty else {
      throw LabError(.badData, "there are no logits to choose a token from")
    }
    var isGood = true
    for logit in logits { isGood = isGood && logit < .infinity }
    if isGood { return }
    for (token, logit) in logits.enumerated() where !(logit < .infinity) {
      throw LabError(
        .badData, "the logit of token \(token) is \(logit.isNaN ? "NaN" : "+∞")",
        expected: "finite logits (−∞ bans a token)", got: "\(logit)",
        advice:
          "the forward pass broke down: look for NaN or huge weights (trit inspect), or a scale of 0"
      )
    }
  }
}
