import TritLab

/// GGUF vocabularies written by the test.
enum GGUFFixture {
  /// A `gguf` vocabulary of model `gpt2`: 256 bytes, one merge, a control and a user-defined token.
  static func vocabulary(pre: String?, architecture: String = "llama", count: Int = 0)
    -> GGUFWriter
  {
    var writer = GGUFWriter()
    var tokens = Fixture.alphabet + ["th", "<|eot_id|>", "<user>"]
    while tokens.count < count { tokens.append("filler \(tokens.count)") }
    var types = [Int32](repeating: 1, count: tokens.count)
    types[257] = 3
    types[258] = 4
    writer.set("general.architecture", .string(architecture))
    writer.set("tokenizer.ggml.model", .string("gpt2"))
    if let pre { writer.set("tokenizer.ggml.pre", .string(pre)) }
    writer.set("tokenizer.ggml.tokens", .array(.string(tokens)))
    writer.set("tokenizer.ggml.token_type", .array(.int32(types)))
    writer.set("tokenizer.ggml.merges", .array(.string(["t h"])))
    writer.set("tokenizer.ggml.bos_token_id", .uint32(257))
    writer.set("tokenizer.ggml.eos_token_id", .uint32(257))
    return writer
  }

  static func load(_ writer: GGUFWriter) throws -> any Tokenizer {
    try Fixture.withFile([], name: "vocabulary.gguf") { path in
      try writer.write(to: path)
      return try TokenizerLoader.load(path: path)
    }
  }
}
