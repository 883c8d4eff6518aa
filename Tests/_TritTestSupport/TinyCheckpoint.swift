import Foundation
import TritCore

/// A tiny random model in Hugging Face form, made from a seed: `config.json`, `model.safetensors`
/// and a byte-level `tokenizer.json`.
///
/// Hidden 128, feed-forward 256, two layers, four heads of 32 with two key-value heads, context
/// 256; every shape is legal for every packing. Tests change `config` or `tensors` before
/// `write(to:)` to make the broken checkpoints that they need. The safetensors bytes are written
/// here and not by the product's writer, so that a reader is not tested against its own twin.
public struct TinyCheckpoint: Sendable {
  /// The forms in which checkpoints come.
  public enum Kind: String, CaseIterable, Sendable, CustomStringConvertible {
    /// BitNetForCausalLM with float masters, ternarised at load (`autobitlinear`, `online`).
    case bitnetOnline
    /// BitNetForCausalLM, packed bytes, multiplying scale (`autobitlinear`, `offline`).
    case bitnetPacked
    /// LlamaForCausalLM, packed bytes, dividing scale (`bitlinear`), untied head.
    case llamaPacked
    /// LlamaForCausalLM in float32, untied head.
    case llamaDense

    /// The case's name.
    public var description: String { rawValue }
  }

  /// One tensor, as it will stand in the file.
  public struct Tensor: Sendable {
    /// The name in the file.
    public var name: String
    /// `F32` or `U8`, as safetensors spells it.
    public var type: String
    /// Row-major shape.
    public var shape: [Int]
    /// Little-endian bytes.
    public var bytes: [UInt8]

    /// A float32 tensor.
    public init(_ name: String, shape: [Int], floats: [Float]) {
      self.name = name
      type = "F32"
      self.shape = shape
      bytes = floats.flatMap { value in
        withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
      }
    }

    /// A tensor of bytes.
    public init(_ name: String, shape: [Int], bytes: [UInt8]) {
      self.name = name
      type = "U8"
      self.shape = shape
      self.bytes = bytes
    }
  }

  /// The form.
  public let kind: Kind
  /// The text of `config.json`.
  public var config: String
  /// The tensors, in the order of the file.
  public var tensors: [Tensor]
  /// The text of `tokenizer.json`; nil writes none.
  public var tokenizer: String? = TinyTokenizer.json

  /// Model dimensions, for expectations.
  public static let hidden = 128
  /// Feed-forward width.
  public static let intermediate = 256
  /// Transformer blocks.
  public static let layers = 2
  /// Query heads, each of 32.
  public static let heads = 4
  /// Key-value heads.
  public static let keyValueHeads = 2
  /// Rows of the embedding.
  public static let vocabulary = TinyTokenizer.vocabularySize
  /// `max_position_embeddings`.
  public static let context = 256

  /// Makes the model; the same seed gives the same bytes on every machine.
  public init(_ kind: Kind, seed: UInt64 = 1) {
    self.kind = kind
    config = Self.config(kind)
    var maker = TensorMaker(kind: kind, random: SeededRandom(seed: seed))
    tensors = maker.all()
  }

  /// Makes the model and writes it into a fresh folder inside `parent`; gives its path.
  public static func write(
    _ kind: Kind, seed: UInt64 = 1, in parent: TemporaryFolder
  ) throws -> String {
    let folder = parent.file("\(kind)-\(seed)")
    try TinyCheckpoint(kind, seed: seed).write(to: folder)
    return folder
  }

  /// Writes the files into `folder`, which is created.
  public func write(to folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let url = URL(fileURLWithPath: folder)
    try Data(config.utf8).write(to: url.appendingPathComponent("config.json"))
    try Data(safetensors()).write(to: url.appendingPathComponent("model.safetensors"))
    if let tokenizer {
      try Data(tokenizer.utf8).write(to: url.appendingPathComponent("tokenizer.json"))
    }
  }

  /// Replaces the tensor `name`, if there is one.
  public mutating func replace(_ name: String, _ change: (inout Tensor) -> Void) {
    guard let index = tensors.firstIndex(where: { $0.name == name }) else { return }
    change(&tensors[index])
  }

  /// The bytes of `model.safetensors`.
  public func safetensors() -> [UInt8] {
    var offset = 0
    let entries = tensors.map { tensor -> String in
      let end = offset + tensor.bytes.count
      defer { offset = end }
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      return #""\#(tensor.name)":{"dtype":"\#(tensor.type)","shape":[\#(shape)],"#
        + #""data_offsets":[\#(offset),\#(end)]}"#
    }
    var header = #"{"__metadata__":{"format":"pt"},"# + entries.joined(separator: ",") + "}"
    while header.utf8.count % 8 != 0 { header += " " }
    let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
    return length + Array(header.utf8) + tensors.flatMap(\.bytes)
  }

  private static func config(_ kind: Kind) -> String {
    let isBitNet = kind == .bitnetOnline || kind == .bitnetPacked
    let quantization =
      switch kind {
      case .bitnetOnline:
        #"{"quant_method": "bitnet", "linear_class": "autobitlinear", "#
          + #""quantization_mode": "online"}"#
      case .bitnetPacked:
        #"{"quant_method": "bitnet", "linear_class": "autobitlinear", "#
          + #""quantization_mode": "offline"}"#
      case .llamaPacked:
        #"{"quant_method": "bitnet", "modules_to_not_convert": ["lm_head"]}"#
      case .llamaDense: "null"
      }
    return """
      {
        "architectures": ["\(isBitNet ? "BitNetForCausalLM" : "LlamaForCausalLM")"],
        "model_type": "\(isBitNet ? "bitnet" : "llama")",
        "hidden_size": \(hidden),
        "intermediate_size": \(intermediate),
        "num_hidden_layers": \(layers),
        "num_attention_heads": \(heads),
        "num_key_value_heads": \(keyValueHeads),
        "vocab_size": \(vocabulary),
        "hidden_act": "\(isBitNet ? "relu2" : "silu")",
        "max_position_embeddings": \(context),
        "rms_norm_eps": 1e-05,
        "rope_theta": 10000.0,
        "tie_word_embeddings": \(isBitNet),
        "bos_token_id": \(TinyTokenizer.begin),
        "eos_token_id": \(TinyTokenizer.end),
        "torch_dtype": "float32"\(quantization == "null" ? "" : ",")
        \(quantization == "null" ? "" : "\"quantization_config\": \(quantization)")
      }
      """
  }
}

/// Draws the tensors of a `TinyCheckpoint`.
private struct TensorMaker {
  let kind: TinyCheckpoint.Kind
  var random: SeededRandom

  mutating func all() -> [TinyCheckpoint.Tensor] {
    let hidden = TinyCheckpoint.hidden
    let wide = TinyCheckpoint.intermediate
    let narrow = hidden / TinyCheckpoint.heads * TinyCheckpoint.keyValueHeads
    let isBitNet = kind == .bitnetOnline || kind == .bitnetPacked
    // Logits with a spread of one or two: flatter ones would make every greedy test a test of
    // rounding, and a tied head over large embeddings would only repeat the token before.
    let deviation: Float = isBitNet ? 0.15 : 1
    var tensors = [
      matrix("model.embed_tokens", TinyCheckpoint.vocabulary, hidden, deviation: deviation)
    ]
    for layer in 0..<TinyCheckpoint.layers {
      let block = "model.layers.\(layer)."
      tensors.append(norm(block + "input_layernorm", hidden))
      tensors += linear(block + "self_attn.q_proj", hidden, hidden)
      tensors += linear(block + "self_attn.k_proj", narrow, hidden)
      tensors += linear(block + "self_attn.v_proj", narrow, hidden)
      if isBitNet { tensors.append(norm(block + "self_attn.attn_sub_norm", hidden)) }
      tensors += linear(block + "self_attn.o_proj", hidden, hidden)
      tensors.append(norm(block + "post_attention_layernorm", hidden))
      tensors += linear(block + "mlp.gate_proj", wide, hidden)
      tensors += linear(block + "mlp.up_proj", wide, hidden)
      if isBitNet { tensors.append(norm(block + "mlp.ffn_sub_norm", wide)) }
      tensors += linear(block + "mlp.down_proj", hidden, wide)
    }
    tensors.append(norm("model.norm", hidden))
    if !isBitNet {
      tensors.append(matrix("lm_head", TinyCheckpoint.vocabulary, hidden, deviation: 0.15))
    }
    return tensors
  }

  /// A linear layer's tensors: float values, or packed trits and their scale.
  private mutating func linear(
    _ name: String, _ rows: Int, _ columns: Int
  ) -> [TinyCheckpoint.Tensor] {
    guard kind == .bitnetPacked || kind == .llamaPacked else {
      return [matrix(name, rows, columns, deviation: 0.09)]
    }
    // Byte `r` of a column holds the codes of rows r, r + R, r + 2R, r + 3R, low bits first, R a
    // quarter of the rows: the packing of transformers' BitNet integration.
    let quarter = rows / 4
    let codes = (0..<rows * columns).map { _ in UInt8(random.below(3)) }
    var packed = [UInt8](repeating: 0, count: quarter * columns)
    for row in 0..<rows {
      for column in 0..<columns {
        packed[row % quarter * columns + column] |=
          codes[row * columns + column] << UInt8(2 * (row / quarter))
      }
    }
    let scale: Float = 0.09
    let stored = kind == .llamaPacked ? 1 / scale : scale
    return [
      .init(name + ".weight", shape: [quarter, columns], bytes: packed),
      .init(name + ".weight_scale", shape: [1], floats: [stored]),
    ]
  }

  private mutating func matrix(
    _ name: String, _ rows: Int, _ columns: Int, deviation: Float
  ) -> TinyCheckpoint.Tensor {
    .init(name + ".weight", shape: [rows, columns], floats: normal(rows * columns, deviation))
  }

  /// Gains around 1.
  private mutating func norm(_ name: String, _ count: Int) -> TinyCheckpoint.Tensor {
    .init(name + ".weight", shape: [count], floats: normal(count, 0.1).map { 1 + $0 })
  }

  /// Nearly normal values by the sum of twelve uniforms: no logarithm or cosine, whose last bits
  /// differ between C libraries.
  private mutating func normal(_ count: Int, _ deviation: Float) -> [Float] {
    (0..<count).map { _ in
      var sum = -6.0
      for _ in 0..<12 { sum += random.uniform() }
      return Float(sum) * deviation
    }
  }
}
