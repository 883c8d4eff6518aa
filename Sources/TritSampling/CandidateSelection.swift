/// Partial selection and sorting of candidates in place: no memory, no dependence on input order.
enum CandidateSelection {
  /// The best candidate. `candidates` is not empty.
  static func best(_ candidates: borrowing [Candidate]) -> Candidate {
    var best = candidates[0]
    for index in 1..<max(candidates.count, 1) where candidates[index].precedes(best) {
      best = candidates[index]
    }
    return best
  }

  /// Moves the best `count` candidates to the front, in no particular order.
  static func selectBest(_ count: Int, of candidates: UnsafeMutableBufferPointer<Candidate>) {
    guard count > 0, count < candidates.count else { return }
    if count <= candidates.count / 16 {
      selectByHeap(count, of: candidates)
    } else {
      selectByPartition(count, of: candidates)
    }
  }

  /// Moves the best `count` candidates to the front, best first.
  static func sortBest(_ count: Int, of candidates: UnsafeMutableBufferPointer<Candidate>) {
    selectBest(count, of: candidates)
    sort(UnsafeMutableBufferPointer(rebasing: candidates[0..<min(count, candidates.count)]))
  }

  /// Sorts all of `candidates`, best first, by heap sort.
  static func sort(_ candidates: UnsafeMutableBufferPointer<Candidate>) {
    guard candidates.count > 1 else { return }
    makeHeap(candidates, candidates.count)
    for last in stride(from: candidates.count - 1, to: 0, by: -1) {
      candidates.swapAt(0, last)
      siftDown(candidates, 0, last)
    }
  }

  /// A heap of the best so far, its worst on top; most candidates lose against that one at once, so
  /// this is one comparison each when few are wanted of many.
  private static func selectByHeap(_ count: Int, of all: UnsafeMutableBufferPointer<Candidate>) {
    makeHeap(all, count)
    var worst = all[0]
    for index in count..<all.count where all[index].precedes(worst) {
      all.swapAt(0, index)
      siftDown(all, 0, count)
      worst = all[0]
    }
  }

  /// Quickselect with the median of three as pivot.
  private static func selectByPartition(_ count: Int, of all: UnsafeMutableBufferPointer<Candidate>)
  {
    var low = 0
    var high = all.count - 1
    while low < high {
      let pivot = medianOfThree(all[low], all[(low + high) / 2], all[high])
      var left = low
      var right = high
      while left <= right {
        while all[left].precedes(pivot) { left += 1 }
        while pivot.precedes(all[right]) { right -= 1 }
        guard left <= right else { break }
        all.swapAt(left, right)
        left += 1
        right -= 1
      }
      // Now low...right are at least as good as the pivot, left...high no better.
      if count - 1 <= right {
        high = right
      } else if count - 1 >= left {
        low = left
      } else {
        return
      }
    }
  }

  private static func medianOfThree(_ a: Candidate, _ b: Candidate, _ c: Candidate) -> Candidate {
    let (first, second) = a.precedes(b) ? (a, b) : (b, a)
    return c.precedes(first) ? first : (c.precedes(second) ? c : second)
  }

  private static func makeHeap(_ all: UnsafeMutableBufferPointer<Candidate>, _ count: Int) {
    for root in stride(from: count / 2 - 1, through: 0, by: -1) { siftDown(all, root, count) }
  }

  /// Restores the heap (parent no better than its children) below `root` in the first `count`.
  private static func siftDown(
    _ all: UnsafeMutableBufferPointer<Candidate>, _ root: Int, _ count: Int
  ) {
    let moved = all[root]
    var hole = root
    while true {
      var child = 2 * hole + 1
      guard child < count else { break }
      if child + 1 < count, all[child].precedes(all[child + 1]) { child += 1 }
      guard moved.precedes(all[child]) else { break }
      all[hole] = all[child]
      hole = child
    }
    all[hole] = moved
  }
}
