public import TritCore
public import TritFormats
public import TritModel

/// A model to be trained: its plan, and the `config.json` that says it to whoever runs it. One comes
/// from the other, so that a checkpoint of the trainer is what was trained.
public struct ModelShape: Sendable, Hashable {
  /// What is computed, operation by operation.
  public let plan: ModelPlan
  /// Members of `config.json`, without those that the training decides: tokens that end a text, and
  /// how weights are quantized.
  public let document: JSONValue
  /// The tokens that begin and end a text, of a checkpoint that says them: an object.
  let ends: JSONValue
  /// What tensors are called.
  let names: TensorNames
  /// Which of the names of a norm its tensor has, where checkpoints have several.
  let spellings: [NormRole: Int]
  /// The same for norms inside linear layers.
  let innerSpelling: Int

  /// A new model. Throws `usage` for impossible sizes, and what the reader of `config.json` throws.
  public init(_ sizes: ModelSizes) throws {
    let problems = sizes.problems()
    guard problems.isEmpty else {
      throw LabErrors(
        problems.map {
          LabError(
            .usage, "the model's shape is impossible", at: "model.\($0.key)",
            expected: $0.expected, got: $0.got)
        })
    }
    try self.init(sizes.document, at: "model.config")
  }

  /// A new model of a `config.json`, with another vocabulary where one is given. Throws what the
  /// reader of `config.json` throws, `badData` for what cannot be trained.
  public init(config path: String, vocabulary: Int? = nil) throws {
    var document = try JSONReader.readFile(path)
    if let vocabulary { document = document.setting("vocab_size", JSONValue(vocabulary)) }
    try self.init(document, at: path)
  }

  /// A model of this document; `place` is where errors say that it stands.
  init(_ document: JSONValue, at place: String) throws {
    let configuration = try ModelConfiguration(huggingFace: document, at: place)
    let family = ModelFamily.of(configuration)
    let hasSubNorms = family?.hasSubNorms ?? false
    // transformers has no 1bitLLM class: the names are those of its own code.
    let isOther = configuration.architecture == "BitnetForCausalLM"
    self.init(
      document, configuration, ties: configuration.tiesEmbeddings ?? true,
      subNorms: hasSubNorms ? [.attentionSub, .feedForwardSub] : [],
      biases: configuration.biases ?? [], names: .huggingFace,
      spellings: isOther ? [.attentionSub: 1, .feedForwardSub: 1] : [:], innerSpelling: 0)
  }

  /// The model of a checkpoint, to train it on. Throws `badData` for what cannot be trained: files
  /// of other containers, trits without masters.
  public init(_ checkpoint: Checkpoint) throws {
    guard checkpoint.names != .gguf else {
      throw LabError(
        .badData, "a GGUF file cannot be trained on", at: checkpoint.path,
        expected: "a folder in Hugging Face form with float masters",
        advice: "take the model's safetensors; or export the file first, where it holds floats: "
          + "trit export -m \(checkpoint.path) --type hf-bf16 -o FOLDER")
    }
    let configuration = checkpoint.configuration
    let document = try checkpoint.files.perform {
      try JSONReader.readFile(checkpoint.path + "/config.json")
    }
    let between = configuration.hasPostNorms
    var spellings: [NormRole: Int] = [:]
    for role in checkpoint.plan.block.norms {
      let all = checkpoint.names.norm(role, layer: 0, between: between)
      let name = checkpoint.normName(role, layer: 0)
      if let index = all.firstIndex(of: name), index > 0 { spellings[role] = index }
    }
    let inner = checkpoint.names.innerNorm(.query, layer: 0)
    let innerSpelling = inner.firstIndex { checkpoint.source.info($0) != nil } ?? 0
    self.init(
      document, configuration, ties: checkpoint.tiesEmbeddings,
      subNorms: checkpoint.plan.block.norms.intersection([.attentionSub, .feedForwardSub]),
      biases: checkpoint.plan.block.biases, names: checkpoint.names, spellings: spellings,
      innerSpelling: innerSpelling, keepsEnds: true)
  }

  private init(
    _ document: JSONValue, _ read: ModelConfiguration, ties: Bool, subNorms: Set<NormRole>,
    biases: Set<LinearRole>, names: TensorNames, spellings: [NormRole: Int], innerSpelling: Int,
    keepsEnds: Bool = false
  ) {
    var configuration = read
    configuration.tiesEmbeddings = ties
    configuration.bosToken = nil
    configuration.eosTokens = []
    configuration.notes = []
    configuration.pooling = nil
    // What training decides is no part of the shape; what changes the plan is.
    let quantization = configuration.quantization
    if quantization?.innerNormEpsilon == nil, quantization?.unconverted.isEmpty ?? true {
      configuration.quantization = nil
    }
    configuration.quantization?.quantizer = nil
    configuration.quantization?.activations = nil
    plan = ModelPlan(configuration, subNorms: subNorms, biases: biases)
    let tokens = ["bos_token_id", "eos_token_id", "pad_token_id"]
    self.ends =
      keepsEnds ? .object((document.object ?? []).filter { tokens.contains($0.key) }) : [:]
    var kept = document
    for key in tokens + ["tritlab"] { kept = kept.setting(key, nil) }
    if configuration.quantization == nil { kept = kept.setting("quantization_config", nil) }
    if kept["tie_word_embeddings"]?.bool ?? ties != ties || read.tiesEmbeddings != ties {
      kept = kept.setting("tie_word_embeddings", .bool(ties))
    }
    if kept["dtype"] != nil { kept = kept.setting("dtype", "bfloat16") }
    if kept["dtype"] == nil || kept["torch_dtype"] != nil {
      kept = kept.setting("torch_dtype", "bfloat16")
    }
    self.document = kept
    self.names = names
    self.spellings = spellings
    self.innerSpelling = innerSpelling
  }

  /// The same model with another number of tokens.
  public func with(vocabulary: Int) throws -> ModelShape {
    let changed = document.setting("vocab_size", JSONValue(vocabulary))
    return ModelShape(
      changed, try ModelConfiguration(huggingFace: changed, at: "model"), ties: tiesEmbeddings,
      subNorms: plan.block.norms.intersection([.attentionSub, .feedForwardSub]),
      biases: plan.block.biases, names: names, spellings: spellings, innerSpelling: innerSpelling)
  }

  /// Equal plans that are written down the same way.
  public static func == (a: ModelShape, b: ModelShape) -> Bool {
    a.plan == b.plan && a.document == b.document && a.names == b.names
      && a.spellings == b.spellings && a.innerSpelling == b.innerSpelling
  }

  /// Hashes the plan, which decides nearly all of it.
  public func hash(into hasher: inout Hasher) { hasher.combine(plan) }

  // MARK: Sizes

  /// Shape and constants.
  public var configuration: ModelConfiguration { plan.configuration }
  /// Width of the residual stream.
  public var hidden: Int { configuration.hiddenSize }
  /// Number of blocks.
  public var layers: Int { configuration.layers }
  /// Number of token ids.
  public var vocabulary: Int { configuration.vocabularySize }
  /// Tokens of a sequence at most.
  public var context: Int { configuration.contextLength }
  /// Whether the output head is the embedding matrix.
  public var tiesEmbeddings: Bool { configuration.tiesEmbeddings ?? true }
  /// Number of parameters.
  public var parameterCount: Int { plan.parameterCount }

  /// Floating-point operations of one training step for each token: forward and backward products,
  /// attention to the average causal length, nothing computed twice.
  public func operationsPerToken(length: Int) -> Double {
    let linears = plan.block.linears.map { $0.shape(configuration) }.reduce(0) {
      $0 + $1.rows * $1.columns
    }
    let head = Double(vocabulary * hidden)
    let keys = (0..<layers).reduce(0.0) { sum, layer in
      let window = configuration.isWindowed(layer: layer) ? configuration.window ?? length : length
      let seen = min(window, length)
      // The first queries of a window see fewer keys.
      let all = Double(seen) * Double(length) - Double(seen) * Double(seen - 1) / 2
      return sum + all / Double(max(length, 1))
    }
    let attention = keys * Double(configuration.querySize) * 4 * 3
    return 6 * (Double(layers) * Double(linears) + head) + attention
  }
}

extension ModelShape {
  /// The same with a configuration that no `config.json` says: what files of other containers have.
  /// For laws.
  package func changing(_ change: (inout ModelConfiguration) -> Void) -> ModelShape {
    var configuration = configuration
    change(&configuration)
    return ModelShape(
      document, configuration, ties: tiesEmbeddings,
      subNorms: plan.block.norms.intersection([.attentionSub, .feedForwardSub]),
      biases: plan.block.biases, names: names, spellings: spellings, innerSpelling: innerSpelling)
  }
}
