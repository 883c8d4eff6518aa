internal import CTritKernels
import Synchronization

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What the threads of a pool do in one region: a value with all that the work needs.
///
/// The threads share the caller's value, which they only read; what they write lies in memory that
/// it refers to, each range in places of its own. A region may hold what cannot be copied, an
/// `Atomic` for one.
public protocol PoolRegion: Sendable, ~Copyable {
  /// Does the units in `range`, which no other call of the region is given. `worker` tells the
  /// threads apart (0…`threads - 1`), 0 is the caller; it chooses scratch memory and nothing that
  /// shows in results.
  borrowing func run(_ range: Range<Int>, worker: Int)
}

/// A region that is a closure.
private struct BodyRegion: PoolRegion {
  let body: @Sendable (Range<Int>, Int) -> Void

  func run(_ range: Range<Int>, worker: Int) { body(range, worker) }
}

/// A fixed team of threads that runs one region at a time over disjoint ranges.
///
/// A region is cut into as many parts as there are threads, or a few times as many. Each thread
/// takes its own parts first, so that a core keeps meeting the same memory, and then whatever
/// nobody has taken: a worker that lost its core to another program delays nothing, and one whose
/// core runs at half speed (its other hardware thread is busy) gives half of its parts away.
/// Between regions a worker spins for a while (a barrier then costs a fraction of a microsecond),
/// then parks on a condition variable, so that an idle engine costs nothing. Regions never nest.
///
/// Parts depend on the count, the number of threads and the parts asked for alone, and kernels
/// compute each output within one part, so results depend neither on timing nor on who computes
/// what.
public final class WorkerPool: Sendable {
  /// Threads that work in a region, the caller included.
  public var threads: Int { team.threads }
  /// Most parts that a region may have for each thread.
  public static let mostPartsPerThread = 16
  private let team: WorkerTeam
  private let handles: [pthread_t]

  /// Starts `threads - 1` workers. `poll` (0…100) is how eagerly they spin before they park: 0
  /// parks at once, 50 spins for about 50 µs.
  public init(threads: Int, poll: Int = 50) {
    precondition(threads >= 1, "a pool has at least one thread")
    let team = WorkerTeam(threads: threads, poll: poll)
    self.team = team
    handles = (1..<max(threads, 1)).compactMap { team.start($0) }
  }

  deinit {
    team.stop()
    for handle in handles { pthread_join(handle, nil) }
  }

  /// Runs `region` for ranges that cover `0..<count`, one a part, and waits for all. Allocates
  /// nothing.
  ///
  /// Ranges start at multiples of `alignment`. A region of one range runs on the caller alone.
  /// `partsPerThread` (1…`mostPartsPerThread`) more than 1 evens out threads of different speed,
  /// for bodies that take many microseconds.
  public func run<Region: PoolRegion & ~Copyable>(
    _ region: borrowing Region, count: Int, alignment: Int = 1, partsPerThread: Int = 1
  ) {
    guard count > 0 else { return }
    guard threads > 1, count > alignment else {
      region.run(0..<count, worker: 0)
      return
    }
    withUnsafePointer(to: region) {
      team.run(
        WorkerTeam.Region($0), count: count, alignment: alignment, partsPerThread: partsPerThread)
    }
  }

  /// Runs `body(range, worker)` as a region. Each run on several threads costs a heap allocation;
  /// what runs for every token is a `PoolRegion`.
  public func run(
    count: Int, alignment: Int = 1, partsPerThread: Int = 1,
    _ body: @Sendable (_ range: Range<Int>, _ worker: Int) -> Void
  ) {
    withoutActuallyEscaping(body) {
      run(
        BodyRegion(body: $0), count: count, alignment: alignment, partsPerThread: partsPerThread)
    }
  }

  /// The part of `0..<count` that is number `part` of `parts`: nearly equal whole multiples of
  /// `alignment`.
  public static func range(of part: Int, parts: Int, count: Int, alignment: Int) -> Range<Int> {
    let units = (count + alignment - 1) / alignment
    let first = units * part / parts * alignment
    let last = units * (part + 1) / parts * alignment
    return min(first, count)..<min(last, count)
  }
}

/// What the threads of a pool share. Each worker keeps it alive until it ends; none knows the pool,
/// so that the pool always ends on its owner's thread, which can wait for the workers.
private final class WorkerTeam: @unchecked Sendable {
  let threads: Int
  private let spins: Int
  /// The region that runs, or ran last: its number times 32, plus its parts for each thread;
  /// written by the caller's thread only.
  private let epoch = Atomic<UInt64>(0)
  /// For each part the last region in which somebody took it, a cache line apart.
  private let taken: UnsafeMutablePointer<Atomic<UInt64>>
  private let finished = Atomic<Int>(0)
  private let parked = Atomic<Int>(0)
  private let stopping = Atomic<Bool>(false)
  /// What runs; the caller's thread alone writes it, before the epoch and after the last part.
  private var job: Job?
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private static let line = 64 / MemoryLayout<UInt64>.size

  /// Where the caller's region lies, and what it is: enough to call it without a closure.
  struct Region {
    private let address: UnsafeRawPointer
    private let type: any (PoolRegion & ~Copyable).Type

    init<Value: PoolRegion & ~Copyable>(_ region: UnsafePointer<Value>) {
      address = UnsafeRawPointer(region)
      type = Value.self
    }

    // The compiler opens the type of a member only where `self` is written.
    func run(_ range: Range<Int>, worker: Int) { open(self.type, range, worker) }

    /// Calls the value where it lies: a copy would count references, which several threads do at
    /// the same places.
    private func open<Value: PoolRegion & ~Copyable>(
      _ type: Value.Type, _ range: Range<Int>, _ worker: Int
    ) { address.assumingMemoryBound(to: Value.self).pointee.run(range, worker: worker) }
  }

  /// A region and how it is cut.
  private struct Job {
    let region: Region
    let count: Int
    let alignment: Int
    let parts: Int
  }

  init(threads: Int, poll: Int) {
    self.threads = threads
    spins = max(0, min(poll, 100)) * 40
    let words = threads * WorkerPool.mostPartsPerThread * Self.line
    taken = .allocate(capacity: words)
    for index in 0..<words { (taken + index).initialize(to: Atomic(0)) }
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
    taken.deinitialize(count: threads * WorkerPool.mostPartsPerThread * Self.line)
    taken.deallocate()
  }

  /// Tells the workers to end.
  func stop() {
    stopping.store(true, ordering: .sequentiallyConsistent)
    wakeParked()
  }

  func run(_ region: Region, count: Int, alignment: Int, partsPerThread: Int) {
    // No more parts than there are units to give out.
    let units = (count + alignment - 1) / alignment
    let each = max(1, min(partsPerThread, WorkerPool.mostPartsPerThread, units / threads))
    let parts = threads * each
    job = Job(region: region, count: count, alignment: alignment, parts: parts)
    finished.store(0, ordering: .relaxed)
    let number = (epoch.load(ordering: .relaxed) / 32 + 1) * 32 + UInt64(each)
    epoch.store(number, ordering: .sequentiallyConsistent)
    if parked.load(ordering: .sequentiallyConsistent) > 0 { wakeParked() }
    work(on: number, as: 0)
    var turns = 0
    while finished.load(ordering: .acquiring) < parts {
      tk_pause()
      turns += 1
      // Whoever is this late in the middle of a part has lost its core: give ours to it.
      if turns > 2_000 { sched_yield() }
    }
    job = nil
  }

  /// Does the thread's own parts of `region`, then those that nobody has taken, others' last ones
  /// first.
  ///
  /// Taking a part proves that `region` still runs: it cannot end before this part is finished, so
  /// the job may be read. A thread that comes too late finds all its parts taken, in that region or
  /// a later one.
  private func work(on region: UInt64, as worker: Int) {
    let each = Int(region % 32)
    for place in 0..<each { take(worker * each + place, of: region, as: worker) }
    for step in 1..<threads {
      let other = (worker + step) % threads
      for place in (0..<each).reversed() { take(other * each + place, of: region, as: worker) }
    }
  }

  /// Does part `part` of `region` if nobody has taken it.
  private func take(_ part: Int, of region: UInt64, as worker: Int) {
    let last = taken[part * Self.line].load(ordering: .relaxed)
    guard last < region,
      taken[part * Self.line].compareExchange(
        expected: last, desired: region, ordering: .acquiringAndReleasing
      ).exchanged
    else { return }
    runPart(part, as: worker)
    finished.add(1, ordering: .releasing)
  }

  private func runPart(_ part: Int, as worker: Int) {
    guard let job else { return }
    let range = WorkerPool.range(
      of: part, parts: job.parts, count: job.count, alignment: job.alignment)
    if !range.isEmpty { job.region.run(range, worker: worker) }
  }

  private func wakeParked() {
    pthread_mutex_lock(mutex)
    pthread_cond_broadcast(condition)
    pthread_mutex_unlock(mutex)
  }

  /// Starts the thread of `worker`; nil where the system gives no more threads: the others then do
  /// its part.
  func start(_ worker: Int) -> pthread_t? {
    let context = UnsafeMutablePointer<(WorkerTeam, Int)>.allocate(capacity: 1)
    context.initialize(to: (self, worker))
    #if canImport(Glibc)
      var handle = pthread_t()
    #else
      var handle: pthread_t?
    #endif
    let status = pthread_create(
      &handle, nil,
      { raw -> UnsafeMutableRawPointer? in
        #if canImport(Glibc)
          let context = raw?.assumingMemoryBound(to: (WorkerTeam, Int).self)
        #else
          let context: UnsafeMutablePointer<(WorkerTeam, Int)>? =
            raw.assumingMemoryBound(to: (WorkerTeam, Int).self)
        #endif
        guard let context else { return nil }
        let (team, worker) = context.move()
        context.deallocate()
        team.serve(as: worker)
        return nil
      }, context)
    guard status == 0 else {
      context.deinitialize(count: 1)
      context.deallocate()
      return nil
    }
    return handle
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
