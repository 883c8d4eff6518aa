public import TritCore

/// Checks the laws of samplers; empty where all hold.
///
/// The token drawn is a candidate that is not at −∞; the same seed draws the same tokens. A sampler
/// of the best takes the largest logit, the smallest id on a tie, in any order of the candidates,
/// and leaves the random source alone. A proportional one draws with the softmax's frequencies, by
/// a χ² test of 20,000 draws at four standard deviations: a correct sampler fails for fewer than 1
/// seed in 10,000.
public func checkSampler(_ sampler: any Sampler, seed: UInt64 = 1) -> [LawViolation] {
  var violations: [LawViolation] = []
  for logits in SamplerLawCase.logits(seed: seed) {
    let lawCase = SamplerLawCase(logits: logits, seed: seed)
    violations += lawCase.checkDraws(sampler)
    switch sampler.behaviour {
    case .best: violations += lawCase.checkBest(sampler)
    case .proportional: violations += lawCase.checkFrequencies(sampler)
    case .other: break
    }
  }
  return violations
}

/// One set of logits to draw from.
private struct SamplerLawCase {
  let logits: [Float]
  let seed: UInt64

  private var place: String {
    "\(logits.count) logits \(logits.prefix(5))\(logits.count > 5 ? "…" : ""), seed \(seed)"
  }

  static func logits(seed: UInt64) -> [[Float]] {
    var random = SeededRandom(seed: seed)
    return [
      [0.3], [-.infinity, 2], [1, 1, 1, 1], [0, 1, 2, 3], [5, -.infinity, 5, 4.5, -.infinity],
      [-1000, -1001, -1002], [80, 0, 79.5, -80],
      (0..<50).map { _ in Float(random.uniform() * 4) },
      (0..<1000).map { _ in Float(random.uniform() * 10) },
    ]
  }

  private var candidates: [Candidate] {
    logits.enumerated().map { Candidate(token: Int32(3 * $0.offset), logit: $0.element) }
  }

  private func draw(_ sampler: any Sampler, _ candidates: [Candidate], _ count: Int) -> [Int32] {
    var sampler = sampler
    var random = SeededRandom(seed: seed)
    return (0..<count).map { _ in sampler.sample(candidates, random: &random) }
  }

  func checkDraws(_ sampler: any Sampler) -> [LawViolation] {
    let drawn = draw(sampler, candidates, 200)
    var violations: [LawViolation] = []
    let legal = Set(candidates.filter { $0.logit > -.infinity }.map(\.token))
    if let wrong = drawn.first(where: { !legal.contains($0) }) {
      violations.append(
        LawViolation("what is drawn is a candidate above −∞", "\(place): token \(wrong)"))
    }
    if draw(sampler, candidates, 200) != drawn {
      violations.append(LawViolation("the same seed draws the same tokens", place))
    }
    return violations
  }

  func checkBest(_ sampler: any Sampler) -> [LawViolation] {
    let best = CandidateSelection.best(candidates).token
    var random = SeededRandom(seed: seed)
    var sampler = sampler
    var violations: [LawViolation] = []
    for order in [candidates, candidates.reversed(), candidates.shuffled(using: &random)] {
      var source = SeededRandom(seed: seed)
      var untouched = source
      let token = sampler.sample(order, random: &source)
      if token != best {
        violations.append(
          LawViolation(
            "the best candidate is taken, the smallest id on a tie", "\(place): \(token)"))
      }
      if source.next() != untouched.next() {
        violations.append(LawViolation("a sampler of the best draws nothing", place))
      }
    }
    return violations
  }

  /// Pearson's χ² over the candidates, the rare ones (expected below 5) taken together.
  func checkFrequencies(_ sampler: any Sampler) -> [LawViolation] {
    let draws = 20_000
    var counts: [Int32: Int] = [:]
    for token in draw(sampler, candidates, draws) { counts[token, default: 0] += 1 }
    var statistic = 0.0
    var cells = 0
    var rare = (expected: 0.0, seen: 0)
    for (candidate, probability) in zip(candidates, Softmax.probabilities(candidates)) {
      let expected = probability * Double(draws)
      let seen = counts[candidate.token] ?? 0
      if expected < 5 {
        rare = (rare.expected + expected, rare.seen + seen)
      } else {
        statistic += (Double(seen) - expected) * (Double(seen) - expected) / expected
        cells += 1
      }
    }
    if rare.expected >= 5 {
      let difference = Double(rare.seen) - rare.expected
      statistic += difference * difference / rare.expected
      cells += 1
    } else if Double(rare.seen) > rare.expected + 5 * (rare.expected.squareRoot() + 1) {
      return [LawViolation("rare tokens are rare", "\(place): \(rare.seen) of \(rare.expected)")]
    }
    guard cells > 1, statistic > Self.limit(Double(cells - 1)) else { return [] }
    return [
      LawViolation(
        "frequencies follow the softmax",
        "\(place): χ² \(statistic) with \(cells - 1) degrees of freedom")
    ]
  }

  /// χ² that is four standard deviations out (Wilson and Hilferty 1931: the cube root is nearly
  /// normal).
  private static func limit(_ freedom: Double) -> Double {
    let spread = 2 / (9 * freedom)
    let root = 1 - spread + 4 * spread.squareRoot()
    return freedom * root * root * root
  }
}
