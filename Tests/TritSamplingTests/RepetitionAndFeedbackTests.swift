import Foundation
import Testing
import TritLab

/// DRY, XTC and mirostat: values worked out by hand or by a direct computation of their formulas.
@Suite struct RepetitionAndFeedbackTests {
  /// What each token of 0…9 loses to DRY.
  private func losses(_ dry: DRY, _ history: [Int32]) -> [Int32: Float] {
    var dry = dry
    var candidates = (0..<10).map { Candidate(token: $0, logit: 0) }
    dry.process(&candidates, history: TokenHistory(history))
    return Dictionary(
      uniqueKeysWithValues: candidates.filter { $0.logit != 0 }.map { ($0.token, -$0.logit) })
  }

  @Test func dryPunishesWhatContinuesARepetition() {
    // 1 2 3 was followed by 4, and 1 2 3 are the newest: 0.8 · 1.75^(3 − 2).
    #expect(losses(DRY(0.8), [1, 2, 3, 4, 1, 2, 3]) == [4: 1.4])
    // 2 3 was followed by 9 and by 8; both matches have length 2.
    #expect(losses(DRY(0.8), [1, 2, 3, 9, 1, 2, 3, 8, 2, 3]) == [9: 0.8, 8: 0.8])
    // Matches overlap: of five equal tokens the newest four also end one place earlier.
    #expect(losses(DRY(1, base: 2), [5, 5, 5, 5, 5]) == [5: 4])
    #expect(losses(DRY(0.8), [1, 2, 3]).isEmpty)
    #expect(losses(DRY(0), [1, 2, 3, 4, 1, 2, 3]).isEmpty)
    #expect(losses(DRY(0.8, lastN: 5), [1, 2, 3, 4, 1, 2, 3]).isEmpty)
    #expect(losses(DRY(0.8, allowedLength: 4), [1, 2, 3, 4, 1, 2, 3]).isEmpty)
    // Tokens that are no candidates are passed over.
    #expect(losses(DRY(0.8), [1, 2, 77, 1, 2]).isEmpty)
  }

  @Test func dryStopsAtBreakers() {
    // Behind the breaker 2 there is one token, fewer than the allowed length.
    #expect(losses(DRY(0.8, breakers: [[2]]), [1, 2, 3, 4, 1, 2, 3]).isEmpty)
    // Two tokens behind it: the match of three counts as one of two.
    #expect(losses(DRY(0.8, breakers: [[1]]), [1, 2, 3, 4, 1, 2, 3]) == [4: 0.8])
    // A breaker of two tokens.
    #expect(losses(DRY(0.8, breakers: [[1, 2]]), [1, 2, 3, 4, 1, 2, 3]).isEmpty)
    #expect(losses(DRY(0.8, breakers: [[1, 9]]), [1, 2, 3, 4, 1, 2, 3]) == [4: 1.4])
  }

  /// The linear algorithm against the definition, on random histories.
  @Test func dryIsItsDefinition() {
    var random = SeededRandom(seed: 5)
    for _ in 0..<300 {
      let history = (0..<(1 + Int(random.next() % 40))).map { _ in Int32(random.next() % 3) }
      let breakers: [[Int32]] = random.next() % 2 == 0 ? [] : [[2]]
      let dry = DRY(1, base: 1.5, allowedLength: 1 + Int(random.next() % 3), breakers: breakers)
      let reach = breakers.isEmpty ? history.count : history.reversed().prefix { $0 != 2 }.count
      var expected: [Int32: Float] = [:]
      for end in 0..<(history.count - 1) {
        var length = 0
        while length <= end, history[end - length] == history[history.count - 1 - length] {
          length += 1
        }
        length = min(length, reach)
        guard length >= dry.allowedLength, history.count > dry.allowedLength else { continue }
        let loss = Float(pow(1.5, Double(length - dry.allowedLength)))
        expected[history[end + 1]] = max(expected[history[end + 1]] ?? 0, loss)
      }
      #expect(losses(dry, history) == expected, "\(history) \(breakers)")
    }
  }

  @Test func aLongRepetitionStaysFinite() {
    let lost = losses(DRY(100, base: 100), Array(repeating: 1, count: 5000))
    #expect(lost[1].map(\.isFinite) == true)
  }

  /// ln of 0.5, 0.25, 0.15, 0.1.
  private static let quarters: [Float] = [-0.693_147_2, -1.386_294_4, -1.897_12, -2.302_585]

  private func kept(_ xtc: XTC, seed: UInt64 = 1) -> [Int32] {
    var xtc = xtc
    var random = SeededRandom(seed: seed)
    var candidates = Self.quarters.enumerated().map {
      Candidate(token: Int32($0.offset), logit: $0.element)
    }
    xtc.process(&candidates, history: TokenHistory([]), random: &random)
    return candidates.map(\.token)
  }

  @Test func xtcLeavesTheLeastLikelyOfTheTopChoices() {
    #expect(kept(XTC(1, threshold: 0.2)) == [1, 2, 3])
    #expect(kept(XTC(1, threshold: 0.12)) == [2, 3])
    #expect(kept(XTC(1, threshold: 0.01)) == [3])
    // One top choice is no choice; above 0.5 there are never two; 0 never acts.
    #expect(kept(XTC(1, threshold: 0.3)) == [0, 1, 2, 3])
    #expect(kept(XTC(1, threshold: 0.51)) == [0, 1, 2, 3])
    #expect(kept(XTC(0, threshold: 0.1)) == [0, 1, 2, 3])
  }

  @Test func xtcActsAsOftenAsItSays() {
    let acted = (0..<2000).filter { kept(XTC(0.3, threshold: 0.2), seed: UInt64($0)).count < 4 }
    // Five standard deviations of a binomial with n = 2000, p = 0.3.
    #expect(abs(Double(acted.count) - 600) < 5 * 20.5)
  }

  /// Draws from `logits` until each possible token was seen; how often each, and the sampler after.
  private func counts(_ sampler: some Sampler, _ logits: [Float], draws: Int) -> [Int32: Int] {
    var random = SeededRandom(seed: 3)
    let candidates = logits.enumerated().map {
      Candidate(token: Int32($0.offset), logit: $0.element)
    }
    var counts: [Int32: Int] = [:]
    for _ in 0..<draws {
      // A copy has drawn nothing: each draw has the first bound.
      var fresh: any Sampler = sampler
      counts[fresh.sample(candidates, random: &random), default: 0] += 1
    }
    return counts
  }

  @Test func mirostatTwoLeavesOutWhatIsTooSurprising() {
    // Surprises 1, 2, 2.74 and 3.32 bits; the first bound is 2τ.
    #expect(Set(counts(Mirostat2(tau: 1.1), Self.quarters, draws: 200).keys) == [0, 1])
    #expect(Set(counts(Mirostat2(tau: 1.4), Self.quarters, draws: 400).keys) == [0, 1, 2])
    #expect(Set(counts(Mirostat2(tau: 5), Self.quarters, draws: 400).keys) == [0, 1, 2, 3])
    // The best always stays.
    #expect(Set(counts(Mirostat2(tau: 0), Self.quarters, draws: 20).keys) == [0])
  }

  @Test func mirostatOneKeepsTheKOfZipf() {
    // p_i ∝ i^−1.5 over 200 tokens gives ŝ = 1.5 and k = 1.05, 1.67, 4.20, 10.6 at μ = 1, 2, 4, 6.
    let zipf = (1...200).map { Float(-1.5 * log(Double($0))) }
    for (mu, k) in [(1.0, 1), (2.0, 1), (4.0, 4), (6.0, 10)] {
      let drawn = counts(Mirostat(tau: mu / 2), zipf, draws: 3000)
      #expect(Set(drawn.keys) == Set((0..<k).map { Int32($0) }), "μ = \(mu)")
    }
  }

  @Test func mirostatHoldsTheSurprise() {
    // p_i ∝ 1/i over 1000 tokens. Among those kept the mean surprise is τ; under the whole
    // distribution it was 3.74, 4.93 and 6.34 bits in a simulation of the formulas in Python (two
    // seeds, 0.01 apart), with either version.
    let zipf = (1...1000).map { Candidate(token: Int32($0), logit: Float(-log(Double($0)))) }
    let total = zipf.reduce(0) { $0 + exp(Double($1.logit)) }
    for (tau, expected) in [(2.0, 3.74), (4.0, 4.93), (6.0, 6.34)] {
      for sampler in [Mirostat(tau: tau), Mirostat2(tau: tau)] as [any Sampler] {
        var sampler = sampler
        var random = SeededRandom(seed: 11)
        let surprises = (0..<4000).map { _ in
          log2(Double(sampler.sample(zipf, random: &random)) * total)
        }
        let mean = surprises.suffix(3000).reduce(0, +) / 3000
        #expect(abs(mean - expected) < 0.06, "\(sampler.name) τ = \(tau): \(mean)")
      }
    }
  }

  @Test func resettingAChainForgetsWhatMirostatLearned() throws {
    let logits = (0..<100).map { Float(-log(Double($0 + 1))) }
    var chain = try SamplerChain(stages: [StageChoice("mirostat-v2", ["tau": .real(3)])], seed: 5)
    func draw() throws -> [Int32] {
      try (0..<50).map { _ in
        try logits.withUnsafeBufferPointer { try chain.next(logits: $0, history: TokenHistory([])) }
      }
    }
    let first = try draw()
    #expect(try draw() != first)
    chain.reset()
    #expect(try draw() == first)
  }

  @Test func optionsStandForTheChainOfLlamaCpp() {
    var options = SamplingOptions()
    options.repeatPenalty = 1.1
    options.dryMultiplier = 0.8
    options.xtcProbability = 0.5
    #expect(
      options.stages.map(\.name) == [
        "repetition-penalty", "dry", "top-k", "top-p", "min-p", "xtc", "temperature", "multinomial",
      ])
    options.mirostat = 2
    #expect(
      options.stages.map(\.description) == ["temperature:value=0.8", "mirostat-v2:eta=0.1,tau=5.0"])
    options.mirostat = 1
    options.temperature = 1
    #expect(options.stages.map(\.name) == ["mirostat"])
    options.temperature = 0
    #expect(options.stages.map(\.name) == ["repetition-penalty", "dry", "greedy"])
    options.mirostat = 3
    #expect(options.problems().count == 1)
  }
}
