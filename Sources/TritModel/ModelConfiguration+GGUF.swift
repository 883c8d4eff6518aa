import Foundation
import TritAttention
import TritCore
import TritFormats

extension ModelConfiguration {
  /// Reads the hyper-parameters from the metadata of a GGUF file. Throws `badData` that names the
  /// key: a key that changes what is computed is used or refused, one of the wrong type is never a
  /// default.
  ///
  /// Source: llama.cpp and bitnet.cpp key names (`{arch}.embedding_length`…). The activation of
  /// arch `bitnet` is SiLU (1bitLLM), of `bitnet-25` and `bitnet-b1.58` ReLU² (2B-4T).
  public init(gguf file: GGUFFile) throws {
    let path = file.path
    let known = ModelFamily.ggufArchitectures.joined(separator: ", ")
    let named = try GGUFField.required(file, "general.architecture", known)
    let name = try named.string()
    guard let family = ModelFamily.all.first(where: { $0.gguf.contains(name) }) else {
      throw ModelFamily.unsupported("architecture", name, at: named.place, known: known)
    }
    func field(_ suffix: String) -> GGUFField? { GGUFField(file, "\(name).\(suffix)") }
    func integer(
      _ suffix: String, _ most: Int, default fallback: Int? = nil, orEqualList isList: Bool = false
    ) throws -> Int {
      if let fallback, field(suffix) == nil { return fallback }
      return try GGUFField.required(file, "\(name).\(suffix)", "a whole number")
        .integer(in: 1...most, orEqualList: isList)
    }
    architecture = name
    let most = Self.limits
    hiddenSize = try integer("embedding_length", most.hidden)
    feedForwardSize = try integer("feed_forward_length", most.feedForward, orEqualList: true)
    layers = try integer("block_count", most.layers)
    heads = try integer("attention.head_count", most.heads, orEqualList: true)
    keyValueHeads = try integer(
      "attention.head_count_kv", most.heads, default: heads, orEqualList: true)
    headDimension = try integer("attention.key_length", most.head, default: hiddenSize / heads)
    if let values = field("attention.value_length"),
      try values.integer(in: 1...most.head) != headDimension
    {
      throw LabError(
        .badData, "values of another length than keys are not supported", at: values.place,
        expected: "\(headDimension)", got: "\(try values.integer(in: 1...most.head))")
    }
    guard let embedding = file.info("token_embd.weight"), embedding.shape.count == 2
    else {
      throw LabError(
        .badData, "the tensor 'token_embd.weight' is missing or no matrix", at: path,
        expected: "[vocabulary, \(hiddenSize)]",
        advice: "the file is incomplete, or holds a vocabulary alone")
    }
    vocabularySize = embedding.shape[0]
    if let size = field("vocab_size"), try size.integer(in: 1...most.vocabulary) != vocabularySize {
      throw LabError(
        .badData, "the metadata contradicts the embedding", at: size.place,
        expected: "\(vocabularySize), the rows of token_embd.weight",
        got: "\(try size.integer(in: 1...most.vocabulary))")
    }
    contextLength = try integer("context_length", most.context)
    normEpsilon = Float(
      try GGUFField.required(
        file, "\(name).attention.layer_norm_rms_epsilon", "a small number such as 1e-5"
      ).number())
    ropeBase = try field("rope.freq_base")?.number() ?? 10_000
    // Converters of some architectures permute the rows of q and k so that pairs are neighbours.
    ropePairing = family.ggufPairing
    ropeDimension = try integer("rope.dimension_count", most.head, default: headDimension)
    ropeScaling =
      try Self.longrope(file, field, pairs: ropeDimension / 2, context: contextLength)
      ?? Self.scaling(field)
    activation = .silu
    tiesEmbeddings = file.info("output.weight") == nil
    let rows = vocabularySize
    func token(_ key: String) throws -> Int? {
      try GGUFField(file, "tokenizer.ggml.\(key)")?.tokenID(below: rows)
    }
    bosToken = try token("bos_token_id")
    eosTokens = [try token("eos_token_id")].compactMap { $0 }
    try family.metadata(&self, field)
    quantization = Self.quantization(file, family, normEpsilon: normEpsilon)
    pooling = try field("pooling_type").flatMap { field in
      switch try field.number() {
      case 0: return nil
      case 1: return .mean
      case 3: return .last
      case let other:
        throw LabError(
          .badData, "the pooling is not supported", at: field.place,
          expected: "0 (none), 1 (mean) or 3 (last token)", got: "\(Int(other))")
      }
    }
    rotation = try HadamardRotation(file)
    try Self.checkFunction(
      file, field, family, headDimension: headDimension, context: contextLength,
      scalesAngles: ropeScaling.hasAttentionFactor)
    try validate(path: path)
  }

  /// What tensor types and tensors say of training.
  ///
  /// I2_S, TL1 and TL2 run with int8 activations in every program that has them; so do the block
  /// formats of llama.cpp where the family was trained so. The norms inside linears of Microsoft's
  /// embedding models go with both.
  private static func quantization(
    _ file: GGUFFile, _ family: ModelFamily, normEpsilon: Float
  ) -> TrainedQuantization? {
    let isTernary = file.tensors.contains { TernaryTensors.isContainer($0.type) }
    let isBitNet = file.tensors.contains { [.i2_s, .tl1, .tl2].contains($0.type) }
    let hasInnerNorms = file.info("blk.0.attn_q_norm_in.weight") != nil
    guard family.quantizesActivations || isBitNet || hasInnerNorms else { return nil }
    // Float linears of a bitnet file are masters or (from the converter) already ternary values:
    // `Checkpoint` tells them apart by looking. Those of a llama file are neither.
    guard isTernary || family.gguf != ["llama"] else { return nil }
    let isInteger =
      isBitNet || hasInnerNorms || !isTernary || family.gguf != ["llama"]
      || file.tensors.contains { [.tq1_0, .tq2_0].contains($0.type) }
    return TrainedQuantization(
      isOnline: !isTernary, scaleDivides: false, quantizesActivations: isInteger,
      innerNormEpsilon: hasInnerNorms ? normEpsilon : nil)
  }

  /// The two lists of factors of longrope, which are tensors; nil where the file has none.
  ///
  /// Source: llama.cpp, `llama-model.cpp` (`get_rope_factors`) and `conversion` (MiniCPM, Phi-3): the
  /// first context is `rope.scaling.original_context_length`, else the whole; cosines and sines are
  /// multiplied by `rope.scaling.attn_factor`, else by 1. A type need not be named.
  private static func longrope(
    _ file: GGUFFile, _ field: (String) -> GGUFField?, pairs: Int, context: Int
  ) throws -> RotaryScaling? {
    let names = TensorNames.ropeFactors
    let type = try field("rope.scaling.type")?.string()
    let found = names.filter { file.info($0) != nil }
    guard type == "longrope" || !found.isEmpty else { return nil }
    guard found.count == 2 else {
      throw LabError(
        .badData, "the factors of longrope are not all there", at: file.path,
        expected: names.joined(separator: " and "),
        got: found.first ?? "rope.scaling.type longrope alone",
        advice: "convert the model again; without them it would be another one")
    }
    if let type, type != "longrope", type != "none" {
      throw LabError(
        .badData, "the rotary scaling contradicts the tensors", at: file.path,
        expected: "rope.scaling.type longrope beside \(found[0])", got: type,
        advice: "convert the model again")
    }
    let lists = try names.map { name in
      let values = try file.floats(name)
      guard values.count == pairs, values.buffer.allSatisfy({ $0.isFinite && $0 > 0 }) else {
        throw LabError(
          .badData, "the factors of longrope do not fit a head", at: "\(file.path): \(name)",
          expected: "\(pairs) numbers above 0, one a rotated pair", got: "\(values.count) values",
          advice: "the file is damaged; convert the model again")
      }
      return values.array
    }
    return .longrope(
      short: lists[1], long: lists[0],
      originalContext: try field("rope.scaling.original_context_length")?
        .integer(in: 1...(1 << 26)) ?? context,
      attentionFactor: try attentionFactor(field) ?? 1)
  }

  /// What a file multiplies cosines and sines by; nil where it does not say, and for 0.
  private static func attentionFactor(_ field: (String) -> GGUFField?) throws -> Double? {
    guard let field = field("rope.scaling.attn_factor") else { return nil }
    let value = try field.number()
    guard value >= 0 else {
      throw LabError(
        .badData, "the factor of scores is negative", at: field.place,
        expected: "a number above 0", got: "\(value)")
    }
    return value == 0 ? nil : value
  }

  /// Linear scaling: a factor without a type is one, and `rope.scale_linear` is its old name
  /// (llama.cpp, `llama-model.cpp`, `load_hparams`).
  private static func scaling(_ field: (String) -> GGUFField?) throws -> RotaryScaling {
    let factors = try ["rope.scaling.factor", "rope.scale_linear"].compactMap(field)
      .map { ($0, try $0.number()) }
    for (field, factor) in factors where factor < 0 {
      throw LabError(
        .badData, "the rotary scaling is negative", at: field.place, expected: "a number above 0",
        got: "\(factor)")
    }
    if factors.count == 2, factors[0].1 != factors[1].1 {
      throw LabError(
        .badData, "two keys contradict each other about the rotary scaling", at: factors[1].0.place,
        expected: "\(factors[0].1), as \(factors[0].0.key)", got: "\(factors[1].1)")
    }
    // 0 stands for no scaling.
    let factor = factors.first.map { $0.1 == 0 ? 1 : $0.1 } ?? 1
    guard let type = field("rope.scaling.type") else {
      return factor == 1 ? .none : .linear(factor: factor)
    }
    switch try type.string() {
    case "none": return .none
    case "linear": return factor == 1 ? .none : .linear(factor: factor)
    case "yarn":
      guard let original = field("rope.scaling.original_context_length") else {
        throw LabError(
          .badData, "the first context of the scaling is missing", at: type.place,
          expected: "rope.scaling.original_context_length")
      }
      // llama.cpp multiplies its own factor of the angles' length, 1 + 0.1 ln(factor), with this.
      let own = try attentionFactor(field) ?? 1
      return .yarn(
        factor: factor, originalContext: try original.integer(in: 1...(1 << 26)),
        betaFast: try field("rope.scaling.yarn_beta_fast")?.number() ?? 32,
        betaSlow: try field("rope.scaling.yarn_beta_slow")?.number() ?? 1,
        attentionFactor: own == 1 ? nil : own * (1 + 0.1 * Foundation.log(max(factor, 1))),
        truncates: true)
    case let kind:
      throw LabError(
        .badData, "the rotary scaling '\(kind)' is not supported", at: type.place,
        expected: "none, linear, yarn or longrope", got: kind,
        advice: "without it this would be another model; use a file without it")
    }
  }

  private static func checkFunction(
    _ file: GGUFFile, _ field: (String) -> GGUFField?, _ family: ModelFamily, headDimension: Int,
    context: Int, scalesAngles: Bool
  ) throws {
    for key in FunctionKey.gguf(headDimension: headDimension) {
      for name in key.names where !family.keys.contains(name) {
        if scalesAngles, name == "rope.scaling.attn_factor" { continue }
        guard let field = field(name) else { continue }
        try key.check(FunctionValue(field.value), at: field.place, context: context)
      }
    }
    // Other programs' rotations, whose rules are not those of PrismML.
    if let (key, _) = file.metadata.first(where: {
      $0.key.contains("hadamard") && !$0.key.hasPrefix(HadamardRotation.prefix)
    }) {
      throw LabError(
        .badData, "the weights are rotated in a way that the lab does not know",
        at: "\(file.path): \(key)", expected: "no such key, or those of prism.hadamard",
        advice: "use a file of the model without Hadamard rotation")
    }
  }
}

extension RotaryScaling {
  /// Whether every pair has factors of its own.
  var isLongrope: Bool { if case .longrope = self { true } else { false } }

  /// Whether a factor of cosines and sines is part of it.
  var hasAttentionFactor: Bool {
    switch self {
    case .yarn, .longrope: true
    case .none, .linear, .llama3: false
    }
  }
}
