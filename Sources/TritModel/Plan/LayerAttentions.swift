import TritAttention
import TritCore

/// The attention of every layer: that of the selection, and the same over a window for layers that
/// see one.
struct LayerAttentions {
  private let full: LayerAttention
  private let windowed: LayerAttention
  private let configuration: ModelConfiguration

  /// Throws a usage error where the model has a window and `attention` cannot have one. A window of
  /// at least `context` positions is none.
  init(_ attention: any Attention, _ configuration: ModelConfiguration, context: Int) throws {
    self.configuration = configuration
    let scale = configuration.attentionScale ?? 1 / Float(configuration.headDimension).squareRoot()
    full = LayerAttention(attention, window: nil, scale: scale)
    guard let window = configuration.window, window < context,
      (0..<configuration.layers).contains(where: { configuration.isWindowed(layer: $0) })
    else {
      windowed = full
      return
    }
    guard let narrow = (attention as? any WindowedAttention)?.limited(to: window) else {
      throw LabError(
        .usage, "attention '\(attention.name)' cannot be limited to a window",
        expected: "one that can, since layers of this model see \(window) positions only",
        got: attention.name,
        advice: "take --attention flash, or a context of at most \(window) (-c)")
    }
    windowed = LayerAttention(narrow, window: window, scale: scale)
  }

  /// `attention` with the cap of the model's scores. Throws a usage error where it can have none.
  static func capped(
    _ attention: any Attention, _ configuration: ModelConfiguration
  ) throws -> any Attention {
    guard let cap = configuration.attentionSoftCap else { return attention }
    guard let capped = (attention as? any CappedAttention)?.capped(at: cap) else {
      throw LabError(
        .usage, "attention '\(attention.name)' cannot cap its scores",
        expected: "one that can, since this model caps them at \(cap)", got: attention.name,
        advice: "take --attention flash, streaming or naive")
    }
    return capped
  }

  /// The attention of one layer.
  subscript(layer: Int) -> LayerAttention {
    configuration.isWindowed(layer: layer) ? windowed : full
  }
}

extension ModelConfiguration {
  /// The rotary tables of `positions`: of all layers, and then of windowed ones where they have a
  /// base of their own. `frequencyFactors` are those that a file holds. Throws what
  /// `RotaryEmbedding` throws.
  package func rotaryEmbeddings(frequencyFactors: [Float]?, positions: Int) throws
    -> [RotaryEmbedding]
  {
    var tables = [
      try RotaryEmbedding(
        headDimension: headDimension, rotaryDimension: ropeDimension, base: ropeBase,
        scaling: ropeScaling, pairing: ropePairing, frequencyFactors: frequencyFactors,
        maxPositions: positions)
    ]
    if rotaryTables > 1, let base = localRopeBase {
      tables.append(
        try RotaryEmbedding(
          headDimension: headDimension, rotaryDimension: ropeDimension, base: base,
          pairing: ropePairing, maxPositions: positions))
    }
    return tables
  }
}
