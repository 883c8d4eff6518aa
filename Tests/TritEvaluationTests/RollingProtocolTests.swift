import Foundation
import Testing
import TritLab

/// The protocol `lm-eval`: what the harness's rolling log-likelihood gives, and parts of a file of
/// logits.
@Suite struct RollingProtocolTests {
  private func model(_ context: Int) -> BigramModel {
    BigramModel(BigramModel.hashed().table, contextLength: context)
  }

  /// `ModelScorer` is held against the harness itself (`HarnessGoldenTests`).
  @Test(arguments: [1, 15, 16, 17, 31, 32, 33, 100])
  func everyTokenCountsOnceAsInTheHarness(length: Int) throws {
    let text = LetterTokenizer.text((0..<length).map { ($0 * 7 + $0 / 5) % 15 + 1 })
    let model = model(16)
    let result = try Perplexity.measure(
      model, text: text, method: PerplexityProtocol(name: "lm-eval", context: 16))
    var scorer = ModelScorer(model)
    let expected = try scorer.logLikelihood(of: text)
    // BOS, which the tokenizer puts in front, counts too.
    #expect(result.scoredTokens == length + 1)
    #expect(abs(result.nll.reduce(0, +) + expected) < 1e-9)
    // No window reads more than the context.
    #expect(model.calls.allSatisfy { $0.count <= 16 })
    let figures = try #require(result.harnessFigures(of: text))
    #expect(agrees(figures.bits, -expected / Double(length) / log(2)))
    #expect(agrees(figures.byte, exp(-expected / Double(length))))
    #expect(agrees(figures.word, exp(-expected)))
  }

  @Test func itIsCalledLmEvalAndHasNoStride() throws {
    #expect(try PerplexityProtocol(name: "lm-eval") == .rolling(context: 4096))
    #expect(try PerplexityProtocol(name: "lm-eval", longest: 512) == .rolling(context: 512))
    #expect(throws: LabError.self) { try PerplexityProtocol(name: "lm-eval", stride: 3) }
    #expect(throws: LabError.self) {
      try PerplexityProtocol.rolling(context: 8).windows(of: [1, 2], bos: nil)
    }
    let one = try Perplexity.measure(
      model(64), text: "bc", method: .contiguous(context: 3))
    #expect(one.harnessFigures(of: "bc") == nil)
  }

  @Test func partsOfAFileOfLogitsAreThoseOfTheWhole() throws {
    let path = NSTemporaryDirectory() + "trit-part-\(UUID().uuidString).kld"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let model = BigramModel.hashed()
    let method = PerplexityProtocol.llamaCpp(context: 8)
    let text = LetterTokenizer.text((0..<64).map { ($0 * 5 + $0 / 3) % 15 + 1 })
    let windows = try method.windows(of: text, tokenizer: model.tokenizer)
    _ = try LogitsFileWriter.write(model, windows: windows, method: method, to: path)
    let file = try LogitsFile(path: path)
    let other = BigramModel.hashed(weight: 0.2)
    let whole = try DivergenceMeasurement().measure(variant: other, reference: file)
    let part = try DivergenceMeasurement().measure(
      variant: other, reference: file, selection: WindowSelection(2, 5))
    #expect(part.chunkCounts.count == 3)
    let place = whole.chunkCounts[..<2].reduce(0, +)
    #expect(part.divergences == Array(whole.divergences[place..<place + part.scoredTokens]))
    let rest = try DivergenceMeasurement().measure(
      variant: other, reference: file, selection: WindowSelection(5, nil))
    #expect(rest.chunkCounts.count == windows.count - 5)
    #expect(throws: LabError.self) {
      try DivergenceMeasurement().measure(
        variant: other, reference: file, selection: WindowSelection(windows.count, nil))
    }
  }
}
