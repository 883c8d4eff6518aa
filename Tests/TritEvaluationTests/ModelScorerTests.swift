import Foundation
import Testing
import TritLab

/// How requests become tokens and windows: `TemplateLM.loglikelihood`, `HFLM.loglikelihood_rolling`
/// and `get_rolling_token_windows` of lm-evaluation-harness 0.4.13, worked out by hand on a table
/// of bigrams.
@Suite struct ModelScorerTests {
  /// ln p of each token after the one before it.
  private func sum(_ model: BigramModel, _ tokens: [Int], from first: Int = 0) -> Double {
    zip(tokens, tokens.dropFirst()).dropFirst(first).reduce(0) { total, pair in
      let row = model.table[pair.0].map(Double.init)
      return total + row[pair.1] - log(row.reduce(0) { $0 + exp($1) })
    }
  }

  private func answers(
    _ model: BigramModel, _ requests: [(String, String)]
  ) throws -> [TaskAnswer] {
    var scorer = ModelScorer(model)
    return try scorer.answers(to: requests.map { TaskRequest(context: $0.0, continuation: $0.1) })
  }

  @Test func aContinuationIsScoredAfterItsContext() throws {
    let model = BigramModel.hashed()
    // Tokens a…p are 0…15; BOS, token 0, stands in front.
    let found = try answers(
      model, [("bcd", "ef"), ("bcd", "eg"), ("bcd", "e"), ("xbc".replacing("x", with: "p"), "d")])
    for (answer, tokens, first) in [
      (found[0], [0, 1, 2, 3, 4, 5], 3), (found[1], [0, 1, 2, 3, 4, 6], 3),
      (found[2], [0, 1, 2, 3, 4], 3), (found[3], [0, 15, 1, 2, 3], 3),
    ] {
      #expect(agrees(answer.logLikelihood, sum(model, tokens, from: first), digits: 6))
    }
    // Greedy is what every row of the table has as its greatest.
    for (answer, tokens) in [(found[0], [3, 4, 5]), (found[3], [2, 3])] {
      let isGreedy = zip(tokens, tokens.dropFirst()).allSatisfy { last, next in
        model.table[last].firstIndex(of: model.table[last].max() ?? 0) == next
      }
      #expect(answer.isGreedy == isGreedy)
    }
    let best = try #require(model.table[3].firstIndex(of: model.table[3].max() ?? 0))
    #expect(try answers(model, [("bcd", LetterTokenizer.text([best]))])[0].isGreedy == true)
  }

  @Test func ofEqualTokensTheFirstIsGreedy() throws {
    let flat = BigramModel(Array(repeating: Array(repeating: 0, count: 16), count: 16))
    let found = try answers(flat, [("b", "a"), ("b", "b"), ("b", "aab")])
    #expect(found.map(\.isGreedy) == [true, false, false])
    #expect(agrees(found[0].logLikelihood, -log(16)))
  }

  @Test func anEmptyContextIsThePrefixToken() throws {
    let model = BigramModel.hashed()
    let found = try answers(model, [("", "cd"), ("", "ad"), ("", "d")])
    #expect(agrees(found[0].logLikelihood, sum(model, [0, 2, 3])))
    // The prefix token at the beginning of a continuation is its context.
    #expect(agrees(found[1].logLikelihood, sum(model, [0, 3])))
    #expect(agrees(found[2].logLikelihood, sum(model, [0, 3])))
    #expect(throws: LabError.self) { try answers(model, [("", "a")]) }
    #expect(throws: LabError.self) { try answers(model, [("b", "")]) }
  }

  @Test func textThatBeginsWithBOSGetsNone() throws {
    let model = BigramModel.hashed()
    // `a` is how BOS, token 0, is written.
    let found = try answers(model, [("abc", "d")])
    #expect(agrees(found[0].logLikelihood, sum(model, [0, 1, 2, 3], from: 2)))
    var scorer = ModelScorer(model)
    // Rolled: the prefix token, then the text's own.
    #expect(agrees(try scorer.logLikelihood(of: "abc"), sum(model, [0, 0, 1, 2])))
  }

  @Test func whatIsTooLongLosesItsBeginning() throws {
    let model = BigramModel(BigramModel.hashed().table, contextLength: 4)
    var scorer = ModelScorer(model)
    let answer = try scorer.answers(to: [TaskRequest(context: "bcdefg", continuation: "hi")])[0]
    #expect(scorer.truncated == 1)
    #expect(agrees(answer.logLikelihood, sum(model, [6, 7, 8])))
    #expect(throws: LabError.self) { try answers(model, [("b", "cdefg")]) }
    #expect(try answers(model, [("b", "cdef")]).count == 1)
  }

  @Test(arguments: [1, 2, 3, 4, 5, 8, 9, 12, 13]) func wholeTextsAreCutIntoWindows(
    _ length: Int
  ) throws {
    // With BOS in front of the text too: the first prediction is BOS after BOS, as in the harness.
    let letters = (0..<length).map { 1 + ($0 * $0 * 7 + 3 * $0) % 15 }
    let tokens = [0] + letters
    for context in [2, 4, 64] {
      let model = BigramModel(BigramModel.hashed().table, contextLength: context)
      var scorer = ModelScorer(model)
      let value = try scorer.logLikelihood(of: LetterTokenizer.text(letters))
      // A table of bigrams sees one token before, which every window has.
      #expect(agrees(value, sum(model, [0] + tokens)), "\(context)")
      // Windows of at most the context, the last filled up from its front.
      #expect(model.calls.allSatisfy { $0.count <= context })
      #expect(model.calls.count == (tokens.count + context - 1) / context)
      if tokens.count > context {
        #expect(model.calls.last?.count == context)
        let rest = (tokens.count - 1) % context + 1
        #expect(model.calls.last?.first == context - rest)
      }
    }
  }
}
