import TritAttention
import TritCore
import TritFormats

extension ModelConfiguration {
  /// Architectures of `config.json` that the lab runs, and the one that each computes as.
  static let huggingFaceArchitectures = [
    "LlamaForCausalLM": "LlamaForCausalLM", "LlamaModel": "LlamaForCausalLM",
    "BitNetForCausalLM": "BitNetForCausalLM", "BitNetModel": "BitNetForCausalLM",
    "BitnetForCausalLM": "BitnetForCausalLM",
  ]

  /// Reads a Hugging Face `config.json`. Throws `badData` with the key path for what is missing, of
  /// the wrong type, contradictory or not supported: a key that changes what is computed is used or
  /// refused.
  ///
  /// Source: transformers 5 (`models/llama`, `models/bitnet`, `integrations/bitnet.py`).
  public init(huggingFace path: String) throws {
    let root = try JSONField(value: try JSONReader.readFile(path), file: path).object()
    let reader = ConfigurationReader(root: root)
    architecture = try reader.architecture()
    let most = Self.limits
    hiddenSize = try reader.integer("hidden_size", most.hidden)
    feedForwardSize = try reader.integer("intermediate_size", most.feedForward)
    layers = try reader.integer("num_hidden_layers", most.layers)
    heads = try reader.integer("num_attention_heads", most.heads)
    keyValueHeads = try reader.integer("num_key_value_heads", most.heads, default: heads)
    headDimension = try reader.integer("head_dim", most.head, default: hiddenSize / heads)
    vocabularySize = try reader.integer("vocab_size", most.vocabulary)
    contextLength = try reader.integer("max_position_embeddings", most.context, default: 2048)
    let isLlama = architecture == "LlamaForCausalLM"
    if let epsilon = try root.notNull("rms_norm_eps") {
      normEpsilon = Float(try epsilon.number())
    } else {
      // The defaults of LlamaConfig and BitNetConfig.
      normEpsilon = isLlama ? 1e-6 : 1e-5
      notes.append(
        "config.json names no rms_norm_eps: \(normEpsilon), the default of \(isLlama ? "Llama" : "BitNet"), is used"
      )
    }
    let rope = try RotaryConfiguration(root)
    ropeBase = rope.base
    ropeScaling = rope.scaling
    ropePairing = .halfSplit
    ropeDimension = headDimension
    activation = try reader.activation()
    tiesEmbeddings = try root.notNull("tie_word_embeddings")?.bool() ?? !isLlama
    bosToken = try reader.tokens("bos_token_id", below: vocabularySize).first
    eosTokens = try reader.tokens("eos_token_id", below: vocabularySize)
    quantization = try reader.quantization(architecture: architecture)
    // A look-up goes through all keys of an object: one pass finds those that are there.
    let present = Set((root.value.object ?? []).map(\.key))
    for key in FunctionKey.huggingFace(headDimension: headDimension, hiddenSize: hiddenSize) {
      for name in key.names where present.contains(name) {
        guard let field = root[name] else { continue }
        // Families whose window is switched off say so beside it.
        if name == "sliding_window", try root["use_sliding_window"]?.bool() == false { continue }
        try key.check(FunctionValue(field.value), at: field.place, context: contextLength)
      }
    }
    try validate(path: path)
  }
}

/// Typed access to a `config.json` with key paths in every error.
private struct ConfigurationReader {
  let root: JSONField

  /// The architecture that the model computes as.
  func architecture() throws -> String {
    let known = ModelConfiguration.huggingFaceArchitectures
    let type = try root["model_type"]?.string()
    guard let named = try root["architectures"]?.elements().first else {
      // transformers finds the class by the type alone.
      switch type {
      case "llama": return "LlamaForCausalLM"
      case "bitnet": return "BitNetForCausalLM"
      case let type?:
        throw LabError(
          .badData, "the model type '\(type)' is not supported",
          at: "\(root.file): model_type", expected: "llama or bitnet", got: type,
          advice: "the lab runs the Llama and BitNet families only")
      case nil:
        throw LabError(
          .badData, "the configuration names no model", at: "\(root.file): architectures",
          expected: "architectures: a list with one of "
            + known.keys.sorted().joined(separator: ", ")
            + "; or model_type: llama or bitnet",
          advice: "is this the config.json of a Llama or BitNet checkpoint?")
      }
    }
    let name = try named.string()
    guard let architecture = known[name] else {
      throw LabError(
        .badData, "the architecture '\(name)' is not supported", at: named.place,
        expected: known.keys.sorted().joined(separator: ", "), got: name,
        advice: "the lab runs the Llama and BitNet families only")
    }
    if let type, !["llama", "bitnet"].contains(type) {
      throw LabError(
        .badData, "the configuration contradicts itself", at: "\(root.file): model_type",
        expected: "llama or bitnet, as architectures says \(name)", got: type)
    }
    return architecture
  }

  /// A whole number from 1 on; null means what absence means where there is a default, as in
  /// transformers.
  func integer(_ key: String, _ most: Int, default fallback: Int? = nil) throws -> Int {
    guard let field = fallback == nil ? try root.notNull(key) ?? root.required(key) : root[key]
    else {
      return fallback ?? 0
    }
    return try field.integer(in: 1...most)
  }

  /// One id, several, or none.
  func tokens(_ key: String, below count: Int) throws -> [Int] {
    guard let field = root[key] else { return [] }
    let fields = field.value.array == nil ? [field] : try field.elements()
    return try fields.map { field in
      let id = try field.integer()
      guard (0..<count).contains(id) else {
        throw LabError(
          .badData, "a token id is outside the vocabulary", at: field.place,
          expected: "0…\(count - 1)", got: "\(id)",
          advice: "configuration and vocabulary do not belong together")
      }
      return id
    }
  }

  func activation() throws -> FeedForwardActivation {
    guard let field = try root.notNull("hidden_act") ?? root.notNull("hidden_activation") else {
      return .silu
    }
    let name = try field.string()
    let known = [
      "silu": FeedForwardActivation.silu, "swish": .silu, "swiglu": .silu, "relu2": .relu2,
    ]
    guard let activation = known[name] else {
      throw LabError(
        .badData, "the activation '\(name)' is not supported", at: field.place,
        expected: "silu or relu2", got: name)
    }
    return activation
  }

  /// `quantization_config`, or what the 1bitLLM checkpoints say instead of one.
  func quantization(architecture: String) throws -> TrainedQuantization? {
    guard let config = try root["quantization_config"]?.object() else {
      // The lab's own trainer says what it trained with; `none` is full precision.
      if try root["tritlab"]?.object()["quantizer"]?.string() == "none" { return nil }
      // 1bitLLM (`Bitnet…`, their spelling): float masters, no quantization_config, absmean at
      // every forward pass. transformers' own `BitNet…` without one is a dense model.
      return architecture == "BitnetForCausalLM"
        ? TrainedQuantization(isOnline: true, scaleDivides: false) : nil
    }
    let method = try config.required("quant_method")
    guard try method.string() == "bitnet" else {
      throw LabError(
        .badData, "the quantization method '\(try method.string())' is not supported",
        at: method.place, expected: "bitnet", got: try method.string(),
        advice: "take the unquantized checkpoint and let the lab quantize it")
    }
    let linearClass = try word(config, "linear_class", ["bitlinear", "autobitlinear"])
    let mode = try word(config, "quantization_mode", ["offline", "online"])
    let hasInnerNorm = try config.flag("use_rms_norm")
    let epsilon = try config.notNull("rms_norm_eps")?.number() ?? 1e-6
    var quantization = TrainedQuantization(
      isOnline: mode == "online", scaleDivides: linearClass == "bitlinear",
      innerNormEpsilon: hasInnerNorm ? Float(epsilon) : nil)
    quantization.isPacked = mode == "offline"
    quantization.unconverted =
      try config["modules_to_not_convert"]?.elements().map { field in
        let pattern = try field.string()
        guard pattern.utf8.count <= 512 else {
          throw LabError(
            .badData, "the pattern is too long", at: field.place, expected: "at most 512 bytes")
        }
        return pattern
      } ?? []
    return quantization
  }

  private func word(_ config: JSONField, _ key: String, _ legal: [String]) throws -> String {
    guard let field = config[key] else { return legal[0] }
    let word = try field.string()
    guard legal.contains(word) else {
      throw LabError(
        .badData, "unknown value '\(word)'", at: field.place,
        expected: legal.joined(separator: " or "), got: word)
    }
    return word
  }
}
