import TritAttention
import TritCore
import TritFormats

extension ModelConfiguration {
  /// Architectures of `config.json` that the lab runs.
  static let huggingFaceArchitectures = [
    "LlamaForCausalLM", "BitNetForCausalLM", "BitnetForCausalLM",
  ]

  /// Reads a Hugging Face `config.json`. Throws `badData` with the key path for what is missing, of the
  /// wrong type or not supported.
  ///
  /// Source: transformers 5 (`models/llama`, `models/bitnet`, `integrations/bitnet.py`).
  public init(huggingFace path: String) throws {
    let reader = ConfigurationReader(root: try JSONReader.readFile(path), path: path)
    let named = reader.root["architectures"]?.array?.first?.string
    guard let architecture = named ?? reader.root["model_type"]?.string else {
      throw reader.missing("architectures", "a list with one name")
    }
    guard Self.huggingFaceArchitectures.contains(architecture) else {
      throw LabError(
        .badData, "the architecture '\(architecture)' is not supported",
        at: "\(path): architectures[0]",
        expected: Self.huggingFaceArchitectures.joined(separator: ", "),
        advice: "the lab runs the Llama and BitNet families only")
    }
    self.architecture = architecture
    hiddenSize = try reader.integer("hidden_size")
    feedForwardSize = try reader.integer("intermediate_size")
    layers = try reader.integer("num_hidden_layers")
    heads = try reader.integer("num_attention_heads")
    keyValueHeads = try reader.integer("num_key_value_heads", default: heads)
    guard heads > 0 else {
      throw LabError(
        .badData, "the number of heads is out of range", at: "\(path): num_attention_heads",
        expected: "at least 1", got: "\(heads)")
    }
    headDimension = try reader.integer("head_dim", default: hiddenSize / heads)
    vocabularySize = try reader.integer("vocab_size")
    contextLength = try reader.integer("max_position_embeddings", default: 2048)
    normEpsilon = Float(try reader.number("rms_norm_eps", default: 1e-6))
    let rope = reader.root["rope_parameters"]
    ropeBase =
      try rope?["rope_theta"].map { try reader.number($0, "rope_parameters.rope_theta") }
      ?? reader.number("rope_theta", default: 10_000)
    ropeScaling = try reader.scaling(reader.root["rope_scaling"] ?? rope)
    ropePairing = .halfSplit
    ropeDimension = headDimension
    activation = try reader.activation()
    tiesEmbeddings =
      reader.root["tie_word_embeddings"]?.bool ?? (architecture != "LlamaForCausalLM")
    bosToken = reader.root["bos_token_id"]?.integer
    eosTokens =
      reader.root["eos_token_id"].map {
        $0.array?.compactMap(\.integer) ?? [$0.integer].compactMap { $0 }
      }
      ?? []
    quantization = try reader.quantization(architecture: architecture)
    for key in ["attention_bias", "mlp_bias"] where reader.root[key]?.bool == true {
      throw LabError(
        .badData, "linear layers with a bias are not supported", at: "\(path): \(key)",
        expected: "false", got: "true")
    }
    try validate(path: path)
  }
}

/// Typed access to a `config.json` with key paths in every error.
private struct ConfigurationReader {
  let root: JSONValue
  let path: String

  func missing(_ key: String, _ expected: String) -> LabError {
    LabError(
      .badData, "the key '\(key)' is missing or has the wrong type", at: "\(path): \(key)",
      expected: expected, advice: "is this the config.json of a Llama or BitNet checkpoint?")
  }

  func integer(_ key: String, default fallback: Int? = nil) throws -> Int {
    guard let value = root[key], value != .null else {
      if let fallback { return fallback }
      throw missing(key, "a whole number")
    }
    guard let number = value.integer else { throw missing(key, "a whole number") }
    return number
  }

  func number(_ value: JSONValue, _ key: String) throws -> Double {
    guard let number = value.double else { throw missing(key, "a number") }
    return number
  }

  func number(_ key: String, default fallback: Double) throws -> Double {
    guard let value = root[key], value != .null else { return fallback }
    return try number(value, key)
  }

  func activation() throws -> FeedForwardActivation {
    let name = root["hidden_act"]?.string ?? "silu"
    guard let activation = FeedForwardActivation(rawValue: name == "swiglu" ? "silu" : name) else {
      throw LabError(
        .badData, "the activation '\(name)' is not supported", at: "\(path): hidden_act",
        expected: "silu or relu2", got: name)
    }
    return activation
  }

  func scaling(_ value: JSONValue?) throws -> RotaryScaling {
    guard let value, value != .null else { return .none }
    let kind = value["rope_type"]?.string ?? value["type"]?.string ?? "default"
    func factor(_ key: String) throws -> Double {
      guard let number = value[key]?.double, number > 0 else {
        throw missing("rope_scaling.\(key)", "a positive number")
      }
      return number
    }
    switch kind {
    case "default": return .none
    case "linear": return .linear(factor: try factor("factor"))
    case "llama3":
      return .llama3(
        factor: try factor("factor"), lowFrequencyFactor: try factor("low_freq_factor"),
        highFrequencyFactor: try factor("high_freq_factor"),
        originalContext: Int(min(try factor("original_max_position_embeddings"), 1e9)))
    default:
      throw LabError(
        .badData, "the rotary scaling '\(kind)' is not supported",
        at: "\(path): rope_scaling.rope_type", expected: "default, linear or llama3", got: kind)
    }
  }

  /// `quantization_config`, or what the 1bitLLM checkpoints say instead of one.
  func quantization(architecture: String) throws -> TrainedQuantization? {
    guard let config = root["quantization_config"], config != .null else {
      // The lab's own trainer says what it trained with; `none` is full precision.
      if root["tritlab"]?["quantizer"]?.string == "none" { return nil }
      // 1bitLLM (`Bitnet…`, their spelling): float masters, no quantization_config, absmean at every
      // forward pass. transformers' own `BitNet…` without one is a dense model.
      return architecture == "BitnetForCausalLM"
        ? TrainedQuantization(isOnline: true, scaleDivides: false) : nil
    }
    let method = config["quant_method"]?.string ?? ""
    guard method == "bitnet" else {
      throw LabError(
        .badData, "the quantization method '\(method)' is not supported",
        at: "\(path): quantization_config.quant_method", expected: "bitnet", got: method,
        advice: "take the unquantized checkpoint and let the lab quantize it")
    }
    let linearClass = config["linear_class"]?.string ?? "bitlinear"
    let mode = config["quantization_mode"]?.string ?? "offline"
    for (key, value, legal) in [
      ("linear_class", linearClass, ["bitlinear", "autobitlinear"]),
      ("quantization_mode", mode, ["offline", "online"]),
    ] where !legal.contains(value) {
      throw LabError(
        .badData, "unknown value '\(value)'", at: "\(path): quantization_config.\(key)",
        expected: legal.joined(separator: " or "), got: value)
    }
    let hasInnerNorm = config["use_rms_norm"]?.bool ?? false
    return TrainedQuantization(
      isOnline: mode == "online", scaleDivides: linearClass == "bitlinear",
      innerNormEpsilon: hasInnerNorm ? Float(config["rms_norm_eps"]?.double ?? 1e-6) : nil)
  }
}
