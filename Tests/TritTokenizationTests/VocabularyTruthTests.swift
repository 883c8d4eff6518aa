import Foundation
import Testing
import TritLab
import _TritTestSupport

/// The expected ids that come with llama.cpp's vocabularies, for every file that holds each
/// tokenizer.
@Suite struct VocabularyTruthTests {
  static let pairs: [(tokenizer: String, cases: String)] = [
    ("llama3.tokenizer.json", "ggml-vocab-llama-bpe.gguf"),
    ("llama3.tokenizer.model", "ggml-vocab-llama-bpe.gguf"),
    ("ggml-vocab-llama-spm.gguf", "ggml-vocab-llama-spm.gguf"),
    ("llama2.tokenizer.model", "ggml-vocab-llama-spm.gguf"),
    ("llama2.tokenizer.json", "ggml-vocab-llama-spm.gguf"),
    ("ggml-vocab-gpt-2.gguf", "ggml-vocab-gpt-2.gguf"),
    ("ggml-vocab-falcon.gguf", "ggml-vocab-falcon.gguf"),
  ]

  @Test(.enabled(if: SharedData.isPresent), arguments: pairs)
  func encodesEveryCase(tokenizer: String, cases: String) throws {
    let path = try #require(SharedData.path("tokenizers/\(tokenizer)"))
    let tokenizer = try TokenizerLoader.load(path: path)
    let input = try String(
      contentsOfFile: try #require(SharedData.path("tokenizers/\(cases).inp")), encoding: .utf8)
    let output = try String(
      contentsOfFile: try #require(SharedData.path("tokenizers/\(cases).out")), encoding: .utf8)
    let texts = input.components(separatedBy: "\n__ggml_vocab_test__\n")
    let lines = output.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(texts.count >= 45)
    #expect(lines.count >= texts.count)
    for (text, line) in zip(texts, lines) {
      let expected = line.split(separator: " ").compactMap { Int($0) }
      let ids = try tokenizer.encode(text, addSpecial: false, parseSpecial: false)
      #expect(ids == expected, "\(text.debugDescription)")
    }
  }
}
