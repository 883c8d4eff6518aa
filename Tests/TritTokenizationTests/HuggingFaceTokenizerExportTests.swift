import Foundation
import Testing
import TritLab
import _TritTestSupport

/// Tokenizers of GGUF files as the files of a Hugging Face folder. The documents were compared with
/// Hugging Face's `tokenizers` 0.23 by hand: the same ids for `awkwardTexts`.
@Suite struct HuggingFaceTokenizerExportTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("hf-tokenizer") }

  private func file(_ metadata: [(key: String, value: GGUFValue)]) throws -> GGUFFile {
    var writer = GGUFWriter()
    for (key, value) in metadata { writer.set(key, value) }
    writer.add(try TensorContent(name: "t", type: .f32, shape: [1], bytes: [0, 0, 0, 0]))
    let path = folder.file(UUID().uuidString + ".gguf")
    try writer.write(to: path)
    return try GGUFFile(path: path)
  }

  /// The vocabulary of the built-in model under another pre-tokenizer.
  private func storyteller(_ pre: String, _ keys: [(String, GGUFValue)] = []) throws -> GGUFFile {
    let checkpoint = try Checkpoint(path: ModelLocation.resolve("builtin:storyteller"))
    let tokenizer = try checkpoint.tokenizer()
    let export = try GGUFTokenizerExport(tokenizer, count: tokenizer.vocabularySize)
    var writer = GGUFWriter()
    for (key, value) in export.metadata { writer.set(key, value) }
    writer.set("tokenizer.ggml.pre", .string(pre))
    for (key, value) in keys { writer.set(key, value) }
    writer.add(try TensorContent(name: "t", type: .f32, shape: [1], bytes: [0, 0, 0, 0]))
    let path = folder.file(UUID().uuidString + ".gguf")
    try writer.write(to: path)
    return try GGUFFile(path: path)
  }

  private func compare(_ a: any Tokenizer, _ b: any Tokenizer) throws {
    for text in awkwardTexts + ["12345 don't  stop\n\nHello, world!", "3.14159 and 1,000,000"] {
      for parses in [false, true] {
        #expect(
          try a.encode(text, addSpecial: true, parseSpecial: parses)
            == b.encode(text, addSpecial: true, parseSpecial: parses), "\(text.debugDescription)")
      }
    }
  }

  /// Each cuts in its own way, and the document says so.
  @Test(arguments: [
    "llama-bpe", "qwen2", "gpt-2", "smollm", "falcon", "falcon_e", "deepseek-llm", "tekken",
    "gpt-4o",
    "bloom", "default", "chameleon", "superbpe", "kimi-k2", "deepseek-v3",
  ])
  func byteLevelVocabulariesKeepTheirCuts(pre: String) throws {
    let export = try HuggingFaceTokenizerExport(try storyteller(pre))
    let out = folder.file("out")
    try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
    #expect(try export.write(to: out, contextLength: 512, templates: []).isEmpty)
    try compare(export.original, try TokenizerLoader.load(path: out))
    let document = try JSONReader.readFile(out + "/tokenizer.json")
    #expect(document["model"]?["type"] == "BPE")
    #expect(
      document["model"]?["ignore_merges"]?.bool == ["llama-bpe", "tekken"].contains(pre))
    if pre == "qwen2" {
      let cut = document["pre_tokenizer"]?["pretokenizers"]?.array?.first
      #expect(cut?["pattern"]?["Regex"]?.string?.contains(#"\p{N}|"#) == true)
    }
  }

  @Test func settingsAndFillersAreThoseOfTheFile() throws {
    let plain = try storyteller("gpt-2")
    let count = try #require(plain["tokenizer.ggml.tokens"]?.strings?.count)
    var types = try #require(plain["tokenizer.ggml.token_type"]?.integers).map { Int32($0) }
    var tokens = try #require(plain["tokenizer.ggml.tokens"]?.strings)
    // Rows that fill up are no tokens of a folder.
    tokens += ["[PAD\(count)]", "[PAD\(count + 1)]"]
    types += [5, 5]
    let file = try storyteller(
      "gpt-2",
      [
        ("tokenizer.ggml.tokens", .array(.string(tokens))),
        ("tokenizer.ggml.token_type", .array(.int32(types))),
        ("tokenizer.ggml.add_bos_token", .bool(true)),
        ("tokenizer.ggml.add_eos_token", .bool(true)),
      ])
    let export = try HuggingFaceTokenizerExport(file)
    let out = folder.file("out")
    try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
    _ = try export.write(
      to: out, contextLength: 512, templates: [("default", "{{ bos_token }}")])
    let settings = try JSONReader.readFile(out + "/tokenizer_config.json")
    #expect(settings["model_max_length"]?.integer == 512)
    #expect(settings["chat_template"] == "{{ bos_token }}")
    #expect(settings["bos_token"]?.string == export.original.bos.map { tokens[$0] })
    let copy = try TokenizerLoader.load(path: out)
    #expect(copy.vocabularySize == count)
    try compare(export.original, copy)
    let ids = try copy.encode("a", addSpecial: true, parseSpecial: false)
    #expect(ids.count == 3, "begin, a, end: \(ids)")
  }

  // MARK: SentencePiece

  private func pieces(_ keys: [(String, GGUFValue)] = [], hasTool: Bool = true) throws -> GGUFFile {
    var tokens = ["<unk>", "<s>", "</s>"] + (0..<256).map { String(format: "<0x%02X>", $0) }
    var types: [Int32] = [2, 3, 3] + [Int32](repeating: 6, count: 256)
    var scores = [Float](repeating: 0, count: tokens.count)
    let words = ["▁t", "he", "▁the", "▁a", "in", "▁in", "ing", "▁▁", "ll", "hello", "▁hello", "lo"]
    for (rank, word) in words.enumerated() {
      tokens.append(word)
      types.append(1)
      scores.append(-Float(rank))
    }
    for letter in "▁abcdefghijklmnopqrstuvwxyzé日" {
      tokens.append(String(letter))
      types.append(1)
      scores.append(-1000)
    }
    if hasTool {
      tokens.append("<tool>")
      types.append(4)
      scores.append(0)
    }
    return try file(
      [
        ("tokenizer.ggml.model", .string("llama")),
        ("tokenizer.ggml.tokens", .array(.string(tokens))),
        ("tokenizer.ggml.scores", .array(.float32(scores))),
        ("tokenizer.ggml.token_type", .array(.int32(types))),
        ("tokenizer.ggml.bos_token_id", .uint32(1)), ("tokenizer.ggml.eos_token_id", .uint32(2)),
      ] + keys)
  }

  @Test(arguments: [true, false]) func piecesBecomeMerges(prefix: Bool) throws {
    let export = try HuggingFaceTokenizerExport(
      try pieces([("tokenizer.ggml.add_space_prefix", .bool(prefix))]))
    let out = folder.file("out")
    try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
    #expect(try export.write(to: out, contextLength: 64, templates: []).isEmpty)
    let copy = try TokenizerLoader.load(path: out)
    try compare(export.original, copy)
    #expect(FileKind(at: out + "/tokenizer.model") == .absent)
    let model = try JSONReader.readFile(out + "/tokenizer.json")["model"]
    #expect(model?["byte_fallback"] == true && model?["unk_token"] == "<unk>")
    // "▁the" is made of "▁t" and "he" alone: "▁th" is no piece.
    #expect(model?["merges"]?.array?.contains(["▁t", "he"]) == true)
  }

  /// What strips spaces has no such document: it stays a SentencePiece model.
  @Test func whatMergesCannotSayStaysAModel() throws {
    let export = try HuggingFaceTokenizerExport(
      try pieces([("tokenizer.ggml.remove_extra_whitespaces", .bool(true))], hasTool: false))
    let out = folder.file("out")
    try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
    let notes = try export.write(to: out, contextLength: 64, templates: [])
    #expect(notes.first?.contains("tokenizer.model") == true)
    let model = try SentencePieceModel.readFile(out + "/tokenizer.model")
    #expect(model.removeExtraWhitespaces && model.byteFallback && model.modelType == .bpe)
    #expect(model.pieces[0] == .init(text: "<unk>", score: 0, type: .unknown))
    #expect(model.bosID == 1 && model.eosID == 2 && model.padID == -1)
    try compare(export.original, try TokenizerLoader.load(path: out))
  }

  /// A SentencePiece model finds user-defined pieces in other texts than llama.cpp does: refused, with
  /// the text that shows it.
  @Test func whatNeitherSaysIsRefused() throws {
    let export = try HuggingFaceTokenizerExport(
      try pieces([("tokenizer.ggml.remove_extra_whitespaces", .bool(true))]))
    let out = folder.file("out")
    try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
    let error = #expect(throws: LabError.self) {
      try export.write(to: out, contextLength: 64, templates: [])
    }
    #expect(error?.what.contains("the tokenizer changes") == true)
    #expect(error?.advice?.contains("--no-tokenizer") == true)
  }

  /// The vocabulary of others: stories260K's, of 512 pieces, in a file of llama.cpp's converter.
  @Test(.enabled(if: SharedData.isPresent)) func vocabulariesOfOthersComeAcross() throws {
    let path = try #require(SharedData.path("models/stories260K/stories260K.gguf"))
    let export = try HuggingFaceTokenizerExport(try GGUFFile(path: path))
    let out = folder.file("out")
    try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
    _ = try export.write(to: out, contextLength: 128, templates: [])
    try compare(export.original, try TokenizerLoader.load(path: out))
  }
}
