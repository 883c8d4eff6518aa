import Foundation
import Synchronization
import Testing
import TritLab
import _CAllocationCounter

/// Regions are values that the threads of a pool read where the caller has them.
@Suite struct PoolRegionTests {
  /// Counts how often each index was met.
  private struct Hits: PoolRegion {
    let hits: AlignedBuffer<Int32>
    let step: Int32

    func run(_ range: Range<Int>, worker: Int) {
      for index in range { hits[index] += step }
    }
  }

  /// A region that nobody can copy, with a state of its own.
  private struct Sum: PoolRegion, ~Copyable {
    let total = Atomic<Int>(0)
    let values: [Int]

    borrowing func run(_ range: Range<Int>, worker: Int) {
      total.add(values[range].reduce(0, +), ordering: .relaxed)
    }
  }

  @Test(arguments: [1, 2, 3, 5], [1, 7, 1000])
  func aRegionCoversEveryIndexOnce(threads: Int, count: Int) {
    let pool = WorkerPool(threads: threads)
    let hits = AlignedBuffer<Int32>(count: count)
    for turn in 0..<50 {
      let region = Hits(hits: hits, step: Int32(turn))
      pool.run(region, count: count, alignment: 1 + turn % 3, partsPerThread: turn % 6)
    }
    #expect(hits.buffer.allSatisfy { $0 == 50 * 49 / 2 })
  }

  @Test func aRegionNeedNotBeCopied() {
    let pool = WorkerPool(threads: 3)
    for _ in 0..<20 {
      let sum = Sum(values: Array(0..<1000))
      pool.run(sum, count: 1000, partsPerThread: 4)
      #expect(sum.total.load(ordering: .relaxed) == 499_500)
    }
  }

  /// Nothing of a region outlives it: its owner may free what it refers to at once.
  @Test func aRegionIsGoneWhenItHasRun() {
    final class Token: Sendable {}
    struct Holder: PoolRegion {
      let token: Token
      func run(_ range: Range<Int>, worker: Int) { _ = token }
    }
    let pool = WorkerPool(threads: 4, poll: 100)
    for _ in 0..<200 {
      weak var left: Token?
      do {
        let token = Token()
        left = token
        pool.run(Holder(token: token), count: 64, partsPerThread: 4)
      }
      #expect(left == nil)
    }
  }

  @Test(.enabled(if: allocation_counter_works())) func aRegionAllocatesNothing() {
    let pool = WorkerPool(threads: 2)
    let hits = AlignedBuffer<Int32>(count: 64)
    pool.run(Hits(hits: hits, step: 1), count: 64)
    let before = allocation_count()
    for _ in 0..<128 { pool.run(Hits(hits: hits, step: 1), count: 64, partsPerThread: 4) }
    #expect(allocation_count() - before == 0)
    #expect(hits.buffer.allSatisfy { $0 == 129 })
  }
}
