import Testing
import TritLab

/// How each pre-tokenizer cuts one sentence that holds every difference between them.
@Suite struct PreTokenizerTests {
  static let sentence =
    "Hello  world! I'VE 12345 things...\n\n  x=$3.14 naïve 中文字 🚀🚀 don't\t\tend "

  static let golden: [(preTokenizer: String, pieces: String)] = [
    (
      Fixture.llama3,
      "Hello| | world|!| I|'VE| |123|45| things|...\n\n| | x|=$|3|.|14| naïve| 中文字| 🚀🚀| don|'t|\t|\tend| "
    ),
    (
      Fixture.qwen2,
      "Hello| | world|!| I|'VE| |1|2|3|4|5| things|...\n\n| | x|=$|3|.|1|4| naïve| 中文字| 🚀🚀| don|'t|\t|\tend| "
    ),
    (
      Fixture.gpt2,
      "Hello| | world|!| I|'|VE| 12345| things|...|\n\n | x|=$|3|.|14| naïve| 中文字| 🚀🚀| don|'t|\t|\t|end| "
    ),
    (
      Fixture.falcon7B,
      "Hello| | world|!| I|'|VE| |123|45| things|...|\n\n | x|=$|3|.|14| naïve| 中文字| 🚀🚀| don|'|t|\t|\t|end| "
    ),
    (
      Fixture.falconE,
      "Hello| | world|!| I|'|VE| |1|2|3|4|5| things|...|\n\n | x|=$|3|.|1|4| naïve| 中文字| 🚀🚀| don|'|t|\t|\t|end| "
    ),
    (
      Fixture.smolLM,
      "Hello| | world|!| I|'|VE| |1|2|3|4|5| things|...|\n\n | x|=$|3|.|1|4| naïve| 中文字| 🚀🚀| don|'t|\t|\t|end| "
    ),
  ]

  @Test(arguments: golden)
  func cutsTheSentence(preTokenizer: String, pieces: String) throws {
    let tokenizer = try #require(
      try Fixture.load(Fixture.byteLevel(preTokenizer: preTokenizer)) as? BytePairTokenizer)
    #expect(try tokenizer.preTokenize(Self.sentence).joined(separator: "|") == pieces)
  }

  static let behaviors: [(name: String, pieces: [String])] = [
    ("Removed", ["the", "final", "countdown"]),
    ("Isolated", ["the", "-", "final", "-", "-", "countdown"]),
    ("MergedWithPrevious", ["the-", "final-", "-", "countdown"]),
    ("MergedWithNext", ["the", "-final", "-", "-countdown"]),
    ("Contiguous", ["the", "-", "final", "--", "countdown"]),
  ]

  @Test(arguments: behaviors)
  func splitsWithEveryBehavior(name: String, pieces: [String]) throws {
    let split = #"{"type": "Split", "pattern": {"String": "-"}, "behavior": "\#(name)"}"#
    #expect(try cut("the-final--countdown", split) == pieces)
  }

  @Test func metaspaceMarksWords() throws {
    let always = #"{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"}"#
    #expect(try cut("Hey  friend ", always) == ["▁Hey", "▁", "▁friend", "▁"])
    let whole =
      #"{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": false}"#
    #expect(try cut("Hey  friend ", whole) == ["▁Hey▁▁friend▁"])
    let legacy = #"{"type": "Metaspace", "replacement": "▁", "add_prefix_space": false}"#
    #expect(try cut("Hey you", legacy) == ["Hey", "▁you"])
  }

  @Test func digitsPunctuationAndWords() throws {
    #expect(
      try cut("a２Ⅷ½三", #"{"type": "Digits", "individual_digits": true}"#)
        == ["a", "２", "Ⅷ", "½", "三"])
    #expect(
      try cut("a$+<=b`c", #"{"type": "Punctuation", "behavior": "Contiguous"}"#)
        == ["a", "$+<=", "b", "`", "c"])
    #expect(try cut("Hey, you_1 !?", #"{"type": "Whitespace"}"#) == ["Hey", ",", "you_1", "!?"])
    #expect(try cut(" a \n b", #"{"type": "WhitespaceSplit"}"#) == ["a", "b"])
  }

  @Test func longSIsAnSInContractions() throws {
    let tokenizer = try #require(
      try Fixture.load(Fixture.byteLevel()) as? BytePairTokenizer)
    #expect(try tokenizer.preTokenize("it'ſ") == ["it", "'ſ"])
  }

  private func cut(_ text: String, _ preTokenizer: String) throws -> [String] {
    let json = Fixture.byteLevel(preTokenizer: preTokenizer)
    return try #require(try Fixture.load(json) as? BytePairTokenizer).preTokenize(text)
  }
}
