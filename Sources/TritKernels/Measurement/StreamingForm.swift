internal import CTritKernels
import TritCore

/// In which way leaves that read weights once, front to back, ask for lines before they need them.
///
/// No way serves all CPUs, so it is measured: on a Zen 4 lines of eight pages in turn cost 40 % of
/// the reading speed, on an Ice Lake they gain 30 %. Results do not depend on it.
public enum StreamingForm: String, Sendable, CaseIterable {
  /// 256 bytes ahead: the hardware's prefetcher, which is far ahead already, is left alone.
  case near
  /// 4 KiB ahead.
  case far
  /// Lines of eight pages in turn, which keeps eight streams of the hardware's prefetcher busy.
  case inTurn = "in-turn"

  /// What it does, in a few words.
  public var summary: String {
    switch self {
    case .near: "lines 256 bytes ahead"
    case .far: "lines 4 KiB ahead"
    case .inTurn: "eight pages in turn"
    }
  }

  var ahead: Int {
    switch self {
    case .near: TK_STREAM_NEAR
    case .far: TK_STREAM_FAR
    case .inTurn: TK_READ_PAGES
    }
  }

  /// The form that leaves use from now on: until one is set, `near`. Set it while no engine runs.
  public static var current: StreamingForm {
    get { allCases.first { $0.ahead == tk_stream_used() } ?? .near }
    set { tk_stream_use(newValue.ahead) }
  }

  /// What one thread reached in each form.
  public struct Measurement: Sendable, Hashable {
    /// Bytes a second, the best slice, in the order of `allCases`.
    public let bytesPerSecond: [Double]

    /// What was measured elsewhere.
    public init(bytesPerSecond: [Double]) { self.bytesPerSecond = bytesPerSecond }

    /// The fastest form; another than `near` only where it is more than a tenth faster, since
    /// `near` disturbs nothing else.
    public var best: StreamingForm {
      let near = bytesPerSecond.first ?? 0
      let fastest = zip(StreamingForm.allCases, bytesPerSecond).max { $0.1 < $1.1 }
      guard let fastest, fastest.1 > 1.1 * near else { return .near }
      return fastest.0
    }
  }

  /// Slices that each form reads, and their bytes: together more than what is in flight at their
  /// edges, short beside a time slice of the system.
  private static let rounds = 16
  private static let slice = 1 << 20

  /// Times all forms on memory that was thrown out of the caches, slice by slice in turn, some
  /// three milliseconds in all beside the making of the memory. Best is held against best:
  /// neighbours only take away.
  public static func measure() -> Measurement {
    let bytes = rounds * allCases.count * slice
    let memory = AlignedBuffer<UInt8>(count: bytes, isStreamed: true)
    // Pages that were never written are all the system's one page of zeros, which a cache holds.
    memory.base.update(repeating: 1, count: bytes)
    _ = tk_evict(memory.base, bytes)
    var best = [Double](repeating: .infinity, count: allCases.count)
    let features = CPUFeatures.here.rawValue
    var at = UnsafeRawPointer(memory.base)
    for _ in 0..<rounds {
      for (index, form) in allCases.enumerated() {
        let start = MonotonicClock.seconds()
        PeakMeter.use(tk_peak_read(at, slice, form.ahead, features))
        best[index] = min(best[index], max(MonotonicClock.seconds() - start, 1e-9))
        at += slice
      }
    }
    return withExtendedLifetime(memory) {
      Measurement(bytesPerSecond: best.map { Double(slice) / $0 })
    }
  }

  /// Measures once a process, or takes what `memory` remembers of this machine, and uses the best
  /// from then on.
  @discardableResult public static func settle(_ memory: AutoMemory = .shared) -> StreamingForm {
    let form = memory.streamingForm { measure().best }
    if current != form { current = form }
    return form
  }
}
