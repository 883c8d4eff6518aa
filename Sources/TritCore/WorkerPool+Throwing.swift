import Synchronization

extension WorkerPool {
  /// Runs `body` as `run` does, for bodies that can fail. Throws what the body threw for the first
  /// range that fails, in the order of the ranges: not the first in time, which changes from run to
  /// run.
  ///
  /// Ranges behind one that has failed may be left out; none before it is. So a body that goes
  /// through its range in rising order and throws at the first index that is wrong makes the lowest
  /// wrong index of all the one that is reported, whichever thread found it and when.
  public func runThrowing<Failure: Error>(
    count: Int, alignment: Int = 1, partsPerThread: Int = 1,
    _ body: @Sendable (_ range: Range<Int>, _ worker: Int) throws(Failure) -> Void
  ) throws(Failure) {
    let failure = FirstFailure<Failure>()
    run(count: count, alignment: alignment, partsPerThread: partsPerThread) { range, worker in
      guard failure.wants(range.lowerBound) else { return }
      do throws(Failure) {
        try body(range, worker)
      } catch {
        failure.note(error, at: range.lowerBound)
      }
    }
    if let error = failure.error { throw error }
  }

  /// `body(index)` for every index in `0..<count`, in their order. Throws what it threw for the
  /// lowest index that fails.
  public func map<Value: Sendable, Failure: Error>(
    count: Int, partsPerThread: Int = 1, _ body: @Sendable (_ index: Int) throws(Failure) -> Value
  ) throws(Failure) -> [Value] {
    guard count > 0 else { return [] }
    let slots = Slots<Value>(count: count)
    try runThrowing(count: count, partsPerThread: partsPerThread) {
      (range, _) throws(Failure) in
      for index in range { slots.base[index] = try body(index) }
    }
    return slots.values
  }
}

/// The error of the lowest place among those noted.
private final class FirstFailure<Failure: Error>: Sendable {
  private let lowest = Atomic<Int>(.max)
  private let noted = Mutex<(place: Int, error: Failure)?>(nil)

  /// The error, if there was one.
  var error: Failure? { noted.withLock { $0?.error } }

  /// Whether an error at `place` would be the first.
  func wants(_ place: Int) -> Bool { place < lowest.load(ordering: .relaxed) }

  func note(_ error: Failure, at place: Int) {
    noted.withLock { known in
      if let known, known.place <= place { return }
      known = (place, error)
      lowest.store(place, ordering: .relaxed)
    }
  }
}

/// Places for the results of a region, which its threads fill at disjoint indices.
private final class Slots<Value: Sendable>: @unchecked Sendable {
  let base: UnsafeMutablePointer<Value?>
  private let count: Int

  init(count: Int) {
    self.count = count
    base = .allocate(capacity: count)
    base.initialize(repeating: nil, count: count)
  }

  deinit {
    base.deinitialize(count: count)
    base.deallocate()
  }

  /// What has been filled.
  var values: [Value] { UnsafeBufferPointer(start: base, count: count).compactMap(\.self) }
}
