import Testing
import TritLab

/// Messages stay short and quick to make, whatever files put into them.
@Suite struct MessageLimitTests {
  @Test func partsOfAMessageAreCut() {
    let long = String(repeating: "é", count: 1_000_000)
    let error = LabError(
      .badData, "unknown key '\(long)'", at: long, expected: long, got: long, advice: long)
    let text = error.description
    #expect(text.utf8.count < 5 * LabError.shownBytes)
    #expect(text.contains("2000000 bytes in all"))
    let short = LabError(.badData, "what", at: "place", expected: "e", got: "g", advice: "a")
    #expect(short.description == "place: what\n  expected: e\n  got: g\n  next: a")
  }

  @Test func manyProblemsAreCounted() {
    let problems = (0..<1_000).map { LabError(.badData, "problem \($0)") }
    let text = LabErrors(problems).description
    #expect(text.contains("problem 19\n") && !text.contains("problem 20\n"))
    #expect(text.contains("… and 980 more") && text.hasSuffix("1000 problems"))
    #expect(LabErrors(Array(problems.prefix(2))).description == "problem 0\nproblem 1\n2 problems")
    #expect(LabErrors([problems[0]]).description == "problem 0")
  }

  /// Levenshtein's distance by its definition.
  private func distance(_ a: [Character], _ b: [Character]) -> Int {
    if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
    let change = a[0] == b[0] ? 0 : 1
    let (x, y) = (Array(a.dropFirst()), Array(b.dropFirst()))
    return min(distance(x, y) + change, distance(x, b) + 1, distance(a, y) + 1)
  }

  @Test func distancesAreLevenshteins() {
    #expect(Suggestion.distance("kitten", "sitting") == 3)
    #expect(Suggestion.distance("", "abc") == 3 && Suggestion.distance("abc", "abc") == 0)
    var random = SeededRandom(seed: 3)
    for _ in 0..<300 {
      let words = (0..<2).map { _ in
        (0..<random.below(6)).map { _ in "ab".randomElementAt(&random) }
      }
      #expect(
        Suggestion.distance(String(words[0]), String(words[1])) == distance(words[0], words[1]),
        "\(words)")
    }
  }

  @Test func theNearestIsTheOneByAllDistances() {
    var random = SeededRandom(seed: 4)
    for _ in 0..<100 {
      let words = (0..<6).map { _ in
        String((0..<(1 + random.below(7))).map { _ in "abc".randomElementAt(&random) })
      }
      let limit = max(2, words[0].count / 3)
      let others = Array(words.dropFirst())
      let best = others.map { distance(Array(words[0]), Array($0)) }.min() ?? 0
      let found = Suggestion.nearest(words[0], others)
      if best <= limit {
        // The first of the nearest.
        #expect(found == others.first { distance(Array(words[0]), Array($0)) == best }, "\(words)")
      } else {
        #expect(found == nil, "\(words)")
      }
    }
  }

  /// What a hostile file can ask of a suggestion: long names and many of them. No time is asserted;
  /// before, these took minutes.
  @Test func suggestionsAreBounded() {
    let long = String(repeating: "a", count: 1_000_000)
    #expect(Suggestion.nearest(long, [long + "b"]) == nil)
    #expect(Suggestion.nearest("quantizer", [long, "quantiser"]) == "quantiser")
    let many = (0..<300_000).map { "blk.\($0).ffn_down.weight" }
    #expect(Suggestion.nearest("blk.7.ffn_dawn.weight", many) == "blk.7.ffn_down.weight")
  }
}

extension String {
  fileprivate func randomElementAt(_ random: inout SeededRandom) -> Character {
    self[index(startIndex, offsetBy: random.below(count))]
  }
}
