/// The seven linear layers of a block, named as in GGUF files.
public enum LinearRole: String, CaseIterable, Sendable, Hashable {
  /// Query projection, `[heads · d, hidden]`.
  case query = "attn_q"
  /// Key projection, `[kvHeads · d, hidden]`.
  case key = "attn_k"
  /// Value projection, `[kvHeads · d, hidden]`.
  case value = "attn_v"
  /// Attention output projection, `[hidden, heads · d]`.
  case attentionOutput = "attn_output"
  /// Feed-forward gate, `[feedForward, hidden]`.
  case gate = "ffn_gate"
  /// Feed-forward up projection, `[feedForward, hidden]`.
  case up = "ffn_up"
  /// Feed-forward down projection, `[hidden, feedForward]`.
  case down = "ffn_down"

  /// `[rows, columns]` of this layer in a model of `configuration`.
  public func shape(_ configuration: ModelConfiguration) -> (rows: Int, columns: Int) {
    switch self {
    case .query: (configuration.querySize, configuration.hiddenSize)
    case .key, .value: (configuration.keyValueSize, configuration.hiddenSize)
    case .attentionOutput: (configuration.hiddenSize, configuration.querySize)
    case .gate, .up: (configuration.feedForwardSize, configuration.hiddenSize)
    case .down: (configuration.hiddenSize, configuration.feedForwardSize)
    }
  }
}

/// The norms of a block.
enum NormRole: CaseIterable, Sendable {
  case attention, feedForward, attentionSub, feedForwardSub
}

/// What the tensors of a checkpoint are called.
enum TensorNames: Sendable {
  case huggingFace, gguf
  /// Hugging Face's base class (`LlamaModel`), whose names lack `model.`.
  case huggingFaceBase

  private var prefix: String { self == .huggingFaceBase ? "" : "model." }
  var embedding: String { self == .gguf ? "token_embd.weight" : "\(prefix)embed_tokens.weight" }
  var finalNorm: String { self == .gguf ? "output_norm.weight" : "\(prefix)norm.weight" }
  var head: String { self == .gguf ? "output.weight" : "lm_head.weight" }

  /// Names under which a norm may stand; the first that exists counts.
  func norm(_ role: NormRole, layer: Int) -> [String] {
    if self == .gguf {
      let name =
        switch role {
        case .attention: "attn_norm"
        case .feedForward: "ffn_norm"
        case .attentionSub: "attn_sub_norm"
        case .feedForwardSub: "ffn_sub_norm"
        }
      return ["blk.\(layer).\(name).weight"]
    }
    // Sub-norms: microsoft 2B-4T, 1bitLLM, Microsoft's internal checkpoints.
    let names =
      switch role {
      case .attention: ["input_layernorm"]
      case .feedForward: ["post_attention_layernorm"]
      case .attentionSub:
        ["self_attn.attn_sub_norm", "self_attn.inner_attn_ln", "attention.attn_sub_norm"]
      case .feedForwardSub: ["mlp.ffn_sub_norm", "mlp.ffn_layernorm", "feed_forward.ffn_sub_norm"]
      }
    return names.map { "\(prefix)layers.\(layer).\($0).weight" }
  }

  /// The name of a linear layer without its `.weight`.
  func linear(_ role: LinearRole, layer: Int) -> String {
    if self == .gguf { return "blk.\(layer).\(role.rawValue)" }
    let name =
      switch role {
      case .query: "self_attn.q_proj"
      case .key: "self_attn.k_proj"
      case .value: "self_attn.v_proj"
      case .attentionOutput: "self_attn.o_proj"
      case .gate: "mlp.gate_proj"
      case .up: "mlp.up_proj"
      case .down: "mlp.down_proj"
      }
    return "\(prefix)layers.\(layer).\(name)"
  }

  /// Tensors that files carry and nobody needs.
  func isIgnorable(_ name: String) -> Bool {
    name.hasSuffix("rotary_emb.inv_freq") || name == "rope_freqs.weight"
  }
}
