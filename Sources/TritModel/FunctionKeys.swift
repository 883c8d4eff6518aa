import TritCore
import TritFormats

/// Keys of configurations that change what a model computes and that the lab does not compute:
/// refused by name, unless their value says that there is nothing to it.
///
/// A key that changes the function is used or stands here: what is silently left out is another
/// model. Sources: transformers 5 (`configuration_*.py` of the decoder-only families), llama.cpp
/// `src/llama-arch.cpp`.
struct FunctionKey {
  /// When a value changes nothing.
  enum Harmless {
    /// False.
    case no
    /// 0.
    case zero
    /// This number.
    case number(Double)
    /// A window at least as long as the context.
    case wholeContext
    /// One of these words.
    case words([String])
    /// A list of nothing but this word, or an empty one.
    case only(String)
    /// Never, unless the key is null.
    case never
  }

  /// Names of the key.
  let names: [String]
  /// What it is.
  let what: String
  let harmless: Harmless

  init(_ names: [String], _ what: String, _ harmless: Harmless) {
    self.names = names
    self.what = what
    self.harmless = harmless
  }

  /// Keys of `config.json`. `headDimension`, `hiddenSize`: of the model.
  static func huggingFace(headDimension: Int, hiddenSize: Int) -> [FunctionKey] {
    let scale = 1 / Double(headDimension).squareRoot()
    return [
      FunctionKey(["lm_head_bias"], "an output head with a bias", .no),
      FunctionKey(
        ["sliding_window", "attention_chunk_size"], "attention to a window", .wholeContext),
      FunctionKey(["layer_types"], "layers of different kinds", .only("full_attention")),
      FunctionKey(
        [
          "attn_logit_softcapping", "final_logit_softcapping", "attn_logit_soft_cap",
          "logits_soft_cap",
        ], "soft-capped logits", .zero),
      FunctionKey(
        [
          "embedding_multiplier", "residual_multiplier", "logits_scaling", "logit_scale",
          "scale_emb",
          "embedding_scale", "lm_head_multiplier", "key_multiplier", "attention_in_multiplier",
          "attention_out_multiplier",
        ], "a multiplier", .number(1)),
      FunctionKey(["scale_depth"], "a multiplier of residuals by depth", .never),
      FunctionKey(["scale_embedding", "normalize_embedding"], "scaled embeddings", .no),
      FunctionKey(
        ["attention_multiplier", "attn_scale", "attention_scale"], "another scale of scores",
        .number(scale)),
      FunctionKey(
        ["query_pre_attn_scalar"], "another scale of scores", .number(Double(headDimension))),
      FunctionKey(["dim_model_base"], "scaled logits", .number(Double(hiddenSize))),
      FunctionKey(
        [
          "num_local_experts", "num_experts", "n_routed_experts", "n_shared_experts",
          "num_experts_per_tok",
        ], "a mixture of experts", .zero),
      FunctionKey(["clip_qkv", "clamp_qkv"], "clamped projections", .never),
      FunctionKey(
        ["use_parallel_residual", "parallel_attn", "new_decoder_architecture"], "parallel blocks",
        .no),
      FunctionKey(["qk_norm", "use_qk_norm", "qk_layernorm"], "norms of queries and keys", .no),
      FunctionKey(["alibi", "use_alibi"], "position by biases", .no),
      FunctionKey(
        ["position_embedding_type"], "another position embedding", .words(["rope", "rotary"])),
      FunctionKey(["no_rope_layers", "no_rope_layer_interval"], "layers without rotation", .zero),
      FunctionKey(["rope_interleaved", "rope_interleave"], "rotation of neighbours", .no),
      FunctionKey(
        ["norm_type", "normalization_type"], "another norm",
        .words(["rmsnorm", "rms_norm", "rms"])),
      FunctionKey(["is_encoder_decoder", "add_cross_attention"], "an encoder", .no),
      FunctionKey(
        ["use_cache_quantization", "use_bidirectional_attention"], "other attention", .no),
    ]
  }

  /// Keys of a GGUF file behind `architecture.`.
  static func gguf(headDimension: Int) -> [FunctionKey] {
    let scale = 1 / Double(headDimension).squareRoot()
    return [
      FunctionKey(["attention.sliding_window"], "attention to a window", .wholeContext),
      FunctionKey(["attention.sliding_window_pattern"], "layers of different kinds", .zero),
      FunctionKey(
        ["attn_logit_softcapping", "final_logit_softcapping"], "soft-capped logits", .zero),
      FunctionKey(
        ["logit_scale", "embedding_scale", "residual_scale"], "a multiplier", .number(1)),
      FunctionKey(["attention.scale"], "another scale of scores", .number(scale)),
      FunctionKey(["attention.clamp_kqv", "attention.max_alibi_bias"], "other attention", .zero),
      FunctionKey(["attention.causal"], "attention to what follows", .words(["true"])),
      FunctionKey(["use_parallel_residual"], "parallel blocks", .no),
      FunctionKey(
        ["expert_count", "expert_used_count", "expert_shared_count"], "a mixture of experts", .zero),
      FunctionKey(["rope.dimension_sections"], "rotation in sections", .never),
      FunctionKey(["rope.scaling.attn_factor"], "scaled scores", .number(1)),
      FunctionKey(["attention.layer_norm_epsilon"], "another norm", .never),
      FunctionKey(
        ["attention.q_lora_rank", "attention.kv_lora_rank"], "compressed attention", .zero),
    ]
  }

  /// Throws where `value`, of the key at `place`, changes what is computed. `context` positions are
  /// trained.
  func check(_ value: FunctionValue, at place: String, context: Int) throws {
    let changes: Bool
    let expected: String
    switch (harmless, value) {
    case (.no, .flag(let flag)): (changes, expected) = (flag, "false")
    case (.words(let words), .flag(let flag)):
      (changes, expected) = (!words.contains("\(flag)"), words.joined(separator: " or "))
    case (.zero, .number(let number)): (changes, expected) = (number != 0, "0 or no such key")
    case (.zero, .list(let words)): (changes, expected) = (!words.isEmpty, "no such key")
    case (.zero, .flag(let flag)): (changes, expected) = (flag, "no such key")
    case (.number(let wanted), .number(let number)):
      (changes, expected) = (abs(number - wanted) > 1e-6 * abs(wanted), "\(wanted)")
    case (.wholeContext, .number(let number)):
      changes = number != 0 && number < Double(context)
      expected = "no window, or one of at least the \(context) positions of the context"
    case (.words(let words), .text(let text)):
      (changes, expected) = (!words.contains(text.lowercased()), words.joined(separator: " or "))
    case (.only(let word), .list(let words)):
      (changes, expected) = (words.contains { $0 != word }, "'\(word)' alone")
    case (.never, _): (changes, expected) = (true, "no such key")
    default:
      throw LabError(
        .badData, "the key has the wrong type", at: place,
        expected: "what says \(what), or no such key",
        got: value.description)
    }
    guard changes else { return }
    throw LabError(
      .badData, "\(what): the lab does not compute it", at: place, expected: expected,
      got: value.description,
      advice:
        "without it this would be another model; the lab runs \(ModelFamily.names)")
  }
}

/// A value of a configuration, of whatever container.
enum FunctionValue: CustomStringConvertible {
  case flag(Bool)
  case number(Double)
  case text(String)
  case list([String])
  case other(String)

  init(_ value: JSONValue) {
    switch value {
    case .bool(let flag): self = .flag(flag)
    case .number(let text): self = Double(text).map { .number($0) } ?? .other(text)
    case .string(let text): self = .text(text)
    case .array(let values):
      self = .list(values.map { $0.string ?? $0.double.map { "\($0)" } ?? "…" })
    case .null: self = .other("null")
    case .object: self = .other("an object")
    }
  }

  init(_ value: GGUFValue) {
    if let flag = value.bool {
      self = .flag(flag)
    } else if let text = value.string {
      self = .text(text)
    } else if let number = value.double {
      self = .number(number)
    } else if let list = value.array {
      self = .list(list.prefix(64).map { $0.string ?? $0.double.map { "\($0)" } ?? "…" })
    } else {
      self = .other(value.typeName)
    }
  }

  var description: String {
    switch self {
    case .flag(let flag): "\(flag)"
    case .number(let number): "\(number)"
    case .text(let text): "'\(text.prefix(60))'"
    case .list(let words):
      "[" + words.prefix(6).joined(separator: ", ") + (words.count > 6 ? ", …]" : "]")
    case .other(let text): text
    }
  }
}
