import Foundation
import TritCore

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What the machine gave this process while something was timed: time on cores, time waited for
/// them, time that a hypervisor took.
///
/// A speed is the program's only where it had its cores. Another program that shares them makes
/// every repetition slow, so that the spread between repetitions can be small and the figure a
/// tenth of the truth.
public struct MachineLoad: Sendable, Hashable {
  /// Seconds by the clock.
  public var wall = 0.0
  /// Seconds on cores, all threads of the process (getrusage).
  public var processor = 0.0
  /// Seconds that the measuring thread was on a core.
  public var thread = 0.0
  /// Seconds that threads of the process were ready to run and waited for a core (schedstat); nil
  /// where the system does not tell.
  public var waited: Double?
  /// Share of the machine's time that its hypervisor gave to others (steal of /proc/stat); nil
  /// where the system does not tell.
  public var stolen: Double?

  /// Nothing was timed.
  public init() {}

  /// Everything given: for tests.
  public init(
    wall: Double, processor: Double, thread: Double, waited: Double? = nil, stolen: Double? = nil
  ) {
    self.wall = wall
    self.processor = processor
    self.thread = thread
    self.waited = waited
    self.stolen = stolen
  }

  /// Share of the time that threads were ready to run in which they waited for a core, 0…1; nil
  /// where the system does not tell.
  public var waitShare: Double? {
    guard let waited, processor + waited > 0 else { return nil }
    return waited / (processor + waited)
  }

  /// Share of the time in which the measuring thread was on a core. It works in every region and
  /// spins while it waits for others, so that this is 1 but for what others took.
  public var threadShare: Double { wall > 0 ? min(1, thread / wall) : 1 }

  /// Both stretches together.
  public static func + (a: MachineLoad, b: MachineLoad) -> MachineLoad {
    var sum = a
    sum.wall += b.wall
    sum.processor += b.processor
    sum.thread += b.thread
    if a.wall == 0 {
      sum.waited = b.waited
      sum.stolen = b.stolen
      return sum
    }
    sum.waited = a.waited.flatMap { x in b.waited.map { x + $0 } }
    sum.stolen = a.stolen.flatMap { x in
      b.stolen.map { (x * a.wall + $0 * b.wall) / (a.wall + b.wall) }
    }
    return sum
  }

  /// Runs `body` and says what the machine gave meanwhile. Reading the counters is outside `body`.
  public static func during<T>(_ body: () throws -> T) rethrows -> (result: T, load: MachineLoad) {
    let before = Counters()
    let result = try body()
    let after = Counters()
    var load = MachineLoad()
    load.wall = after.wall - before.wall
    load.processor = max(0, after.processor - before.processor)
    load.thread = max(0, after.thread - before.thread)
    if let a = before.waited, let b = after.waited { load.waited = max(0, b - a) }
    if let a = before.ticks, let b = after.ticks, b.all > a.all {
      load.stolen = min(1, max(0, (b.stolen - a.stolen) / (b.all - a.all)))
    }
    return (result, load)
  }

  /// Processes that wanted a core over the last minute, on average; nil where the system does not
  /// tell.
  public static var average: Double? {
    var loads = [0.0]
    return getloadavg(&loads, 1) == 1 ? loads[0] : nil
  }

  /// Cores of the machine, which its load average is about: those that this process may use can be
  /// fewer.
  public static var cores: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  /// The counters at one moment.
  private struct Counters {
    let wall: Double
    let processor: Double
    let thread: Double
    let waited: Double?
    let ticks: (stolen: Double, all: Double)?

    init() {
      waited = Self.readWaited()
      ticks = Self.readTicks()
      var usage = rusage()
      #if canImport(Glibc)
        getrusage(RUSAGE_SELF.rawValue, &usage)
      #else
        getrusage(RUSAGE_SELF, &usage)
      #endif
      processor = Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime)
      var time = timespec()
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
      thread = Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
      wall = Double(MonotonicClock.nanoseconds()) * 1e-9
    }

    private static func seconds(_ time: timeval) -> Double {
      Double(time.tv_sec) + Double(time.tv_usec) * 1e-6
    }

    /// Seconds of all threads in the second field of their `schedstat`: ready, but on no core.
    private static func readWaited() -> Double? {
      guard let tasks = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")
      else { return nil }
      var sum: Double?
      for task in tasks {
        // A thread may end in between.
        guard let data = FileManager.default.contents(atPath: "/proc/self/task/\(task)/schedstat")
        else { continue }
        let fields = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard fields.count > 1, let nanoseconds = Double(fields[1]) else { continue }
        sum = (sum ?? 0) + nanoseconds * 1e-9
      }
      return sum
    }

    /// Clock ticks of all cores: the eighth figure of the first line of /proc/stat is steal.
    private static func readTicks() -> (stolen: Double, all: Double)? {
      guard let data = FileManager.default.contents(atPath: "/proc/stat"),
        let line = String(decoding: data, as: UTF8.self).split(separator: "\n").first
      else { return nil }
      let fields = line.split(separator: " ").dropFirst().prefix(8).compactMap { Double($0) }
      return fields.count == 8 ? (fields[7], fields.reduce(0, +)) : nil
    }
  }
}

/// Whether a speed can be trusted, by what the machine gave and by how far repetitions lie apart.
public struct SpeedDisturbance: Sendable, Hashable {
  /// What was wrong, a phrase each; empty where nothing was.
  public let reasons: [String]
  /// The one of them that is about the rates; nil where they lie close together.
  public let spreadReason: String?
  /// `(largest − smallest) / median` of the rates.
  public let spread: Double

  /// Shares above which a speed is called disturbed. A quiet machine shows under 1 % of waiting and
  /// repetitions within some percent of each other; a core shared with one other program shows 50 %
  /// of waiting.
  public enum Limit {
    /// Waiting for a core.
    public static let waiting = 0.05
    /// Taken by the hypervisor.
    public static let stolen = 0.03
    /// The measuring thread off its core, where no waiting is told: a quota of the container, say.
    public static let absent = 0.10
    /// Seconds below which the thread's own clock says too little.
    public static let shortest = 0.005
    /// Spread of three repetitions or more.
    public static let spread = 0.5
    /// Processes that wanted a core, for each core, before the measurement.
    public static let average = 1.5
  }

  /// Judges repetitions of `rates` tokens a second on a machine of `cores` cores. `average` is the
  /// load average before the measurement began, where it says anything.
  public init(
    _ load: MachineLoad, rates: [Double], cores: Int = MachineLoad.cores, average: Double? = nil
  ) {
    var reasons: [String] = []
    func percent(_ share: Double) -> String { Decimals.text(100 * share, 0) + " %" }
    if let share = load.waitShare, share > Limit.waiting {
      reasons.append("its threads waited for a core \(percent(share)) of the time")
    } else if load.threadShare < 1 - Limit.absent, load.wall > Limit.shortest {
      reasons.append("its thread had a core only \(percent(load.threadShare)) of the time")
    }
    if let stolen = load.stolen, stolen > Limit.stolen {
      reasons.append("the hypervisor took \(percent(stolen)) of the machine's time")
    }
    if let average, average > Limit.average * Double(max(cores, 1)) {
      reasons.append(
        "the load average was \(Decimals.text(average, 1)) on \(cores) cores when it began")
    }
    let sorted = rates.sorted()
    let median = OrderStatistics.quantile(0.5, ofSorted: sorted)
    spread =
      sorted.count > 1 && median > 0 ? ((sorted.last ?? 0) - (sorted.first ?? 0)) / median : 0
    spreadReason =
      rates.count > 2 && spread > Limit.spread
      ? "its fastest and slowest rounds are \(percent(spread)) of the median apart" : nil
    if let spreadReason { reasons.append(spreadReason) }
    self.reasons = reasons
  }

  /// The reasons as one sentence part; nil where nothing was wrong.
  public var text: String? { reasons.isEmpty ? nil : reasons.joined(separator: "; ") }
}
