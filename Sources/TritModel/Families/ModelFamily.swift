import TritAttention
import TritCore
package import TritFormats

/// A family of models: how it is called, and what its configuration adds to that of Llama, the
/// block that all of them vary. Everything else follows from the configuration (`BlockPlan`).
///
/// Sources: transformers 5 (`configuration_*.py`, `modeling_*.py`); llama.cpp `src/models`,
/// `src/llama-model.cpp`, `conversion`.
package struct ModelFamily: Sendable {
  /// The name for people.
  let name: String
  /// The name in training files.
  let word: String
  /// Classes that `architectures` of a `config.json` names, the first one the language model.
  let classes: [String]
  /// What `model_type` says.
  let types: [String]
  /// Architectures of GGUF files.
  let gguf: [String]
  /// `rms_norm_eps` where a `config.json` has none.
  var normEpsilon: Float = 1e-6
  /// `tie_word_embeddings` where a `config.json` has none.
  var tiesEmbeddings = false
  /// How GGUF files pair the elements of a head.
  var ggufPairing = RotaryPairing.halfSplit
  /// Keys that the family computes and others must not have, of both containers.
  var keys: Set<String> = []
  /// Whether trits run with int8 activations where nothing is said of them.
  var quantizesActivations = false
  /// Whether blocks have a norm before the attention output and the down projection.
  package var hasSubNorms = false
  /// The nonlinearity of a new model.
  var activation = FeedForwardActivation.silu
  /// What the `config.json` of a new model says beside its sizes.
  var fresh: @Sendable (ModelSizes) -> [(key: String, value: JSONValue)] = { _ in [] }
  /// What a `config.json` adds.
  var huggingFace: @Sendable (inout ModelConfiguration, JSONField) throws -> Void = { _, _ in }
  /// What the metadata of a GGUF file add; the function looks up keys behind the architecture.
  var metadata: @Sendable (inout ModelConfiguration, (String) -> GGUFField?) throws -> Void = {
    _, _ in
  }

  /// All families; the first that has a name counts.
  package static let all: [ModelFamily] = [
    .llama, .bitNet, .bitnet, .qwen3, .qwen2, .gemma3, .gemma2, .miniCPM, .granite, .mistral,
  ]

  /// The families for people.
  static let names =
    "Llama, BitNet, Qwen3, Qwen2, Gemma 3 (text), Gemma 2, MiniCPM, Granite, Mistral"

  /// Whether it is one of Gemma: gains less 1 in folders, norms behind the halves of a block.
  var isGemma: Bool { name == Self.gemma3.name || name == Self.gemma2.name }

  /// Architectures of GGUF files that the lab runs.
  static let ggufArchitectures = all.flatMap(\.gguf)

  /// The names in training files.
  package static let words = all.map(\.word)

  /// The family of a configuration that was read.
  package static func of(_ configuration: ModelConfiguration) -> ModelFamily? {
    let name = configuration.architecture
    return all.first { $0.classes.contains(name) || $0.gguf.contains(name) }
  }

  /// Why a model that people have is not run, by architecture, class or type.
  static func reason(against name: String) -> String? {
    let lower = name.lowercased()
    if lower.hasPrefix("qwen35") || lower.hasPrefix("qwen3_5") || lower.hasPrefix("qwen3next") {
      return "its blocks mix attention with a recurrent layer (Gated DeltaNet)"
    }
    if lower.contains("moe") || lower.hasPrefix("mixtral") || lower.hasPrefix("deepseek") {
      return "it is a mixture of experts"
    }
    if lower.contains("forconditionalgeneration") || lower.hasSuffix("vl") {
      return "it reads pictures too: take the text model alone"
    }
    if lower.hasPrefix("gemma-embedding") { return "its attention looks at what follows too" }
    return nil
  }

  /// An error: `name` at `place` is no family's.
  static func unsupported(_ what: String, _ name: String, at place: String, known: String)
    -> LabError
  {
    LabError(
      .badData, "the \(what) '\(name)' is not supported", at: place, expected: known, got: name,
      advice: (reason(against: name).map { "\($0); " } ?? "") + "the lab runs \(names)")
  }
}

extension ModelFamily {
  static let llama = ModelFamily(
    name: "Llama", word: "llama", classes: ["LlamaForCausalLM", "LlamaModel"], types: ["llama"],
    gguf: ["llama"],
    ggufPairing: .adjacent, quantizesActivations: true,
    fresh: { _ in [("attention_bias", false), ("mlp_bias", false)] })

  /// transformers' own class: microsoft/bitnet-b1.58-2B-4T.
  static let bitNet = ModelFamily(
    name: "BitNet", word: "bitnet", classes: ["BitNetForCausalLM", "BitNetModel"],
    types: ["bitnet"],
    gguf: ["bitnet-25", "bitnet-b1.58"], normEpsilon: 1e-5, tiesEmbeddings: true,
    quantizesActivations: true, hasSubNorms: true, activation: .relu2,
    fresh: { _ in [("attention_bias", false), ("mlp_bias", false)] },
    metadata: { configuration, _ in configuration.activation = .relu2 })

  /// The 1bitLLM checkpoints, whose `model_type` is llama: float masters, no `quantization_config`.
  static let bitnet = ModelFamily(
    name: "BitNet (1bitLLM)", word: "bitnet-silu", classes: ["BitnetForCausalLM"],
    types: ["llama", "bitnet"],
    gguf: ["bitnet"], normEpsilon: 1e-5, tiesEmbeddings: true, quantizesActivations: true,
    hasSubNorms: true)

  static let mistral = ModelFamily(
    name: "Mistral", word: "mistral", classes: ["MistralForCausalLM", "MistralModel"],
    types: ["mistral"], gguf: [],
    keys: ["sliding_window"], fresh: { _ in [("sliding_window", .null)] },
    huggingFace: { configuration, root in
      // MistralConfig's own default is a window of 4096; null is none.
      let isNamed = root.presence(of: "sliding_window") != .absent
      configuration.window =
        try root["sliding_window"]?.integer(in: 1...ModelConfiguration.limits.context)
        ?? (isNamed ? nil : 4096)
    })

  static let qwen2 = ModelFamily(
    name: "Qwen2", word: "qwen2", classes: ["Qwen2ForCausalLM", "Qwen2Model"], types: ["qwen2"],
    gguf: ["qwen2"],
    keys: ["sliding_window", "layer_types", "max_window_layers"],
    fresh: { _ in [("use_sliding_window", false)] },
    huggingFace: { configuration, root in
      // Qwen2Attention has them whatever the configuration says.
      configuration.biases = [.query, .key, .value]
      try configuration.readQwenWindows(root)
    },
    metadata: { configuration, _ in configuration.biases = [.query, .key, .value] })

  static let qwen3 = ModelFamily(
    name: "Qwen3", word: "qwen3", classes: ["Qwen3ForCausalLM", "Qwen3Model"], types: ["qwen3"],
    gguf: ["qwen3"],
    keys: ["sliding_window", "layer_types", "max_window_layers"],
    fresh: { _ in [("attention_bias", false), ("use_sliding_window", false)] },
    huggingFace: { configuration, root in
      configuration.hasHeadNorms = true
      if root["head_dim"] == nil { configuration.setHeadDimension(128) }
      try configuration.readQwenWindows(root)
    },
    metadata: { configuration, _ in configuration.hasHeadNorms = true })

  /// Multipliers of embeddings, residuals, scores and logits.
  static let granite = ModelFamily(
    name: "Granite", word: "granite", classes: ["GraniteForCausalLM", "GraniteModel"],
    types: ["granite"],
    gguf: ["granite"], ggufPairing: .adjacent,
    keys: [
      "embedding_multiplier", "residual_multiplier", "logits_scaling", "attention_multiplier",
      "embedding_scale", "residual_scale", "logit_scale", "attention.scale",
    ],
    // Those of Granite 3.
    fresh: { sizes in
      [
        ("attention_bias", false), ("mlp_bias", false), ("embedding_multiplier", 12.0),
        ("residual_multiplier", 0.22), ("logits_scaling", 8.0),
        ("attention_multiplier", JSONValue(1 / Double(max(sizes.headDimension, 1)))),
      ]
    },
    huggingFace: { configuration, root in
      func factor(_ key: String) throws -> Float { Float(try root[key]?.positive() ?? 1) }
      configuration.embeddingMultiplier = try factor("embedding_multiplier")
      configuration.residualMultiplier = try factor("residual_multiplier")
      configuration.logitMultiplier = 1 / (try factor("logits_scaling"))
      configuration.attentionScale = try factor("attention_multiplier")
    },
    metadata: { configuration, field in
      try configuration.readMultipliers(field)
      // 0 stands for the usual scale.
      let scale = try field("attention.scale")?.number() ?? 0
      configuration.attentionScale = scale == 0 ? nil : Float(scale)
      // A file says so of a model without rotation.
      if try field("rope.scaling.finetuned")?.bool() == false { configuration.rotates = false }
    })

  /// `scale_emb`, `scale_depth / √layers`, `hidden / dim_model_base`: the MiniCPM report
  /// (2404.06395), §3 and appendix A.
  static let miniCPM = ModelFamily(
    name: "MiniCPM", word: "minicpm", classes: ["MiniCPMForCausalLM", "MiniCPMModel"],
    types: ["minicpm"],
    gguf: ["minicpm"], tiesEmbeddings: true, ggufPairing: .adjacent,
    keys: [
      "scale_emb", "scale_depth", "dim_model_base", "embedding_scale", "residual_scale",
      "logit_scale",
    ],
    // Those of MiniCPM 2B.
    fresh: { sizes in
      [
        ("scale_emb", 12.0), ("scale_depth", 1.4),
        ("dim_model_base", JSONValue(min(256, sizes.hidden))),
      ]
    },
    huggingFace: { configuration, root in
      configuration.embeddingMultiplier = Float(try root["scale_emb"]?.positive() ?? 1)
      let depth = try root["scale_depth"]?.positive() ?? 1
      configuration.residualMultiplier = Float(depth / Double(configuration.layers).squareRoot())
      let base = try root["dim_model_base"]?.positive() ?? 1
      configuration.logitMultiplier = Float(base / Double(configuration.hiddenSize))
    },
    metadata: { configuration, field in
      try configuration.readMultipliers(field, required: true)
    })

  /// Gains of 1 + w, norms before and after each half, of queries and keys, windows in most layers
  /// with a rotary base of their own.
  static let gemma3 = ModelFamily(
    name: "Gemma 3 (text)", word: "gemma3", classes: ["Gemma3ForCausalLM", "Gemma3TextModel"],
    types: ["gemma3_text"], gguf: ["gemma3"], tiesEmbeddings: true,
    keys: [
      "sliding_window", "layer_types", "sliding_window_pattern", "_sliding_window_pattern",
      "query_pre_attn_scalar", "final_logit_softcapping", "attention.sliding_window",
      "attention.sliding_window_pattern", "rope_local_base_freq",
    ],
    activation: .geluTanh,
    // Windows of 512 positions in five layers of six, as in Gemma 3 1B.
    fresh: { sizes in
      [
        ("attention_bias", false), ("query_pre_attn_scalar", JSONValue(sizes.headDimension)),
        ("rope_local_base_freq", 10_000.0), ("sliding_window", 512),
        (
          "layer_types",
          JSONValue(
            (0..<min(max(sizes.layers, 0), ModelConfiguration.limits.layers)).map {
              $0 % 6 == 5 ? "full_attention" : "sliding_attention"
            })
        ),
      ]
    },
    huggingFace: { configuration, root in
      configuration.setGemma()
      configuration.normOffset = 1
      if root["head_dim"] == nil { configuration.setHeadDimension(256) }
      let scalar = try root["query_pre_attn_scalar"]?.positive() ?? 256
      configuration.attentionScale = Float(1 / scalar.squareRoot())
      configuration.logitSoftCap = try root["final_logit_softcapping"].map {
        Float(try $0.positive())
      }
      let period =
        try (root["sliding_window_pattern"] ?? root["_sliding_window_pattern"])?
        .integer(in: 1...4096) ?? 6
      try configuration.readWindows(
        root, default: 4096, window: { $0 % period != period - 1 })
      if configuration.localRopeBase == nil {
        configuration.localRopeBase = try root["rope_local_base_freq"]?.positive() ?? 10_000
      }
    },
    metadata: { configuration, field in
      configuration.setGemma()
      // llama.cpp knows the 27B by its layers: its scores are scaled by the width of a head that
      // hidden / heads would have (`src/models/gemma3.cpp`).
      if configuration.layers == 62 {
        configuration.attentionScale =
          1 / Float(configuration.hiddenSize / configuration.heads).squareRoot()
      }
      configuration.logitSoftCap = try field("final_logit_softcapping").flatMap {
        let cap = try $0.number()
        return cap == 0 ? nil : Float(cap)
      }
      let window = try field("attention.sliding_window")?.number() ?? 0
      guard window > 0 else { return }
      configuration.window = Int(min(window, Double(ModelConfiguration.limits.context)))
      let pattern = field("attention.sliding_window_pattern")
      if case .array(.bool(let kinds))? = pattern?.value {
        configuration.windowedLayers = kinds
      } else if let kinds = pattern?.value.integers {
        configuration.windowedLayers = kinds.map { $0 != 0 }
      } else {
        let period = try pattern?.integer(in: 1...4096) ?? 6
        configuration.windowedLayers = (0..<configuration.layers).map { $0 % period != period - 1 }
      }
      configuration.localRopeBase = try field("rope.freq_base_swa")?.number() ?? 10_000
    })

  /// Gemma 3's block without norms of queries and keys, with capped scores; every other layer sees a
  /// window.
  static let gemma2 = ModelFamily(
    name: "Gemma 2", word: "gemma2", classes: ["Gemma2ForCausalLM", "Gemma2Model"],
    types: ["gemma2"], gguf: ["gemma2"], tiesEmbeddings: true,
    keys: [
      "sliding_window", "layer_types", "query_pre_attn_scalar", "final_logit_softcapping",
      "attn_logit_softcapping", "attention.sliding_window",
    ],
    activation: .geluTanh,
    fresh: { sizes in
      [
        ("attention_bias", false), ("query_pre_attn_scalar", JSONValue(sizes.headDimension)),
        ("attn_logit_softcapping", 50.0), ("final_logit_softcapping", 30.0),
        ("sliding_window", 512),
      ]
    },
    huggingFace: { configuration, root in
      configuration.setGemma()
      configuration.hasHeadNorms = false
      configuration.normOffset = 1
      if root["head_dim"] == nil { configuration.setHeadDimension(256) }
      let scalar = try root["query_pre_attn_scalar"]?.positive() ?? 256
      configuration.attentionScale = Float(1 / scalar.squareRoot())
      // Gemma2Config's own defaults are 50 and 30; null is none.
      func cap(_ key: String, _ fallback: Float) throws -> Float? {
        root.presence(of: key) == .absent
          ? fallback : try root[key].map { Float(try $0.positive()) }
      }
      configuration.attentionSoftCap = try cap("attn_logit_softcapping", 50)
      configuration.logitSoftCap = try cap("final_logit_softcapping", 30)
      try configuration.readWindows(root, default: 4096, window: { $0.isMultiple(of: 2) })
    },
    metadata: { configuration, field in
      configuration.setGemma()
      configuration.hasHeadNorms = false
      func cap(_ key: String, _ fallback: Float) throws -> Float? {
        guard let field = field(key) else { return fallback }
        let cap = try field.number()
        return cap == 0 ? nil : Float(cap)
      }
      configuration.attentionSoftCap = try cap("attn_logit_softcapping", 50)
      configuration.logitSoftCap = try cap("final_logit_softcapping", 30)
      // llama.cpp knows the model of 27B, whose scores have another scale, by its layers.
      if configuration.layers == 46 {
        let width = Double(configuration.hiddenSize) / Double(configuration.heads)
        configuration.attentionScale = Float(1 / width.squareRoot())
      }
      let window = try field("attention.sliding_window")?.number() ?? 4096
      guard window > 0 else { return }
      configuration.window = Int(min(window, Double(ModelConfiguration.limits.context)))
      configuration.windowedLayers = (0..<configuration.layers).map { $0.isMultiple(of: 2) }
    })
}

// MARK: - What families share

extension ModelConfiguration {
  /// The head dimension of a family whose default is not hidden / heads.
  fileprivate mutating func setHeadDimension(_ value: Int) {
    headDimension = value
    ropeDimension = value
  }

  fileprivate mutating func setGemma() {
    hasHeadNorms = true
    hasPostNorms = true
    activation = .geluTanh
    embeddingMultiplier = Float(Double(hiddenSize).squareRoot())
  }

  /// Windows by `layer_types`, else by `window` of a layer.
  fileprivate mutating func readWindows(
    _ root: JSONField, default fallback: Int?, window isWindowed: (Int) -> Bool
  ) throws {
    let size = try root["sliding_window"]?.integer(in: 1...Self.limits.context) ?? fallback
    guard let kinds = root["layer_types"] else {
      windowedLayers = (0..<layers).map(isWindowed)
      window = windowedLayers.contains(true) ? size : nil
      return
    }
    windowedLayers = try kinds.elements(atMost: Self.limits.layers).map {
      switch try $0.string() {
      case "sliding_attention": return true
      case "full_attention": return false
      case let other:
        throw LabError(
          .badData, "layers of the kind '\(other)' are not supported", at: $0.place,
          expected: "full_attention or sliding_attention", got: other)
      }
    }
    guard windowedLayers.count == layers else {
      throw LabError(
        .badData, "the list has another length than the model has layers", at: kinds.place,
        expected: "\(layers)", got: "\(windowedLayers.count)")
    }
    guard windowedLayers.contains(true) else { return }
    guard let size else {
      throw LabError(
        .badData, "layers see a window whose size is missing", at: root.file,
        expected: "sliding_window: a number of positions")
    }
    window = size
  }

  /// Qwen's windows: from layer `max_window_layers` on, where they are switched on.
  fileprivate mutating func readQwenWindows(_ root: JSONField) throws {
    guard try root.flag("use_sliding_window") || root["layer_types"] != nil else { return }
    let first = try root["max_window_layers"]?.integer(in: 0...Self.limits.layers) ?? 28
    let isOn = try root.flag("use_sliding_window")
    try readWindows(root, default: isOn ? 4096 : nil, window: { isOn && $0 >= first })
  }

  /// The multipliers of MiniCPM and Granite in GGUF, where logits are divided by `logit_scale`.
  fileprivate mutating func readMultipliers(
    _ field: (String) -> GGUFField?, required: Bool = false
  ) throws {
    func factor(_ key: String) throws -> Float? {
      guard let field = field(key) else { return nil }
      let value = try field.number()
      guard value > 0 else {
        throw LabError(
          .badData, "a multiplier is not above 0", at: field.place, expected: "a number above 0",
          got: "\(value)")
      }
      return Float(value)
    }
    let values = (
      try factor("embedding_scale"), try factor("residual_scale"), try factor("logit_scale")
    )
    // Defaults of readers contradict those of writers: no default is right.
    if required, values.0 == nil || values.1 == nil || values.2 == nil {
      throw LabError(
        .badData, "a multiplier of the model is missing",
        at: "\(architecture).embedding_scale, .residual_scale, .logit_scale",
        expected: "three numbers",
        advice: "convert the model again with a converter that writes them")
    }
    embeddingMultiplier = values.0 ?? 1
    residualMultiplier = values.1 ?? 1
    logitMultiplier = values.2.map { 1 / $0 } ?? 1
  }
}
