public import TritModel

/// What a model would do of which only the first few blocks were run: all blocks cost the same,
/// embedding and head are paid once. An estimate, never a measurement.
public struct DepthExtrapolation: Sendable, Hashable {
  /// Blocks that ran.
  public let measuredLayers: Int
  /// Blocks of the whole model.
  public let layers: Int
  /// Tokens a second of the whole model.
  public let tokensPerSecond: Double
  /// Bytes of all linear layers, as laid out for their kernels.
  public let layerBytes: Int
  /// Bytes of the output head.
  public let headBytes: Int
  /// Bytes of keys and values at `positions`.
  public let cacheBytes: Int
  /// Positions of the KV cache.
  public let positions: Int

  /// Bytes of memory that a run of the whole model would need.
  public var bytes: Int { layerBytes + headBytes + cacheBytes }

  /// From `result`, measured on `engine`, whose stage times cover that measurement alone; nil where
  /// the model is whole. `layers` is the number of blocks of the whole model.
  public init?(_ result: SpeedResult, on engine: Engine, layers: Int) {
    let measured = engine.configuration.layers
    guard layers > measured, measured > 0 else { return nil }
    let times = engine.times.seconds.map(\.seconds).reduce(0, +)
    guard times > 0 else { return nil }
    let once = (engine.times[.head] + engine.times[.embedding]) / times
    let factor = Double(layers) / Double(measured)
    self.layers = layers
    measuredLayers = measured
    tokensPerSecond = result.rate.mean / ((1 - once) * factor + once)
    let own = engine.layers.reduce(0) { $0 + $1.bytes }
    layerBytes = Int(Double(own) * factor)
    headBytes = engine.headReport.bytes
    positions = engine.contextLength
    cacheBytes = Int(Double(engine.cacheBytesPerPosition * positions) * factor)
  }
}
