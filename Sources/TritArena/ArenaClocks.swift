import TritCore

/// The same span on three clocks: the system's own by a system call, the CPU's counter, and the C
/// library's, which everything else in the process uses and a kernel could have replaced.
package struct ArenaClocks: Sendable {
  /// One moment.
  package struct Moment {
    package var system: UInt64
    package var ticks: UInt64
    package var library: UInt64
  }

  /// Nanoseconds of one span.
  package struct Span {
    package var system: Double
    package var counter: Double?
    package var library: Double

    package init(system: Double, counter: Double?, library: Double) {
      self.system = system
      self.counter = counter
      self.library = library
    }
  }

  /// Nanoseconds of a tick; nil where the CPU has no counter.
  private var tick: Double?
  private let begin: Moment
  private var spans = 0
  private var faults = 0
  /// What a clock and the system's said of the spans in which they did not agree.
  private struct Disagreement {
    var spans = 0
    var time = 0.0
    var system = 0.0
  }
  private var counter = Disagreement()
  private var library = Disagreement()

  /// Sets the counter against the system's clock for some milliseconds: before a foreign kernel is
  /// there.
  package init() {
    begin = Self.start()
    // Who loses the core between two readings counts too many ticks: the longest tick is the right
    // one.
    tick = (0..<3).compactMap { _ -> Double? in
      let first = Self.start()
      var last = first
      while last.system < first.system + 2_000_000 { last = Self.end() }
      guard last.ticks > first.ticks else { return nil }
      return Double(last.system - first.system) / Double(last.ticks - first.ticks)
    }.max()
  }

  /// Now, the system's clock last.
  package static func start() -> Moment {
    let library = MonotonicClock.nanoseconds()
    let ticks = HardwareClock.ticks()
    return Moment(system: HardwareClock.nanoseconds(), ticks: ticks, library: library)
  }

  /// Now, the system's clock first.
  package static func end() -> Moment {
    let system = HardwareClock.nanoseconds()
    let ticks = HardwareClock.ticks()
    return Moment(system: system, ticks: ticks, library: MonotonicClock.nanoseconds())
  }

  /// The span between two moments.
  package func span(_ start: Moment, _ end: Moment) -> Span {
    Span(
      system: Double(end.system &- start.system),
      counter: tick.map { Double(end.ticks &- start.ticks) * $0 },
      library: Double(end.library &- start.library))
  }

  /// Counts a span, and whether its clocks agree. One may not: the process can lose its core
  /// between two readings.
  package mutating func count(_ span: Span) {
    spans += 1
    let isCounterOff = Self.compare(span.counter, span.system, &counter)
    let isLibraryOff = Self.compare(span.library, span.system, &library)
    if isCounterOff || isLibraryOff { faults += 1 }
  }

  private static func compare(
    _ time: Double?, _ system: Double, _ found: inout Disagreement
  ) -> Bool {
    guard let time, abs(time - system) > 0.02 * system + 10_000 else { return false }
    found.spans += 1
    found.time += time
    found.system += system
    return true
  }

  /// What is wrong with the clocks: in more than a third of the spans, or from the first moment
  /// until now.
  package func fault() -> String? {
    if spans >= 3, faults * 3 > spans {
      // A core that was lost between two readings is told of either clock, once; the one that is
      // wrong is so again and again.
      let (name, worst) =
        counter.spans > library.spans
        ? ("the CPU's counter", counter) : ("the C library's", library)
      return "in \(faults) of \(spans) timed multiplies \(name) clock went "
        + "\(Self.factor(worst.time / max(worst.system, 1))) times as fast as the system's"
    }
    let whole = span(begin, Self.end())
    for (name, time) in [("the CPU's counter", whole.counter), ("the C library's", whole.library)] {
      guard let time, abs(time - whole.system) > 0.01 * whole.system + 2_000_000 else { continue }
      return "over the contest \(name) clock went \(Self.factor(time / whole.system)) times as "
        + "fast as the system's"
    }
    return nil
  }

  static func factor(_ share: Double) -> String {
    let scaled = (share * 100).rounded() / 100
    return "\(scaled)"
  }
}
