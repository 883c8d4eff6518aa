import TritAttention
import TritCore
import TritFormats

/// How a checkpoint looks to transformers: the class whose block computes the same, and what its
/// configuration cannot say, which is refused by name.
///
/// | block | class |
/// |---|---|
/// | Llama's | `LlamaForCausalLM` |
/// | Llama's with sub-norms (2B-4T, 1bitLLM) | `BitNetForCausalLM`, whose `hidden_act` is ReLU² or SiLU |
/// | any other family | its own; without a head of its own and with a pooling, the base class |
///
/// Source: transformers 5 (`modeling_*.py`, `integrations/bitnet.py`); MiniCPM's class is openbmb's
/// `modeling_minicpm.py`.
struct HuggingFaceForm {
  /// The family of the class.
  let family: ModelFamily
  /// `architectures[0]`.
  let architecture: String
  /// `model_type`.
  let modelType: String
  /// Names of tensors in the folder.
  let names: TensorNames
  /// The rotary scaling in the folder's words.
  let scaling: RotaryScaling
  /// Whether `config.json` is made anew, or of one that names another class.
  let changesClass: Bool
  /// What a reader of the folder should know.
  let notes: [String]

  /// Decides for `checkpoint`. Throws `badData` where no class computes what the model does.
  init(_ checkpoint: Checkpoint) throws {
    let configuration = checkpoint.configuration
    guard let own = ModelFamily.of(configuration) else {
      throw Self.nothing("is known for \(configuration.architecture)", checkpoint)
    }
    if configuration.rotation != nil {
      throw Self.nothing("turns the inputs of layers (prism.hadamard)", checkpoint)
    }
    let isGGUF = checkpoint.names == .gguf
    let isBitNet = own.classes.contains("BitnetForCausalLM") || own.name == ModelFamily.bitNet.name
    guard isGGUF || own.classes.contains("BitnetForCausalLM") else {
      (family, architecture, modelType) = (own, configuration.architecture, own.types[0])
      (names, scaling, changesClass, notes) = (
        checkpoint.names, configuration.ropeScaling, false, []
      )
      return
    }
    let hasSubNorms = checkpoint.hasSubNorms
    if hasSubNorms {
      guard isBitNet || own.name == ModelFamily.llama.name,
        checkpoint.plan.block.norms.isSuperset(of: NormRole.subNorms)
      else { throw Self.nothing("has these norms before its projections", checkpoint) }
      family = .bitNet
    } else {
      family = isBitNet ? .llama : own
    }
    let isBase = isGGUF && configuration.pooling != nil && checkpoint.tiesEmbeddings
    architecture = family.classes[isBase ? 1 : 0]
    modelType = family.types[0]
    names = isGGUF ? (isBase ? .huggingFaceBase : .huggingFace) : checkpoint.names
    changesClass = true
    scaling = try Self.scaling(checkpoint)
    var notes: [String] = []
    if !isGGUF {
      notes.append(
        "class \(configuration.architecture) is not one of transformers: written as \(architecture) with "
          + "hidden_act \(configuration.activation.rawValue), whose block is the same")
    }
    if family.name == ModelFamily.miniCPM.name {
      notes.append(
        "transformers has no class \(architecture) of its own: it loads with openbmb's modeling_minicpm.py in the "
          + "folder, an auto_map in config.json, and trust_remote_code=True")
    }
    self.notes = notes
    try check(checkpoint)
  }

  /// What the class leaves no room for.
  private func check(_ checkpoint: Checkpoint) throws {
    let configuration = checkpoint.configuration
    if configuration.ropeDimension != configuration.headDimension {
      throw Self.nothing("turns a part of a head in such a block", checkpoint)
    }
    if !configuration.rotates { throw Self.nothing("has no rotation in such a block", checkpoint) }
    let biases = checkpoint.plan.block.biases
    let attention = biases.intersection([.query, .key, .value, .attentionOutput])
    let others = biases.subtracting(attention)
    let isLegal =
      switch family.name {
      case ModelFamily.qwen2.name: biases == [.query, .key, .value]
      case ModelFamily.llama.name, ModelFamily.granite.name:
        [0, 4].contains(attention.count) && [0, 3].contains(others.count)
      case ModelFamily.mistral.name: biases.isEmpty
      default: [0, 4].contains(attention.count) && others.isEmpty
      }
    guard isLegal else {
      let roles = LinearRole.allCases.filter(biases.contains).map(\.rawValue)
      throw Self.nothing(
        "has biases in \(roles.joined(separator: ", ")) alone (\(architecture))", checkpoint)
    }
    let isWhole = configuration.querySize == configuration.hiddenSize
    if family.name == ModelFamily.bitNet.name || family.name == ModelFamily.miniCPM.name, !isWhole {
      throw Self.nothing(
        "has heads of another width than hidden / heads in such a block", checkpoint)
    }
    if family.isGemma,
      !configuration.hiddenSize.isMultiple(of: configuration.heads)
    {
      throw Self.nothing("takes a hidden size that is no multiple of the heads", checkpoint)
    }
  }

  static func nothing(_ what: String, _ checkpoint: Checkpoint) -> LabError {
    LabError(
      .badData, "no class of transformers \(what)", at: checkpoint.path,
      expected: "a model that a class of transformers computes",
      got: checkpoint.configuration.architecture, advice: "keep the model in the format that it has"
    )
  }

  // MARK: Rotation

  /// The scaling of the configuration, or the one that a file's frequency factors stand for.
  private static func scaling(_ checkpoint: Checkpoint) throws -> RotaryScaling {
    let configuration = checkpoint.configuration
    guard let factors = try checkpoint.ropeFrequencyFactors() else {
      return configuration.ropeScaling
    }
    if configuration.ropeScaling == .none,
      let found = try llama3(factors, base: configuration.ropeBase, configuration.ropeDimension)
    {
      return found
    }
    throw LabError(
      .badData, "config.json cannot say the rotary factors of tensor 'rope_freqs.weight'",
      at: checkpoint.source.path,
      expected: "those of Llama 3's scaling (rope_type llama3), from which converters make them",
      got: "\(factors.count) factors, \(factors.min() ?? 0) to \(factors.max() ?? 0)",
      advice: "take the model's safetensors, or keep the model as GGUF")
  }

  /// The scaling of Llama 3 that gives these divisors; nil where none does. Converters write divisors
  /// alone: the greatest is the factor, and the two ends of the blend are 1 and 4 in every published
  /// model, the first context a power of two.
  static func llama3(_ factors: [Float], base: Double, _ dimension: Int) throws -> RotaryScaling? {
    guard let most = factors.max(), most.isFinite, factors.allSatisfy({ $0 > 0 }) else {
      return nil
    }
    if factors.allSatisfy({ $0 == 1 }) { return RotaryScaling.none }
    func frequencies(_ scaling: RotaryScaling) throws -> [Float] {
      try RotaryEmbedding(
        headDimension: dimension, base: base, scaling: scaling, maxPositions: 1
      ).frequencies
    }
    let plain = try frequencies(.none)
    // The factor as people write it: the divisor is a quotient of two rounded numbers.
    let factor = (Double(most) * 1000).rounded() / 1000
    for original in [8192] + (9...20).map({ 1 << $0 }) {
      let candidate = RotaryScaling.llama3(
        factor: factor, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: original)
      let scaled = try frequencies(candidate)
      let fits = factors.indices.allSatisfy {
        abs(plain[$0] / factors[$0] - scaled[$0]) <= 5e-7 * scaled[$0]
      }
      if fits { return candidate }
    }
    return nil
  }
}
