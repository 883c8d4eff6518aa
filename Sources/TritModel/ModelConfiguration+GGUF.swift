import TritAttention
import TritCore
import TritFormats

extension ModelConfiguration {
  /// Architectures of GGUF files that the lab runs.
  static let ggufArchitectures = ["llama", "bitnet", "bitnet-25", "bitnet-b1.58"]

  /// Reads the hyper-parameters from the metadata of a GGUF file. Throws `badData` that names the
  /// key: a key that changes what is computed is used or refused, one of the wrong type is never a
  /// default.
  ///
  /// Source: llama.cpp and bitnet.cpp key names (`{arch}.embedding_length`…). The activation of
  /// arch `bitnet` is SiLU (1bitLLM), of `bitnet-25` and `bitnet-b1.58` ReLU² (2B-4T).
  public init(gguf file: GGUFFile) throws {
    let path = file.path
    let known = Self.ggufArchitectures.joined(separator: ", ")
    let named = try GGUFField.required(file, "general.architecture", known)
    let name = try named.string()
    guard Self.ggufArchitectures.contains(name) else {
      throw LabError(
        .badData, "the architecture '\(name)' is not supported", at: named.place, expected: known,
        got: name, advice: "the lab runs the Llama and BitNet families only")
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
    ropeScaling = try Self.scaling(field)
    // The converter of arch llama permutes the rows of q and k so that pairs are neighbours.
    ropePairing = name == "llama" ? .adjacent : .halfSplit
    ropeDimension = try integer("rope.dimension_count", most.head, default: headDimension)
    activation = name == "bitnet-25" || name == "bitnet-b1.58" ? .relu2 : .silu
    tiesEmbeddings = file.info("output.weight") == nil
    let rows = vocabularySize
    func token(_ key: String) throws -> Int? {
      try GGUFField(file, "tokenizer.ggml.\(key)")?.tokenID(below: rows)
    }
    bosToken = try token("bos_token_id")
    eosTokens = [try token("eos_token_id")].compactMap { $0 }
    // Float linears of a bitnet file are masters or (from the converter) already ternary values:
    // `Checkpoint` tells them apart by looking.
    let isTernary = file.tensors.contains { TernaryTensors.isContainer($0.type) }
    quantization =
      isTernary || name != "llama"
      ? TrainedQuantization(isOnline: !isTernary, scaleDivides: false) : nil
    try Self.checkFunction(file, field, headDimension: headDimension, context: contextLength)
    try validate(path: path)
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
    case let kind:
      throw LabError(
        .badData, "the rotary scaling '\(kind)' is not supported", at: type.place,
        expected: "none or linear", got: kind,
        advice: "without it this would be another model; use a file without it")
    }
  }

  private static func checkFunction(
    _ file: GGUFFile, _ field: (String) -> GGUFField?, headDimension: Int, context: Int
  ) throws {
    for key in FunctionKey.gguf(headDimension: headDimension) {
      for name in key.names {
        guard let field = field(name) else { continue }
        try key.check(FunctionValue(field.value), at: field.place, context: context)
      }
    }
    // Files of PrismML and others whose weights are rotated: without the rotation every logit is
    // wrong.
    if let (key, _) = file.metadata.first(where: { $0.key.contains("hadamard") }) {
      throw LabError(
        .badData, "the weights are rotated: the lab does not rotate activations",
        at: "\(file.path): \(key)", expected: "no such key",
        advice: "use a file of the model without Hadamard rotation")
    }
  }
}
