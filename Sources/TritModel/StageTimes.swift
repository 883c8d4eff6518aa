#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The parts of a forward pass whose time is told apart.
public enum TimedStage: Int, CaseIterable, Sendable {
  case embedding, norm, quantize, linear, rotary, attention, activation, head

  /// The name in reports.
  public var name: String { "\(self)" }
}

/// Nanoseconds spent in each stage since the last reset. The clock is read at stage boundaries only: about
/// ten times a layer, 25 ns each.
public struct StageTimes: Sendable {
  private var nanoseconds = [UInt64](repeating: 0, count: TimedStage.allCases.count)
  private var mark: UInt64 = 0

  /// Nothing yet.
  public init() {}

  /// Starts the clock.
  mutating func start() { mark = Self.now() }

  /// Books the time since the last call under `stage`.
  mutating func end(_ stage: TimedStage) {
    let now = Self.now()
    nanoseconds[stage.rawValue] += now - mark
    mark = now
  }

  /// Seconds spent in `stage`.
  public subscript(stage: TimedStage) -> Double { Double(nanoseconds[stage.rawValue]) * 1e-9 }

  /// Seconds by stage name.
  public var seconds: [(stage: String, seconds: Double)] {
    TimedStage.allCases.map { ($0.name, self[$0]) }
  }

  /// Monotonic nanoseconds.
  static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
