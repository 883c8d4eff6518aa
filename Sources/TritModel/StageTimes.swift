import TritCore

/// The parts of a forward pass whose time is told apart.
public enum TimedStage: Int, CaseIterable, Sendable {
  case embedding, norm, quantize, linear, rotary, attention, activation, head

  /// The name in reports.
  public var name: String { "\(self)" }
}

/// Nanoseconds spent in each stage since the last reset. The clock is read at stage boundaries
/// only: about ten times a layer, 25 ns each.
public struct StageTimes: Sendable {
  private var nanoseconds = [UInt64](repeating: 0, count: TimedStage.allCases.count)
  private var mark: UInt64 = 0

  /// Nothing yet.
  public init() {}

  /// Starts the clock.
  mutating func start() { mark = MonotonicClock.nanoseconds() }

  /// Books the time since the last call under `stage`.
  mutating func end(_ stage: TimedStage) {
    let now = MonotonicClock.nanoseconds()
    nanoseconds[stage.rawValue] += now - mark
    mark = now
  }

  /// Seconds spent in `stage`.
  public subscript(stage: TimedStage) -> Double { Double(nanoseconds[stage.rawValue]) * 1e-9 }

  /// Seconds by stage name.
  public var seconds: [(stage: String, seconds: Double)] {
    TimedStage.allCases.map { ($0.name, self[$0]) }
  }
}
