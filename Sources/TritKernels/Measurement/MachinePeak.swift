import TritCore

/// What a machine can do at most, for one or more numbers of threads: the roofs that kernels are
/// held against.
public struct MachinePeak: Sendable, Hashable {
  /// Cycles a second of one core.
  public var clock: Double
  /// Data caches.
  public var caches: CacheSizes
  /// int8 multiply-add peaks.
  public var integer: [PeakMeter.Arithmetic] = []
  /// float32 multiply-add peaks.
  public var float: [PeakMeter.Arithmetic] = []
  /// Reading speeds by level.
  public var readings: [PeakMeter.Reading] = []
  /// What one thread reaches in each streaming form.
  public var streaming = StreamingForm.Measurement(bytesPerSecond: [])
  /// Seconds that an empty parallel region takes, by number of threads.
  public var regions: [(threads: Int, seconds: Double)] {
    regionTimes.map { ($0.threads, $0.time) }
  }

  private struct Region: Sendable, Hashable {
    let threads: Int
    let time: Double
  }
  private var regionTimes: [Region] = []

  /// Measures for each number of threads; about a second each. Throws `interrupted`.
  public init(threads: [Int], progress: ((String) -> Void)? = nil) throws {
    clock = PeakMeter.clock()
    caches = CacheSizes.here
    progress?("streaming forms")
    streaming = StreamingForm.measure()
    for count in threads {
      try Interruption.check()
      let meter = PeakMeter(threads: count)
      progress?("int8 peak, \(count) threads")
      integer += meter.integerPeaks()
      progress?("float32 peak, \(count) threads")
      float += meter.floatPeaks()
      try Interruption.check()
      progress?("reading, \(count) threads")
      readings += meter.readings()
      progress?("parallel region, \(count) threads")
      regionTimes.append(Region(threads: count, time: meter.regionSeconds()))
    }
  }

  /// Multiply-adds a cycle and core of a peak, at the measured clock.
  public func productsPerCycle(_ peak: PeakMeter.Arithmetic) -> Double {
    peak.operationsPerSecond / 2 / clock / Double(peak.threads)
  }
}
