public import TritCore

/// Logits in, token out: processors in order, then a sampler, a seeded random source, and the memory
/// they need, kept so that a token costs no allocation.
///
/// A value: copying a chain copies its random state, so two copies draw the same tokens from the same
/// logits. One chain serves one sequence.
public struct SamplerChain: Sendable {
  private var processors: [any LogitsProcessor]
  private var sampler: any Sampler
  private let seed: UInt64
  private var random: SeededRandom
  private var candidates: [Candidate] = []

  /// A chain of ready-made stages; `vocabulary` logits fit before the first allocation.
  public init(
    processors: [any LogitsProcessor], sampler: any Sampler, seed: UInt64 = 0, vocabulary: Int = 0
  ) {
    self.processors = processors
    self.sampler = sampler
    self.seed = seed
    random = SeededRandom(seed: seed)
    candidates.reserveCapacity(vocabulary)
  }

  /// The chain that `options` stands for. Throws `LabErrors` for options that cannot
  /// be used, and a usage error for a biased token beyond a `vocabulary` that is given.
  public init(_ options: SamplingOptions, vocabulary: Int = 0) throws {
    try options.validate()
    let outside = options.logitBias.first { vocabulary > 0 && Int($0.token) >= vocabulary }
    if let outside {
      throw LabError(
        .usage, "the logit bias names a token that is not in the vocabulary",
        expected: "0…\(vocabulary - 1)", got: "\(outside.token)",
        advice: "'trit tokenize' shows the ids of a text")
    }
    self.init(
      processors: options.processors, sampler: options.isGreedy ? Greedy() : Multinomial(),
      seed: options.seed, vocabulary: vocabulary)
  }

  /// A chain in an order of your own: any number of processors by name, and a sampler by name last
  /// (`multinomial` where there is none). Throws a usage error for unknown names and bad parameters.
  public init(
    stages: [StageChoice], seed: UInt64 = 0, vocabulary: Int = 0,
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
      } else {
        processors.append(try registry.make(choice))
      }
    }
    self.init(
      processors: processors, sampler: sampler ?? Multinomial(), seed: seed, vocabulary: vocabulary)
  }

  /// The names of the stages in order, the sampler last: for records and headings.
  public var stageNames: [String] { processors.map(\.name) + [sampler.name] }

  /// Starts the random source again from the seed.
  public mutating func reset() { random = SeededRandom(seed: seed) }

  /// The next token for `logits` (one per token of the vocabulary) after `history`.
  ///
  /// Throws `badData` for NaN or +∞ among the logits, and where every token is at −∞.
  public mutating func next(
    logits: UnsafeBufferPointer<Float>, history: borrowing TokenHistory
  ) throws -> Int32 {
    if processors.isEmpty, sampler is Greedy { return try Self.argmax(logits) }
    try process(logits, history)
    return sampler.sample(candidates, random: &random)
  }

  /// The candidates that the sampler would draw from and their probabilities, most likely first: for
  /// notebooks and tests. Draws nothing.
  public mutating func distribution(
    logits: UnsafeBufferPointer<Float>, history: borrowing TokenHistory
  ) throws -> [(token: Int32, probability: Double)] {
    try process(logits, history)
    var sorted = candidates
    sorted.withUnsafeMutableBufferPointer { CandidateSelection.sort($0) }
    return Softmax.probabilities(sorted).enumerated().map { (sorted[$0.offset].token, $0.element) }
  }

  private mutating func process(
    _ logits: UnsafeBufferPointer<Float>, _ history: borrowing TokenHistory
  ) throws {
    try Self.require(logits)
    candidates.removeAll(keepingCapacity: true)
    for index in 0..<logits.count {
      candidates.append(Candidate(token: Int32(truncatingIfNeeded: index), logit: logits[index]))
    }
    for index in processors.indices {
      processors[index].process(&candidates, history: history)
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
