import Foundation
import TritAttention
import TritCore
import TritFormats

/// `config.json` of an export: the checkpoint's own with another quantization, or one that says in
/// the keys of its family what a GGUF file says.
///
/// Source: transformers 5, `configuration_*.py`; openbmb, `configuration_minicpm.py`. Keys are those
/// that versions 4 and 5 both read: `rope_theta` and `rope_scaling`.
struct HuggingFaceConfiguration {
  private let checkpoint: Checkpoint
  private let form: HuggingFaceForm
  /// The document.
  private(set) var document: JSONValue = .object([])
  private var configuration: ModelConfiguration { checkpoint.configuration }

  /// Begins with what the checkpoint says. `ends`: ids that end a generation, the main one first.
  /// Throws where a key has no such value.
  init(_ checkpoint: Checkpoint, _ form: HuggingFaceForm, ends: [Int]) throws {
    self.checkpoint = checkpoint
    self.form = form
    guard checkpoint.names == .gguf else {
      document = try checkpoint.files.perform {
        try JSONReader.readFile(checkpoint.path + "/config.json")
      }
      if form.changesClass { changeClass() }
      return
    }
    describe(ends: ends)
    describeRotation()
    try describeFamily()
  }

  /// What stands under `key`.
  subscript(key: String) -> JSONValue? { document[key] }

  /// Sets `key` where it stands, else at the end; nil removes it.
  mutating func set(_ key: String, _ value: JSONValue?) {
    document = document.setting(key, value)
  }

  /// A configuration of Hugging Face that names another class than one of transformers.
  private mutating func changeClass() {
    set("architectures", .array([.string(form.architecture)]))
    set("model_type", .string(form.modelType))
    set("hidden_act", .string(configuration.activation.rawValue))
    set("rms_norm_eps", JSONValue(configuration.normEpsilon))
    set("tie_word_embeddings", .bool(checkpoint.tiesEmbeddings))
    // The classes have defaults of their own.
    if self["rope_theta"] == nil, self["rope_parameters"] == nil {
      set("rope_theta", JSONValue(configuration.ropeBase))
    }
    for key in ["auto_map", "weight_bits", "input_bits"] { set(key, nil) }
  }

  // MARK: What a GGUF file says

  private mutating func describe(ends: [Int]) {
    set("architectures", .array([.string(form.architecture)]))
    set("model_type", .string(form.modelType))
    set("hidden_size", JSONValue(configuration.hiddenSize))
    set("intermediate_size", JSONValue(configuration.feedForwardSize))
    set("num_hidden_layers", JSONValue(configuration.layers))
    set("num_attention_heads", JSONValue(configuration.heads))
    set("num_key_value_heads", JSONValue(configuration.keyValueHeads))
    set("head_dim", JSONValue(configuration.headDimension))
    set("vocab_size", JSONValue(configuration.vocabularySize))
    set("max_position_embeddings", JSONValue(configuration.contextLength))
    set("rms_norm_eps", JSONValue(configuration.normEpsilon))
    set(
      form.family.isGemma ? "hidden_activation" : "hidden_act",
      .string(configuration.activation.rawValue))
    set("tie_word_embeddings", .bool(checkpoint.tiesEmbeddings))
    set("bos_token_id", configuration.bosToken.map { JSONValue($0) } ?? .null)
    set(
      "eos_token_id",
      ends.count > 1 ? JSONValue(ends) : ends.first.map { JSONValue($0) } ?? .null)
  }

  private mutating func describeRotation() {
    set("rope_theta", JSONValue(configuration.ropeBase))
    var scaling: [(key: String, value: JSONValue)] = []
    switch form.scaling {
    case .none: return
    case .linear(let factor):
      scaling = [("rope_type", "linear"), ("factor", JSONValue(factor))]
    case .llama3(let factor, let low, let high, let original):
      scaling = [
        ("rope_type", "llama3"), ("factor", JSONValue(factor)),
        ("low_freq_factor", JSONValue(low)), ("high_freq_factor", JSONValue(high)),
        ("original_max_position_embeddings", JSONValue(original)),
      ]
    case .yarn(let factor, let original, let fast, let slow, let attention, let truncates):
      scaling = [
        ("rope_type", "yarn"), ("factor", JSONValue(factor)),
        ("original_max_position_embeddings", JSONValue(original)),
        ("beta_fast", JSONValue(fast)), ("beta_slow", JSONValue(slow)),
      ]
      if let attention { scaling.append(("attention_factor", JSONValue(attention))) }
      if !truncates { scaling.append(("truncate", false)) }
    case .longrope(let short, let long, let original, let attention):
      scaling = [
        ("rope_type", "longrope"), ("short_factor", JSONValue(short)),
        ("long_factor", JSONValue(long)),
        ("original_max_position_embeddings", JSONValue(original)),
        ("attention_factor", JSONValue(attention)),
      ]
    }
    set("rope_scaling", .object(scaling))
  }

  private mutating func describeFamily() throws {
    let biases = checkpoint.plan.block.biases
    let hasAttentionBiases = biases.contains(.attentionOutput)
    switch form.family.name {
    case ModelFamily.llama.name:
      set("attention_bias", .bool(hasAttentionBiases))
      set("mlp_bias", .bool(biases.contains(.down)))
    case ModelFamily.bitNet.name, ModelFamily.qwen3.name:
      set("attention_bias", .bool(hasAttentionBiases))
    case ModelFamily.qwen2.name: set("use_sliding_window", false)
    case ModelFamily.granite.name:
      set("attention_bias", .bool(hasAttentionBiases))
      set("mlp_bias", .bool(biases.contains(.down)))
      set("embedding_multiplier", JSONValue(configuration.embeddingMultiplier))
      set("residual_multiplier", JSONValue(configuration.residualMultiplier))
      set("logits_scaling", JSONValue(Self.inverse(configuration.logitMultiplier)))
      set("attention_multiplier", JSONValue(scoreScale))
    case ModelFamily.miniCPM.name:
      set("attention_bias", .bool(hasAttentionBiases))
      set("scale_emb", JSONValue(configuration.embeddingMultiplier))
      let depth =
        Double(configuration.residualMultiplier) * Double(configuration.layers).squareRoot()
      set("scale_depth", JSONValue(Float(depth)))
      let base = Float(Double(configuration.logitMultiplier) * Double(configuration.hiddenSize))
      set("dim_model_base", base == base.rounded() ? JSONValue(Int(base)) : JSONValue(base))
    case ModelFamily.gemma3.name, ModelFamily.gemma2.name: try describeGemma()
    default: break
    }
    if form.family.isGemma {
      set("attention_bias", .bool(hasAttentionBiases))
    }
  }

  private mutating func describeGemma() throws {
    let scalar = 1 / (Double(scoreScale) * Double(scoreScale))
    guard abs(scalar - scalar.rounded()) < 1e-5 * scalar else {
      throw HuggingFaceForm.nothing(
        "takes a query_pre_attn_scalar that is no whole number, as \(scalar)", checkpoint)
    }
    set("query_pre_attn_scalar", JSONValue(Int(scalar.rounded())))
    set("final_logit_softcapping", configuration.logitSoftCap.map { JSONValue($0) } ?? .null)
    set("attn_logit_softcapping", configuration.attentionSoftCap.map { JSONValue($0) } ?? .null)
    set("sliding_window", JSONValue(configuration.window ?? configuration.contextLength))
    set(
      "layer_types",
      JSONValue(
        (0..<configuration.layers).map {
          configuration.isWindowed(layer: $0) ? "sliding_attention" : "full_attention"
        }))
    guard form.family.name == ModelFamily.gemma3.name else { return }
    set("rope_local_base_freq", JSONValue(configuration.localRopeBase ?? configuration.ropeBase))
  }

  private var scoreScale: Float {
    configuration.attentionScale ?? 1 / Float(configuration.headDimension).squareRoot()
  }

  /// The number whose inverse was rounded to float32.
  private static func inverse(_ value: Float) -> Float { Float(1 / Double(value)) }
}
