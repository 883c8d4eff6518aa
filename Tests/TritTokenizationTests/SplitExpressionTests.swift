import Testing
import TritLab

/// Regular expressions of `Split` steps: constructs one by one, and what hostile ones cost.
@Suite struct SplitExpressionTests {
  /// Pieces as `tokenizers` 0.23.3 (PyPI) gives them for an isolated `Split` alone.
  static let golden: [(expression: String, text: String, pieces: [String])] = [
    (#"a+?b"#, "aaab ab b", ["aaab", " ", "ab", " b"]),
    (#"\w++x|\d"#, "abx a1x 12", ["abx a", "1", "x ", "1", "2"]),
    (#"(?>a|ab)c"#, "abc ac", ["abc ", "ac"]),
    (#"(?<=\d)x|(?<!\d)y"#, "1x x y 2y", ["1", "x", " x ", "y", " 2y"]),
    (#"\s+$"#, "a  \nb  c  ", ["a", "  ", "\nb  c", "  "]),
    (#"^b"#, "b\nb ab", ["b", "\n", "b", " ab"]),
    (#"[\p{L}&&[^aeiou]]+"#, "hello naïve", ["h", "e", "ll", "o ", "n", "a", "ïv", "e"]),
    (#"[^a[bc]]+"#, "abcxyzabc-d", ["abc", "xyz", "abc", "-d"]),
    (#"(?i:k|s)+"#, "Kſs K x", ["Kſs", " ", "K", " x"]),
    (#"\bfoo\b"#, "foo food foo.", ["foo", " food ", "foo", "."]),
    (#"(?=(\d{3})+(?!\d))"#, "1234567 12 123", ["1", "234", "567 12 ", "123"]),
    (#"x{2,3}"#, "xxxxxxx x", ["xxx", "xxx", "x x"]),
    (#"a{,2}b"#, "aaab b ab", ["a", "aab", " ", "b", " ", "ab"]),
    (#"(?:ab|a)(?:bc|c)?"#, "abc abbc ac", ["abc", " ", "abbc", " ", "ac"]),
    (#"\x41|\u0042|\x{43}"#, "ABCD", ["A", "B", "C", "D"]),
    (#"\P{L}+"#, "ab12 c!", ["ab", "12 ", "c", "!"]),
    (#".b"#, "ab\nb b", ["ab", "\nb", " b"]),
    (#"(?i)ab|c"#, "AB C c", ["AB", " ", "C", " ", "c"]),
    (#"\p{^L}+"#, "ab12 c!", ["ab", "12 ", "c", "!"]),
    (#"[a-c-]+"#, "a-b-d", ["a-b-", "d"]),
  ]

  @Test(arguments: golden.indices)
  func cutsAsTokenizersDoes(index: Int) throws {
    let (expression, text, pieces) = Self.golden[index]
    #expect(try cut(text, expression) == pieces, "\(expression)")
  }

  /// Work that grows with the square of the text, or doubles with every letter, would not end here.
  @Test(arguments: [
    (#"(?:a|aa)+$"#, "a"), (#"(?:a+)+b"#, "a"), (#"(?=(?:a|aa)+b)a"#, "a"),
    (#"\s+$"#, " "), (#"(?:\w\w?)+!"#, "a"), (#"(?>(?:a|aa)+b)|a"#, "a"),
  ])
  func hostileExpressionsEnd(expression: String, letter: String) throws {
    let look = expression.contains("(?=") || expression.contains("(?>")
    let text = String(repeating: letter, count: look ? 300 : 20_000) + "c"
    #expect(try cut(text, expression).joined() == text)
  }

  @Test(arguments: [
    "(", ")", "a**(", "[", "[]", "[z-a]", "*a", "a{3,2}", "a{2000}", "(?:a*)*", #"\k<x>"#,
    #"\p{Greek}"#,
    "(?<name>a)", "(?i:é)", "[[:alpha:]]", "a(?i)b", #"(\1)"#, "\\", "(?<=ab)c", "x{2}?", #"\p{L"#,
    String(repeating: "(", count: 10_000), "((((a{1000}){1000}){1000}){1000})",
  ])
  func whatIsNotSupportedIsAnErrorWithThePlace(expression: String) throws {
    #expect {
      try cut("text", expression)
    } throws: { error in
      guard let error = error as? LabError else { return false }
      return error.kind == .badData && (error.place ?? "").contains("pre_tokenizer")
        && error.what.contains("at character")
    }
  }

  private func cut(_ text: String, _ expression: String) throws -> [String] {
    let json = Fixture.byteLevel(preTokenizer: Fixture.split(expression))
    return try #require(try Fixture.load(json) as? BytePairTokenizer).preTokenize(text)
  }
}
