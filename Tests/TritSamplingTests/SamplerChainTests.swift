import Testing
import TritLab

@Suite struct SamplerChainTests {
  static let processors = Registry<any LogitsProcessor>.standard
  static let samplers = Registry<any Sampler>.standard

  private func draw(
    _ chain: inout SamplerChain, _ logits: [Float], _ count: Int = 1, history: [Int32] = []
  ) throws -> [Int32] {
    var history = TokenHistory(history)
    return try (0..<count).map { _ in
      let token = try logits.withUnsafeBufferPointer {
        try chain.next(logits: $0, history: history)
      }
      history.append(token)
      return token
    }
  }

  private func noise(_ count: Int, seed: UInt64) -> [Float] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { _ in Float(random.uniform() * 16 - 8) }
  }

  @Test(arguments: processors.names) func processorLawsHold(name: String) throws {
    let processor = try Self.processors.make(StageChoice(name))
    #expect(processor.name == name)
    #expect(checkLogitsProcessor(processor).isEmpty)
  }

  @Test(arguments: [
    "top-k:k=1", "top-k:k=63", "top-k:k=2000", "top-p:p=0.01", "top-p:p=0.999", "min-p:p=1",
    "typical:p=0.1", "temperature:value=0", "temperature:value=0.00001", "logit-bias:bias=5",
    "repetition-penalty:last-n=-1", "frequency-penalty:last-n=3", "xtc:probability=1",
    "xtc:probability=1,threshold=0", "dry:multiplier=100", "dry:allowed-length=1,last-n=50",
  ])
  func processorLawsHoldWithParameters(choice: String) throws {
    let processor = try Self.processors.make(StageChoice(parsing: choice))
    #expect(checkLogitsProcessor(processor, seed: 9).isEmpty)
  }

  @Test(arguments: samplers.names) func samplerLawsHold(name: String) throws {
    let sampler = try Self.samplers.make(StageChoice(name))
    #expect(sampler.name == name)
    // Mirostat's draws depend on those before, so that no law of frequencies holds.
    #expect(sampler.behaviour != .other || name.hasPrefix("mirostat"))
    #expect(checkSampler(sampler).isEmpty)
  }

  @Test func theCheckersFindLiars() {
    struct Emptying: LogitsProcessor {
      let name = "emptying"
      mutating func process(_ candidates: inout [Candidate], history: borrowing TokenHistory) {
        candidates.removeAll()
      }
    }
    struct FirstOnly: LogitsProcessor {
      let name = "first-only"
      mutating func process(_ candidates: inout [Candidate], history: borrowing TokenHistory) {
        candidates.removeLast(candidates.count - 1)
      }
    }
    struct Uniform: Sampler {
      let name = "uniform"
      let behaviour = SamplerBehaviour.proportional
      mutating func sample(
        _ candidates: borrowing [Candidate], random: inout SeededRandom
      ) -> Int32 { candidates[random.below(candidates.count)].token }
    }
    #expect(checkLogitsProcessor(Emptying()).contains { $0.law == "a candidate always stays" })
    #expect(checkLogitsProcessor(FirstOnly()).contains { $0.law.contains("order") })
    #expect(checkSampler(Uniform()).contains { $0.law == "frequencies follow the softmax" })
    #expect(checkSampler(Uniform()).contains { $0.law == "what is drawn is a candidate above −∞" })
  }

  @Test func greedyTakesTheSmallestOfTheBest() throws {
    var chain = try SamplerChain(.greedy)
    #expect(chain.stageNames == ["greedy"])
    #expect(try draw(&chain, [1, 7, 3, 7]) == [1])
    #expect(try draw(&chain, [-.infinity, -.infinity, -3]) == [2])
  }

  @Test func penaltiesCountAtTemperatureZero() throws {
    var options = SamplingOptions.greedy
    options.repeatPenalty = 2
    var chain = try SamplerChain(options)
    #expect(chain.stageNames == ["repetition-penalty", "greedy"])
    #expect(try draw(&chain, [4, 3, 1], history: [0]) == [1])
    // 4 → 2 and 3 → 1.5 once both were said: 0 leads again.
    #expect(try draw(&chain, [4, 3, 1], 3) == [0, 1, 0])
  }

  @Test func defaultsAreTheKnownChain() throws {
    var options = SamplingOptions()
    #expect(
      try SamplerChain(options).stageNames
        == ["top-k", "top-p", "min-p", "temperature", "multinomial"])
    options.logitBias = [.init(token: 1, bias: 1)]
    options.repeatPenalty = 1.1
    options.frequencyPenalty = 0.1
    options.presencePenalty = 0.1
    options.typical = 0.9
    #expect(
      try SamplerChain(options).stageNames == [
        "logit-bias", "repetition-penalty", "frequency-penalty", "presence-penalty", "top-k",
        "typical", "top-p", "min-p", "temperature", "multinomial",
      ])
  }

  @Test func aBiasBeyondTheVocabularyIsAnError() throws {
    var options = SamplingOptions()
    options.logitBias = [.init(token: 7, bias: 1)]
    _ = try SamplerChain(options, vocabulary: 8)
    #expect(throws: LabError.self) { try SamplerChain(options, vocabulary: 7) }
  }

  @Test func sameSeedSameTokensOtherSeedOtherTokens() throws {
    let logits = noise(500, seed: 1).map { $0 / 8 }
    var first = try SamplerChain(SamplingOptions(seed: 5))
    var second = first
    var other = try SamplerChain(SamplingOptions(seed: 6))
    let tokens = try draw(&first, logits, 40)
    #expect(try draw(&second, logits, 40) == tokens)
    #expect(try draw(&other, logits, 40) != tokens)
    first.reset()
    #expect(try draw(&first, logits, 40) == tokens)
    #expect(Set(tokens).count > 5)
  }

  @Test func distributionIsWhatIsDrawnFrom() throws {
    var chain = try SamplerChain(SamplingOptions(temperature: 1, topK: 2, topP: 1, minP: 0))
    let logits: [Float] = [0, 1.098_612_3, -5, -6]
    let shares = try logits.withUnsafeBufferPointer {
      try chain.distribution(logits: $0, history: TokenHistory())
    }
    #expect(shares.map(\.token) == [1, 0])
    #expect(abs(shares[0].probability - 0.75) < 1e-6 && abs(shares[1].probability - 0.25) < 1e-6)
    let tokens = try draw(&chain, logits, 4000)
    // Standard error of a share: √(0.75·0.25/4000) = 0.007.
    #expect(abs(Double(tokens.count { $0 == 1 }) / 4000 - 0.75) < 0.03)
  }

  @Test func partialSelectionAgreesWithAFullSort() throws {
    for (count, k) in [(1000, 40), (1000, 300), (5000, 1), (5000, 4999), (4096, 256)] {
      let logits = noise(count, seed: UInt64(k)).map { ($0 * 20).rounded() }
      let wanted = (0..<count).sorted { (logits[$0], $1) > (logits[$1], $0) }.prefix(k)
      var chain = try SamplerChain(stages: [StageChoice("top-k", ["k": .integer(k)])])
      let kept = try logits.withUnsafeBufferPointer {
        try chain.distribution(logits: $0, history: TokenHistory())
      }
      #expect(kept.map { Int($0.token) } == Array(wanted))
    }
  }

  @Test func stagesRunInTheirOwnOrder() throws {
    let text = ["temperature:value=2", "top-k:k=3", "greedy"]
    var chain = try SamplerChain(stages: text.map { try StageChoice(parsing: $0) })
    #expect(chain.stageNames == ["temperature", "top-k", "greedy"])
    #expect(try draw(&chain, [1, 2, 3, 0]) == [2])
    #expect(try SamplerChain(stages: []).stageNames == ["multinomial"])
  }

  @Test func aSamplerBeforeAProcessorIsAnError() {
    #expect {
      try SamplerChain(stages: [StageChoice("greedy"), StageChoice("top-k")])
    } throws: { ($0 as? LabError)?.what.contains("not the last stage") == true }
    #expect {
      try SamplerChain(stages: [StageChoice("top-kk")])
    } throws: { ($0 as? LabError)?.advice == "did you mean 'top-k'?" }
  }

  @Test(arguments: [SamplingOptions.greedy, SamplingOptions()])
  func brokenLogitsAreErrors(options: SamplingOptions) throws {
    var chain = try SamplerChain(options)
    for (value, word) in [(Float.nan, "NaN"), (.infinity, "+∞")] {
      #expect {
        try draw(&chain, [1, 2, value, 0])
      } throws: { ($0 as? LabError)?.what == "the logit of token 2 is \(word)" }
    }
    #expect(throws: LabError.self) { try draw(&chain, []) }
    #expect(try draw(&chain, [-.infinity, 1]) == [1])
  }

  @Test(arguments: [0.0, 0.8]) func banningEverythingIsAnError(temperature: Double) throws {
    var options = SamplingOptions(temperature: temperature)
    options.logitBias = (0..<3).map { .init(token: $0, bias: -.infinity) }
    var chain = try SamplerChain(options)
    #expect {
      try draw(&chain, [1, 2, 3])
    } throws: { ($0 as? LabError)?.advice?.contains("biases") == true }
  }
}
