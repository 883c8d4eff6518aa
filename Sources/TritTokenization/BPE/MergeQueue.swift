/// A line of symbols that merge pairwise, lowest rank first and leftmost on a tie, in O(n log n).
///
/// A linked list over the symbols and a heap of candidate pairs `(rank, position)`. A candidate is
/// not taken out of the heap when one of its symbols changes; it is checked again when it comes up.
struct MergeQueue {
  /// Token of each symbol (a merged-away symbol is `dead`).
  var tokens: [Int32] = []
  /// First byte of each symbol in the text.
  var starts: [Int32] = []
  /// One past the last byte of each symbol.
  var ends: [Int32] = []
  private var next: [Int32] = []
  private var previous: [Int32] = []
  private var heap: [UInt64] = []

  static let dead = Int32.min

  /// Empties the line, keeping its memory.
  mutating func removeAll() {
    tokens.removeAll(keepingCapacity: true)
    starts.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
  }

  /// Adds a symbol at the end of the line.
  mutating func append(token: Int32, start: Int, end: Int) {
    tokens.append(token)
    starts.append(Int32(truncatingIfNeeded: start))
    ends.append(Int32(truncatingIfNeeded: end))
  }

  /// Merges until no pair is left. `pair(left, right)` looks up two neighbouring symbols, given by
  /// position; nil where they never merge.
  @inline(__always)
  mutating func merge(
    pair: (borrowing MergeQueue, Int, Int) -> (rank: UInt32, merged: Int32)?
  ) {
    let count = tokens.count
    guard count > 1 else { return }
    next.removeAll(keepingCapacity: true)
    previous.removeAll(keepingCapacity: true)
    heap.removeAll(keepingCapacity: true)
    for i in 0..<count {
      next.append(i + 1 < count ? Int32(i + 1) : -1)
      previous.append(Int32(i - 1))
    }
    for i in 0..<(count - 1) {
      if let found = pair(self, i, i + 1) { push(UInt64(found.rank) << 32 | UInt64(i)) }
    }
    while let top = pop() {
      let left = Int(top & 0xFFFF_FFFF)
      guard tokens[left] != Self.dead, next[left] >= 0 else { continue }
      let right = Int(next[left])
      guard let found = pair(self, left, right), UInt64(found.rank) == top >> 32 else { continue }
      tokens[left] = found.merged
      ends[left] = ends[right]
      tokens[right] = Self.dead
      let after = next[right]
      next[left] = after
      if after >= 0 {
        previous[Int(after)] = Int32(left)
        if let found = pair(self, left, Int(after)) {
          push(UInt64(found.rank) << 32 | UInt64(left))
        }
      }
      let before = Int(previous[left])
      if before >= 0, let found = pair(self, before, left) {
        push(UInt64(found.rank) << 32 | UInt64(before))
      }
    }
  }

  private mutating func push(_ key: UInt64) {
    heap.append(key)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[parent] > key else { break }
      heap[child] = heap[parent]
      child = parent
    }
    heap[child] = key
  }

  private mutating func pop() -> UInt64? {
    guard let top = heap.first, let last = heap.popLast() else { return nil }
    let count = heap.count
    guard count > 0 else { return top }
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < count else { break }
      if child + 1 < count, heap[child + 1] < heap[child] { child += 1 }
      guard heap[child] < last else { break }
      heap[parent] = heap[child]
      parent = child
    }
    heap[parent] = last
    return top
  }
}
