import Testing
import TritLab

/// A draw of a seed depends on the candidates that are left, and on nothing that was cut away.
@Suite struct CandidateOrderTests {
  /// What `processor` leaves of logits whose tail is scaled: the k greatest are the same.
  private static func left(_ k: Int, tail: Float, count: Int) -> [Candidate] {
    var random = SeededRandom(seed: 3)
    var candidates = (0..<count).map { index -> Candidate in
      let isTop = index % (count / k) == 0
      let logit = isTop ? 10 + Float(random.uniform()) : tail * Float(random.uniform())
      return Candidate(token: Int32(index), logit: logit)
    }
    var processor = TopK(k)
    processor.process(&candidates, history: TokenHistory())
    return candidates
  }

  @Test(arguments: [1, 5, 40, 200]) func topKLeavesTheSameOrderWhateverTheTailIs(_ k: Int) {
    let plain = Self.left(k, tail: 1, count: 400)
    #expect(plain.count == k)
    #expect(zip(plain, plain.dropFirst()).allSatisfy { $0.logit >= $1.logit })
    for tail in [Float(-1), 0, 0.25, 9] {
      #expect(Self.left(k, tail: tail, count: 400).map(\.token) == plain.map(\.token))
    }
  }

  @Test func oneSeedDrawsOneTokenWhateverTheTailIs() {
    for seed in UInt64(0)..<50 {
      var draws: Set<Int32> = []
      for tail in [Float(-1), 0, 1, 9] {
        let candidates = Self.left(5, tail: tail, count: 400)
        var sampler = Multinomial()
        var random = SeededRandom(seed: seed)
        draws.insert(sampler.sample(candidates, random: &random))
      }
      #expect(draws.count == 1)
    }
  }
}
