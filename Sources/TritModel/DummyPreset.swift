import TritAttention
import TritCore
public import TritFormats
public import TritKernels

/// The shape of a published ternary model, for files of random weights that cost what the model
/// costs.
public struct DummyPreset: Sendable, Hashable {
  /// The name in commands: `bitnet-b1.58-2B-4T`, `llama3-8B`.
  public let name: String
  /// The shape; its architecture is the one that the GGUF file names.
  package let configuration: ModelConfiguration
  /// Begin-of-text id.
  public let bosToken: Int
  /// End-of-text id.
  public let eosToken: Int
  /// How the linear layers are written: I2_S, or PQ2_0 for a scale every 128 columns.
  public let linearType: TensorType
  /// How embedding and head are written where nothing else is asked for.
  public var embeddingType: TensorType { linearType == .pq2_0 ? .pq2_0 : .f16 }

  /// Number of blocks of the full model.
  public var layers: Int { configuration.layers }
  /// Width of the residual stream.
  public var hiddenSize: Int { configuration.hiddenSize }
  /// Width of the feed-forward block.
  public var feedForwardSize: Int { configuration.feedForwardSize }
  /// Number of token ids.
  public var vocabularySize: Int { configuration.vocabularySize }
  /// Whether blocks have norms before the attention output and the down projection.
  public var hasSubNorms: Bool { plan.block.hasSubNorms }

  /// What the file computes.
  package var plan: ModelPlan {
    ModelPlan(
      configuration,
      subNorms: configuration.architecture.hasPrefix("bitnet")
        ? [.attentionSub, .feedForwardSub] : [])
  }

  /// Weights of the linear layers of one block.
  public var ternaryPerLayer: Int { configuration.linearWeights / configuration.layers }

  /// The distinct shapes of a block's linear layers.
  public var linearShapes: [WeightShape] {
    var shapes: [WeightShape] = []
    for (rows, columns) in plan.block.linears.map({ $0.shape(configuration) }) {
      let shape = WeightShape(rows, columns)
      if !shapes.contains(shape) { shapes.append(shape) }
    }
    return shapes
  }

  /// All presets.
  ///
  /// Source: `config.json` of the models (contexts and rotary bases of Falcon-E, which do not
  /// change the cost, are of its elders; Ternary-Bonsai's are Qwen3-4B's and 8B's); 100B is a shape of bitnet.cpp's
  /// `generate-dummy-bitnet-model.py`, of which no trained model exists.
  public static let all: [DummyPreset] = [
    DummyPreset(
      "bitnet-b1.58-2B-4T", "bitnet-b1.58", 30, (2560, 6912), (20, 5, 128), 128_256, 4096, 500_000,
      1e-5, tied: true, (128_000, 128_001)),
    DummyPreset(
      "large", "bitnet", 24, (1536, 4096), (16, 16, 96), 32_002, 2048, 10_000, 1e-5, tied: true,
      (1, 2)),
    DummyPreset(
      "xl", "bitnet", 24, (2048, 5460), (32, 32, 64), 32_002, 2048, 10_000, 1e-5, tied: true,
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
      "falcon-e-1B", "llama", 24, (2048, 9216), (16, 2, 128), 32_768, 4096, 1_000_042, 1e-5,
      tied: false, (1, 11)),
    DummyPreset(
      "falcon-e-3B", "llama", 32, (2048, 13_312), (16, 2, 128), 32_768, 4096, 1_000_042, 1e-5,
      tied: false, (1, 11)),
    DummyPreset(
      "trilm-99M", "llama", 16, (512, 1280), (8, 8, 64), 50_304, 2048, 10_000, 1e-5, tied: false,
      (0, 0)),
    DummyPreset(
      "trilm-390M", "llama", 24, (1024, 2560), (16, 16, 64), 50_304, 2048, 10_000, 1e-5,
      tied: false, (0, 0)),
    DummyPreset(
      "trilm-3.9B", "llama", 30, (3072, 9216), (24, 24, 128), 50_304, 2048, 10_000, 1e-5,
      tied: false, (0, 0)),
    DummyPreset(
      "bonsai-4B", "qwen3", 36, (2560, 9728), (32, 8, 128), 151_669, 40_960, 1_000_000, 1e-6,
      tied: true, (151_643, 151_645), .pq2_0),
    DummyPreset(
      "bonsai-8B", "qwen3", 36, (4096, 12_288), (32, 8, 128), 151_936, 65_536, 1_000_000, 1e-6,
      tied: false, (151_643, 151_645), .pq2_0),
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
    tied: Bool, _ ends: (bos: Int, eos: Int), _ linearType: TensorType = .i2_s
  ) {
    self.name = name
    self.linearType = linearType
    var configuration = ModelConfiguration(
      architecture: architecture, hiddenSize: widths.hidden, feedForwardSize: widths.feedForward,
      layers: layers, heads: heads.query, keyValueHeads: heads.keyValue,
      headDimension: heads.dimension, vocabularySize: vocabularySize,
      contextLength: contextLength, normEpsilon: normEpsilon, ropeBase: Double(ropeBase),
      ropePairing: architecture == "llama" ? .adjacent : .halfSplit,
      activation: architecture == "bitnet-b1.58" ? .relu2 : .silu, tiesEmbeddings: tied)
    configuration.hasHeadNorms = architecture == "qwen3"
    self.configuration = configuration
    bosToken = ends.bos
    eosToken = ends.eos
  }
}
