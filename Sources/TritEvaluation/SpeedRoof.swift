public import TritKernels
public import TritModel

/// What bounds the speed of a run on this machine, measured beside the run: reading for generation,
/// multiply-adds for prompts.
public struct SpeedRoof: Sendable, Hashable {
  /// What bounds: `read bandwidth`, `int8 peak`, `float32 peak`.
  public let name: String
  /// Bytes or operations that one token takes.
  public let perToken: Double
  /// Bytes or operations a second that the machine can do.
  public let perSecond: Double

  /// Tokens a second at the roof.
  public var rate: Double { perToken > 0 ? perSecond / perToken : .infinity }

  /// Which share of the roof `rate` tokens a second are.
  public func share(_ rate: Double) -> Double { rate * perToken / perSecond }
}

extension SpeedMeasurement {
  /// Measures the roof of this workload on `engine`'s machine with as many threads as the engine has; a
  /// third of a second. nil for workloads of prompt and generation together, which no single roof bounds,
  /// where kernels leave out what is zero, so that no token needs a known number of bytes or products,
  /// and where the machine has no known peak.
  ///
  /// Generation: the bytes that a token reads (`bytesPerGeneratedToken`) against reading a buffer of that
  /// size, so that a model that fits a cache is held against the cache; the median of many short readings, since
  /// a run of seconds meets what neighbours leave as a rule. Prompts: the multiply-adds of the
  /// linear layers alone against the int8 peak (float32 where layers run on float activations); attention,
  /// norms and the head count as what keeps a run from its roof.
  public func roof(_ engine: Engine, meter: PeakMeter) -> SpeedRoof? {
    guard promptTokens == 0 || generatedTokens == 0, engine.readsAllWeights else { return nil }
    if promptTokens == 0 {
      let bytes = bytesPerGeneratedToken(engine)
      return SpeedRoof(
        name: "read bandwidth", perToken: Double(bytes),
        perSecond: meter.read(bytes: bytes, seconds: 0.3).medianBytesPerSecond)
    }
    let operations = engine.layers.reduce(0.0) { $0 + 2 * Double($1.rows) * Double($1.columns) }
    let isFloat = engine.layers.contains { $0.activations == "none" }
    guard let peak = isFloat ? meter.floatPeak(seconds: 0.02) : meter.integerPeak(seconds: 0.02)
    else { return nil }
    return SpeedRoof(
      name: isFloat ? "float32 peak" : "int8 peak", perToken: operations, perSecond: peak)
  }
}
