import TritCore
public import TritKernels

/// The shape of a published ternary model, for files of random weights that cost what the model
/// costs.
public struct DummyPreset: Sendable, Hashable {
  /// The name in commands: `bitnet-b1.58-2B-4T`, `llama3-8B`.
  public let name: String
  /// The architecture that the GGUF file names.
  public let architecture: String
  /// Number of blocks of the full model.
  public let layers: Int
  /// Width of the residual stream.
  public let hiddenSize: Int
  /// Width of the feed-forward block.
  public let feedForwardSize: Int
  /// Query heads.
  public let heads: Int
  /// Key/value heads.
  public let keyValueHeads: Int
  /// Elements of one head.
  public let headDimension: Int
  /// Number of token ids.
  public let vocabularySize: Int
  /// Positions.
  public let contextLength: Int
  /// Base of the rotary angles.
  public let ropeBase: Float
  /// Epsilon of the norms.
  public let normEpsilon: Float
  /// Whether the head is the embedding matrix.
  public let tiesEmbeddings: Bool
  /// Begin-of-text id.
  public let bosToken: Int
  /// End-of-text id.
  public let eosToken: Int

  /// Whether blocks have norms before the attention output and the down projection.
  public var hasSubNorms: Bool { architecture != "llama" }

  /// Weights of the linear layers of one block.
  public var ternaryPerLayer: Int {
    let query = heads * headDimension
    let keyValue = keyValueHeads * headDimension
    return hiddenSize * (2 * query + 2 * keyValue) + 3 * hiddenSize * feedForwardSize
  }

  /// The distinct shapes of a block's linear layers.
  public var linearShapes: [WeightShape] {
    let query = heads * headDimension
    var shapes: [WeightShape] = []
    for shape in [
      WeightShape(query, hiddenSize), WeightShape(keyValueHeads * headDimension, hiddenSize),
      WeightShape(hiddenSize, query), WeightShape(feedForwardSize, hiddenSize),
      WeightShape(hiddenSize, feedForwardSize),
    ] where !shapes.contains(shape) {
      shapes.append(shape)
    }
    return shapes
  }

  /// All presets.
  ///
  /// Source: `config.json` of the models; 100B is a shape of bitnet.cpp's
  /// `generate-dummy-bitnet-model.py`, of which no trained model exists.
  public static let all: [DummyPreset] = [
    DummyPreset(
      "bitnet-b1.58-2B-4T", "bitnet-b1.58", 30, (2560, 6912), (20, 5, 128), 128_256, 4096, 500_000,
      1e-5, tied: true, (128_000, 128_001)),
    DummyPreset(
      "large", "bitnet", 24, (1536, 4096), (16, 16, 96), 32_002, 2048, 10_000, 1e-5, tied: true,
      (1, 2)),
    DummyPreset(
      "3B", "bitnet", 26, (3200, 8640), (32, 32, 100), 32_002, 2048, 10_000, 1e-5, tied: true,
      (1, 2)),
    DummyPreset(
      "llama3-8B", "llama", 32, (4096, 14_336), (32, 8, 128), 128_256, 8192, 500_000, 1e-5,
      tied: false, (128_000, 128_009)),
    DummyPreset(
      "falcon3-1B", "llama", 18, (2048, 8192), (8, 4, 256), 131_072, 8192, 1_000_042, 1e-6,
      tied: false, (11, 11)),
    DummyPreset(
      "falcon3-3B", "llama", 22, (3072, 9216), (12, 4, 256), 131_072, 4096, 1_000_042, 1e-6,
      tied: false, (11, 11)),
    DummyPreset(
      "falcon3-7B", "llama", 28, (3072, 23_040), (12, 4, 256), 131_072, 8192, 1_000_042, 1e-6,
      tied: false, (11, 11)),
    DummyPreset(
      "falcon3-10B", "llama", 40, (3072, 23_040), (12, 4, 256), 131_072, 32_768, 1_000_042, 1e-6,
      tied: false, (1, 11)),
    DummyPreset(
      "100B", "bitnet", 72, (8192, 45_568), (64, 64, 128), 32_002, 2048, 10_000, 1e-5, tied: true,
      (1, 2)),
  ]

  /// The preset called `name`. Throws a usage error that names them all.
  public static func named(_ name: String) throws -> DummyPreset {
    if let preset = all.first(where: { $0.name == name }) { return preset }
    let names = all.map(\.name)
    throw LabError(
      .usage, "unknown preset '\(name)'", expected: names.joined(separator: ", "),
      advice: Suggestion.didYouMean(name, names))
  }

  /// A shape of one's own.
  package init(
    _ name: String, _ architecture: String, _ layers: Int,
    _ widths: (hidden: Int, feedForward: Int), _ heads: (query: Int, keyValue: Int, dimension: Int),
    _ vocabularySize: Int, _ contextLength: Int, _ ropeBase: Float, _ normEpsilon: Float,
    tied: Bool, _ ends: (bos: Int, eos: Int)
  ) {
    self.name = name
    self.architecture = architecture
    self.layers = layers
    hiddenSize = widths.hidden
    feedForwardSize = widths.feedForward
    self.heads = heads.query
    keyValueHeads = heads.keyValue
    headDimension = heads.dimension
    self.vocabularySize = vocabularySize
    self.contextLength = contextLength
    self.ropeBase = ropeBase
    self.normEpsilon = normEpsilon
    tiesEmbeddings = tied
    bosToken = ends.bos
    eosToken = ends.eos
  }
}
