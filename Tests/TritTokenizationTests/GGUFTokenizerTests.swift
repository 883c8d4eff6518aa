import Testing
import TritLab

/// Tokenizers in GGUF metadata, on vocabularies written by the test.
@Suite struct GGUFTokenizerTests {
  private func vocabulary(pre: String?, architecture: String = "llama", count: Int = 0)
    -> GGUFWriter
  {
    GGUFFixture.vocabulary(pre: pre, architecture: architecture, count: count)
  }

  private func load(_ writer: GGUFWriter) throws -> any Tokenizer { try GGUFFixture.load(writer) }

  @Test(arguments: [
    ("llama-bpe", "|123|45|`,"), ("qwen2", "|1|2|3|4|5|`,"), ("gpt-2", " 12345|`,"),
    ("falcon", "|123|45|`,"), ("falcon_e", "|1|2|3|4|5|`,"), ("smollm", "|1|2|3|4|5|`,"),
    ("default", "|123|45|`|,"),
  ])
  func cutsByPre(pre: String, tail: String) throws {
    let tokenizer = try #require(try load(vocabulary(pre: pre)) as? BytePairTokenizer)
    let pieces = try tokenizer.preTokenize("a 12345`,").joined(separator: "|")
    #expect(pieces == (pre == "gpt-2" ? "a|" : "a| ") + tail)
    #expect(tokenizer.addsBOS == (pre == "llama-bpe"))
    #expect(tokenizer.endOfGeneration == [257])
    #expect(checkTokenizer(tokenizer).isEmpty)
  }

  @Test func findsUserDefinedTokensAlwaysAndControlOnRequest() throws {
    let tokenizer = try load(vocabulary(pre: "llama-bpe"))
    let text = "th<user><|eot_id|>"
    #expect(
      try tokenizer.encode(text, addSpecial: true, parseSpecial: true) == [257, 256, 258, 257])
    let plain = try tokenizer.encode(text, addSpecial: false, parseSpecial: false)
    #expect(plain.prefix(2) == [256, 258] && !plain.contains(257))
  }

  @Test func bitNetWithoutPreIsLlama3() throws {
    let bitnet = vocabulary(pre: nil, architecture: "bitnet-b1.58", count: 128_256)
    #expect(try load(bitnet).kind == "byte-level BPE (llama-bpe)")
    #expect(try load(vocabulary(pre: nil)).kind == "byte-level BPE (default)")
  }

  @Test func badMetadataIsAnErrorWithItsKey() throws {
    var broken: [(writer: GGUFWriter, key: String)] = [
      (vocabulary(pre: "llama-bqe"), "tokenizer.ggml.pre")
    ]
    for (key, value) in [
      ("tokenizer.ggml.model", GGUFValue.string("bert")),
      ("tokenizer.ggml.tokens", .string("none")),
      ("tokenizer.ggml.token_type", .array(.int32([1, 2]))),
      ("tokenizer.ggml.merges", .array(.string(["t zz"]))),
      ("tokenizer.ggml.bos_token_id", .uint32(999)),
      ("tokenizer.ggml.add_bos_token", .string("yes")),
    ] {
      var writer = vocabulary(pre: "llama-bpe")
      writer.set(key, value)
      broken.append((writer, key))
    }
    for (writer, key) in broken {
      #expect("\(key)") {
        try load(writer)
      } throws: { ($0 as? LabError)?.place?.contains(key) ?? false }
    }
  }
}
