import Testing
import TritLab

@Suite struct PerplexityTests {
  private let model = BigramModel.hashed()
  private var text: String { LetterTokenizer.text(goldenTokens(200)) }
  private var bare: BigramModel {
    BigramModel(model.table, tokenizer: LetterTokenizer(addsBOS: false))
  }

  // The golden numbers are numpy's, from the same table in double precision.
  @Test func llamaProtocolIsLlamaPerplexitys() throws {
    // With BOS in front of the text its windows shift by one token, as in llama-perplexity: the
    // text is taken without its first token so that the tokens are the script's.
    let windows = try PerplexityProtocol.llamaCpp(context: 32).windows(
      of: goldenTokens(200), bos: 0)
    let result = try Perplexity.measure(
      model, windows: windows, method: .llamaCpp(context: 32))
    #expect(result.chunks == 6 && result.scoredTokens == 90)
    #expect(result.chunkCounts == Array(repeating: 15, count: 6))
    #expect(agrees(result.perplexity.value, 22.999655406206664))
    #expect(agrees(result.perplexity.error, 2.4011335978976454))
    #expect(agrees(result.meanNLL.value, 3.1354792334780726))
    #expect(result.finalLine == "Final estimate: PPL = 22.9997 +/- 2.40113")
    #expect(agrees(result.runningPerplexity[5], result.perplexity.value))
    #expect(result.positions.prefix(15).elementsEqual(16..<31))
    // The model is asked for no logits before the second half.
    #expect(model.calls.allSatisfy { $0 == (32, 16) })
  }

  @Test func theTokenizersBOSReplacesTheFirstTokenOfEachWindow() throws {
    let tokens = goldenTokens(65)
    let method = PerplexityProtocol.llamaCpp(context: 16)
    let windows = try method.windows(
      of: LetterTokenizer.text(tokens), tokenizer: LetterTokenizer())
    let whole = [0] + tokens
    #expect(windows.count == 4)
    for (index, window) in windows.enumerated() {
      #expect(window.tokens[0] == 0)
      #expect(Array(window.tokens[1...]) == Array(whole[index * 16 + 1..<(index + 1) * 16]))
      #expect(window.firstScored == 8 && window.scored == 7)
    }
    let without = try method.windows(
      of: LetterTokenizer.text(tokens), tokenizer: LetterTokenizer(addsBOS: false))
    #expect(without.flatMap(\.tokens) == Array(tokens.prefix(64)))
  }

  @Test func aStridedRunScoresEveryTokenOnce() throws {
    let result = try Perplexity.measure(
      bare, text: text, method: .strided(context: 32, stride: 12))
    #expect(result.scoredTokens == 199 && result.chunks == 15)
    #expect(agrees(result.perplexity.value, 23.240415838429314))
    #expect(agrees(result.perplexity.error, 1.6048202393758773))
    // Stride = context, and a last window of a single token, which predicts nothing.
    let tokens = goldenTokens(200) + Array(repeating: 3, count: 25)
    let disjoint = try Perplexity.measure(
      bare, text: LetterTokenizer.text(tokens), method: .strided(context: 32, stride: 32))
    #expect(disjoint.scoredTokens == 217 && disjoint.chunks == 7)
    #expect(agrees(disjoint.perplexity.value, 28.55667893867088))
  }

  @Test func aContiguousRunIsGPTQs() throws {
    let result = try Perplexity.measure(bare, text: text, method: .contiguous(context: 64))
    #expect(result.scoredTokens == 189 && result.chunks == 3)
    #expect(agrees(result.perplexity.value, 23.57373346707094))
    #expect(agrees(result.perplexity.error, 1.6799610300745074))
  }

  @Test func everyProtocolGivesTheVocabularySizeForAUniformModel() throws {
    let uniform = BigramModel(
      Array(repeating: Array(repeating: 0.7, count: 16), count: 16),
      tokenizer: LetterTokenizer(addsBOS: false))
    for (name, _) in PerplexityProtocol.descriptions {
      let result = try Perplexity.measure(
        uniform, text: text, method: PerplexityProtocol(name: name, context: 50))
      #expect(abs(result.perplexity.value - 16) < 1e-12, "\(name)")
      #expect(result.perplexity.error < 1e-12)
      // One byte a token, four bits a token.
      #expect(abs((result.bitsPerByte ?? 0) - 4) < 1e-12)
    }
  }

  /// A control token that the text writes is scored and has no bytes; where tokens are not the
  /// text's, or a token has no bytes at all, the bytes are not known.
  @Test func bitsPerByteCountControlTokensOfTheTextAsNoBytes() throws {
    let rows = Array(repeating: Array(repeating: Float(0.7), count: 16), count: 16)
    let tokens = [1, 2, 3, 15, 1, 2, 15, 4]
    func measure(_ tokenizer: LetterTokenizer, parseSpecial: Bool) throws -> PerplexityResult {
      try Perplexity.measure(
        BigramModel(rows, tokenizer: tokenizer), text: LetterTokenizer.text(tokens),
        method: .contiguous(context: 8), parseSpecial: parseSpecial)
    }
    let written = try measure(LetterTokenizer(addsBOS: false, control: 15), parseSpecial: true)
    #expect(written.scoredTokens == 7 && written.scoredBytes == 5)
    #expect(agrees(written.bitsPerByte ?? 0, 4 * 7.0 / 5))
    let plain = try measure(LetterTokenizer(addsBOS: false, control: 15), parseSpecial: false)
    #expect(plain.scoredTokens == 7 && plain.bitsPerByte == nil)
    let silent = try measure(LetterTokenizer(addsBOS: false, silent: 15), parseSpecial: true)
    #expect(silent.bitsPerByte == nil)
  }

  @Test func oneTrailingNewlineIsDroppedAndOnlyByLlamaPerplexity() throws {
    #expect(PerplexityProtocol.llamaCpp(context: 8).prepared("ab\n\n") == "ab\n")
    #expect(PerplexityProtocol.llamaCpp(context: 8).prepared("ab\r\n") == "ab\r")
    #expect(PerplexityProtocol.llamaCpp(context: 8).prepared("ab") == "ab")
    #expect(PerplexityProtocol.contiguous(context: 8).prepared("ab\n") == "ab\n")
  }

  @Test func runningLineHasLlamaPerplexitysForm() {
    let result = PerplexityResult(
      method: .contiguous(context: 2), nll: [0, 2], positions: [0, 0], chunkCounts: [1, 1],
      scoredBytes: 2, seconds: 0)
    #expect(result.runningLine == "[1]1.0000,[2]2.7183,")
    #expect(result.finalLine == "Final estimate: PPL = 2.7183 +/- 2.71828")
    #expect(agrees(result.chunkStandardError, 2.718281828459045))
  }

  @Test func limitsStopEarly() throws {
    let result = try Perplexity.measure(
      bare, text: text, method: .contiguous(context: 16), limit: 4)
    #expect(result.chunks == 4 && result.scoredTokens == 60)
  }

  @Test func progressCountsWindowsAndKnowsTheValue() throws {
    var updates: [ProgressUpdate] = []
    let result = try Perplexity.measure(bare, text: text, method: .contiguous(context: 64)) {
      updates.append($0)
    }
    #expect(updates.map(\.completed) == [1, 2, 3])
    #expect(
      updates.allSatisfy { $0.total == 3 && $0.secondsElapsed >= 0 && $0.task == "perplexity" })
    #expect(updates.last?.fraction == 1 && updates.last?.secondsLeft == 0)
    for (update, running) in zip(updates, result.runningPerplexity) {
      #expect(agrees(update.value ?? 0, running, digits: 12))
    }
  }

  @Test func positionsAreGroupedIntoBuckets() throws {
    let result = try Perplexity.measure(bare, text: text, method: .contiguous(context: 64))
    let buckets = result.byPosition(buckets: 4)
    #expect(buckets.map(\.count) == [48, 48, 48, 45])
    #expect(buckets.map(\.position) == [7.5, 23.5, 39.5, 55.5])
    let total = buckets.map { $0.mean.value * Double($0.count) }.reduce(0, +)
    #expect(agrees(total / 189, result.meanNLL.value, digits: 12))
    // Three windows of 16 tokens in each bucket: the standard error of their means.
    let means = (0..<3).map { window in
      result.nll[window * 63..<window * 63 + 16].reduce(0, +) / 16
    }
    let spread = try #require(SampleStatistics(means)).standardDeviation / 3.squareRoot()
    #expect(agrees(try #require(buckets[0].windowError), spread, digits: 9))
  }

  @Test func pairedComparisonIsTighterThanTheTwoErrors() throws {
    let variant = BigramModel.hashed(weight: 0.5)
    let windows = try PerplexityProtocol.llamaCpp(context: 16).windows(
      of: goldenTokens(320), bos: 0)
    func run(_ model: BigramModel) throws -> PerplexityResult {
      try Perplexity.measure(model, windows: windows, method: .llamaCpp(context: 16))
    }
    let a = try run(variant)
    let b = try run(model)
    let compared = try PerplexityComparison(variant: a, base: b)
    #expect(compared.logRatio.error < 0.5 * (a.meanNLL.error + b.meanNLL.error))
    #expect(agrees(compared.ratio.value, a.perplexity.value / b.perplexity.value, digits: 12))
    let same = try PerplexityComparison(variant: b, base: b)
    #expect(same.logRatio == Estimate(0, 0) && agrees(same.correlation, 1, digits: 12))
    let other = try Perplexity.measure(bare, text: text, method: .contiguous(context: 64))
    #expect(throws: LabError.self) { try PerplexityComparison(variant: other, base: b) }
  }
}

@Suite struct PerplexityErrorTests {
  private let model = BigramModel.hashed()

  private func kind(_ body: () throws -> Void) -> LabError.Kind? {
    do {
      try body()
      return nil
    } catch { return (error as? LabError)?.kind }
  }

  @Test func namesAreCheckedWithASuggestion() throws {
    #expect(try PerplexityProtocol(name: "llama.cpp") == .llamaCpp(context: 512))
    #expect(try PerplexityProtocol(name: "gptq") == .contiguous(context: 2048))
    #expect(try PerplexityProtocol(name: "hf", context: 100) == .strided(context: 100, stride: 50))
    #expect {
      try PerplexityProtocol(name: "contigous")
    } throws: { ($0 as? LabError)?.advice == "did you mean 'contiguous'?" }
  }

  @Test(
    arguments: [
      ("llama.cpp", 2, nil), ("llama.cpp", -5, nil), ("contiguous", 1, nil), ("strided", 8, 0),
      ("strided", 8, 9), ("contiguous", 8, 4),
    ] as [(String, Int, Int?)]) func impossibleSizesAreUsageErrors(
      name: String, context: Int, stride: Int?
    )
  {
    #expect(
      kind { _ = try PerplexityProtocol(name: name, context: context, stride: stride) } == .usage)
  }

  @Test func aShortTextSaysHowManyTokensAreNeeded() {
    #expect {
      try Perplexity.measure(
        model, text: LetterTokenizer.text(goldenTokens(62)), method: .llamaCpp(context: 32))
    } throws: {
      let error = $0 as? LabError
      return error?.kind == .badData && error?.expected == "at least 64 tokens"
        && error?.got == "63 tokens"
    }
    #expect(
      kind {
        _ = try PerplexityProtocol.llamaCpp(context: Int.max).windows(of: [1, 2], bos: nil)
      } == .badData)
  }

  @Test func aContextBeyondTheModelsIsAUsageError() {
    let small = BigramModel(model.table, contextLength: 8)
    #expect(
      kind {
        _ = try Perplexity.measure(
          small, text: LetterTokenizer.text(goldenTokens(62)), method: .contiguous(context: 16))
      } == .usage)
  }

  @Test func aTokenWithoutALogitIsBadData() {
    #expect(
      kind {
        _ = try Perplexity.measure(
          model, windows: [ScoringWindow(tokens: [1, 99, 2], firstScored: 0)],
          method: .contiguous(context: 3))
      } == .badData)
  }

  @Test func nanLogitsNameTheirPlace() {
    var table = model.table
    table[5][3] = .nan
    let broken = BigramModel(table)
    #expect {
      try Perplexity.measure(
        broken, windows: [ScoringWindow(tokens: [1, 5, 2], firstScored: 0)],
        method: .contiguous(context: 3))
    } throws: { ($0 as? LabError)?.place == "chunk 1, position 1" }
  }
}
