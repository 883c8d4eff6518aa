import Synchronization

extension WorkerPool {
  /// Runs `body` as `run` does, for bodies that can fail. Throws what the body threw for the first range that
  /// fails, in the order of the ranges: not the first in time, which changes from run to run.
  ///
  /// Ranges behind one that has failed may be left out; none before it is. So a body that goes through its range
  /// in rising order and throws at the first index that is wrong makes the lowest wrong index of all the one that
  /// is reported, whichever thread found it and when.
  public func runThrowing(
    count: Int, alignment: Int = 1, partsPerThread: Int = 1,
    _ body: (_ range: Range<Int>, _ worker: Int) throws -> Void
  ) throws {
    let failure = FirstFailure()
    run(count: count, alignment: alignment, partsPerThread: partsPerThread) { range, worker in
      guard failure.wants(range.lowerBound) else { return }
      do {
        try body(range, worker)
      } catch {
        failure.note(error, at: range.lowerBound)
      }
    }
    if let error = failure.error { throw error }
  }
}

/// The error of the lowest place among those noted.
private final class FirstFailure: Sendable {
  private let lowest = Atomic<Int>(.max)
  private let noted = Mutex<(place: Int, error: any Error)?>(nil)

  /// The error, if there was one.
  var error: (any Error)? { noted.withLock { $0?.error } }

  /// Whether an error at `place` would be the first.
  func wants(_ place: Int) -> Bool { place < lowest.load(ordering: .relaxed) }

  func note(_ error: any Error, at place: Int) {
    noted.withLock { known in
      if let known, known.place <= place { return }
      known = (place, error)
      lowest.store(place, ordering: .relaxed)
    }
  }
}
