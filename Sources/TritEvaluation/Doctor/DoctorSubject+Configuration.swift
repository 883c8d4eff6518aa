import Foundation
import TritCore
import TritFormats

extension DoctorSubject {
  /// What configuration and headers say that cannot be.
  func configurationFindings() -> [ModelFinding] {
    [hadamard, tiedHead, knownActivation, context].compactMap(\.self)
  }

  private var hadamard: ModelFinding? {
    let keys = gguf?.metadata.map(\.key) ?? config?.object?.map(\.key) ?? []
    guard let key = keys.first(where: { $0.lowercased().contains("hadamard") }) else { return nil }
    let size = gguf?["prism.hadamard.block_size"]?.integer.map { ", blocks of \($0)" } ?? ""
    let matrices = gguf?["prism.hadamard.weight_names"]?.array?.count
    return ModelFinding(
      .hadamard, at: "\(path): \(key)",
      "the weights are rotated: a program that does not know these keys runs them, and writes fluent or "
        + "random nonsense",
      evidence: "\(keys.count { $0.lowercased().contains("hadamard") }) keys\(size)"
        + (matrices.map { ", \($0) matrices" } ?? ""),
      mend:
        "run it with a program that says it reads prism.hadamard (version 1), or take a file of the "
        + "model without rotation")
  }

  // MARK: Head

  private var tiedHead: ModelFinding? {
    guard let head, let embedding, !isSame(head, embedding) else { return nil }
    if gguf != nil {
      // bitnet.cpp's graph multiplies by the embedding, whatever is stored.
      guard architecture.hasPrefix("bitnet") else { return nil }
      return ModelFinding(
        .tiedHead, at: head.name,
        "a head is stored beside the embedding and differs: bitnet.cpp ignores it and uses the embedding, "
          + "other programs use it",
        evidence:
          "\(head.name) \(head.type.name) \(head.shape), \(embedding.name) \(embedding.type.name)",
        mend:
          "leave output.weight out where the model ties them, as 2B-4T does; else use an architecture "
          + "whose head is its own")
    }
    guard config?["tie_word_embeddings"]?.bool == true else { return nil }
    return ModelFinding(
      .tiedHead, at: "\(path)/config.json: tie_word_embeddings",
      "the configuration ties the head to the embedding, and another head is stored: transformers 5 uses "
        + "the stored one, transformers 4 and most converters the embedding",
      evidence: "\(head.name) \(head.type.name) \(head.shape) differs from \(embedding.name)",
      mend: "set tie_word_embeddings to false if the head was trained, else remove \(head.name)")
  }

  /// Whether two tensors hold the same values: all bytes, or of other types the first values.
  private func isSame(_ a: TensorInfo, _ b: TensorInfo) -> Bool {
    guard a.shape == b.shape, let left = try? source.bytes(a.name),
      let right = try? source.bytes(b.name)
    else { return false }
    if a.type == b.type {
      guard let x = left.baseAddress, let y = right.baseAddress else { return true }
      return left.count == right.count && memcmp(x, y, left.count) == 0
    }
    guard let x = try? source.floats(a.name), let y = try? source.floats(b.name) else {
      return false
    }
    return (0..<x.count).allSatisfy { abs(x[$0] - y[$0]) <= 0.01 * max(abs(x[$0]), 1e-3) }
  }

  // MARK: Nonlinearity

  /// What a GGUF file's architecture or `hidden_act` says of the nonlinearity: true for ReLU²; nil
  /// where it is neither that nor SiLU.
  var saysReLU2: Bool? {
    if gguf != nil {
      switch architecture {
      case "bitnet-b1.58", "bitnet-25": return true
      case "bitnet", "llama": return false
      default: return nil
      }
    }
    switch config?["hidden_act"]?.string {
    case "relu2": return true
    case "silu": return false
    default: return nil
    }
  }

  private var knownActivation: ModelFinding? {
    guard let known, let says = saysReLU2, says != known.isReLU2 else { return nil }
    return wrongActivation(
      evidence: "its shape is that of \(known.name), which was trained with "
        + (known.isReLU2 ? "ReLU²" : "SiLU"))
  }

  func wrongActivation(evidence: String) -> ModelFinding {
    let isReLU2 = saysReLU2 == true
    let (now, then) = isReLU2 ? ("ReLU²", "SiLU") : ("SiLU", "ReLU²")
    guard gguf != nil else {
      return ModelFinding(
        .activation, at: "\(path)/config.json: hidden_act",
        "the feed-forward blocks run with \(now) and were trained with \(then)",
        evidence: evidence, mend: "set hidden_act to '\(isReLU2 ? "silu" : "relu2")'")
    }
    return ModelFinding(
      .activation, at: "\(path): general.architecture",
      "by the architecture '\(architecture)' the feed-forward blocks run with \(now); the model was trained "
        + "with \(then)", evidence: evidence,
      mend: isReLU2
        ? "the architecture of SiLU models with sub-norms (1bitLLM) is 'bitnet': convert again, and rename "
          + "the keys 'bitnet-b1.58.*' with it"
        : "the architecture of ReLU² models (2B-4T) is 'bitnet-b1.58': convert again, and rename the keys "
          + "'bitnet.*' with it")
  }

  // MARK: Context

  private var context: ModelFinding? {
    guard let length = number("context_length", "max_position_embeddings") else { return nil }
    func finding(_ what: String, _ most: Double, mend: String) -> ModelFinding {
      ModelFinding(
        .context, at: place("context_length", "max_position_embeddings"),
        "the model claims more positions than it was trained with: beyond them it writes nonsense",
        evidence: "\(Int(length)) positions; \(what)", mend: mend)
    }
    let shorter =
      "set it to the length of training; a longer one needs a rope scaling and training for it"
    if let known, Int(length) > known.context {
      return finding(
        "its shape is that of \(known.name), trained with \(known.context)", Double(known.context),
        mend: shorter)
    }
    let scaling = config?["rope_scaling"] ?? config?["rope_parameters"]
    let kind =
      gguf?["\(architecture).rope.scaling.type"]?.string ?? scaling?["rope_type"]?.string
      ?? scaling?["type"]?.string
    let factor =
      gguf?["\(architecture).rope.scaling.factor"]?.double ?? scaling?["factor"]?.double ?? 1
    let original =
      gguf?["\(architecture).rope.scaling.original_context_length"]?.double
      ?? scaling?["original_max_position_embeddings"]?.double
    // llama3's factor is of frequencies, not of the length.
    if let original, kind == "linear" || kind == "yarn", length > 1.01 * original * max(factor, 1) {
      return finding(
        "trained with \(Int(original)), stretched by \(factor) (\(kind ?? ""))",
        original * max(factor, 1), mend: shorter)
    }
    guard kind == nil || kind == "none" || kind == "default" else { return nil }
    let base =
      number("rope.freq_base", "rope_theta") ?? scaling?["rope_theta"]?.double ?? 10_000
    guard base > 1, let width = rotaryWidth, width >= 4 else { return nil }
    // Beyond one turn of the slowest pair no two far positions can be told apart by it.
    let turn = 2 * Double.pi * pow(base, 1 - 2 / width)
    guard length > turn else { return nil }
    return finding(
      "rotary base \(base) of \(Int(width)) elements turns once in \(Int(turn)) positions, and no scaling "
        + "is declared", turn, mend: shorter)
  }

  /// Elements of a head that are rotated.
  private var rotaryWidth: Double? {
    if let own = number("rope.dimension_count", "rotary_dim") { return own }
    if let own = number("attention.key_length", "head_dim") { return own }
    guard let hidden = number("embedding_length", "hidden_size"),
      let heads = number("attention.head_count", "num_attention_heads"), heads > 0
    else { return nil }
    return hidden / heads
  }
}
