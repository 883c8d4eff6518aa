public import TritFormats

/// A model that does not exist yet, by its family and its sizes: what a training file says of it.
/// Its `document` is the `config.json` that it will have, and what is trained is read from that, so
/// that a checkpoint runs as it was trained.
public struct ModelSizes: Sendable, Equatable {
  /// One of `ModelSizes.families`.
  public var family: String
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
  /// Further keys of `config.json`, an object; they replace what the family says.
  public var keys: JSONValue

  /// The families that a model can be made of: `bitnet`, `llama`, `qwen3`…
  public static let families = ModelFamily.words

  /// Describes a model; `keyValueHeads` defaults to `heads`, `headDimension` to `hidden / heads`.
  public init(
    family: String, hidden: Int, feedForward: Int, layers: Int, heads: Int,
    keyValueHeads: Int? = nil, headDimension: Int? = nil, vocabulary: Int, context: Int,
    normEpsilon: Float = 1e-5, ropeBase: Double = 10_000, tiesEmbeddings: Bool = true,
    keys: JSONValue = [:]
  ) {
    self.family = family
    self.hidden = hidden
    self.feedForward = feedForward
    self.layers = layers
    self.heads = heads
    self.keyValueHeads = keyValueHeads ?? heads
    self.headDimension = headDimension ?? hidden / max(heads, 1)
    self.vocabulary = vocabulary
    self.context = context
    self.normEpsilon = normEpsilon
    self.ropeBase = ropeBase
    self.tiesEmbeddings = tiesEmbeddings
    self.keys = keys
  }

  /// Keys of `config.json` that sizes and family give.
  private static let own: Set<String> = [
    "architectures", "model_type", "hidden_size", "intermediate_size", "num_hidden_layers",
    "num_attention_heads", "num_key_value_heads", "head_dim", "vocab_size",
    "max_position_embeddings", "rms_norm_eps", "rope_theta", "tie_word_embeddings", "torch_dtype",
    "bos_token_id", "eos_token_id", "tritlab",
  ]

  /// What is wrong with the sizes, in the words of a training file; empty where nothing is.
  public func problems() -> [(key: String, expected: String, got: String)] {
    var list: [(key: String, expected: String, got: String)] = []
    guard let family = ModelFamily.all.first(where: { $0.word == family }) else {
      return [("family", "one of: \(Self.families.joined(separator: ", "))", family)]
    }
    let sizes: [(String, Int, Int)] = [
      ("hidden", hidden, 1 << 14), ("feed-forward", feedForward, 1 << 16),
      ("layers", layers, 1 << 10), ("heads", heads, 1 << 10),
      ("key-value-heads", keyValueHeads, 1 << 10), ("head-dimension", headDimension, 1 << 12),
      ("vocabulary", vocabulary, 1 << 20), ("context", context, 1 << 16),
    ]
    for (key, value, limit) in sizes where !(1...limit).contains(value) {
      list.append((key, "a whole number, 1…\(limit)", "\(value)"))
    }
    for (key, _) in keys.object ?? [] where Self.own.contains(key) {
      list.append(("config.\(key)", "no such key: the model's sizes and family say it", "one"))
    }
    guard list.isEmpty else { return list }
    if !heads.isMultiple(of: keyValueHeads) {
      list.append(("key-value-heads", "a divisor of the \(heads) heads", "\(keyValueHeads)"))
    }
    if !headDimension.isMultiple(of: 2) {
      list.append(("head-dimension", "an even number", "\(headDimension)"))
    }
    if family.hasSubNorms, heads * headDimension != hidden {
      // The sub-norm of transformers' BitNet has the width of the residual stream.
      list.append(
        ("heads", "heads · head dimension = \(hidden) (hidden)", "\(heads * headDimension)"))
    }
    let matrices = hidden * headDimension * 2 * (heads + keyValueHeads) + 3 * hidden * feedForward
    let weights = Double(layers * matrices + vocabulary * hidden)
    if 4 * weights > 0x1p36 {
      list.append(("hidden", "a model of at most 64 GiB of weights", "\(Int(weights)) weights"))
    }
    return list
  }

  /// The `config.json` of the model, as far as its sizes and its family say.
  public var document: JSONValue {
    guard let family = ModelFamily.all.first(where: { $0.word == family }) else { return [:] }
    let activation = family.activation.rawValue
    var members: [(key: String, value: JSONValue)] = [
      ("architectures", [.string(family.classes[0])]),
      ("model_type", .string(family.types[0])),
      ("hidden_size", JSONValue(hidden)),
      ("intermediate_size", JSONValue(feedForward)),
      ("num_hidden_layers", JSONValue(layers)),
      ("num_attention_heads", JSONValue(heads)),
      ("num_key_value_heads", JSONValue(keyValueHeads)),
      ("head_dim", JSONValue(headDimension)),
      ("vocab_size", JSONValue(vocabulary)),
      (family.activation == .geluTanh ? "hidden_activation" : "hidden_act", .string(activation)),
      ("max_position_embeddings", JSONValue(context)),
      ("rms_norm_eps", JSONValue(normEpsilon)), ("rope_theta", JSONValue(ropeBase)),
    ]
    members += family.fresh(self)
    members += [
      ("attention_dropout", 0.0), ("tie_word_embeddings", JSONValue(tiesEmbeddings)),
      ("torch_dtype", "bfloat16"), ("use_cache", true),
    ]
    return (keys.object ?? []).reduce(.object(members)) { $0.setting($1.key, $1.value) }
  }
}
