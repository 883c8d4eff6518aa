import Foundation
import Testing
import TritLab
import _TritTestSupport

/// An id that is no token is an error when the tokenizer loads, wherever it stands; what a file
/// leaves out is told from evidence or said aloud.
@Suite struct VocabularyRuleTests {
  // MARK: tokenizer.json

  @Test func templateIDInAHoleIsAnError() throws {
    // 261 is below the largest id and has no token.
    let json = Fixture.byteLevel()
      .replacingOccurrences(
        of: #""added_tokens": ["#,
        with: #""added_tokens": [{"id": 262, "content": "<x>", "special": true},"#
      )
      .replacingOccurrences(of: #""ids": [260]"#, with: #""ids": [261]"#)
    expectError("special_tokens", "261, which the vocabulary leaves out") { try Fixture.load(json) }
  }

  @Test func sharedCaseIsAnError() throws {
    guard let path = SharedData.path("cases/law-tokjson-41004585.json") else { return }
    expectError("special_tokens", "500") { try TokenizerLoader.load(path: path) }
  }

  /// Configurations beside a tokenizer of ids 0...260, and where the error is; nil where there is
  /// none.
  static let configurations: [(file: String, text: String, place: String?)] = [
    ("config.json", #"{"eos_token_id": 260}"#, nil),
    ("config.json", #"{"eos_token_id": 261}"#, "config.json: eos_token_id"),
    ("config.json", #"{"eos_token_id": [260, 999]}"#, "config.json: eos_token_id[1]"),
    ("config.json", #"{"eos_token_id": -1}"#, "config.json: eos_token_id"),
    ("config.json", #"{"eos_token_id": "end"}"#, "config.json: eos_token_id"),
    ("config.json", #"{"eos_token_id": null, "pad_token_id": -1}"#, nil),
    ("config.json", #"{"bos_token_id": 5000}"#, "config.json: bos_token_id"),
    ("config.json", #"{"pad_token_id": 300}"#, "config.json: pad_token_id"),
    ("config.json", #"{"pad_token_id": 300, "vocab_size": 320}"#, nil),
    ("config.json", #"{"eos_token_id": 300, "vocab_size": 320}"#, "config.json: eos_token_id"),
    (
      "generation_config.json", #"{"eos_token_id": [261]}"#,
      "generation_config.json: eos_token_id[0]"
    ),
    ("generation_config.json", #"{"bos_token_id": 261}"#, "generation_config.json: bos_token_id"),
    ("tokenizer_config.json", #"{"eos_token": "<|end|>"}"#, nil),
    ("tokenizer_config.json", #"{"eos_token": "<|nowhere|>"}"#, "tokenizer_config.json: eos_token"),
    (
      "tokenizer_config.json", #"{"bos_token": {"content": "<|no|>"}}"#,
      "tokenizer_config.json: bos_token"
    ),
  ]

  @Test(arguments: configurations.indices)
  func idsBesideTheTokenizer(index: Int) throws {
    let (file, text, place) = Self.configurations[index]
    try Fixture.withFile(Array(Fixture.byteLevel().utf8)) { path in
      let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
      try Data(text.utf8).write(to: folder.appendingPathComponent(file))
      guard let place else {
        _ = try TokenizerLoader.load(path: folder.path)
        return
      }
      expectError(place, "") { try TokenizerLoader.load(path: folder.path) }
    }
  }

  @Test func missingBytesAreSaid() throws {
    let without = Fixture.byteLevel().replacingOccurrences(of: #""A": 65"#, with: #""AAA": 65"#)
    #expect(try Fixture.load(Fixture.byteLevel()).notes.isEmpty)
    #expect(try Fixture.load(without).notes.first?.contains("1 of the bytes") ?? false)
  }

  // MARK: GGUF

  static let broken: [(key: String, value: GGUFValue)] = [
    ("tokenizer.ggml.eos_token_id", .uint32(259)), ("tokenizer.ggml.bos_token_id", .int32(-7)),
    ("tokenizer.ggml.padding_token_id", .uint32(999)),
    ("tokenizer.ggml.unknown_token_id", .uint32(999)),
    ("tokenizer.ggml.eot_token_id", .uint32(999)),
    ("tokenizer.ggml.seperator_token_id", .uint32(999)),
    ("tokenizer.ggml.padding_token_id", .string("0")),
    ("tokenizer.ggml.scores", .array(.float32([0, 1]))), ("tokenizer.ggml.scores", .string("none")),
    ("tokenizer.ggml.merges", .array(.string(["t"]))), ("tokenizer.ggml.pre", .uint32(3)),
    ("tokenizer.ggml.pre", .string("llama-bqe")), ("tokenizer.ggml.pre", .string("gemma4")),
    ("tokenizer.ggml.model", .string("bert")), ("tokenizer.ggml.model", .bool(true)),
  ]

  @Test(arguments: broken.indices)
  func wrongKeyIsAnErrorWithItsName(index: Int) throws {
    let (key, value) = Self.broken[index]
    var writer = GGUFFixture.vocabulary(pre: "llama-bpe")
    writer.set(key, value)
    expectError(key, "") { try GGUFFixture.load(writer) }
  }

  @Test func aTokenListedTwiceIsAnError() throws {
    var writer = GGUFFixture.vocabulary(pre: "gpt-2")
    let tokens = Fixture.alphabet + ["th", "<|eot_id|>", "a"]
    writer.set("tokenizer.ggml.tokens", .array(.string(tokens)))
    writer.set("tokenizer.ggml.token_type", .array(.int32([Int32](repeating: 1, count: 259))))
    expectError("tokenizer.ggml.tokens[258]", "tokens[97]") { try GGUFFixture.load(writer) }
  }

  /// Vocabularies without `tokenizer.ggml.pre`: the token that tells, and what it tells.
  static let evidence: [(count: Int, tokens: [(Int, String)], name: String, note: String)] = [
    (128_256, [(128_000, "<|begin_of_text|>")], "llama-bpe", "'<|begin_of_text|>' as 128000"),
    (128_256, [], "llama-bpe", "warning"),
    (151_936, [(151_643, "<|endoftext|>"), (151_644, "<|im_start|>")], "qwen2", "151643"),
    (50_257, [(50_256, "<|endoftext|>")], "gpt-2", "50256"),
    (50_304, [(0, "<|endoftext|>"), (1, "<|padding|>")], "olmo", "<|padding|>"),
    (49_152, [(0, "<|endoftext|>"), (1, "<|im_start|>")], "smollm", "<|im_start|>"),
    (65_024, [(0, ">>TITLE<<"), (11, "<|endoftext|>")], "falcon", ">>TITLE<<"),
    (131_072, [(0, ">>TITLE<<"), (11, "<|endoftext|>")], "falcon3", ">>TITLE<<"),
    (129_280, [(0, "<｜begin▁of▁sentence｜>"), (1, "<｜end▁of▁sentence｜>")], "deepseek-v3", "tell"),
    (200_019, [(199_999, "<|endoftext|>")], "gpt-4o", "199999"),
    (300, [], "default", "may be WRONG"),
    (128_000, [], "default", "--tokenizer"),
  ]

  @Test(arguments: evidence.indices)
  func whatIsMissingIsToldByTokensOrSaid(index: Int) throws {
    let (count, special, name, note) = Self.evidence[index]
    var writer = GGUFFixture.vocabulary(pre: nil)
    var tokens = (0..<count).map { "filler\($0)" }
    // The alphabet where no special token stands.
    for (place, byte) in zip(300..., Fixture.alphabet) where place < count { tokens[place] = byte }
    for (id, text) in special { tokens[id] = text }
    writer.set("tokenizer.ggml.tokens", .array(.string(tokens)))
    writer.set("tokenizer.ggml.token_type", .array(.int32([Int32](repeating: 1, count: count))))
    writer.set("tokenizer.ggml.merges", .array(.string([])))
    let tokenizer = try GGUFFixture.load(writer)
    #expect(tokenizer.kind == "byte-level BPE (\(name))")
    #expect(tokenizer.notes.first?.contains(note) ?? false, "\(tokenizer.notes)")
  }

  @Test func nothingIsSaidWhereNothingIsMissing() throws {
    #expect(try GGUFFixture.load(GGUFFixture.vocabulary(pre: "qwen2")).notes.isEmpty)
  }

  // MARK: Beside the file

  @Test(arguments: [nil, "no-such-name", "gemma4"] as [String?])
  func tokenizerBesideAFileWithout(pre: String?) throws {
    var writer = GGUFFixture.vocabulary(pre: pre)
    if pre == nil {
      writer = GGUFWriter()
      writer.set("general.architecture", .string("llama"))
    }
    try Fixture.withFile(Array(Fixture.byteLevel().utf8)) { json in
      let folder = URL(fileURLWithPath: json).deletingLastPathComponent().path
      let path = folder + "/model.gguf"
      try writer.write(to: path)
      let tokenizer = try TokenizerLoader.load(path: path)
      let own = try TokenizerLoader.load(path: json)
      #expect(tokenizer.vocabularySize == own.vocabularySize)
      #expect(
        try tokenizer.encode("the then", addSpecial: true, parseSpecial: false)
          == own.encode("the then", addSpecial: true, parseSpecial: false))
      #expect(tokenizer.notes.contains { $0.contains(json) })
      #expect(TokenizerLoader.outsideFile(gguf: try GGUFFile(path: path)) == json)
      try FileManager.default.removeItem(atPath: json)
      expectError(
        pre == nil ? "tokenizer.ggml.model" : "tokenizer.ggml.pre", "", advice: json
      ) { try TokenizerLoader.load(path: path) }
    }
  }

  private func expectError(
    _ place: String, _ got: String, advice: String = "",
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> any Tokenizer
  ) {
    do {
      _ = try body()
      Issue.record("no error at \(place)", sourceLocation: sourceLocation)
    } catch let error as LabError {
      #expect((error.place ?? "").contains(place), "\(error)", sourceLocation: sourceLocation)
      #expect(got.isEmpty || "\(error)".contains(got), "\(error)", sourceLocation: sourceLocation)
      #expect(
        advice.isEmpty || "\(error)".contains(advice), "\(error)", sourceLocation: sourceLocation)
    } catch {
      Issue.record("\(error)", sourceLocation: sourceLocation)
    }
  }
}
