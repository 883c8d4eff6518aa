import Testing
import TritLab

/// Losses, logits and gradients of every family, and of every operation that a block can have,
/// against the plan in double precision.
@Suite struct TrainingLawTests {
  /// A small model with what a configuration can say.
  struct Model: Sendable, CustomTestStringConvertible {
    let name: String
    let sizes: ModelSizes
    var testDescription: String { name }
    func shape() throws -> ModelShape { try ModelShape(sizes) }
  }

  static func sizes(
    _ family: String, tied: Bool = true, _ keys: JSONValue = [:]
  ) -> ModelSizes {
    // Norms before the output projection make heads · d the hidden size.
    let hasSubNorms = family.hasPrefix("bitnet")
    return ModelSizes(
      family: family, hidden: 24, feedForward: 40, layers: 2, heads: hasSubNorms ? 6 : 4,
      keyValueHeads: 2, headDimension: hasSubNorms ? 4 : 8, vocabulary: 37, context: 80,
      tiesEmbeddings: tied, keys: keys)
  }

  /// What families say beside their sizes, small enough to matter.
  static let keys: [String: JSONValue] = [
    "gemma3": [
      "sliding_window": 9, "layer_types": ["sliding_attention", "full_attention"],
      "query_pre_attn_scalar": 5, "final_logit_softcapping": 3.5, "rope_local_base_freq": 2000,
    ],
    "gemma2": [
      "sliding_window": 9, "query_pre_attn_scalar": 5, "attn_logit_softcapping": 0.7,
      "final_logit_softcapping": 3.5,
    ],
    "granite": [
      "embedding_multiplier": 7, "residual_multiplier": 0.4, "logits_scaling": 2.5,
      "attention_multiplier": 0.2,
    ],
    "minicpm": ["scale_emb": 3, "scale_depth": 1.2, "dim_model_base": 10],
    "mistral": ["sliding_window": 7],
    "qwen2": [
      "sliding_window": 66, "layer_types": ["full_attention", "sliding_attention"],
    ],
  ]

  /// All families, with heads of their own and tied ones.
  static let families = ModelSizes.families.enumerated().map {
    Model(name: $1, sizes: sizes($1, tied: $0.isMultiple(of: 2), keys[$1] ?? [:]))
  }

  /// Norms inside layers, and layers that stay dense.
  static let innerNorms: JSONValue = [
    "quant_method": "bitnet", "linear_class": "autobitlinear", "quantization_mode": "online",
    "use_rms_norm": true, "rms_norm_eps": 1e-6,
  ]

  /// Operations that families leave out.
  static let operations = [
    Model(
      name: "biases, half of a head turned",
      sizes: sizes(
        "llama", tied: false,
        ["attention_bias": true, "mlp_bias": true, "partial_rotary_factor": 0.5])),
    Model(
      name: "biases beside a multiplier",
      sizes: sizes(
        "granite", ["attention_bias": true, "mlp_bias": true, "residual_multiplier": 0.3])),
    Model(name: "GELU", sizes: sizes("llama", ["hidden_act": "gelu"])),
    Model(
      name: "linear", sizes: sizes("llama", ["rope_scaling": ["type": "linear", "factor": 4]])),
    Model(
      name: "llama3",
      sizes: sizes(
        "llama",
        [
          "rope_scaling": [
            "rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4,
            "original_max_position_embeddings": 32,
          ]
        ])),
    Model(
      name: "YaRN",
      sizes: sizes(
        "qwen3",
        [
          "rope_scaling": [
            "rope_type": "yarn", "factor": 4, "original_max_position_embeddings": 20,
          ]
        ])),
    Model(
      name: "longrope",
      sizes: sizes(
        "llama",
        [
          "rope_scaling": [
            "rope_type": "longrope", "short_factor": [1, 1, 1, 1],
            "long_factor": [1, 1.5, 2, 3], "original_max_position_embeddings": 32,
          ]
        ])),
    Model(
      name: "norms inside layers", sizes: sizes("qwen3", ["quantization_config": innerNorms])),
    Model(
      name: "norms inside layers of Gemma",
      sizes: sizes("gemma3", ["quantization_config": innerNorms])),
    Model(
      name: "layers that stay dense",
      sizes: sizes(
        "qwen2",
        [
          "quantization_config": [
            "quant_method": "bitnet", "linear_class": "autobitlinear",
            "quantization_mode": "online",
            "modules_to_not_convert": ["k_proj", "model.layers.1.mlp.up_proj"],
          ]
        ])),
  ]

  @Test(arguments: families + operations) func everyBlockObeysTheLaws(model: Model) throws {
    let violations = try checkTraining(model.shape())
    #expect(violations.isEmpty, "\(violations)")
  }

  /// Trits on the way forward: per tensor, and with a scale for each 8 columns.
  @Test(arguments: families + operations.suffix(3), ["absmean", "absmean:group=8"])
  func ternaryBlocksObeyTheLaws(model: Model, quantizer: String) throws {
    let choice = try StageChoice(parsing: quantizer)
    let violations = try checkTraining(
      model.shape(), quantizer: Registry<any WeightQuantizer>.standard.make(choice), seed: 2)
    #expect(violations.isEmpty, "\(violations)")
  }

  /// What no `config.json` says, but GGUF files do: neighbours that turn together, no rotation.
  @Test func neighboursThatTurnTogetherObeyTheLaws() throws {
    let shape = try Self.families[3].shape()
    let turned = shape.changing { $0.ropePairing = .adjacent }
    #expect(try checkTraining(turned).isEmpty)
    let still = shape.changing { $0.rotates = false }
    #expect(try checkTraining(still).isEmpty)
    #expect(turned.plan != shape.plan && still.plan.block != shape.plan.block)
  }

  /// Weights that are no numbers break every law: no comparison is true of NaN.
  @Test func weightsThatAreNoNumbersBreakTheLaws() throws {
    struct Broken: WeightQuantizer {
      var name: String { "broken" }
      func quantize(_ weights: MatrixView<Float>) throws -> QuantizedWeights {
        let result = Matrix<Float>(rows: weights.rows, columns: weights.columns)
        result[0, 0] = .nan
        return .dense(result)
      }
    }
    let shape = try Self.families[1].shape()
    let violations = try checkTraining(shape, quantizer: Broken())
    let laws = Set(violations.map(\.law))
    #expect(laws.count == 3, "\(violations)")
  }
}
