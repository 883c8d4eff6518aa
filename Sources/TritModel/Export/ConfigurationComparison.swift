import Foundation
import TritAttention
import TritCore

/// What two configurations must share so that the same weights are the same model: sizes, factors,
/// windows, and how queries and keys turn.
struct ConfigurationComparison {
  private let before: ModelConfiguration, after: ModelConfiguration
  private let factorsBefore: [Float]?, factorsAfter: [Float]?

  /// Compares a model with its copy; `factors`: those that a file has of its own.
  init(
    _ before: ModelConfiguration, factors factorsBefore: [Float]?, _ after: ModelConfiguration,
    factors factorsAfter: [Float]?
  ) {
    (self.before, self.factorsBefore) = (before, factorsBefore)
    (self.after, self.factorsAfter) = (after, factorsAfter)
  }

  /// Throws what `differs` makes of the first difference.
  func check(_ differs: (_ what: String, _ expected: String, _ got: String) -> LabError) throws {
    let pairs: [(String, Double, Double)] = [
      ("vocabulary", Double(before.vocabularySize), Double(after.vocabularySize)),
      ("context", Double(before.contextLength), Double(after.contextLength)),
      ("hidden size", Double(before.hiddenSize), Double(after.hiddenSize)),
      ("layers", Double(before.layers), Double(after.layers)),
      ("feed-forward size", Double(before.feedForwardSize), Double(after.feedForwardSize)),
      ("heads", Double(before.heads), Double(after.heads)),
      ("key and value heads", Double(before.keyValueHeads), Double(after.keyValueHeads)),
      ("head dimension", Double(before.headDimension), Double(after.headDimension)),
      ("rotary dimension", Double(before.ropeDimension), Double(after.ropeDimension)),
      ("rotary base", Double(Float(before.ropeBase)), Double(Float(after.ropeBase))),
      ("norm epsilon", Double(before.normEpsilon), Double(after.normEpsilon)),
    ]
    for (what, before, after) in pairs where before != after {
      throw differs("the \(what)", "\(before)", "\(after)")
    }
    guard before.activation == after.activation else {
      throw differs("the activation function", "\(before.activation)", "\(after.activation)")
    }
    guard before.rotates == after.rotates else {
      throw differs("whether queries and keys turn", "\(before.rotates)", "\(after.rotates)")
    }
    guard before.pooling == after.pooling else {
      throw differs(
        "the pooling", before.pooling?.rawValue ?? "none", after.pooling?.rawValue ?? "none")
    }
    // Each factor may be rounded to float32 once, and its inverse once more.
    let factors: [(String, Float?, Float?)] = [
      ("multiplier of embeddings", before.embeddingMultiplier, after.embeddingMultiplier),
      ("multiplier of residuals", before.residualMultiplier, after.residualMultiplier),
      ("multiplier of logits", before.logitMultiplier, after.logitMultiplier),
      ("cap of logits", before.logitSoftCap, after.logitSoftCap),
      ("cap of scores", before.attentionSoftCap, after.attentionSoftCap),
      ("scale of scores", Self.scale(before), Self.scale(after)),
    ]
    for (what, before, after) in factors
    where abs((before ?? 0) - (after ?? 0)) > 3e-7 * abs(before ?? 1) {
      throw differs("the \(what)", "\(before ?? 0)", "\(after ?? 0)")
    }
    for layer in 0..<before.layers {
      let windows = [before, after].map { $0.isWindowed(layer: layer) ? $0.window : nil }
      guard windows[0] == windows[1] || (windows[0] ?? .max) >= before.contextLength else {
        throw differs("the window of layer \(layer)", "\(windows[0] ?? 0)", "\(windows[1] ?? 0)")
      }
    }
    try checkRotation(differs)
  }

  private static func scale(_ configuration: ModelConfiguration) -> Float {
    configuration.attentionScale ?? 1 / Float(configuration.headDimension).squareRoot()
  }

  private func checkRotation(
    _ differs: (_ what: String, _ expected: String, _ got: String) -> LabError
  ) throws {
    guard before.rotates else { return }
    if (0..<before.layers).contains(where: { before.hasLocalRotation(layer: $0) }) {
      let bases = [before, after].map { Float($0.localRopeBase ?? $0.ropeBase) }
      guard bases[0] == bases[1] else {
        throw differs("the rotary base of windowed layers", "\(bases[0])", "\(bases[1])")
      }
    }
    let attention = [before, after].map { Self.attentionFactor($0.ropeScaling) }
    guard abs(attention[0] - attention[1]) <= 3e-7 * attention[0] else {
      throw differs("the factor of cosines and sines", "\(attention[0])", "\(attention[1])")
    }
    if case .longrope(let short, let long, let first, _) = before.ropeScaling {
      guard case .longrope(let a, let b, let c, _) = after.ropeScaling, (a, b) == (short, long),
        c == first
      else {
        throw differs("longrope", "\(before.ropeScaling)", "\(after.ropeScaling)")
      }
      return
    }
    let frequencies = try [(before, factorsBefore), (after, factorsAfter)].map {
      configuration, factors in
      try RotaryEmbedding(
        headDimension: configuration.headDimension, rotaryDimension: configuration.ropeDimension,
        base: configuration.ropeBase, scaling: configuration.ropeScaling,
        frequencyFactors: factors, maxPositions: 1
      ).frequencies
    }
    for (pair, (a, b)) in zip(frequencies[0], frequencies[1]).enumerated()
    where abs(a - b) > 5e-7 * abs(a) {
      throw differs("the rotary frequency of pair \(pair)", "\(a)", "\(b)")
    }
  }

  /// What cosines and sines are multiplied by.
  private static func attentionFactor(_ scaling: RotaryScaling) -> Double {
    switch scaling {
    case .none, .linear, .llama3: 1
    case .yarn(let factor, _, _, _, let own, _): own ?? (1 + 0.1 * log(max(factor, 1)))
    case .longrope(_, _, _, let factor): factor
    }
  }
}
