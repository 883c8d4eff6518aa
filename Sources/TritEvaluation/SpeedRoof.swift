import TritCore
public import TritKernels
public import TritModel

/// What bounds the speed of a run on this machine, measured beside the run: reading for generation,
/// multiply-adds for prompts.
public struct SpeedRoof: Sendable, Hashable {
  /// What is bounded.
  public enum Kind: Sendable, Hashable {
    /// Bytes read.
    case reading
    /// Products of one arithmetic.
    case products(ProductArithmetic)
    /// Products of both: some layers of each.
    case mixedProducts
  }

  /// What is bounded.
  public let kind: Kind
  /// Bytes or operations that one token takes.
  public let perToken: Double
  /// Bytes or operations a second that the machine can do.
  public let perSecond: Double

  /// A bound of `perSecond` on something of which a token takes `perToken`.
  public init(_ kind: Kind, perToken: Double, perSecond: Double) {
    self.kind = kind
    self.perToken = perToken
    self.perSecond = perSecond
  }

  /// What bounds, in words: `read bandwidth`, `int8 peak`, `float32 peak`,
  /// `int8 and float32 peaks`.
  public var name: String {
    switch kind {
    case .reading: "read bandwidth"
    case .products(let arithmetic): "\(arithmetic.rawValue) peak"
    case .mixedProducts: "int8 and float32 peaks"
    }
  }

  /// Tokens a second at the roof.
  public var rate: Double { perToken > 0 ? perSecond / perToken : .infinity }

  /// Which share of the roof `rate` tokens a second are.
  public func share(_ rate: Double) -> Double { rate * perToken / perSecond }
}

extension SpeedRoof {
  /// The roof of the linear layers' products for one token: each layer's operations take at least
  /// what the peak of the arithmetic that its kernel runs allows, one layer after the other. `peak`
  /// gives the operations a second of each arithmetic. nil where there are no layers, or no known
  /// peak of an arithmetic that runs.
  public static func products(
    of layers: [LayerReport], peak: (ProductArithmetic) -> Double?
  ) -> SpeedRoof? {
    var operations: [ProductArithmetic: Double] = [:]
    for layer in layers {
      operations[layer.arithmetic, default: 0] += 2 * Double(layer.rows) * Double(layer.columns)
    }
    var (total, seconds) = (0.0, 0.0)
    for arithmetic in ProductArithmetic.allCases {
      guard let count = operations[arithmetic], count > 0 else { continue }
      guard let most = peak(arithmetic), most > 0 else { return nil }
      total += count
      seconds += count / most
    }
    guard let some = operations.keys.first, seconds > 0 else { return nil }
    return SpeedRoof(
      operations.count > 1 ? .mixedProducts : .products(some), perToken: total,
      perSecond: total / seconds)
  }
}

extension PeakMeter {
  /// The greatest peak of `arithmetic`, in operations a second; nil where no leaf runs here.
  public func peak(_ arithmetic: ProductArithmetic, seconds: Double) -> Double? {
    switch arithmetic {
    case .int8: integerPeak(seconds: seconds)
    case .float32: floatPeak(seconds: seconds)
    }
  }
}

extension SpeedMeasurement {
  /// Measures the roof of this workload on `engine`'s machine with as many threads as the engine
  /// has; a third of a second. nil for workloads of prompt and generation together, which no single
  /// roof bounds, where kernels leave out what is zero, so that no token needs a known number of
  /// bytes or products, and where the machine has no known peak.
  ///
  /// Generation: the bytes that a token reads (`bytesPerGeneratedToken`) against reading a buffer
  /// of that size, so that a model that fits a cache is held against the cache; the median of many
  /// short readings, since a run of seconds meets what neighbours leave as a rule. Prompts: the
  /// multiply-adds of the linear layers alone, each against the peak of the arithmetic that its
  /// kernel runs (`SpeedRoof.products(of:peak:)`); attention, norms and the head count as what
  /// keeps a run from its roof.
  public func roof(_ engine: Engine, meter: PeakMeter) -> SpeedRoof? {
    guard promptTokens == 0 || generatedTokens == 0, engine.readsAllWeights else { return nil }
    if promptTokens == 0 {
      let bytes = bytesPerGeneratedToken(engine)
      return SpeedRoof(
        .reading, perToken: Double(bytes),
        perSecond: meter.read(bytes: bytes, seconds: 0.3).medianBytesPerSecond)
    }
    return SpeedRoof.products(of: engine.layers) { meter.peak($0, seconds: 0.02) }
  }
}
