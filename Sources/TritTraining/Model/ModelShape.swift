import TritAttention
import TritCore
import TritFormats
public import TritModel

/// The transformer block that a trained model is made of.
public enum TrainingBlock: String, Sendable, Hashable, CaseIterable {
  /// Squared ReLU and a norm before the attention output and the down projection: BitNet b1.58
  /// 2B4T.
  case bitnet
  /// SiLU, no sub-norms: Llama.
  case llama
}

/// The shape of a model to be trained: a decoder-only transformer of the Llama or BitNet family.
public struct ModelShape: Sendable, Hashable {
  /// The kind of block.
  public var block: TrainingBlock
  /// Width of the residual stream.
  public var hidden: Int
  /// Width of the feed-forward block.
  public var feedForward: Int
  /// Number of blocks.
  public var layers: Int
  /// Query heads.
  public var heads: Int
  /// Key/value heads; divides `heads`.
  public var keyValueHeads: Int
  /// Elements of one head, even.
  public var headDimension: Int
  /// Number of token ids.
  public var vocabulary: Int
  /// Tokens of a sequence at most.
  public var context: Int
  /// Epsilon of every norm.
  public var normEpsilon: Float
  /// Base of the rotary angles.
  public var ropeBase: Double
  /// Whether the output head is the embedding matrix.
  public var tiesEmbeddings: Bool

  /// Describes a shape; `headDimension` defaults to `hidden / heads`.
  public init(
    block: TrainingBlock, hidden: Int, feedForward: Int, layers: Int, heads: Int,
    keyValueHeads: Int, headDimension: Int? = nil, vocabulary: Int, context: Int,
    normEpsilon: Float = 1e-5, ropeBase: Double = 10_000, tiesEmbeddings: Bool = true
  ) {
    self.block = block
    self.hidden = hidden
    self.feedForward = feedForward
    self.layers = layers
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.headDimension = headDimension ?? hidden / max(heads, 1)
    self.vocabulary = vocabulary
    self.context = context
    self.normEpsilon = normEpsilon
    self.ropeBase = ropeBase
    self.tiesEmbeddings = tiesEmbeddings
  }

  /// The shape of a checkpoint, to train it on. Throws `badData` for what the trainer does not
  /// compute: stretched rotary angles, norms inside linears, other mixtures of activation and
  /// sub-norms.
  public init(_ checkpoint: Checkpoint) throws {
    let configuration = checkpoint.configuration
    self.init(
      block: checkpoint.hasSubNorms ? .bitnet : .llama, hidden: configuration.hiddenSize,
      feedForward: configuration.feedForwardSize, layers: configuration.layers,
      heads: configuration.heads, keyValueHeads: configuration.keyValueHeads,
      headDimension: configuration.headDimension, vocabulary: configuration.vocabularySize,
      context: configuration.contextLength, normEpsilon: configuration.normEpsilon,
      ropeBase: configuration.ropeBase, tiesEmbeddings: checkpoint.tiesEmbeddings)
    // What training computes is the plan of this shape: a model with another one is another model.
    var own = plan.configuration
    own.architecture = configuration.architecture
    own.bosToken = configuration.bosToken
    own.eosTokens = configuration.eosTokens
    own.quantization = configuration.quantization
    own.notes = configuration.notes
    own.tiesEmbeddings = configuration.tiesEmbeddings
    own.biases = configuration.biases
    guard own == configuration, plan.block == checkpoint.plan.block,
      configuration.quantization?.innerNormEpsilon == nil
    else {
      throw LabError(
        .badData, "this variant of the architecture cannot be trained", at: checkpoint.path,
        expected: "a Llama block (SiLU) or a BitNet block (squared ReLU, sub-norms), rotary angles "
          + "as they are, no norms inside linears, no biases, windows or multipliers")
    }
  }

  /// The plan of the forward pass, op by op what `TrainableTransformer` computes.
  public var plan: ModelPlan {
    ModelPlan(
      ModelConfiguration(
        architecture: block == .bitnet ? "BitNetForCausalLM" : "LlamaForCausalLM",
        hiddenSize: hidden, feedForwardSize: feedForward, layers: layers, heads: heads,
        keyValueHeads: keyValueHeads, headDimension: headDimension, vocabularySize: vocabulary,
        contextLength: context, normEpsilon: normEpsilon, ropeBase: ropeBase,
        activation: activation, tiesEmbeddings: tiesEmbeddings),
      subNorms: block == .bitnet ? [.attentionSub, .feedForwardSub] : [])
  }

  /// Width of the concatenated query heads.
  public var querySize: Int { heads * headDimension }
  /// Width of the concatenated key (or value) heads.
  public var keyValueSize: Int { keyValueHeads * headDimension }
  /// Width of a row of queries, keys and values.
  var projectionSize: Int { querySize + 2 * keyValueSize }
  /// The nonlinearity of the feed-forward block.
  public var activation: FeedForwardActivation { block == .bitnet ? .relu2 : .silu }
  /// Whether blocks have a norm before the attention output and the down projection.
  public var hasSubNorms: Bool { block == .bitnet }

  /// What is wrong with the shape, in the words of `trit train`'s file; empty where nothing is.
  public func problems() -> [(key: String, expected: String, got: String)] {
    var list: [(key: String, expected: String, got: String)] = []
    let sizes: [(String, Int, Int)] = [
      ("hidden", hidden, 1 << 14), ("feed-forward", feedForward, 1 << 16),
      ("layers", layers, 1 << 10), ("heads", heads, 1 << 10),
      ("key-value-heads", keyValueHeads, 1 << 10), ("head-dimension", headDimension, 1 << 12),
      ("vocabulary", vocabulary, 1 << 20), ("context", context, 1 << 16),
    ]
    for (key, value, limit) in sizes where !(1...limit).contains(value) {
      list.append((key, "a whole number, 1…\(limit)", "\(value)"))
    }
    guard list.isEmpty else { return list }
    if !heads.isMultiple(of: keyValueHeads) {
      list.append(("key-value-heads", "a divisor of the \(heads) heads", "\(keyValueHeads)"))
    }
    if !headDimension.isMultiple(of: 2) {
      list.append(("head-dimension", "an even number", "\(headDimension)"))
    }
    if block == .bitnet, querySize != hidden {
      // The sub-norm of transformers' BitNet has the width of the residual stream.
      list.append(("heads", "heads · head dimension = \(hidden) (hidden)", "\(querySize)"))
    }
    let bytes = 4 * Double(parameterCount)
    if bytes > 0x1p36 {
      list.append(("hidden", "a model of at most 64 GiB of weights", "\(parameterCount) weights"))
    }
    return list
  }

  /// Number of parameters.
  public var parameterCount: Int { plan.parameterCount }

  /// Floating-point operations of one training step for each token: forward and backward products,
  /// attention to the average causal length, nothing computed twice.
  public func operationsPerToken(length: Int) -> Double {
    let linears = Double(hidden * (2 * querySize + 2 * keyValueSize + 3 * feedForward))
    let head = Double(vocabulary * hidden)
    let attention = Double(layers * querySize) * Double(length + 1) / 2 * 4 * 3
    return 6 * (Double(layers) * linears + head) + attention
  }
}
