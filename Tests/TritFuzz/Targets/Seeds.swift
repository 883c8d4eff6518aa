import Foundation
import TritLab
import _TritTestSupport

/// Small valid inputs, made by the lab's own writers.
enum Seeds {
  /// The bytes of what `write` writes to the path that it is given.
  static func file(_ write: (String) throws -> Void) throws -> [UInt8] {
    let folder = try TemporaryFolder("seed")
    let path = folder.file("seed")
    try write(path)
    return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  static func bytes(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  // MARK: Containers

  /// A file with every kind of value and most types of tensor.
  static func gguf() throws -> [[UInt8]] {
    var writer = GGUFWriter()
    let values: [(String, GGUFValue)] = [
      ("general.architecture", .string("test")), ("u8", .uint8(255)), ("i8", .int8(-128)),
      ("u16", .uint16(65535)), ("i16", .int16(-32768)), ("u32", .uint32(.max)),
      ("i32", .int32(.min)),
      ("u64", .uint64(.max)), ("i64", .int64(.min)), ("f32", .float32(1.5)),
      ("f64", .float64(-0.1)),
      ("true", .bool(true)), ("text", .string("é\n😀")),
      ("tokens", .array(.string(["a", "", "é"]))),
      ("scores", .array(.float32([1, -2.5]))), ("types", .array(.int32([1, -6]))),
      ("flags", .array(.bool([true, false]))), ("bytes", .array(.uint8([0, 255]))),
      ("nested", .array(.array([.int32([1, 2]), .string(["x"]), .array([])]))),
    ]
    for (key, value) in values { writer.set(key, value) }
    let floats = AlignedBuffer<Float>((0..<256).map { Float($0 % 17) / 8 - 1 })
    for type in FloatEncoding.types {
      writer.add(try TensorContent(name: type.name, type: type, shape: [256], floats: floats))
    }
    for type in [TensorType.tq1_0, .tq2_0, .i2_s, .i8, .i32] {
      let count = try type.byteCount(shape: [1, 256])
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
      writer.add(try TensorContent(name: type.name, type: type, shape: [1, 256], bytes: bytes))
    }
    var small = GGUFWriter()
    small.set("general.alignment", .uint32(64))
    small.add(
      try TensorContent(name: "w", type: .f32, shape: [2, 2], floats: AlignedBuffer([1, 2, 3, 4])))
    return try [writer, small].map { writer in try file { try writer.write(to: $0) } }
  }

  static func safetensors() throws -> [[UInt8]] {
    let floats = AlignedBuffer<Float>((0..<12).map { Float($0) })
    let tensors = [
      try TensorContent(name: "a", type: .f32, shape: [3, 4], floats: floats),
      try TensorContent(name: "b", type: .bf16, shape: [12], floats: floats),
      try TensorContent(name: "c.weight", type: .u8, shape: [2, 3], bytes: [1, 2, 3, 4, 5, 6]),
      try TensorContent(name: "empty", type: .f16, shape: [0, 4], bytes: []),
    ]
    return [
      try file { try SafetensorsWriter.write(tensors, metadata: ["format": "pt"], to: $0) },
      safetensorsBytes(
        #"{"x":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}"#, data: [1, 0, 0, 0, 0, 0, 0, 0]),
    ]
  }

  // MARK: Tokenizers

  static func tokenizerJSON() -> [[UInt8]] {
    var documents = [TinyTokenizer.json]
    documents.append(
      #"""
      {"version":"1.0","added_tokens":[{"id":0,"content":"<unk>","special":true},{"id":1,"content":"<s>",
      "special":true,"lstrip":true,"rstrip":false,"single_word":true,"normalized":true}],
      "normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace",
      "pattern":{"String":" "},"content":"▁"},{"type":"NFC"}]},"pre_tokenizer":null,
      "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},
      {"Sequence":{"id":"A","type_id":0}}],"special_tokens":{"<s>":{"id":"<s>","ids":[1],"tokens":["<s>"]}}},
      "decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},
      {"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]},
      "model":{"type":"BPE","unk_token":"<unk>","fuse_unk":true,"byte_fallback":true,"ignore_merges":false,
      "vocab":{"<unk>":0,"<s>":1,"▁":2,"a":3,"b":4,"▁a":5,"ab":6,"t":7,"h":8,"e":9,"th":10,"the":11,"<0x0A>":12},
      "merges":["▁ a","a b","t h","th e"]}}
      """#)
    let split =
      #"(?i:'s|'t)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s+(?!\\S)|\\s+"#
    documents.append(
      #"""
      {"added_tokens":[{"id":8,"content":"<|end|>","special":true}],"normalizer":null,
      "pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"\#(split)"},
      "behavior":"Isolated","invert":false},{"type":"Digits","individual_digits":true},{"type":"Punctuation",
      "behavior":"Contiguous"},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]},
      "post_processor":{"type":"ByteLevel","trim_offsets":true},"decoder":{"type":"ByteLevel"},
      "model":{"type":"BPE","vocab":{"a":0,"b":1,"Ġ":2,"t":3,"h":4,"th":5,"Ġth":6,"e":7},"merges":[["t","h"],["Ġ","th"]]}}
      """#)
    return documents.map { Array($0.utf8) }
  }

  /// A SentencePiece model: pieces, trainer, normalizer.
  static func sentencePiece() -> [[UInt8]] {
    func field(_ number: UInt64, _ content: [UInt8]) -> [UInt8] {
      Mutator.varint(number << 3 | 2) + Mutator.varint(UInt64(content.count)) + content
    }
    func number(_ field: UInt64, _ value: UInt64) -> [UInt8] {
      Mutator.varint(field << 3) + Mutator.varint(value)
    }
    func piece(_ text: String, _ score: Float, _ type: UInt64) -> [UInt8] {
      field(
        1,
        field(1, Array(text.utf8)) + [0x15] + Little.bytes(UInt64(score.bitPattern), 4)
          + number(3, type))
    }
    func model(bytes: Bool, type: UInt64) -> [UInt8] {
      var result = piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3)
      if bytes {
        for byte in 0..<256 { result += piece(String(format: "<0x%02X>", byte), 0, 6) }
      }
      for (index, text) in ["▁", "a", "b", "t", "h", "e", "th", "the", "▁a", "▁the", "é", "▁▁"]
        .enumerated()
      {
        result += piece(text, -Float(index), index == 11 ? 4 : 1)
      }
      result += field(
        2,
        number(3, type) + number(35, bytes ? 1 : 0) + number(40, 0) + number(41, 1) + number(42, 2))
      return result
        + field(3, field(1, Array("identity".utf8)) + number(3, 1) + number(4, 0) + number(5, 1))
    }
    return [model(bytes: true, type: 2), model(bytes: false, type: 2)]
  }

  static func tiktoken() -> [[UInt8]] {
    let single = (0..<256).map { [UInt8($0)] }
    let merged = ["th", "the", " the", "in", "an", "  "].map { Array($0.utf8) }
    let lines = (single + merged).enumerated().map { "\(Data($1).base64EncodedString()) \($0)\n" }
    return [Array(lines.joined().utf8), Array(lines.prefix(40).joined().utf8)]
  }

  static func llama2c() -> [[UInt8]] {
    let bytes = (0..<256).map { String(format: "<0x%02X>", $0) }
    let all = ["<unk>", "\n<s>\n", "\n</s>\n"] + bytes + ["a", "b", " ", "ab", "th", "the", " a"]
    var file = Little.bytes(UInt64(all.map(\.utf8.count).max() ?? 0), 4)
    for (id, text) in all.enumerated() {
      let score = Float(id < 259 ? 0 : 259 - id)
      file +=
        Little.bytes(UInt64(score.bitPattern), 4) + Little.bytes(UInt64(text.utf8.count), 4)
        + Array(text.utf8)
    }
    return [file]
  }

  /// Vocabularies of the kinds `gpt2` and `llama`.
  static func ggufVocabulary() throws -> [[UInt8]] {
    let alphabet = (0..<256).map { ByteAlphabet.encode([UInt8($0)]) }
    var bytePair = GGUFWriter()
    bytePair.set("general.architecture", .string("llama"))
    bytePair.set("tokenizer.ggml.model", .string("gpt2"))
    bytePair.set("tokenizer.ggml.pre", .string("llama-bpe"))
    bytePair.set(
      "tokenizer.ggml.tokens", .array(.string(alphabet + ["th", "<|eot_id|>", "<user>"])))
    bytePair.set(
      "tokenizer.ggml.token_type", .array(.int32([Int32](repeating: 1, count: 257) + [3, 4])))
    bytePair.set("tokenizer.ggml.merges", .array(.string(["t h"])))
    bytePair.set("tokenizer.ggml.bos_token_id", .uint32(257))
    bytePair.set("tokenizer.ggml.eos_token_id", .uint32(257))
    var pieces = GGUFWriter()
    let texts =
      ["<unk>", "<s>", "</s>"] + (0..<256).map { String(format: "<0x%02X>", $0) } + [
        "▁", "a", "▁a", "th",
      ]
    pieces.set("general.architecture", .string("llama"))
    pieces.set("tokenizer.ggml.model", .string("llama"))
    pieces.set("tokenizer.ggml.tokens", .array(.string(texts)))
    pieces.set(
      "tokenizer.ggml.scores", .array(.float32((0..<texts.count).map { $0 < 259 ? 0 : -Float($0) }))
    )
    pieces.set(
      "tokenizer.ggml.token_type",
      .array(.int32([2, 3, 3] + [Int32](repeating: 6, count: 256) + [1, 1, 1, 1])))
    pieces.set("tokenizer.ggml.bos_token_id", .uint32(1))
    pieces.set("tokenizer.ggml.eos_token_id", .uint32(2))
    pieces.set("tokenizer.ggml.add_space_prefix", .bool(true))
    return try [bytePair, pieces].map { writer in try file { try writer.write(to: $0) } }
  }
}

/// A random model in Hugging Face form that is as small as can be.
struct SmallModel {
  var hidden = 32
  var feedForward = 64
  var heads = 4
  var keyValueHeads = 2
  var vocabulary = 24
  var isPacked = false
  var isBitNet = false

  var config: String {
    let quantization =
      isPacked
      ? #","quantization_config":{"quant_method":"bitnet","linear_class":"autobitlinear","quantization_mode":"offline"}"#
      : isBitNet
        ? #","quantization_config":{"quant_method":"bitnet","linear_class":"autobitlinear","quantization_mode":"online"}"#
        : ""
    return """
      {"architectures":["\(isBitNet ? "BitNetForCausalLM" : "LlamaForCausalLM")"],"model_type":"\(isBitNet ? "bitnet" : "llama")",
      "hidden_size":\(hidden),"intermediate_size":\(feedForward),"num_hidden_layers":1,
      "num_attention_heads":\(heads),"num_key_value_heads":\(keyValueHeads),"vocab_size":\(vocabulary),
      "hidden_act":"\(isBitNet ? "relu2" : "silu")","max_position_embeddings":64,"rms_norm_eps":1e-05,"rope_theta":10000.0,
      "rope_scaling":null,"tie_word_embeddings":\(isBitNet),"bos_token_id":1,"eos_token_id":[2],"head_dim":\(hidden / heads),
      "attention_bias":false,"mlp_bias":false,"torch_dtype":"float32"\(quantization)}
      """
  }

  func tensors() throws -> [TensorContent] {
    var random = SeededRandom(seed: 3)
    func floats(_ name: String, _ shape: [Int], around center: Float = 0) throws -> TensorContent {
      let values = (0..<shape.reduce(1, *)).map { _ in center + Float(random.uniform() - 0.5) / 2 }
      return try TensorContent(name: name, type: .f32, shape: shape, floats: AlignedBuffer(values))
    }
    var list = [try floats("model.embed_tokens.weight", [vocabulary, hidden])]
    let narrow = hidden / heads * keyValueHeads
    let block = "model.layers.0."
    for (name, rows, columns) in [
      ("self_attn.q_proj", hidden, hidden), ("self_attn.k_proj", narrow, hidden),
      ("self_attn.v_proj", narrow, hidden), ("self_attn.o_proj", hidden, hidden),
      ("mlp.gate_proj", feedForward, hidden), ("mlp.up_proj", feedForward, hidden),
      ("mlp.down_proj", hidden, feedForward),
    ] {
      if isPacked {
        let bytes = (0..<rows / 4 * columns).map { _ -> UInt8 in
          (0..<4).reduce(0) { byte, _ in byte << 2 | UInt8(random.below(3)) }
        }
        list.append(
          try TensorContent(
            name: block + name + ".weight", type: .u8, shape: [rows / 4, columns], bytes: bytes))
        list.append(try floats(block + name + ".weight_scale", [1], around: 1))
      } else {
        list.append(try floats(block + name + ".weight", [rows, columns]))
      }
    }
    list.append(try floats(block + "input_layernorm.weight", [hidden], around: 1))
    list.append(try floats(block + "post_attention_layernorm.weight", [hidden], around: 1))
    if isBitNet {
      list.append(try floats(block + "self_attn.attn_sub_norm.weight", [hidden], around: 1))
      list.append(try floats(block + "mlp.ffn_sub_norm.weight", [feedForward], around: 1))
    }
    list.append(try floats("model.norm.weight", [hidden], around: 1))
    if !isBitNet { list.append(try floats("lm_head.weight", [vocabulary, hidden])) }
    return list
  }

  func safetensors() throws -> [UInt8] {
    let tensors = try tensors()
    return try Seeds.file {
      try SafetensorsWriter.write(tensors, metadata: ["format": "pt"], to: $0)
    }
  }

  /// The folder as one input: configuration, weights.
  func pack() throws -> [UInt8] { Pack.join([Array(config.utf8), try safetensors()]) }

  /// The same as a GGUF file.
  func gguf(_ type: TensorType) throws -> [UInt8] {
    let folder = try TemporaryFolder("small")
    try folder.write(Array(config.utf8), to: "config.json")
    try folder.write(try safetensors(), to: "model.safetensors")
    let checkpoint = try Checkpoint(path: folder.path)
    return try Seeds.file { path in
      let target = path + ".gguf"
      var export = GGUFExport(checkpoint, linear: type)
      export.embedding = .f32
      if !isBitNet { export.head = .f32 }
      export.writesTokenizer = false
      try export.write(to: target)
      try FileManager.default.moveItem(atPath: target, toPath: path)
    }
  }
}
