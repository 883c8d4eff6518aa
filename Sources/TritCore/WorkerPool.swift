internal import CTritKernels
import Synchronization

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A fixed team of threads that runs one body at a time over disjoint ranges.
///
/// A region is cut into as many parts as there are threads. Each thread takes its own part first, so that
/// a core keeps meeting the same memory, and then whatever nobody has taken: a worker that lost its
/// core to another program delays nothing, the others do its part. Between regions a worker spins for a
/// while (a barrier then costs a fraction of a microsecond), then parks on a condition variable, so that
/// an idle engine costs nothing. Regions never nest.
///
/// Parts depend on the count and the number of threads alone, and kernels compute each output within one
/// part, so results depend neither on timing nor on who computes what.
public final class WorkerPool: @unchecked Sendable {
  /// Threads that work in a region, the caller included.
  public let threads: Int
  private let spins: Int
  /// Number of the region that runs, or ran last; written by the caller's thread only.
  private let epoch = Atomic<UInt64>(0)
  /// For each part the last region in which somebody took it, a cache line apart.
  private let taken: UnsafeMutablePointer<Atomic<UInt64>>
  private let finished = Atomic<Int>(0)
  private let parked = Atomic<Int>(0)
  private let stopping = Atomic<Bool>(false)
  private var job = Job.none
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var handles: [pthread_t] = []
  private static let line = 64 / MemoryLayout<UInt64>.size

  /// A region. A struct, not a tuple or an optional: those would store the closure in a thunk of its own,
  /// one heap allocation a region.
  private struct Job {
    let count: Int
    let alignment: Int
    let body: (Range<Int>, Int) -> Void

    static var none: Job { Job(count: 0, alignment: 1) { _, _ in } }
  }

  /// Starts `threads - 1` workers. `poll` (0…100) is how eagerly they spin before they park: 0 parks at
  /// once, 50 spins for about 50 µs.
  public init(threads: Int, poll: Int = 50) {
    precondition(threads >= 1, "a pool has at least one thread")
    self.threads = threads
    spins = max(0, min(poll, 100)) * 40
    taken = .allocate(capacity: threads * Self.line)
    for index in 0..<threads * Self.line { (taken + index).initialize(to: Atomic(0)) }
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
    for worker in 1..<max(threads, 1) where worker < threads { start(worker) }
  }

  deinit {
    stopping.store(true, ordering: .sequentiallyConsistent)
    wakeParked()
    for handle in handles { pthread_join(handle, nil) }
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
    taken.deinitialize(count: threads * Self.line)
    taken.deallocate()
  }

  /// Runs `body(range, worker)` for ranges that cover `0..<count`, one a part, and waits for all.
  /// Ranges start at multiples of `alignment`; `worker` tells the threads apart, 0 is the caller. A
  /// region of one range runs on the caller alone.
  public func run(
    count: Int, alignment: Int = 1, _ body: (_ range: Range<Int>, _ worker: Int) -> Void
  ) {
    guard count > 0 else { return }
    guard threads > 1, count > alignment else {
      body(0..<count, 0)
      return
    }
    withoutActuallyEscaping(body) { runStored(count: count, alignment: alignment, body: $0) }
  }

  /// The same for a body that the caller has stored: no heap allocation, where a closure made for the
  /// call costs one.
  public func runStored(
    count: Int, alignment: Int = 1, body: @escaping (_ range: Range<Int>, _ worker: Int) -> Void
  ) {
    guard count > 0 else { return }
    guard threads > 1, count > alignment else {
      body(0..<count, 0)
      return
    }
    job = Job(count: count, alignment: alignment, body: body)
    finished.store(0, ordering: .relaxed)
    let region = epoch.load(ordering: .relaxed) + 1
    epoch.store(region, ordering: .sequentiallyConsistent)
    if parked.load(ordering: .sequentiallyConsistent) > 0 { wakeParked() }
    work(on: region, as: 0)
    var turns = 0
    while finished.load(ordering: .acquiring) < threads {
      tk_pause()
      turns += 1
      // Whoever is this late in the middle of a part has lost its core: give ours to it.
      if turns > 2_000 { sched_yield() }
    }
    job = Job.none
  }

  /// The part of `0..<count` that is number `part` of `threads`: nearly equal whole multiples of
  /// `alignment`.
  public static func range(of part: Int, threads: Int, count: Int, alignment: Int) -> Range<Int> {
    let units = (count + alignment - 1) / alignment
    let first = units * part / threads * alignment
    let last = units * (part + 1) / threads * alignment
    return min(first, count)..<min(last, count)
  }

  /// Does the thread's own part of `region`, then those that nobody has taken.
  ///
  /// Taking a part that was last taken in the region before proves that `region` still runs: it cannot
  /// end before this part is finished, so the job may be read. A thread that comes too late finds all
  /// parts taken.
  private func work(on region: UInt64, as worker: Int) {
    for step in 0..<threads {
      let part = (worker + step) % threads
      let isMine = taken[part * Self.line].compareExchange(
        expected: region - 1, desired: region, ordering: .acquiringAndReleasing
      ).exchanged
      if isMine {
        runPart(part, as: worker)
        finished.add(1, ordering: .releasing)
      }
    }
  }

  /// Not inlined: every reference to the body is dropped before the part counts as finished, since the
  /// body may be gone a moment later.
  @inline(never) private func runPart(_ part: Int, as worker: Int) {
    let range = Self.range(
      of: part, threads: threads, count: job.count, alignment: job.alignment)
    if !range.isEmpty { job.body(range, worker) }
  }

  private func wakeParked() {
    pthread_mutex_lock(mutex)
    pthread_cond_broadcast(condition)
    pthread_mutex_unlock(mutex)
  }

  private func start(_ worker: Int) {
    // A worker must not keep its pool alive, or the pool would never end: it holds the bare pointer,
    // and `deinit` joins every worker before the memory goes.
    let context = UnsafeMutablePointer<(Unmanaged<WorkerPool>, Int)>.allocate(capacity: 1)
    context.initialize(to: (Unmanaged.passUnretained(self), worker))
    #if canImport(Glibc)
      var handle = pthread_t()
    #else
      var handle: pthread_t?
    #endif
    let status = pthread_create(
      &handle, nil,
      { raw -> UnsafeMutableRawPointer? in
        #if canImport(Glibc)
          let context = raw?.assumingMemoryBound(to: (Unmanaged<WorkerPool>, Int).self)
        #else
          let context: UnsafeMutablePointer<(Unmanaged<WorkerPool>, Int)>? =
            raw.assumingMemoryBound(to: (Unmanaged<WorkerPool>, Int).self)
        #endif
        guard let context else { return nil }
        let (pool, worker) = context.move()
        context.deallocate()
        pool._withUnsafeGuaranteedRef { $0.serve(as: worker) }
        return nil
      }, context)
    precondition(status == 0, "cannot start a thread")
    #if canImport(Glibc)
      handles.append(handle)
    #else
      if let handle { handles.append(handle) }
    #endif
  }

  private func serve(as worker: Int) {
    var seen: UInt64 = 0
    while true {
      var turns = 0
      while epoch.load(ordering: .acquiring) == seen {
        if stopping.load(ordering: .acquiring) { return }
        if turns < spins {
          turns += 1
          tk_pause()
        } else {
          park(seen)
        }
      }
      seen = epoch.load(ordering: .acquiring)
      work(on: seen, as: worker)
    }
  }

  private func park(_ seen: UInt64) {
    pthread_mutex_lock(mutex)
    parked.add(1, ordering: .sequentiallyConsistent)
    while epoch.load(ordering: .sequentiallyConsistent) == seen,
      !stopping.load(ordering: .acquiring)
    {
      pthread_cond_wait(condition, mutex)
    }
    parked.subtract(1, ordering: .sequentiallyConsistent)
    pthread_mutex_unlock(mutex)
  }
}
