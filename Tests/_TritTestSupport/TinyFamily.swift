import Foundation
import TritCore

/// A tiny random float model of one of the families beside BitNet's, in Hugging Face form: hidden 64,
/// feed-forward 128, two layers, four heads of 16 with two key-value heads, and a tokenizer. Every
/// value is one of bfloat16, so that what writes 16 bits keeps it.
public struct TinyFamily: Sendable, CustomStringConvertible {
  /// `Qwen3ForCausalLM`…
  public let architecture: String
  /// What `model_type` says.
  public let type: String
  /// Lines of `config.json` beside the sizes.
  public var config: String
  /// Whether heads of q and k are normed.
  public var headNorms = false
  /// Whether there are norms behind the halves of a block, and gains are stored less 1.
  public var isGemma = false
  /// Projections with a bias.
  public var biases: Set<String> = []
  /// Whether there is a norm inside every projection, which makes it one of embeddings.
  public var innerNorms = false
  /// Whether the head is a matrix of its own.
  public var hasHead = false

  /// The name in test listings.
  public var description: String { architecture + (innerNorms ? " with inner norms" : "") }

  /// A family of one's own.
  public init(
    architecture: String, type: String, config: String, headNorms: Bool = false,
    isGemma: Bool = false, biases: Set<String> = [], innerNorms: Bool = false,
    hasHead: Bool = false
  ) {
    (self.architecture, self.type, self.config) = (architecture, type, config)
    (self.headNorms, self.isGemma, self.biases) = (headNorms, isGemma, biases)
    (self.innerNorms, self.hasHead) = (innerNorms, hasHead)
  }

  /// One of each family that GGUF has an architecture for.
  public static let all: [TinyFamily] = [
    .init(
      architecture: "Qwen3ForCausalLM", type: "qwen3", config: #""head_dim": 16"#, headNorms: true),
    .init(
      architecture: "Qwen2ForCausalLM", type: "qwen2", config: #""rope_theta": 1000000.0"#,
      biases: ["q_proj", "k_proj", "v_proj"], hasHead: true),
    .init(
      architecture: "LlamaForCausalLM", type: "llama",
      config: #""attention_bias": true, "mlp_bias": true, "rope_theta": 500000.0, "#
        + #""rope_scaling": {"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "#
        + #""high_freq_factor": 4.0, "original_max_position_embeddings": 8192}"#,
      biases: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
      hasHead: true),
    .init(
      architecture: "Gemma3ForCausalLM", type: "gemma3_text",
      config: #""head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": 5, "#
        + #""final_logit_softcapping": 3.5, "hidden_activation": "gelu_pytorch_tanh", "#
        + #""rope_theta": 1000000.0, "rope_local_base_freq": 10000.0, "#
        + #""layer_types": ["sliding_attention", "full_attention"]"#,
      headNorms: true, isGemma: true),
    .init(
      architecture: "Gemma2ForCausalLM", type: "gemma2",
      config: #""head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": 5, "#
        + #""attn_logit_softcapping": 0.7, "final_logit_softcapping": 3.5, "#
        + #""hidden_activation": "gelu_pytorch_tanh", "rope_theta": 10000.0, "#
        + #""layer_types": ["sliding_attention", "full_attention"]"#,
      isGemma: true),
    .init(
      architecture: "GraniteForCausalLM", type: "granite",
      config: #""embedding_multiplier": 7.0, "residual_multiplier": 0.3, "logits_scaling": 3.0, "#
        + #""attention_multiplier": 0.11, "attention_bias": false, "mlp_bias": false"#),
    .init(
      architecture: "MiniCPMForCausalLM", type: "minicpm",
      config: #""scale_emb": 12.0, "scale_depth": 1.4, "dim_model_base": 16"#),
    .init(
      architecture: "Qwen3Model", type: "qwen3",
      config: #""head_dim": 16, "quantization_config": {"quant_method": "bitnet", "#
        + #""linear_class": "autobitlinear", "quantization_mode": "online", "use_rms_norm": true, "#
        + #""rms_norm_eps": 1e-06}"#,
      headNorms: true, innerNorms: true),
  ]

  /// One of `all` by its class.
  public static func named(_ architecture: String) -> TinyFamily {
    all.first { $0.architecture == architecture } ?? all[0]
  }

  /// The sizes.
  public static let (hidden, wide, heads, keys, head, layers) = (64, 128, 4, 2, 16, 2)

  /// Writes the folder; gives its path.
  @discardableResult
  public func write(to folder: String, seed: UInt64 = 5) throws -> String {
    var model = TinyCheckpoint(.llamaDense)
    model.config = """
      {
        "architectures": ["\(architecture)"], "model_type": "\(type)",
        "hidden_size": \(Self.hidden), "intermediate_size": \(Self.wide),
        "num_hidden_layers": \(Self.layers), "num_attention_heads": \(Self.heads),
        "num_key_value_heads": \(Self.keys), "vocab_size": \(TinyCheckpoint.vocabulary),
        "max_position_embeddings": 256, "rms_norm_eps": 1e-06,
        "tie_word_embeddings": \(!hasHead), "bos_token_id": \(TinyTokenizer.begin),
        "eos_token_id": \(TinyTokenizer.end), "torch_dtype": "float32",
        \(config)
      }
      """
    model.tensors = tensors(seed)
    try model.write(to: folder)
    return folder
  }

  private func tensors(_ seed: UInt64) -> [TinyCheckpoint.Tensor] {
    var random = SeededRandom(seed: seed)
    var list: [TinyCheckpoint.Tensor] = []
    let prefix = innerNorms ? "" : "model."
    func add(_ name: String, _ shape: [Int], _ spread: Double, around middle: Double = 0) {
      let values = (0..<shape.reduce(1, *)).map { _ in
        let value = Float(middle + spread * (2 * random.uniform() - 1))
        return Float(bitPattern: value.bitPattern & 0xffff_0000)
      }
      list.append(.init(name, shape: shape, floats: values))
    }
    let gain = isGemma ? 0.0 : 1
    add(prefix + "embed_tokens.weight", [TinyCheckpoint.vocabulary, Self.hidden], 1)
    add(prefix + "norm.weight", [Self.hidden], 0.3, around: gain)
    if hasHead { add("lm_head.weight", [TinyCheckpoint.vocabulary, Self.hidden], 0.5) }
    for layer in 0..<Self.layers {
      let at = "\(prefix)layers.\(layer)."
      var norms = ["input_layernorm", "post_attention_layernorm"]
      if isGemma { norms += ["pre_feedforward_layernorm", "post_feedforward_layernorm"] }
      for norm in norms { add(at + norm + ".weight", [Self.hidden], 0.3, around: gain) }
      if headNorms {
        for norm in ["q_norm", "k_norm"] {
          add(at + "self_attn.\(norm).weight", [Self.head], 0.3, around: gain)
        }
      }
      for (name, rows, columns) in [
        ("self_attn.q_proj", Self.heads * Self.head, Self.hidden),
        ("self_attn.k_proj", Self.keys * Self.head, Self.hidden),
        ("self_attn.v_proj", Self.keys * Self.head, Self.hidden),
        ("self_attn.o_proj", Self.hidden, Self.heads * Self.head),
        ("mlp.gate_proj", Self.wide, Self.hidden), ("mlp.up_proj", Self.wide, Self.hidden),
        ("mlp.down_proj", Self.hidden, Self.wide),
      ] {
        add(at + name + ".weight", [rows, columns], 0.4)
        if biases.contains(String(name.split(separator: ".")[1])) {
          add(at + name + ".bias", [rows], 0.5)
        }
        if innerNorms { add(at + name + ".norm.weight", [columns], 0.3, around: 1) }
      }
    }
    return list
  }
}
