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

/// The norms of a block, by what they norm.
public enum NormRole: String, CaseIterable, Sendable, Hashable {
  /// The input of q, k and v.
  case attention
  /// The input of gate and up.
  case feedForward
  /// The input of o, where it has a norm (BitNet).
  case attentionSub
  /// The input of down, where it has a norm (BitNet).
  case feedForwardSub
  /// Each head of the queries (Qwen3, Gemma 3).
  case query
  /// Each head of the keys (Qwen3, Gemma 3).
  case key
  /// What attention adds to the stream (Gemma 3).
  case postAttention
  /// What the feed-forward half adds to the stream (Gemma 3).
  case postFeedForward

  /// Those that the tensors of a checkpoint tell, whatever its configuration says.
  static let subNorms: [NormRole] = [.attentionSub, .feedForwardSub]
}

/// What the tensors of a checkpoint are called.
package enum TensorNames: Sendable, Hashable {
  case huggingFace, gguf
  /// Hugging Face's base class (`LlamaModel`), whose names lack `model.`.
  case huggingFaceBase

  private var prefix: String { self == .huggingFaceBase ? "" : "model." }
  package var embedding: String {
    self == .gguf ? "token_embd.weight" : "\(prefix)embed_tokens.weight"
  }
  package var finalNorm: String { self == .gguf ? "output_norm.weight" : "\(prefix)norm.weight" }
  package var head: String { self == .gguf ? "output.weight" : "lm_head.weight" }

  /// Names under which a norm may stand; the first that exists counts. `between`: whether the model
  /// has norms behind its halves too, which changes what Hugging Face calls the one before the
  /// feed-forward half.
  package func norm(_ role: NormRole, layer: Int, between: Bool = false) -> [String] {
    if self == .gguf {
      let name =
        switch role {
        case .attention: "attn_norm"
        case .feedForward: "ffn_norm"
        case .attentionSub: "attn_sub_norm"
        case .feedForwardSub: "ffn_sub_norm"
        case .query: "attn_q_norm"
        case .key: "attn_k_norm"
        case .postAttention: "post_attention_norm"
        case .postFeedForward: "post_ffw_norm"
        }
      return ["blk.\(layer).\(name).weight"]
    }
    // Sub-norms: microsoft 2B-4T, 1bitLLM, Microsoft's internal checkpoints.
    let names =
      switch role {
      case .attention: ["input_layernorm"]
      case .feedForward: [between ? "pre_feedforward_layernorm" : "post_attention_layernorm"]
      case .attentionSub:
        ["self_attn.attn_sub_norm", "self_attn.inner_attn_ln", "attention.attn_sub_norm"]
      case .feedForwardSub: ["mlp.ffn_sub_norm", "mlp.ffn_layernorm", "feed_forward.ffn_sub_norm"]
      case .query: ["self_attn.q_norm"]
      case .key: ["self_attn.k_norm"]
      case .postAttention: ["post_attention_layernorm"]
      case .postFeedForward: ["post_feedforward_layernorm"]
      }
    return names.map { "\(prefix)layers.\(layer).\($0).weight" }
  }

  /// Names under which the norm inside a linear layer may stand: transformers' `use_rms_norm`, and
  /// Microsoft's BitNet embedding models in both containers.
  package func innerNorm(_ role: LinearRole, layer: Int) -> [String] {
    let stem = linear(role, layer: layer)
    return self == .gguf
      ? ["\(stem)_norm_in.weight"] : ["\(stem).rms_norm.weight", "\(stem).norm.weight"]
  }

  /// The name of a linear layer without its `.weight`.
  package func linear(_ role: LinearRole, layer: Int) -> String {
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

  /// The factors of longrope in GGUF: the long ones, the short ones; one a rotated pair.
  static let ropeFactors = ["rope_factors_long.weight", "rope_factors_short.weight"]

  /// Tensors that files carry and nobody needs.
  func isIgnorable(_ name: String) -> Bool {
    name.hasSuffix("rotary_emb.inv_freq") || name == "rope_freqs.weight"
  }
}
