public import TritAttention
public import TritCore

/// The nonlinearity inside the gated feed-forward block.
public enum FeedForwardActivation: String, Sendable, Hashable {
  /// x · sigmoid(x): Llama, Falcon, the 1bitLLM reproductions.
  case silu
  /// max(x, 0)²: BitNet b1.58 2B-4T.
  case relu2
  /// ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))): Gemma.
  case geluTanh = "gelu_pytorch_tanh"
  /// ½ x (1 + erf(x / √2)).
  case gelu
}

/// How a checkpoint's linear layers were trained and stored (`quantization_config` of Hugging Face,
/// or what the tensor types of a GGUF say).
public struct TrainedQuantization: Sendable, Hashable {
  /// Whether float weights are masters that every forward pass ternarises by absmean.
  public var isOnline: Bool
  /// Whether a packed weight's stored scale divides (`bitlinear`) or multiplies (`autobitlinear`).
  public var scaleDivides: Bool
  /// Whether activations were quantized to int8 a token in training.
  public var quantizesActivations: Bool
  /// Epsilon of the RMSNorm inside every linear; nil where linears have none.
  public var innerNormEpsilon: Float?
  /// Whether every linear is stored as packed trits, as `quantization_mode: offline` says; nil
  /// where tensors tell.
  public var isPacked: Bool?
  /// What ternarises the masters of an online checkpoint; nil is absmean, as everywhere but in what
  /// the lab's own trainer says of its models.
  public var quantizer: StageChoice?
  /// What quantizes the activations of an online checkpoint; nil is int8 or nothing, as
  /// `quantizesActivations` says.
  public var activations: StageChoice?
  /// Modules that stay dense, as patterns (`modules_to_not_convert`).
  public var unconverted: [String] = []

  /// Describes a trained quantization.
  public init(
    isOnline: Bool, scaleDivides: Bool, quantizesActivations: Bool = true,
    innerNormEpsilon: Float? = nil
  ) {
    self.isOnline = isOnline
    self.scaleDivides = scaleDivides
    self.quantizesActivations = quantizesActivations
    self.innerNormEpsilon = innerNormEpsilon
  }
}

/// How the states of a text become one vector.
public enum Pooling: String, Sendable, Hashable {
  /// The normed state of the last token.
  case last
  /// The mean of the normed states of all tokens.
  case mean
}

/// The shape and constants of a decoder-only transformer: the one description of a model that
/// everything else is derived from (`ModelPlan`).
public struct ModelConfiguration: Sendable, Hashable {
  /// The architecture as the checkpoint names it: `BitNetForCausalLM`, `llama`, `bitnet-b1.58`…
  public var architecture: String
  /// Width of the residual stream.
  public var hiddenSize: Int
  /// Width of the feed-forward block.
  public var feedForwardSize: Int
  /// Number of blocks.
  public var layers: Int
  /// Query heads.
  public var heads: Int
  /// Key/value heads; divides `heads`.
  public var keyValueHeads: Int
  /// Elements of one head.
  public var headDimension: Int
  /// Number of token ids.
  public var vocabularySize: Int
  /// Positions that the model was trained for.
  public var contextLength: Int
  /// Epsilon of the block norms.
  public var normEpsilon: Float
  /// Base of the rotary angles.
  public var ropeBase: Double
  /// Rescaling of the rotary frequencies.
  public var ropeScaling: RotaryScaling
  /// Which elements of a head are rotated together.
  public var ropePairing: RotaryPairing
  /// Elements of a head that are rotated.
  public var ropeDimension: Int
  /// The nonlinearity of the feed-forward block.
  public var activation: FeedForwardActivation
  /// Whether the output head is the embedding matrix; nil where only the tensors tell.
  public var tiesEmbeddings: Bool?
  /// Begin-of-text id, if the configuration names one.
  public var bosToken: Int?
  /// End-of-text ids that the configuration names.
  public var eosTokens: [Int]
  /// How the linears were trained; nil for dense models.
  public var quantization: TrainedQuantization?
  /// What is added to the stored gains of the block norms and of the last one: 1 where a family
  /// stores them so (Gemma in safetensors).
  public var normOffset: Float = 0
  /// Whether every head of q and k is normed before it turns (Qwen3, Gemma 3).
  public var hasHeadNorms = false
  /// Whether what a half of a block gives is normed before it is added (Gemma 3).
  public var hasPostNorms = false
  /// Layers with a bias, where the configuration says; nil where the tensors tell.
  public var biases: Set<LinearRole>?
  /// Whether queries and keys turn by their position.
  public var rotates = true
  /// What embeddings are multiplied by (Gemma: √hidden; MiniCPM, Granite).
  public var embeddingMultiplier: Float = 1
  /// What a half of a block is multiplied by before it is added (MiniCPM, Granite).
  public var residualMultiplier: Float = 1
  /// What logits are multiplied by (MiniCPM, Granite: one over a divisor).
  public var logitMultiplier: Float = 1
  /// The cap c of logits, c · tanh(x / c); nil where they are as they are.
  public var logitSoftCap: Float?
  /// The cap c of scores, c · tanh(x / c) before the softmax (Gemma 2); nil is none.
  public var attentionSoftCap: Float?
  /// What scores are multiplied by; nil is 1 / √(head dimension).
  public var attentionScale: Float?
  /// Keys that a query of a windowed layer sees, its own included; nil is all.
  public var window: Int?
  /// Which layers are windowed, by layer; empty where all are that `window` says.
  public var windowedLayers: [Bool] = []
  /// Base of the rotary angles of windowed layers, which no scaling touches; nil is that of the
  /// others.
  public var localRopeBase: Double?
  /// How a text becomes one vector, for embedding models.
  public var pooling: Pooling?
  /// The rotation of the weights, for files that declare one.
  public var rotation: HadamardRotation?
  /// What a user should know of how the configuration was read, in sentences.
  public var notes: [String] = []

  /// A plain block of these sizes: Llama's where the activation is SiLU.
  package init(
    architecture: String, hiddenSize: Int, feedForwardSize: Int, layers: Int, heads: Int,
    keyValueHeads: Int, headDimension: Int, vocabularySize: Int, contextLength: Int,
    normEpsilon: Float, ropeBase: Double, ropePairing: RotaryPairing = .halfSplit,
    activation: FeedForwardActivation = .silu, tiesEmbeddings: Bool
  ) {
    self.architecture = architecture
    self.hiddenSize = hiddenSize
    self.feedForwardSize = feedForwardSize
    self.layers = layers
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.headDimension = headDimension
    self.vocabularySize = vocabularySize
    self.contextLength = contextLength
    self.normEpsilon = normEpsilon
    self.ropeBase = ropeBase
    self.ropePairing = ropePairing
    self.activation = activation
    self.tiesEmbeddings = tiesEmbeddings
    ropeScaling = .none
    ropeDimension = headDimension
    bosToken = nil
    eosTokens = []
    quantization = nil
  }

  /// Whether the configuration says that a linear layer stays dense with float inputs
  /// (`modules_to_not_convert`).
  ///
  /// Source: transformers 5, `quantizers_utils.should_convert_module`: a pattern stands for the
  /// modules whose full name begins with a match of it as a regular expression, or ends with it.
  public func isUnconverted(_ role: LinearRole, layer: Int) -> Bool {
    guard let patterns = quantization?.unconverted, !patterns.isEmpty else { return false }
    let module = TensorNames.huggingFace.linear(role, layer: layer)
    return patterns.contains { pattern in
      if module.hasPrefix(pattern) || module.hasSuffix(pattern) { return true }
      guard pattern.contains(where: { "*+?[(|\\^$".contains($0) }) else { return false }
      return (try? Regex(pattern)).flatMap { try? $0.prefixMatch(in: module) } != nil
    }
  }

  /// Whether a layer sees a window alone.
  public func isWindowed(layer: Int) -> Bool {
    window != nil && (windowedLayers.isEmpty || windowedLayers[layer])
  }

  /// Whether a layer turns by `localRopeBase`.
  public func hasLocalRotation(layer: Int) -> Bool {
    localRopeBase != nil && !windowedLayers.isEmpty && windowedLayers[layer]
  }

  /// How many rotary tables the layers need.
  var rotaryTables: Int {
    (0..<layers).contains { hasLocalRotation(layer: $0) } ? 2 : 1
  }

  /// Width of the concatenated query heads.
  public var querySize: Int { heads * headDimension }
  /// Width of the concatenated key (or value) heads.
  public var keyValueSize: Int { keyValueHeads * headDimension }

  /// Weights of the linear layers of all blocks.
  public var linearWeights: Int {
    ModelPlan(self).block.linears.reduce(0) { sum, role in
      let (rows, columns) = role.shape(self)
      return sum + rows * columns * layers
    }
  }

  /// The greatest sizes that are taken: far beyond any model, and such that no product of them
  /// overflows.
  static let limits = (
    hidden: 1 << 20, feedForward: 1 << 22, layers: 1 << 12, heads: 1 << 14, head: 1 << 14,
    vocabulary: 1 << 24, context: 1 << 26
  )

  /// Checks that sizes are positive, fit each other and stay below limits that keep every product
  /// in range. `path` says where they were read.
  func validate(path: String) throws {
    let most = Self.limits
    let sizes: [(String, Int, Int)] = [
      ("hidden size", hiddenSize, most.hidden),
      ("feed-forward size", feedForwardSize, most.feedForward),
      ("number of layers", layers, most.layers), ("number of heads", heads, most.heads),
      ("number of key/value heads", keyValueHeads, most.heads),
      ("head dimension", headDimension, most.head),
      ("vocabulary size", vocabularySize, most.vocabulary),
      ("context length", contextLength, most.context),
    ]
    for (name, value, limit) in sizes where !(1...limit).contains(value) {
      throw LabError(
        .badData, "the \(name) is out of range", at: path, expected: "1…\(limit)", got: "\(value)")
    }
    guard heads % keyValueHeads == 0 else {
      throw LabError(
        .badData, "the heads cannot share the key/value heads evenly", at: path,
        expected: "a number of heads that is a multiple of \(keyValueHeads)", got: "\(heads)")
    }
    // Not a range from 2 on: a head of one element would make it an invalid one.
    guard ropeDimension % 2 == 0, ropeDimension >= 2, ropeDimension <= headDimension else {
      throw LabError(
        .badData, "the rotary dimension does not fit a head", at: path,
        expected: headDimension < 2
          ? "a head dimension of at least 2" : "an even number in 2…\(headDimension)",
        got: "\(ropeDimension) of \(headDimension)",
        advice: "check the head dimension and the rotary dimension of the model")
    }
    let factors = [
      embeddingMultiplier, residualMultiplier, logitMultiplier, logitSoftCap ?? 1,
      attentionScale ?? 1, attentionSoftCap ?? 1,
    ]
    guard factors.allSatisfy({ $0.isFinite && $0 != 0 }) else {
      throw LabError(
        .badData, "a multiplier of the model is no finite number other than 0", at: path,
        got: "\(factors)")
    }
    guard windowedLayers.isEmpty || windowedLayers.count == layers else {
      throw LabError(
        .badData, "the list of kinds of layers has another length", at: path,
        expected: "\(layers)", got: "\(windowedLayers.count)")
    }
    guard normEpsilon.isFinite, normEpsilon >= 0, ropeBase.isFinite, ropeBase > 0,
      localRopeBase.map({ $0.isFinite && $0 > 0 }) ?? true
    else {
      throw LabError(
        .badData, "the norm epsilon or the rotary base is not a positive number", at: path,
        got: "epsilon \(normEpsilon), base \(ropeBase)")
    }
  }
}
