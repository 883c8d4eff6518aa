import TritAttention
import TritCore
import TritFormats

extension ModelConfiguration {
  /// Architectures of GGUF files that the lab runs.
  static let ggufArchitectures = ["llama", "bitnet", "bitnet-25", "bitnet-b1.58"]

  /// Reads the hyper-parameters from the metadata of a GGUF file. Throws `badData` that names the key.
  ///
  /// Source: llama.cpp and bitnet.cpp key names (`{arch}.embedding_length`…). The activation of arch
  /// `bitnet` is SiLU (1bitLLM), of `bitnet-25` and `bitnet-b1.58` ReLU² (2B-4T).
  public init(gguf file: GGUFFile) throws {
    let path = file.path
    guard let name = file["general.architecture"]?.string else {
      throw LabError(
        .badData, "the metadata does not name an architecture", at: "\(path): general.architecture",
        expected: Self.ggufArchitectures.joined(separator: ", "))
    }
    guard Self.ggufArchitectures.contains(name) else {
      throw LabError(
        .badData, "the architecture '\(name)' is not supported",
        at: "\(path): general.architecture",
        expected: Self.ggufArchitectures.joined(separator: ", "), got: name)
    }
    func key(_ suffix: String) -> String { "\(name).\(suffix)" }
    func integer(_ suffix: String, default fallback: Int? = nil) throws -> Int {
      guard let value = file[key(suffix)] else {
        if let fallback { return fallback }
        throw LabError(.badData, "the metadata key is missing", at: "\(path): \(key(suffix))")
      }
      guard let number = value.integer else {
        throw LabError(
          .badData, "the metadata key has the wrong type", at: "\(path): \(key(suffix))",
          expected: "a whole number")
      }
      return number
    }
    architecture = name
    hiddenSize = try integer("embedding_length")
    feedForwardSize = try integer("feed_forward_length")
    layers = try integer("block_count")
    heads = try integer("attention.head_count")
    keyValueHeads = try integer("attention.head_count_kv", default: heads)
    guard heads > 0 else {
      throw LabError(
        .badData, "the number of heads is out of range",
        at: "\(path): \(key("attention.head_count"))",
        expected: "at least 1", got: "\(heads)")
    }
    headDimension = try integer("attention.key_length", default: hiddenSize / heads)
    guard let embedding = file.info("token_embd.weight"), embedding.shape.count == 2 else {
      throw LabError(.badData, "the tensor 'token_embd.weight' is missing", at: path)
    }
    vocabularySize = embedding.shape[0]
    contextLength = try integer("context_length", default: 2048)
    normEpsilon = Float(file[key("attention.layer_norm_rms_epsilon")]?.double ?? 1e-5)
    ropeBase = file[key("rope.freq_base")]?.double ?? 10_000
    let factor = file[key("rope.scaling.factor")]?.double ?? 1
    let kind = file[key("rope.scaling.type")]?.string ?? "none"
    switch kind {
    case "none": ropeScaling = .none
    case "linear": ropeScaling = factor == 1 ? .none : .linear(factor: factor)
    default:
      throw LabError(
        .badData, "the rotary scaling '\(kind)' is not supported",
        at: "\(path): \(key("rope.scaling.type"))", expected: "none or linear", got: kind)
    }
    // The converter of arch llama permutes the rows of q and k so that pairs are neighbours.
    ropePairing = name == "llama" ? .adjacent : .halfSplit
    ropeDimension = try integer("rope.dimension_count", default: headDimension)
    activation = name == "bitnet-25" || name == "bitnet-b1.58" ? .relu2 : .silu
    tiesEmbeddings = file.info("output.weight") == nil
    bosToken = file["tokenizer.ggml.bos_token_id"]?.integer
    eosTokens = [file["tokenizer.ggml.eos_token_id"]?.integer].compactMap { $0 }
    // Float linears of a bitnet file are masters or (from the converter) already ternary values:
    // `Checkpoint` tells them apart by looking.
    let isTernary = file.tensors.contains { TernaryTensors.isContainer($0.type) }
    quantization =
      isTernary || name != "llama"
      ? TrainedQuantization(isOnline: !isTernary, scaleDivides: false) : nil
    try validate(path: path)
  }
}
