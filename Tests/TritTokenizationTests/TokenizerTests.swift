import Testing
import TritLab
import _TritTestSupport

/// Merging, templates, added tokens, decoding, and the laws.
@Suite struct TokenizerTests {
  @Test(arguments: [true, false])
  func mergesByRankInBothForms(pairs: Bool) throws {
    let tokenizer = try Fixture.load(Fixture.byteLevel(pairs: pairs))
    let ids = try tokenizer.encode("the the", addSpecial: true, parseSpecial: false)
    #expect(ids.compactMap { tokenizer.piece($0) } == ["<|end|>", "the", "Ġthe"])
    #expect(tokenizer.addsBOS && tokenizer.endOfGeneration == [260])
    #expect(try tokenizer.decode(ids) == "the the")
  }

  @Test func controlTokensAreParsedOnlyOnRequest() throws {
    let tokenizer = try Fixture.load(Fixture.byteLevel())
    let text = "a<|end|>b"
    #expect(try tokenizer.encode(text, addSpecial: false, parseSpecial: true) == [97, 260, 98])
    let plain = try tokenizer.encode(text, addSpecial: false, parseSpecial: false)
    #expect(!plain.contains(260))
    #expect(try tokenizer.decode(plain) == text)
    #expect(try tokenizer.decode([97, 260, 98], skipSpecial: false) == text)
  }

  @Test func lawsHoldForEveryKind() throws {
    let tokenizers: [any Tokenizer] = [
      ByteTokenizer(), try Fixture.load(Fixture.byteLevel()),
      try Fixture.load(Fixture.byteLevel(preTokenizer: Fixture.falcon7B, ignoreMerges: true)),
      try Fixture.withFile(Fixture.llama2c([" ", "a", "b", "ab", " a", " ab"]), name: "tok.bin") {
        try TokenizerLoader.load(path: $0)
      },
    ]
    for tokenizer in tokenizers {
      #expect(checkTokenizer(tokenizer).map(\.description) == [], "\(tokenizer.kind)")
    }
  }

  @Test func theCheckerCatchesABrokenTokenizer() {
    struct Broken: Tokenizer {
      var inner = ByteTokenizer()
      var kind: String { "broken" }
      var vocabularySize: Int { 100 }
      var bos: Int? { 300 }
      var addsBOS: Bool { true }
      var endOfGeneration: Set<Int> { [] }
      var stripsLeadingSpace: Bool { true }
      func encode(_ text: String, addSpecial: Bool, parseSpecial: Bool) throws -> [Int] {
        try inner.encode(text, addSpecial: addSpecial, parseSpecial: parseSpecial)
      }
      func bytes(of id: Int, skipSpecial: Bool) throws -> [UInt8] {
        try inner.bytes(of: id, skipSpecial: skipSpecial)
      }
      func piece(_ id: Int) -> String? { inner.piece(id) }
    }
    let laws = Set(checkTokenizer(Broken()).map(\.law))
    #expect(laws.contains("ids lie in 0..<vocabularySize"))
    #expect(laws.contains("addsBOS puts bos in front"))
    #expect(laws.contains("decoding gives the text back, byte for byte"))
    #expect(laws.contains("an id outside the vocabulary is an error"))
  }

  /// The heap against the definition: look for the lowest rank, leftmost, until none is left.
  @Test func heapMergesAsTheDefinition() throws {
    var random = SeededRandom(seed: 3)
    for _ in 0..<20 {
      var known = ["a", "b", "c"]
      var merges: [(String, String)] = []
      for _ in 0..<12 {
        let pair = (known[random.below(known.count)], known[random.below(known.count)])
        guard !known.contains(pair.0 + pair.1) else { continue }
        merges.append(pair)
        known.append(pair.0 + pair.1)
      }
      let tokenizer = try Fixture.load(Fixture.byteLevel(merges: merges))
      for length in [1, 2, 7, 40, 200] {
        let text = String((0..<length).map { _ in "abc".randomElement(using: &random) ?? "a" })
        let ids = try tokenizer.encode(text, addSpecial: false, parseSpecial: false)
        #expect(ids.compactMap { tokenizer.piece($0) } == naive(text, merges))
      }
    }
  }

  private func naive(_ text: String, _ merges: [(String, String)]) -> [String] {
    var symbols = text.map { String($0) }
    while true {
      let found = merges.lazy.compactMap { merge in
        (0..<max(symbols.count - 1, 0)).first {
          symbols[$0] == merge.0 && symbols[$0 + 1] == merge.1
        }
      }.first
      guard let at = found else { return symbols }
      symbols.replaceSubrange(at...(at + 1), with: [symbols[at] + symbols[at + 1]])
    }
  }

  @Test func sentencePieceMergesByScoreAndFallsBackToBytes() throws {
    let bytes = Fixture.llama2c([" ab", "ab", " ", "a", "b"])
    let tokenizer = try Fixture.withFile(bytes, name: "tok.bin") {
      try TokenizerLoader.load(path: $0)
    }
    let ids = try tokenizer.encode("ab ba€", addSpecial: true, parseSpecial: false)
    #expect(
      ids.compactMap { tokenizer.piece($0) }
        == ["<s>", "▁ab", "▁", "b", "a", "<0xE2>", "<0x82>", "<0xAC>"])
    #expect(try tokenizer.decode(ids) == "ab ba€")
  }

  /// The decoder vector of Hugging Face's byte fallback: half a character is replaced, not dropped.
  @Test func unfinishedCharactersAreReplaced() throws {
    let tokenizer = ByteTokenizer()
    var decoder = StreamingDecoder(tokenizer)
    let parts = try [0x48, 0xE2, 0x82, 0xAC, 0x20, 0xE2].map { try decoder.append($0) }
    #expect(parts == ["H", "", "", "€", " ", ""])
    #expect(decoder.finish() == "\u{FFFD}")
  }

  @Test func listingShowsPiecesAndBytes() throws {
    let tokenizer = try Fixture.load(Fixture.byteLevel())
    let ids = try tokenizer.encode(" the\né", addSpecial: false, parseSpecial: false)
    let listing = try tokenizer.listing(ids)
    #expect(listing.map(\.piece) == ["Ġthe", "Ċ", "Ã", "©"])
    #expect(listing.map(\.text) == [" the", "\\n", "\\xC3", "\\xA9"])
  }

  /// Ids by Hugging Face tokenizers 0.23.3.
  static let smolLM2: [(text: String, ids: [Int])] = [
    (
      PreTokenizerTests.sentence,
      [
        19556, 216, 905, 17, 339, 23, 18525, 216, 33, 34, 35, 36, 37, 1495, 2026, 8866, 1792, 45,
        20, 35, 30, 33, 36, 15486, 46494, 216, 28589, 29184, 36518, 15107, 244, 218, 10813, 244,
        218, 1326, 982, 197, 197, 486, 216,
      ]
    ),
    ("<|im_start|>user\nHi<|im_end|>", [1, 4093, 198, 26843, 2]),
    ("  def f(x):\n\treturn x**2", [216, 753, 275, 24, 104, 727, 198, 197, 5406, 1792, 828, 34]),
  ]

  @Test(.enabled(if: SharedData.isPresent), arguments: smolLM2)
  func agreesWithHuggingFace(text: String, ids: [Int]) throws {
    let path = try #require(SharedData.path("tokenizers/smollm2.tokenizer.json"))
    let tokenizer = try TokenizerLoader.load(path: path)
    #expect(try tokenizer.encode(text, addSpecial: true, parseSpecial: true) == ids)
  }

  @Test(.enabled(if: SharedData.isPresent))
  func modelFoldersSayHowTextsBegin() throws {
    let path = try #require(SharedData.path("models/TinyStories-656K"))
    let tokenizer = try TokenizerLoader.load(path: path)
    #expect(tokenizer.bos == 1 && tokenizer.addsBOS && tokenizer.endOfGeneration == [2])
  }
}
