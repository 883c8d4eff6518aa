import Foundation
import Testing
import TritLab
import _TritTestSupport

/// Rules of a tokenizer that blow text up end with an error that names file, rule and bound, before
/// memory is taken.
@Suite struct TextGrowthTests {
  /// A BPE over `a`, `b`, `aa` with the given parts.
  static func json(
    normalizer: String = "null", preTokenizer: String = "null", decoder: String = "null",
    added: String = "[]"
  ) -> String {
    #"{"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "aa": 2, "▁": 3}, "merges": ["a a"]}, "#
      + #""added_tokens": \#(added), "normalizer": \#(normalizer), "pre_tokenizer": "#
      + #"\#(preTokenizer), "decoder": \#(decoder)}"#
  }

  private static func sequence(_ key: String, _ parts: [String]) -> String {
    #"{"type": "Sequence", "\#(key)": [\#(parts.joined(separator: ","))]}"#
  }

  private static func replace(_ pattern: String, _ content: String, regex: Bool = false) -> String {
    #"{"type": "Replace", "pattern": {"\#(regex ? "Regex" : "String")": "\#(pattern)"}, "#
      + #""content": "\#(content)"}"#
  }

  private static func metaspace(_ replacement: String, _ scheme: String = "never") -> String {
    #"{"type": "Metaspace", "replacement": "\#(replacement)", "prepend_scheme": "\#(scheme)", "#
      + #""split": false}"#
  }

  private static let kilobyte = String(repeating: "a", count: 1024)
  private static let megabyte = String(repeating: "a", count: 1 << 20)

  /// What blows up, the document, where the rule is, and how it is called.
  static let bombs: [(what: String, json: String, place: String, rule: String)] = [
    (
      "doublings",
      json(normalizer: sequence("normalizers", (0..<40).map { _ in replace("a", "aa") })),
      "normalizer.normalizers[", "Replace 'a' by 'aa'"
    ),
    (
      "doublings in nested sequences",
      json(
        normalizer: sequence(
          "normalizers", [sequence("normalizers", (0..<40).map { _ in replace("a", "aa") })])),
      "normalizer.normalizers[0].normalizers[", "Replace 'a' by 'aa'"
    ),
    (
      "one replacement", json(normalizer: replace("a", megabyte)), "tokenizer.json: normalizer",
      "Replace 'a' by"
    ),
    (
      "words",
      json(normalizer: sequence("normalizers", (0..<40).map { _ in replace("ab", "abab") })),
      "normalizer.normalizers[", "Replace 'ab' by 'abab'"
    ),
    (
      "an expression",
      json(
        normalizer: sequence(
          "normalizers", (0..<40).map { _ in replace("[ab]", "ab", regex: true) })),
      "normalizer.normalizers[", "Replace an expression by 'ab'"
    ),
    (
      "empty matches",
      json(
        normalizer: sequence("normalizers", (0..<40).map { _ in replace("x*", "b", regex: true) })),
      "normalizer.normalizers[", "Replace an expression by 'b'"
    ),
    (
      "prefixes",
      json(
        normalizer: sequence(
          "normalizers", (0..<80).map { _ in #"{"type": "Prepend", "prepend": "\#(kilobyte)"}"# })),
      "normalizer.normalizers[", "Prepend"
    ),
    (
      "spaces",
      json(preTokenizer: sequence("pretokenizers", (0..<40).map { _ in metaspace("  ") })),
      "pre_tokenizer.pretokenizers[", "Metaspace with '  ' for a space"
    ),
    (
      "a long mark", json(preTokenizer: metaspace(megabyte, "always")), "pre_tokenizer",
      "Metaspace with"
    ),
  ]

  private func error<R>(_ body: () throws -> R) -> LabError? {
    do {
      _ = try body()
      return nil
    } catch { return error as? LabError }
  }

  @Test(arguments: bombs.map(\.what)) func encodingIsBounded(what: String) throws {
    let bomb = try #require(Self.bombs.first { $0.what == what })
    let tokenizer = try Fixture.load(bomb.json)
    let error = error { try tokenizer.encode("ab a b", addSpecial: false, parseSpecial: false) }
    #expect(error?.kind == .badData, "\(error as Any)")
    #expect(error?.place?.contains("tokenizer.json: ") == true)
    #expect(error?.place?.contains(bomb.place) == true, "\(error as Any)")
    #expect(error?.what.contains(bomb.rule) == true, "\(error as Any)")
    #expect(
      error?.expected?.contains("bytes for a text of 6 bytes") == true && error?.advice != nil)
    let pieces = self.error { try (tokenizer as? BytePairTokenizer)?.pieceBytes(of: "ab a b") }
    #expect(pieces == error, "listings have the same bound")
  }

  /// Many short texts between added tokens must not each have a bound of their own.
  @Test func theBoundIsThatOfTheWholeText() throws {
    let doublings = (0..<10).map { _ in Self.replace("a", "aa") }
    let tokenizer = try Fixture.load(
      Self.json(
        normalizer: Self.sequence("normalizers", doublings),
        added: #"[{"id": 4, "content": "|", "normalized": false}]"#))
    // One segment of it is fine: 1,024 times a letter is within the base of 64 KiB.
    #expect(try tokenizer.encode("a", addSpecial: false, parseSpecial: false).count == 512)
    let many = String(repeating: "a|", count: 1_000)
    let error = error { try tokenizer.encode(many, addSpecial: false, parseSpecial: false) }
    #expect(error?.what.contains("too long") == true, "\(error as Any)")
  }

  @Test func addedTokensAreNormalizedWithinBounds() {
    let doublings = Self.sequence("normalizers", (0..<40).map { _ in Self.replace("a", "aa") })
    let error = error {
      try Fixture.load(
        Self.json(
          normalizer: doublings, added: #"[{"id": 4, "content": "aab", "normalized": true}]"#))
    }
    #expect(error?.place?.contains("normalizer.normalizers[") == true, "\(error as Any)")
  }

  @Test func decodersAreBounded() {
    let parts = (0..<40).map { _ in Self.replace("a", "aa") } + [#"{"type": "Fuse"}"#]
    let error = error {
      try Fixture.load(Self.json(decoder: Self.sequence("decoders", parts)))
    }
    #expect(error?.place?.contains("tokenizer.json: decoder.decoders[") == true, "\(error as Any)")
    #expect(error?.what.contains("Replace 'a' by 'aa'") == true)
    #expect(error?.expected?.contains("a token of") == true)
  }

  @Test func addedTokensAreBounded() {
    let long = String(repeating: "x", count: 5_000)
    let error = error {
      try Fixture.load(
        Self.json(added: #"[{"id": 4, "content": "\#(long)", "normalized": false}]"#))
    }
    #expect(
      error?.what == "an added token is too long" && error?.place?.hasSuffix("token 4") == true)
  }

  @Test func pipelinesHaveABoundedNumberOfParts() {
    let lower = [String](repeating: #"{"type": "Lowercase"}"#, count: 600)
    let list = Self.sequence("normalizers", lower + lower)
    #expect(error { try Fixture.load(Self.json(normalizer: list)) }?.what == "the list is too long")
    let nested = Self.sequence(
      "normalizers", [Self.sequence("normalizers", lower), Self.sequence("normalizers", lower)])
    #expect(error { try Fixture.load(Self.json(normalizer: nested)) }?.what == "too many steps")
  }

  /// What real tokenizers do to texts stays far below the bound: U+FDFA is 3 bytes and its
  /// compatibility form 33 (Unicode 16, UnicodeData.txt), each space a mark of three.
  @Test func honestGrowthIsNotBounded() throws {
    let tokenizer = try Fixture.load(
      Self.json(
        normalizer: Self.sequence(
          "normalizers",
          [#"{"type": "NFKC"}"#, #"{"type": "Prepend", "prepend": "▁"}"#, Self.replace(" ", "▁")])))
    let text = String(repeating: "\u{FDFA} ", count: 50_000)
    let pieces = try #require(tokenizer as? BytePairTokenizer)
    let bytes = try pieces.pieceBytes(of: text).reduce(0) { $0 + $1.count }
    // 33 bytes with three spaces that become marks (+6), a mark for the space behind, one in front
    // of all.
    #expect(bytes == 50_000 * (33 + 6 + 3) + 3)
    let spaces = String(repeating: " ", count: 100_000)
    #expect(try tokenizer.encode(spaces, addSpecial: false, parseSpecial: false).count == 100_001)
  }

  @Test(.enabled(if: SharedData.isPresent)) func theCaseOfTheIssue() throws {
    let path = try #require(SharedData.path("cases/bomb-normalizer.json"))
    let tokenizer = try TokenizerLoader.load(path: path)
    let error = error { try tokenizer.encode("a", addSpecial: true, parseSpecial: false) }
    #expect(
      error?.place?.contains("bomb-normalizer.json: normalizer.normalizers[16]") == true,
      "\(error as Any)")
    // 2¹⁶ letters are 64 KiB; the seventeenth doubling is beyond them.
    #expect(error?.expected?.contains("65568 bytes") == true)
  }
}
