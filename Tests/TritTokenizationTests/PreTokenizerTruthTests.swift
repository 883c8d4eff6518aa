import Testing
import TritLab

/// Every name of `tokenizer.ggml.pre` cuts 2,000 generated texts as PyPI's `tokenizers` does by the
/// pattern that the named model publishes. `Scripts/check_pretokenizers.py` makes the golden
/// digests and names the sources.
@Suite struct PreTokenizerTruthTests {
  /// Names that cut as another one does (llama.cpp, `src/llama-vocab.cpp`, commit 00ad355e).
  static let same: [(name: String, as: String)] = [
    (
      "llama-bpe",
      ["llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano"]
    ),
    ("dbrx", ["smaug-bpe"]), ("glm4", ["chatglm-bpe"]),
    (
      "qwen2",
      [
        "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "stablelm2", "hunyuan", "grok-2",
        "solar-open",
      ]
    ),
    ("bailingmoe", ["bailingmoe2", "llada-moe"]),
    ("gpt-4o", ["llama4", "kanana2", "talkie", "minimax-m2"]), ("tiny_aya", ["cohere2moe"]),
    ("deepseek-v3", ["hunyuan-dense", "joyai-llm", "hy_v4"]),
    ("bloom", ["poro-chat", "gpt3-finnish"]),
    (
      "gpt-2",
      [
        "phi-2", "jina-es", "jina-de", "jina-v1-en", "jina-v2-es", "jina-v2-de", "jina-v2-code",
        "gigachat", "roberta-bpe", "mpt", "olmo", "jais", "trillion", "granite-docling", "a.x-4.0",
        "mellum", "modern-bert", "exaone4",
      ]
    ),
    (
      "starcoder",
      ["refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b", "mellum2"]
    ),
    ("falcon_e", ["falcon-e"]),
  ].flatMap { first, others in others.map { ($0, first) } }

  @Test func textsAreThoseOfTheScript() {
    #expect(GeneratedTexts.all.count == 2000)
    #expect(SHA256.hex(GeneratedTexts.all.joined(separator: "\n")) == PreTokenizerGolden.texts)
  }

  @Test(arguments: PreTokenizerGolden.pieces + same.map { ($0.name, "as " + $0.as) })
  func cutsAsPublished(name: String, digest: String) throws {
    let other = digest.hasPrefix("as ") ? String(digest.dropFirst(3)) : name
    let expected = try #require(PreTokenizerGolden.pieces.first { $0.name == other }).digest
    let tokenizer = try #require(
      try GGUFFixture.load(GGUFFixture.vocabulary(pre: name)) as? BytePairTokenizer)
    let lines = try GeneratedTexts.all.map { text in
      try tokenizer.pieceBytes(of: text).map { "\($0.count)" }.joined(separator: ",")
    }
    #expect(SHA256.hex(lines.joined(separator: "\n")) == expected)
    // Nothing is lost.
    for text in GeneratedTexts.all.prefix(50) {
      #expect(try tokenizer.pieceBytes(of: text).flatMap(\.self) == Array(text.utf8))
    }
  }
}
