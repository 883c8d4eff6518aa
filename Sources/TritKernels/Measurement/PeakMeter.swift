internal import CTritKernels
import TritCore

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Measures what a team of threads can do at most: multiply-adds a second, bytes read a second, and
/// what it costs to start and end a parallel region.
///
/// Every figure is the best of many short runs, unless it says median: a roof is what the machine
/// can do, and whatever else runs on it only takes away. On a machine with neighbours the figures
/// are therefore lower bounds.
public final class PeakMeter {
  /// Threads of the team.
  public let threads: Int
  private let pool: WorkerPool
  private var memory: AlignedBuffer<UInt8>?

  /// Bytes that a reading from memory streams: beyond four times the last cache.
  public static var memoryBytes: Int { min(max(4 * CacheSizes.here.last, 128 << 20), 1 << 30) }

  /// A meter with its own team.
  public init(threads: Int) {
    self.threads = threads
    pool = WorkerPool(threads: threads, poll: 100)
  }

  /// One way to multiply and add, as measured.
  public struct Arithmetic: Sendable, Hashable {
    /// The instruction set: `avx512vnni`.
    public let name: String
    /// What the loop consists of: `vpdpbusd zmm`.
    public let instruction: String
    /// Threads that worked.
    public let threads: Int
    /// Multiplications and additions a second, of all threads together.
    public let operationsPerSecond: Double
  }

  /// A reading of memory, as measured.
  public struct Reading: Sendable, Hashable {
    /// `L1`, `L2`, `L3`, `memory`.
    public let level: String
    /// Bytes that each pass reads, of all threads together.
    public let bytes: Int
    /// Threads that worked.
    public let threads: Int
    /// Bytes a second, of all threads together: the best of many short samples.
    public let bytesPerSecond: Double
    /// The same of the median sample: what neighbours leave as a rule. Times of long runs are held
    /// against this one.
    public let medianBytesPerSecond: Double
  }

  /// The int8 peak of every instruction set that runs here, widest first.
  public func integerPeaks(seconds: Double = 0.04) -> [Arithmetic] {
    var count = 0
    return Self.leaves(tk_peak_int8(&count), count).map { arithmetic($0, seconds: seconds) }
  }

  /// The float32 peak of every instruction set that runs here, widest first.
  public func floatPeaks(seconds: Double = 0.04) -> [Arithmetic] {
    var count = 0
    return Self.leaves(tk_peak_float(&count), count).map { arithmetic($0, seconds: seconds) }
  }

  /// The greatest int8 peak, in operations a second; nil where no leaf runs here.
  public func integerPeak(seconds: Double = 0.04) -> Double? {
    integerPeaks(seconds: seconds).map(\.operationsPerSecond).max()
  }

  /// The greatest float32 peak, in operations a second; nil where no leaf runs here.
  public func floatPeak(seconds: Double = 0.04) -> Double? {
    floatPeaks(seconds: seconds).map(\.operationsPerSecond).max()
  }

  /// How fast `bytes` are read again and again, shared evenly by the threads, each its own piece
  /// front to back; rounded up to 4 KiB a thread, and no more than `memoryBytes`.
  public func read(bytes: Int, level: String = "memory", seconds: Double = 0.06) -> Reading {
    let page = 4096
    let share = max(1, (min(max(bytes, 1), Self.memoryBytes) / threads + page - 1) / page) * page
    let total = share * threads
    let buffer = memory(atLeast: total)
    let features = CPUFeatures.here.rawValue
    // Samples as short as a layer's multiply, so that best is held against best; small pieces
    // several times, so that a barrier does not count.
    let slice = min(share, Self.sliceBytes)
    let passes = max(1, Self.sliceBytes / slice / 2)
    // The hardware's prefetcher alone, and helped in several ways, in turn: which is fastest
    // differs between CPUs.
    let ways = [0] + StreamingForm.allCases.map(\.ahead)
    var times = [[Double]](repeating: [], count: ways.count)
    var (place, way) = (0, 0)
    let begin = MonotonicClock.seconds()
    // One of each does not count.
    while times[ways.count - 1].count < 4 || MonotonicClock.seconds() - begin < seconds {
      let region = ReadRegion(
        shares: MatrixView(base: buffer.base + place, rows: threads, columns: slice, stride: share),
        passes: passes, ahead: ways[way], features: features)
      let start = MonotonicClock.seconds()
      pool.run(region, count: threads)
      times[way].append(max(MonotonicClock.seconds() - start, 1e-9))
      place = place + 2 * slice <= share ? place + slice : 0
      way = (way + 1) % ways.count
    }
    let sorted = times.map { $0.dropFirst().sorted() }
    let best = sorted.min { $0[$0.count / 2] < $1[$1.count / 2] } ?? [1]
    let read = Double(slice * threads * passes)
    return Reading(
      level: level, bytes: total, threads: threads, bytesPerSecond: read / best[0],
      medianBytesPerSecond: read / best[best.count / 2])
  }

  /// Bytes that one sample of a reading takes from each thread's share.
  private static let sliceBytes = 4 << 20

  /// Readings from every cache level and from memory. Caches that cores own are read at half their
  /// size by each thread; a shared one at half its size by all.
  public func readings() -> [Reading] {
    let caches = CacheSizes.here
    var levels = [("L1", caches.l1 / 2 * threads), ("L2", caches.l2 / 2 * threads)]
    // A shared cache that the second level holds already would be measured twice.
    if caches.l3 / 2 > caches.l2 * threads { levels.append(("L3", caches.l3 / 2)) }
    levels.append(("memory", Self.memoryBytes))
    return levels.map { read(bytes: $1, level: $0, seconds: $0 == "memory" ? 0.3 : 0.06) }
  }

  /// Seconds that an empty parallel region takes, from call to return.
  public func regionSeconds() -> Double {
    // Short batches: on a busy machine one of them finds all cores free.
    let regions = 100
    let time = shortest(seconds: 0.1) {
      for _ in 0..<regions { pool.run(EmptyRegion(), count: threads) }
    }
    return time / Double(regions)
  }

  /// Cycles a second of one core under no other load, by a chain of dependent additions.
  public static func clock() -> Double {
    let rounds = 200_000
    var best = Double.infinity
    for _ in 0..<8 {
      let start = MonotonicClock.seconds()
      tk_peak_chain(rounds)
      best = min(best, MonotonicClock.seconds() - start)
    }
    return 16 * Double(rounds) / best
  }

  // MARK: Loops

  private static func leaves(_ base: UnsafePointer<tk_peak_leaf>?, _ count: Int) -> [tk_peak_leaf] {
    UnsafeBufferPointer(start: base, count: base == nil ? 0 : count).filter {
      CPUFeatures.here.contains(CPUFeatures(rawValue: $0.features))
    }
  }

  private func arithmetic(_ leaf: tk_peak_leaf, seconds: Double) -> Arithmetic {
    // A tenth of a millisecond: long beside a barrier, short beside a time slice. A team needs more
    // tries until all its cores are free at once.
    let rounds = 50_000
    let region = ArithmeticRegion(leaf: leaf.run, rounds: rounds)
    let time = shortest(seconds: threads > 1 ? 3 * seconds : seconds) {
      pool.run(region, count: threads)
    }
    return Arithmetic(
      name: String(cString: leaf.name), instruction: String(cString: leaf.instruction),
      threads: threads,
      operationsPerSecond: 2 * Double(leaf.products) * Double(rounds) * Double(threads) / time)
  }

  private func shortest(seconds: Double, _ body: () -> Void) -> Double {
    sorted(seconds: seconds, body)[0]
  }

  /// The times of at least three runs of `body`, for about `seconds`, shortest first; the first run
  /// does not count.
  private func sorted(seconds: Double, _ body: () -> Void) -> [Double] {
    body()
    let begin = MonotonicClock.seconds()
    var times: [Double] = []
    while times.count < 3 || MonotonicClock.seconds() - begin < seconds {
      let start = MonotonicClock.seconds()
      body()
      times.append(max(MonotonicClock.seconds() - start, 1e-9))
    }
    return times.sorted()
  }

  private func memory(atLeast bytes: Int) -> AlignedBuffer<UInt8> {
    if let memory, memory.count >= bytes { return memory }
    let buffer = AlignedBuffer<UInt8>(count: bytes, isStreamed: true)
    // Pages that were never written are all the system's one page of zeros, which a cache holds.
    buffer.base.update(repeating: 1, count: bytes)
    memory = buffer
    return buffer
  }

  /// Reads the beginning of each thread's share `passes` times.
  private struct ReadRegion: PoolRegion {
    let shares: MatrixView<UInt8>
    let passes: Int
    let ahead: Int
    let features: UInt32

    func run(_ range: Range<Int>, worker: Int) {
      for part in range {
        let first = shares.base + part * shares.stride
        for _ in 0..<passes { use(tk_peak_read(first, shares.columns, ahead, features)) }
      }
    }
  }

  /// Runs a leaf that only computes.
  private struct ArithmeticRegion: PoolRegion {
    let leaf: @convention(c) (Int) -> Void
    let rounds: Int

    func run(_ range: Range<Int>, worker: Int) {
      for _ in range { leaf(rounds) }
    }
  }

  private struct EmptyRegion: PoolRegion {
    func run(_ range: Range<Int>, worker: Int) {}
  }

  @inline(never) static func use(_ value: UInt64) {
    withUnsafePointer(to: value) { _ = $0.pointee }
  }
}
