import Testing
import TritLab
import _TritTestSupport

@Suite struct TokenizerFileTests {
  /// A length-delimited protobuf field of a number below 16, or any with its two-byte tag.
  static func field(_ number: Int, _ content: [UInt8]) -> [UInt8] {
    tag(number, 2) + [UInt8(content.count)] + content
  }

  static func tag(_ number: Int, _ wire: Int) -> [UInt8] {
    let tag = number << 3 | wire
    return tag < 128 ? [UInt8(tag)] : [UInt8(tag & 127 | 128), UInt8(tag >> 7)]
  }

  static func piece(_ text: String, _ score: Float, _ type: UInt8?) -> [UInt8] {
    let bits = withUnsafeBytes(of: score) { Array($0) }
    return field(
      1, field(1, Array(text.utf8)) + tag(2, 5) + bits + (type.map { tag(3, 0) + [$0] } ?? []))
  }

  static let model: [UInt8] =
    piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3) + piece("<0x41>", 0, 6)
    + piece("▁a", -1.5, nil)
    + field(
      2, tag(3, 0) + [2] + tag(35, 0) + [1] + tag(43, 0) + [UInt8](repeating: 255, count: 9) + [1])
    + field(3, field(1, Array("identity".utf8)) + tag(3, 0) + [0]) + field(4, [])

  static func read(_ bytes: [UInt8]) throws -> SentencePieceModel {
    try bytes.withUnsafeBytes { try SentencePieceModel($0, path: "m") }
  }

  @Test func readsAHandMadeSentencePieceModel() throws {
    let model = try Self.read(Self.model)
    #expect(model.pieces.map(\.text) == ["<unk>", "<s>", "</s>", "<0x41>", "▁a"])
    #expect(model.pieces.map(\.type) == [.unknown, .control, .control, .byte, .normal])
    #expect(model.pieces[4].score == -1.5 && model.modelType == .bpe && model.byteFallback)
    #expect(!model.addDummyPrefix && model.removeExtraWhitespaces)
    #expect(model.normalizerName == "identity")
    #expect([model.unknownID, model.bosID, model.eosID, model.padID] == [0, 1, 2, -1])
  }

  @Test(
    arguments: [
      ("empty", []), ("field 0", [0, 0]), ("wire type 3", [0x0b]), ("wire type 7", [0x0f]),
      ("length beyond", [0x0a, 0x05, 0x0a]),
      ("huge length", [0x0a] + [UInt8](repeating: 255, count: 9) + [1]),
      ("endless number", [UInt8](repeating: 0x80, count: 40)),
      ("piece is a number", [0x08, 0x01]), ("bad type", piece("a", 0, 9)),
      ("score not a number", piece("a", .nan, 1)), ("text no UTF-8", field(1, field(1, [0xff]))),
      ("text is a number", field(1, [0x08, 0x01])),
      ("bos out of range", piece("a", 0, 2) + field(2, tag(41, 0) + [9])),
      ("model type 9", model + field(2, tag(3, 0) + [9])),
    ] as [(String, [UInt8])]) func badSentencePieceModelsAreErrors(name: String, bytes: [UInt8])
  {
    #expect(throws: LabError.self, "\(name)") { try Self.read(bytes) }
  }

  @Test func changedSentencePieceModelsNeverTrap() throws {
    for index in Self.model.indices {
      _ = try? Self.read(Array(Self.model[..<index]))
      for value in UInt8.min...UInt8.max {
        var changed = Self.model
        changed[index] = value
        _ = try? Self.read(changed)
      }
    }
  }

  static func ranks(_ text: String) throws -> TiktokenRanks {
    try Array(text.utf8).withUnsafeBytes { try TiktokenRanks($0, path: "t") }
  }

  @Test func readsTiktokenRanks() throws {
    let ranks = try Self.ranks("IQ== 0\nIiM= 2\r\nYWJj 1\n\n/+8= 3")
    #expect(ranks.tokens == [[0x21], Array("abc".utf8), [0x22, 0x23], [0xff, 0xef]])
  }

  @Test(arguments: [
    ("", "t"), ("IQ==", "t:1"), ("IQ== x", "t:1"), ("IQ== -1", "t:1"), ("IQ== 0\nIg==  1", "t:2"),
    ("IQ== 0\nIg== 0", "t:2"), ("IQ== 0\nIg== 2", "t:2"), ("IQ== 0\nIQ== 1", "t:2"),
    ("IQ 0", "t:1"), ("I!== 0", "t:1"), ("IR== 0", "t:1"), ("==== 0", "t:1"), (" 0", "t:1"),
    ("IQ== 99999999999999999999", "t:1"), ("IQ= 0", "t:1"), ("IQ==IQ== 0", "t:1"),
    ("IQ== 0 1", "t:1"),
  ]) func badRanksAreLocated(text: String, place: String) {
    let error = #expect(throws: LabError.self) { try Self.ranks(text) }
    #expect(error?.place == place)
  }

  @Test(.enabled(if: SharedData.isPresent)) func readsTheRealFiles() throws {
    if let path = SharedData.path("tokenizers/llama3.tokenizer.model") {
      let ranks = try TiktokenRanks.readFile(path)
      #expect(ranks.tokens.count == 128_000 && ranks.tokens[0] == [0x21])
    }
    if let path = SharedData.path("models/bitstories-3M/tokenizer.model") {
      let model = try SentencePieceModel.readFile(path)
      #expect(model.pieces.count == 512 && model.modelType == .bpe && model.byteFallback)
    }
  }
}
