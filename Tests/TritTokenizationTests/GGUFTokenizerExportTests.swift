import Testing
import TritLab
import _TritTestSupport

/// Tokenizers as GGUF metadata. The export compares what it writes with what it was given, on the
/// text of every token: what these tests see is which form came out, and what is refused.
@Suite("Tokenizers to GGUF") struct GGUFTokenizerExportTests {
  private func value(_ export: GGUFTokenizerExport, _ key: String) -> GGUFValue? {
    export.metadata.first { $0.key == "tokenizer.ggml.\(key)" }?.value
  }

  @Test(
    "published tokenizers",
    arguments: [
      ("llama3.tokenizer.json", "gpt2", "llama-bpe"), ("smollm2.tokenizer.json", "gpt2", "gpt-2"),
      ("llama2.tokenizer.model", "llama", "default"), ("llama2.tokenizer.json", "llama", "default"),
    ])
  func published(name: String, model: String, pre: String) throws {
    guard let path = SharedData.path("tokenizers/" + name) else { return }
    let tokenizer = try TokenizerLoader.load(path: path)
    let export = try GGUFTokenizerExport(tokenizer, count: tokenizer.vocabularySize)
    #expect(value(export, "model") == .string(model))
    #expect(value(export, "pre") == .string(pre))
    #expect(value(export, "tokens")?.strings?.count == tokenizer.vocabularySize)
  }

  @Test("rows that have no token are fillers of type unused")
  func padding() throws {
    let path = try ModelLocation.resolve("builtin:storyteller")
    let tokenizer = try TokenizerLoader.load(path: path)
    let count = tokenizer.vocabularySize + 3
    let export = try GGUFTokenizerExport(
      tokenizer, count: count, ends: [0], chatTemplate: "{{ x }}")
    #expect(value(export, "tokens")?.strings?.last == "[PAD\(count - 1)]")
    #expect(value(export, "token_type")?.integers?.suffix(4) == [1, 5, 5, 5])
    #expect(value(export, "eos_token_id")?.integer == 0)
    #expect(export.metadata.last?.key == "tokenizer.chat_template")
    let error = #expect(throws: LabError.self) { try GGUFTokenizerExport(tokenizer, count: 100) }
    #expect(error?.what.contains("more tokens than the model has embeddings") == true)
  }

  @Test("ranks without merges are refused")
  func ranks() throws {
    guard let path = SharedData.path("tokenizers/llama3.tokenizer.model") else { return }
    let tokenizer = try TokenizerLoader.load(path: path)
    let error = #expect(throws: LabError.self) {
      try GGUFTokenizerExport(tokenizer, count: tokenizer.vocabularySize)
    }
    #expect(error?.advice?.contains("tokenizer.json") == true)
  }

  @Test("merges that scores cannot order are refused with the text that shows it")
  func unorderedMerges() throws {
    guard let path = SharedData.path("models/TinyStories-656K") else { return }
    let tokenizer = try TokenizerLoader.load(path: path)
    let error = #expect(throws: LabError.self) {
      try GGUFTokenizerExport(tokenizer, count: tokenizer.vocabularySize)
    }
    #expect(error?.what.contains("the tokenizer changes in GGUF") == true)
    #expect(error?.place != nil && error?.expected != error?.got)
  }
}
