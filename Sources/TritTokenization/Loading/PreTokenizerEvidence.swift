/// Which pre-tokenizer a vocabulary belongs to, told from tokens whose ids no other family shares.
///
/// Only signs that settle it are here: cl100k_base's end of text at 100257, for one, stands in
/// vocabularies that group digits and in ones that do not.
struct PreTokenizerEvidence {
  let name: String
  /// How many tokens the vocabulary may have.
  let count: ClosedRange<Int>
  /// Tokens and their ids, all of which must be so.
  let tokens: [(id: Int, text: String)]

  /// The evidence that `tokens` gives, or nil.
  static func find(in tokens: [String]) -> PreTokenizerEvidence? {
    all.first { evidence in
      evidence.count.contains(tokens.count)
        && evidence.tokens.allSatisfy { tokens.indices.contains($0.id) && tokens[$0.id] == $0.text }
    }
  }

  /// The sign in words: `128256 tokens with '<|begin_of_text|>' as 128000`.
  func description(count: Int) -> String {
    "\(count) tokens with " + tokens.map { "'\($0.text)' as \($0.id)" }.joined(separator: " and ")
  }

  private init(_ name: String, _ count: ClosedRange<Int>, _ tokens: [(id: Int, text: String)]) {
    self.name = name
    self.count = count
    self.tokens = tokens
  }

  /// Sizes that one family has and no other known one, for vocabularies whose special tokens are
  /// renamed.
  static let bySize = [128_256: "llama-bpe", 151_936: "qwen2"]

  /// Sources: the `tokenizer.json` or tiktoken files of the models named.
  static let all: [PreTokenizerEvidence] = [
    // Meta-Llama-3, BitNet b1.58 2B-4T, Llama3-8B-1.58.
    .init("llama-bpe", 128_256...129_280, [(128_000, "<|begin_of_text|>")]),
    // Llama 4.
    .init("llama4", 201_000...203_000, [(200_000, "<|begin_of_text|>")]),
    // GPT-4o's o200k_base and gpt-oss.
    .init("gpt-4o", 200_000...202_000, [(199_999, "<|endoftext|>")]),
    // Qwen2, Qwen2.5, Qwen3.
    .init(
      "qwen2", 151_645...152_064, [(151_643, "<|endoftext|>"), (151_644, "<|im_start|>")]),
    // GLM-4.
    .init("glm4", 151_329...152_064, [(151_329, "<|endoftext|>"), (151_331, "[gMASK]")]),
    // DeepSeek V3 and R1, LLM, Coder.
    .init(
      "deepseek-v3", 128_000...129_280,
      [(0, "<｜begin▁of▁sentence｜>"), (1, "<｜end▁of▁sentence｜>")]),
    .init("deepseek-llm", 100_002...102_400, [(100_000, "<｜begin▁of▁sentence｜>")]),
    .init("deepseek-coder", 32_014...32_256, [(32_013, "<｜begin▁of▁sentence｜>")]),
    // Kimi K2.
    .init("kimi-k2", 163_586...163_840, [(163_584, "[BOS]"), (163_585, "[EOS]")]),
    // Mistral's Tekken.
    .init("tekken", 131_072...131_072, [(1, "<s>"), (3, "[INST]")]),
    // Falcon 7B; Falcon3; Falcon-E.
    .init("falcon", 65_024...65_040, [(0, ">>TITLE<<"), (11, "<|endoftext|>")]),
    .init("falcon3", 131_072...131_080, [(0, ">>TITLE<<"), (11, "<|endoftext|>")]),
    // Command-R.
    .init("command-r", 255_000...256_000, [(0, "<PAD>"), (5, "<BOS_TOKEN>")]),
    // BLOOM.
    .init("bloom", 250_680...250_880, [(0, "<unk>"), (1, "<s>"), (3, "<pad>")]),
    // SmolLM and SmolLM2; StarCoder 2.
    .init("smollm", 49_152...49_160, [(0, "<|endoftext|>"), (1, "<|im_start|>")]),
    .init("starcoder", 49_152...49_160, [(0, "<|endoftext|>"), (1, "<fim_prefix>")]),
    // GPT-NeoX 20B: Pythia, OLMo, TriLM.
    .init("olmo", 50_254...50_432, [(0, "<|endoftext|>"), (1, "<|padding|>")]),
    // GPT-2, Phi-2.
    .init("gpt-2", 50_257...51_200, [(50_256, "<|endoftext|>")]),
  ]
}
