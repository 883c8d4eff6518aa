import Foundation
import Testing
import TritLab

/// The error of a parallel region is that of the lowest place, whoever was first.
@Suite struct ThrowingRegionTests {
  private struct Bad: Error, Equatable { let index: Int }

  /// Low parts are slow, so that those that fail behind them fail first in time.
  @Test(arguments: [1, 2, 3, 8], [1, 4, 16])
  func theLowestWrongIndexIsReported(threads: Int, partsPerThread: Int) {
    let pool = WorkerPool(threads: threads)
    for wrong in [[37, 250, 390], [399], [0, 1, 2], [150, 151, 152, 399]] {
      for _ in 0..<5 {
        let error = #expect(throws: Bad.self) {
          try pool.runThrowing(count: 400, partsPerThread: partsPerThread) { range, _ in
            for index in range {
              if index == wrong[0] { usleep(300) }
              if wrong.contains(index) { throw Bad(index: index) }
            }
          }
        }
        #expect(error == Bad(index: wrong[0]), "\(wrong)")
      }
    }
  }

  @Test(arguments: [1, 4])
  func withoutAnErrorEveryIndexIsVisitedOnce(threads: Int) throws {
    let pool = WorkerPool(threads: threads)
    let seen = AlignedBuffer<UInt8>(count: 1000)
    pool.runThrowing(count: 1000, alignment: 7, partsPerThread: 4) { range, _ in
      for index in range { seen.base[index] += 1 }
    }
    #expect(seen.buffer.allSatisfy { $0 == 1 })
    try pool.runThrowing(count: 0) { _, _ in throw Bad(index: 0) }
  }

  /// What lies before the lowest wrong index is done, so that its error is the first of all.
  @Test func nothingBeforeTheErrorIsLeftOut() {
    let pool = WorkerPool(threads: 4)
    let seen = AlignedBuffer<UInt8>(count: 512)
    _ = #expect(throws: Bad.self) {
      try pool.runThrowing(count: 512, partsPerThread: 8) { range, _ in
        for index in range {
          if index >= 300 { throw Bad(index: index) }
          seen.base[index] = 1
        }
      }
    }
    #expect(seen.buffer.prefix(300).allSatisfy { $0 == 1 })
  }

  @Test(arguments: [1, 2, 5], [1, 16])
  func resultsComeInTheirOrder(threads: Int, partsPerThread: Int) throws {
    let pool = WorkerPool(threads: threads)
    let names = pool.map(count: 1000, partsPerThread: partsPerThread) { "index \($0)" }
    #expect(names == (0..<1000).map { "index \($0)" })
    #expect(pool.map(count: 0) { $0 }.isEmpty)
    // An optional result is a result.
    #expect(pool.map(count: 3) { $0 == 1 ? nil : $0 } == [0, nil, 2])
    for _ in 0..<5 {
      let error = #expect(throws: Bad.self) {
        try pool.map(count: 400, partsPerThread: partsPerThread) { index in
          if index == 37 { usleep(300) }
          if [37, 250, 390].contains(index) { throw Bad(index: index) }
          return index
        }
      }
      #expect(error == Bad(index: 37))
    }
  }
}
