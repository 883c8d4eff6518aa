import Foundation
import TritCore
import TritFormats
import TritModel
import TritTokenization

/// A model that is examined: its headers, tensors and tokenizer, each as it lies there.
struct DoctorSubject {
  let path: String
  let source: any TensorSource
  /// The file, where it is a GGUF.
  let gguf: GGUFFile?
  /// `config.json` and `generation_config.json` and `tokenizer_config.json` of a folder.
  let config: JSONValue?
  let generation: JSONValue?
  let tokenizerSettings: JSONValue?
  /// The tokenizer, or why there is none.
  let tokenizer: Result<any Tokenizer, LabError>

  var container: String { gguf == nil ? "Hugging Face" : "GGUF" }

  /// Opens `path`. Throws what its reader throws.
  init(_ path: String, tokenizer given: String?) throws {
    self.path = path
    if ModelLocation.isDirectory(path) {
      gguf = nil
      config = try JSONReader.readFile(path + "/config.json")
      generation = try? JSONReader.readFile(path + "/generation_config.json")
      tokenizerSettings = try? JSONReader.readFile(path + "/tokenizer_config.json")
      source = try Safetensors.open(directory: path)
    } else {
      let file = try GGUFFile(path: path)
      gguf = file
      (config, generation, tokenizerSettings) = (nil, nil, nil)
      source = file
    }
    do {
      tokenizer = .success(try TokenizerLoader.load(path: given ?? path))
    } catch {
      tokenizer = .failure(error as? LabError ?? LabError(.badData, "\(error)"))
    }
  }

  /// `bitnet-b1.58`, `BitNetForCausalLM`; empty where nothing says.
  var architecture: String {
    gguf?["general.architecture"]?.string ?? config?["architectures"]?.array?.first?.string
      ?? config?["model_type"]?.string ?? ""
  }

  /// Whether it is a BitNet by its architecture or its sub-norms, whatever its name.
  var isBitNet: Bool {
    architecture.lowercased().contains("bitnet")
      || source.tensors.contains {
        $0.name.contains("sub_norm") || $0.name.contains("inner_attn_ln")
      }
  }

  var embedding: TensorInfo? {
    ["token_embd.weight", "model.embed_tokens.weight", "embed_tokens.weight"]
      .lazy.compactMap { source.info($0) }.first
  }

  var head: TensorInfo? {
    ["output.weight", "lm_head.weight"].lazy.compactMap { source.info($0) }.first
  }

  /// A number of the configuration under either name; nil where it is absent.
  func number(_ key: String, _ name: String) -> Double? {
    if let gguf { return gguf["\(architecture).\(key)"]?.double }
    return config?[name]?.double
  }

  func integer(_ key: String, _ name: String) -> Int? {
    number(key, name).flatMap { Int(exactly: $0) }
  }

  /// Where a key of the configuration stands, for messages.
  func place(_ key: String, _ name: String) -> String {
    gguf == nil ? "\(path)/config.json: \(name)" : "\(path): \(architecture).\(key)"
  }

  /// The published model whose shape this is, where the shape is that of one model alone.
  var known: KnownModel? {
    KnownModel.all.first { model in
      model.hidden == integer("embedding_length", "hidden_size")
        && model.layers == integer("block_count", "num_hidden_layers")
        && model.feedForward == integer("feed_forward_length", "intermediate_size")
        && model.vocabulary == embedding?.shape.first
    }
  }

  // MARK: Scales

  /// Whether stored scales of packed Hugging Face weights divide (`bitlinear`, the default) or
  /// multiply (`autobitlinear`).
  var scalesDivide: Bool {
    config?["quantization_config"]?["linear_class"]?.string != "autobitlinear"
  }

  /// A tensor with the scales that multiply it.
  func summary(of info: TensorInfo) -> TensorSummary {
    var summary = TensorSummary(reading: info, of: source)
    guard gguf == nil, info.type == .u8, summary.trits != nil,
      let scale = source.info(String(info.name.dropLast("weight".count)) + "weight_scale"),
      let stored = try? source.floats(scale.name), stored.count > 0
    else { return summary }
    summary.scales = stored.array.map { scalesDivide ? 1 / $0 : $0 }
    summary.scaleValues()
    return summary
  }
}

/// Shapes of published ternary models that no other model has: what they were trained with.
///
/// Source: their `config.json` (dimensions, `max_position_embeddings`, `hidden_act`) and
/// `tokenizer.json`.
struct KnownModel {
  let name: String
  let hidden: Int, layers: Int, feedForward: Int, vocabulary: Int
  let context: Int
  let isReLU2: Bool

  static let all = [
    KnownModel(
      name: "BitNet b1.58 2B-4T", hidden: 2560, layers: 30, feedForward: 6912, vocabulary: 128_256,
      context: 4096, isReLU2: true),
    KnownModel(
      name: "1bitLLM's bitnet_b1_58-large", hidden: 1536, layers: 24, feedForward: 4096,
      vocabulary: 32_002, context: 2048, isReLU2: false),
    KnownModel(
      name: "1bitLLM's bitnet_b1_58-xl", hidden: 2048, layers: 24, feedForward: 5460,
      vocabulary: 32_002, context: 2048, isReLU2: false),
    KnownModel(
      name: "1bitLLM's bitnet_b1_58-3B", hidden: 3200, layers: 26, feedForward: 8640,
      vocabulary: 32_002, context: 2048, isReLU2: false),
    KnownModel(
      name: "TriLM 99M", hidden: 512, layers: 16, feedForward: 1280, vocabulary: 50_304,
      context: 2048, isReLU2: false),
    KnownModel(
      name: "TriLM 390M", hidden: 1024, layers: 24, feedForward: 2560, vocabulary: 50_304,
      context: 2048, isReLU2: false),
    KnownModel(
      name: "TriLM 3.9B", hidden: 3072, layers: 30, feedForward: 9216, vocabulary: 50_304,
      context: 2048, isReLU2: false),
  ]
}
