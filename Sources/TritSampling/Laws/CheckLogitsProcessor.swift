public import TritCore

/// Checks the laws of logits processors on candidate sets of awkward sizes and values; empty where
/// all hold.
///
/// The set never becomes empty; tokens come from the input, each once; logits are never NaN or +∞;
/// the result is a function of the set, the history and the random source alone: the same again,
/// and in any order.
public func checkLogitsProcessor(
  _ processor: any LogitsProcessor, seed: UInt64 = 1
) -> [LawViolation] {
  var violations: [LawViolation] = []
  for count in [1, 2, 5, 64, 100, 3000] {
    for kind in ProcessorLawCase.Kind.allCases {
      for history in [[], [0, 0, 1], (0..<200).map { Int32($0 * 7 % 90) }] as [[Int32]] {
        violations += ProcessorLawCase(
          kind: kind, count: count, history: TokenHistory(history), seed: seed
        ).check(processor)
      }
    }
  }
  return violations
}

/// One candidate set and history to try a processor on.
private struct ProcessorLawCase {
  enum Kind: String, CaseIterable {
    case spread, peaked, ties, equal, banned
  }

  let kind: Kind
  let count: Int
  let history: TokenHistory
  let seed: UInt64

  private var place: String {
    "\(count) \(kind.rawValue) candidates, \(history.tokens.count) tokens of history, seed \(seed)"
  }

  private var candidates: [Candidate] {
    var random = SeededRandom(seed: seed &+ UInt64(count))
    return (0..<count).map { index in
      let value = Float(random.uniform() * 12 - 6)
      let logit: Float =
        switch kind {
        case .spread: value
        case .peaked: index == count / 2 ? 60 : value
        case .ties: value.rounded()
        case .equal: 1.5
        case .banned: index % 3 == 1 ? -.infinity : value
        }
      return Candidate(token: Int32(index), logit: logit)
    }
  }

  func check(_ processor: any LogitsProcessor) -> [LawViolation] {
    var processor = processor
    let input = candidates
    let first = run(&processor, input)
    guard !first.isEmpty else { return [LawViolation("a candidate always stays", place)] }
    var broken: [String] = []
    let tokens = Set(first.map(\.token))
    if tokens.count != first.count || !tokens.isSubset(of: input.map(\.token)) {
      broken.append("tokens come from the input, each once")
    }
    if !first.allSatisfy({ $0.logit < .infinity }) { broken.append("logits are below +∞, not NaN") }
    if run(&processor, input) != first { broken.append("the same input gives the same result") }
    var random = SeededRandom(seed: seed)
    let shuffled = run(&processor, input.shuffled(using: &random))
    if shuffled != first { broken.append("the order of the candidates does not matter") }
    return broken.map { LawViolation($0, place) }
  }

  /// What `processor` leaves, in order of tokens.
  private func run(_ processor: inout any LogitsProcessor, _ input: [Candidate]) -> [Candidate] {
    var candidates = input
    var random = SeededRandom(seed: seed)
    processor.process(&candidates, history: history, random: &random)
    return candidates.sorted { $0.token < $1.token }
  }
}
