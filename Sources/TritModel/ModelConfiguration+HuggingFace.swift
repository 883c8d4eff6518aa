import Foundation
import TritAttention
import TritCore
import TritFormats

extension ModelConfiguration {
  /// Reads a Hugging Face `config.json`. Throws `badData` with the key path for what is missing, of
  /// the wrong type, contradictory or not supported: a key that changes what is computed is used or
  /// refused.
  ///
  /// Source: transformers 5 (`configuration_*.py` of the families, `integrations/bitnet.py`).
  public init(huggingFace path: String) throws {
    try self.init(huggingFace: try JSONReader.readFile(path), at: path)
    pooling = try Self.pooling(beside: path)
  }

  /// Reads the document of a `config.json`; `path` is where errors say that it stands.
  package init(huggingFace document: JSONValue, at path: String) throws {
    let root = try JSONField(value: document, file: path).object()
    let reader = ConfigurationReader(root: root)
    let family = try reader.family()
    architecture = family.classes[0]
    let most = Self.limits
    hiddenSize = try reader.integer("hidden_size", most.hidden)
    feedForwardSize = try reader.integer("intermediate_size", most.feedForward)
    layers = try reader.integer("num_hidden_layers", most.layers)
    heads = try reader.integer("num_attention_heads", most.heads)
    keyValueHeads = try reader.integer("num_key_value_heads", most.heads, default: heads)
    headDimension = try reader.integer("head_dim", most.head, default: hiddenSize / heads)
    vocabularySize = try reader.integer("vocab_size", most.vocabulary)
    contextLength = try reader.integer("max_position_embeddings", most.context, default: 2048)
    if let epsilon = try root.notNull("rms_norm_eps") {
      normEpsilon = Float(try epsilon.number())
    } else {
      normEpsilon = family.normEpsilon
      notes.append(
        "config.json names no rms_norm_eps: \(normEpsilon), the default of \(family.name), is used"
      )
    }
    let rope = try RotaryConfiguration(root, hasWindows: family.keys.contains("layer_types"))
    ropeBase = rope.base
    localRopeBase = rope.localBase
    ropeScaling = rope.scaling
    ropePairing = .halfSplit
    ropeDimension = headDimension
    activation = try reader.activation()
    tiesEmbeddings = try root.notNull("tie_word_embeddings")?.bool() ?? family.tiesEmbeddings
    bosToken = try reader.tokens("bos_token_id", below: vocabularySize).first
    eosTokens = try reader.tokens("eos_token_id", below: vocabularySize)
    quantization = try reader.quantization(architecture: architecture)
    try readBiases(root)
    try family.huggingFace(&self, root)
    if rope.fraction != 1 {
      // transformers: `int(head_dim * partial_rotary_factor)`.
      ropeDimension = Int(Double(headDimension) * rope.fraction)
    }
    // A look-up goes through all keys of an object: one pass finds those that are there.
    let present = Set((root.value.object ?? []).map(\.key))
    for key in FunctionKey.huggingFace(headDimension: headDimension, hiddenSize: hiddenSize) {
      for name in key.names where present.contains(name) && !family.keys.contains(name) {
        guard let field = root[name] else { continue }
        // Families whose window is switched off say so beside it.
        if name == "sliding_window", try root["use_sliding_window"]?.bool() == false { continue }
        try key.check(FunctionValue(field.value), at: field.place, context: contextLength)
      }
    }
    try validate(path: path)
  }

  /// Which layers have a bias, where a key says so; `use_bias` and the like mean all.
  private mutating func readBiases(_ root: JSONField) throws {
    let attention: Set<LinearRole> = [.query, .key, .value, .attentionOutput]
    let all = Set(LinearRole.allCases)
    for (key, roles) in [
      ("attention_bias", attention), ("qkv_bias", [.query, .key, .value]),
      ("use_qkv_bias", [.query, .key, .value]), ("mlp_bias", [.gate, .up, .down]),
      ("use_bias", all), ("bias", all),
    ] {
      guard let has = try root[key]?.bool() else { continue }
      biases = (biases ?? []).union(has ? roles : [])
    }
  }

  /// What `1_Pooling/config.json` of a sentence-transformers folder says.
  private static func pooling(beside path: String) throws -> Pooling? {
    let file =
      path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
      .joined(separator: "/") + "/1_Pooling/config.json"
    guard FileManager.default.fileExists(atPath: file) else { return nil }
    let root = try JSONField(value: try JSONReader.readFile(file), file: file).object()
    let modes = try (root.value.object ?? []).filter {
      try $0.key.hasPrefix("pooling_mode_") && (root[$0.key]?.bool() ?? false)
    }.map(\.key)
    switch modes {
    case ["pooling_mode_lasttoken"]: return .last
    case ["pooling_mode_mean_tokens"]: return .mean
    default:
      throw LabError(
        .badData, "the pooling is not supported", at: file,
        expected: "pooling_mode_lasttoken or pooling_mode_mean_tokens alone",
        got: modes.isEmpty ? "none" : modes.joined(separator: ", "))
    }
  }
}

/// Typed access to a `config.json` with key paths in every error.
private struct ConfigurationReader {
  let root: JSONField

  /// The family of the model.
  func family() throws -> ModelFamily {
    let known = ModelFamily.all.flatMap(\.classes).sorted().joined(separator: ", ")
    let types = Set(ModelFamily.all.flatMap(\.types)).sorted().joined(separator: ", ")
    let type = try root["model_type"]?.string()
    guard let named = try root["architectures"]?.elements().first else {
      // transformers finds the class by the type alone.
      guard let type else {
        throw LabError(
          .badData, "the configuration names no model", at: "\(root.file): architectures",
          expected: "architectures: a list with one of \(known); or model_type: \(types)",
          advice: "is this the config.json of one of these? \(ModelFamily.names)")
      }
      guard let family = ModelFamily.all.first(where: { $0.types.contains(type) }) else {
        throw ModelFamily.unsupported(
          "model type", type, at: "\(root.file): model_type", known: types)
      }
      return family
    }
    let name = try named.string()
    guard let family = ModelFamily.all.first(where: { $0.classes.contains(name) }) else {
      throw ModelFamily.unsupported("architecture", name, at: named.place, known: known)
    }
    // BitNet checkpoints of all kinds say llama or bitnet.
    let legal =
      family.quantizesActivations ? ["llama", "bitnet"] : family.types
    if let type, !legal.contains(type) {
      throw LabError(
        .badData, "the configuration contradicts itself", at: "\(root.file): model_type",
        expected: "\(legal.joined(separator: " or ")), as architectures says \(name)", got: type)
    }
    return family
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
      "gelu_pytorch_tanh": .geluTanh, "gelu_new": .geluTanh, "gelu": .gelu,
    ]
    guard let activation = known[name] else {
      throw LabError(
        .badData, "the activation '\(name)' is not supported", at: field.place,
        expected: "silu, relu2, gelu or gelu_pytorch_tanh", got: name)
    }
    return activation
  }

  /// `quantization_config`, or what the 1bitLLM checkpoints say instead of one.
  func quantization(architecture: String) throws -> TrainedQuantization? {
    guard let config = try root["quantization_config"]?.object() else {
      if let own = try trained() { return own.quantizer == nil ? nil : own.quantization }
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
    if let own = try trained(), quantization.isOnline {
      quantization.isOnline = own.quantizer != nil
      quantization.quantizer = own.quantizer
      quantization.activations = own.quantization.activations
    }
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

  /// What the lab's own trainer says that it trained with; nil where it says nothing. `none` is
  /// full precision.
  private func trained() throws -> (quantizer: StageChoice?, quantization: TrainedQuantization)? {
    guard let own = try root["tritlab"]?.object() else { return nil }
    func choice(_ key: String, default fallback: String) throws -> StageChoice {
      guard let field = own[key] else { return StageChoice(fallback) }
      do {
        return try StageChoice(parsing: try field.string())
      } catch let error as LabError {
        throw LabError(
          .badData, error.what, at: field.place, expected: "absmean, absmean:group=64 or none",
          got: field.value.string)
      }
    }
    let none = StageChoice("none")
    let quantizer = try choice("quantizer", default: "absmean")
    let activations = try choice("activations", default: "int8")
    var quantization = TrainedQuantization(
      isOnline: true, scaleDivides: false, quantizesActivations: activations != none)
    quantization.quantizer = quantizer
    quantization.activations = activations
    return (quantizer == none ? nil : quantizer, quantization)
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
