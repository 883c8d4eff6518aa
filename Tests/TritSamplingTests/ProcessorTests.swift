import Testing
import TritLab

/// Golden cases small enough to be worked out by hand.
@Suite struct ProcessorTests {
  /// `processor` on logits for tokens 0, 1, 2…; what stays, by token.
  private func run(
    _ processor: some LogitsProcessor, _ logits: [Float], history: [Int32] = []
  ) -> [Candidate] {
    var processor = processor
    var candidates = logits.enumerated().map {
      Candidate(token: Int32($0.offset), logit: $0.element)
    }
    processor.process(&candidates, history: TokenHistory(history))
    return candidates.sorted { $0.token < $1.token }
  }

  private func tokens(
    _ processor: some LogitsProcessor, _ logits: [Float], history: [Int32] = []
  ) -> [Int32] {
    run(processor, logits, history: history).map(\.token)
  }

  /// ln of 0.5, 0.25, 0.15, 0.1: logits whose softmax is these probabilities.
  private let quarters: [Float] = [-0.693_147_2, -1.386_294_4, -1.897_12, -2.302_585]

  @Test func temperatureDivides() {
    #expect(run(Temperature(0.5), [1, -2, 3]).map(\.logit) == [2, -4, 6])
    #expect(run(Temperature(1), [1, -2, 3]).map(\.logit) == [1, -2, 3])
    #expect(run(Temperature(2), [1, -.infinity, 3]).map(\.logit) == [0.5, -.infinity, 1.5])
  }

  @Test func temperatureZeroLeavesTheBest() {
    #expect(tokens(Temperature(0), [1, 5, 5, 2]) == [1])
  }

  @Test func aTinyTemperatureDoesNotOverflow() {
    let kept = run(Temperature(1e-38), [3, 5, 5])
    #expect(kept.allSatisfy { !$0.logit.isNaN && $0.logit < .infinity })
    #expect(kept[1].logit == kept[2].logit && kept[0].logit < kept[1].logit)
  }

  @Test func topKKeepsTheBestAndBreaksTiesByToken() {
    #expect(tokens(TopK(2), [0.1, 3, 2, 3]) == [1, 3])
    #expect(tokens(TopK(2), [3, 3, 3, 3]) == [0, 1])
    #expect(tokens(TopK(0), [1, 2]) == [0, 1])
    #expect(tokens(TopK(9), [1, 2]) == [0, 1])
  }

  @Test func topPKeepsTheSmallestSetThatReachesP() {
    #expect(tokens(TopP(0.49), quarters) == [0])
    #expect(tokens(TopP(0.51), quarters) == [0, 1])
    #expect(tokens(TopP(0.76), quarters) == [0, 1, 2])
    #expect(tokens(TopP(0.0001), quarters) == [0])
    #expect(tokens(TopP(1), quarters) == [0, 1, 2, 3])
  }

  @Test func minPIsRelativeToTheBest() {
    // Limits relative to 0.5: 0.25/0.5 = 0.5, 0.15/0.5 = 0.3, 0.1/0.5 = 0.2.
    #expect(tokens(MinP(0.49), quarters) == [0, 1])
    #expect(tokens(MinP(0.51), quarters) == [0])
    #expect(tokens(MinP(0.25), quarters) == [0, 1, 2])
    #expect(tokens(MinP(0), quarters) == [0, 1, 2, 3])
    #expect(tokens(MinP(1), [2, 2, 1]) == [0, 1])
  }

  @Test func typicalOrdersBySurpriseAgainstEntropy() {
    // H = 0.5·0.6931 + 0.25·1.3863 + 0.15·1.8971 + 0.1·2.3026 = 1.2080 nats; |surprise − H| is
    // 0.515, 0.178, 0.689, 1.095 for tokens 0…3, so the order is 1 (0.25), 0 (0.75), 2 (0.9), 3.
    #expect(tokens(Typical(0.2), quarters) == [1])
    #expect(tokens(Typical(0.3), quarters) == [0, 1])
    #expect(tokens(Typical(0.8), quarters) == [0, 1, 2])
    #expect(tokens(Typical(1), quarters) == [0, 1, 2, 3])
  }

  @Test func repetitionPenaltyFollowsTheSign() {
    let logits: [Float] = [2, -2, 4, 0]
    #expect(
      run(RepetitionPenalty(2), logits, history: [0, 0, 1, 3]).map(\.logit) == [1, -4, 4, 0])
    #expect(
      run(RepetitionPenalty(2, lastN: 1), logits, history: [2, 0]).map(\.logit) == [1, -2, 4, 0])
    #expect(run(RepetitionPenalty(2, lastN: 0), logits, history: [2, 0]).map(\.logit) == logits)
  }

  @Test func presenceCountsOnceAndFrequencyEachTime() {
    let logits: [Float] = [2, 2, 2]
    let history: [Int32] = [0, 1, 1, 1]
    #expect(run(PresencePenalty(0.5), logits, history: history).map(\.logit) == [1.5, 1.5, 2])
    #expect(run(FrequencyPenalty(0.5), logits, history: history).map(\.logit) == [1.5, 0.5, 2])
    #expect(
      run(FrequencyPenalty(0.5, lastN: 2), logits, history: history).map(\.logit) == [2, 1, 2])
    #expect(
      run(FrequencyPenalty(0.5, lastN: -1), logits, history: history).map(\.logit) == [1.5, 0.5, 2])
  }

  @Test func penaltiesPassOverTokensThatAreNoCandidates() {
    #expect(run(PresencePenalty(1), [1, 2], history: [7, -1, 1]).map(\.logit) == [1, 1])
  }

  @Test func logitBiasAddsAndBans() {
    let bias = LogitBias([
      .init(token: 0, bias: 1.5), .init(token: 2, bias: -.infinity), .init(token: 9, bias: 1),
    ])
    #expect(run(bias, [1, 1, 1]).map(\.logit) == [2.5, 1, -.infinity])
  }
}
