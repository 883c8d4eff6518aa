import Foundation
import Testing
import TritLab

/// Malformed tokenizer files are errors that say where, never traps.
@Suite struct HostileTokenizerTests {
  static let bad: [(what: String, json: String, place: String)] = {
    let good = Fixture.byteLevel()
    func with(_ old: String, _ new: String) -> String {
      good.replacingOccurrences(of: old, with: new)
    }
    return [
      ("no model", #"{"added_tokens": []}"#, "tokenizer.json"),
      ("a list", "[]", "tokenizer.json"),
      ("another model", with(#""type": "BPE""#, #""type": "Unigram""#), "model"),
      ("no merges", with("merges\": [", "margins\": ["), "model"),
      ("merges of wrong type", with("\"merges\": [", "\"merges\": 3, \"x\": ["), "model.merges"),
      ("an unknown piece", with(#"["t", "h"]"#, #"["t", "zz"]"#), "model.merges[0]"),
      ("half a merge", with(#"["t", "h"]"#, #"["t"]"#), "model.merges[0]"),
      ("an id twice", with(#""B": 66"#, #""B": 65"#), "model.vocab.B"),
      ("a huge id", with(#""B": 66"#, #""B": 99999999999"#), "model.vocab.B"),
      ("a negative id", with(#""B": 66"#, #""B": -1"#), "model.vocab.B"),
      ("an id that is text", with(#""B": 66"#, #""B": "66""#), "model.vocab.B"),
      (
        "an added id twice", with(#""id": 260, "content""#, #""id": 3, "content""#),
        "added_tokens[0].id"
      ),
      ("a template id outside", with(#""ids": [260]"#, #""ids": [999]"#), "special_tokens"),
      ("an unknown regex", with(#"\\p{N}{1,3}"#, #"\\p{Nope}"#), "pre_tokenizer"),
      ("an unknown step", with(#""type": "Sequence""#, #""type": "Magic""#), "pre_tokenizer"),
      ("a wrong behavior", with("Isolated", "Shredded"), "behavior"),
      (
        "an unknown normalizer", with(#""normalizer": null"#, #""normalizer": {"type": "X"}"#),
        "normalizer"
      ),
    ]
  }()

  @Test(arguments: bad.map(\.what))
  func saysWhere(what: String) throws {
    let (_, json, place) = try #require(Self.bad.first { $0.what == what })
    #expect(what == "a list" || what == "no model" || json != Fixture.byteLevel())
    #expect("\(what)") {
      try Fixture.load(json)
    } throws: { error in
      guard let error = error as? LabError else { return false }
      return error.kind == .badData && (error.place ?? "").contains(place)
    }
  }

  @Test func truncatedAndFlippedFilesNeverTrap() throws {
    let json = Array(Fixture.byteLevel().utf8)
    let binary = Fixture.llama2c(["a", "b", "ab"])
    var random = SeededRandom(seed: 11)
    for source in [json, binary] {
      for _ in 0..<60 {
        try tryLoading(Array(source.prefix(random.below(source.count))))
        var flipped = source
        for _ in 0...random.below(4) {
          flipped[random.below(flipped.count)] = UInt8(truncatingIfNeeded: random.next())
        }
        try tryLoading(flipped)
      }
    }
  }

  /// Either it loads and encodes, or it throws a `LabError`.
  private func tryLoading(_ bytes: [UInt8]) throws {
    do {
      let tokenizer = try Fixture.withFile(bytes) { try TokenizerLoader.load(path: $0) }
      _ = try tokenizer.encode("ab the <|end|> é", addSpecial: true, parseSpecial: true)
    } catch is LabError {
    }
  }

  @Test func missingFilesAreMissingInput() {
    #expect {
      try TokenizerLoader.load(path: "no/such/tokenizer.json")
    } throws: { ($0 as? LabError)?.kind == .missingInput }
  }

  @Test func idsOutsideTheVocabularyAreErrors() throws {
    let tokenizer = try Fixture.load(Fixture.byteLevel())
    #expect(throws: LabError.self) { try tokenizer.decode([261]) }
    #expect(throws: LabError.self) { try tokenizer.decode([-1]) }
  }
}
