import Synchronization
import Testing
import TritCore
import _TritTestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

@Suite struct PrimitivesTests {
  // Digests of FIPS 180-4's own examples, and of a million 'a'.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ]) func sha256MatchesTheStandard(text: String, digest: String) {
    #expect(SHA256.hex(text) == digest)
  }

  @Test func sha256OfAMillionLetters() {
    #expect(
      SHA256.hex(String(repeating: "a", count: 1_000_000))
        == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test func randomNumbersAreThePublishedSequence() {
    var random = SeededRandom(seed: 1_234_567)
    #expect(random.next() == 6_457_827_717_110_365_317)
    #expect(random.next() == 3_203_168_211_198_807_973)
  }

  @Test(arguments: [1, 2, 3, 5], [0, 1, 7, 64, 1000]) func aRegionCoversEveryIndexOnce(
    threads: Int, count: Int
  ) {
    let pool = WorkerPool(threads: threads)
    for turn in 0..<60 {
      // Regions of few and of many parts follow each other.
      let alignment = turn.isMultiple(of: 2) ? 1 : 16
      let hits = AlignedBuffer<Int32>(count: count)
      pool.run(count: count, alignment: alignment, partsPerThread: turn % 6) { range, worker in
        if !(0..<threads).contains(worker) || range.lowerBound % alignment != 0 { return }
        for index in range { hits[index] += 1 }
      }
      #expect(hits.buffer.allSatisfy { $0 == 1 })
    }
  }

  @Test func aSlowThreadGivesItsPartsAway() {
    let pool = WorkerPool(threads: 2, poll: 100)
    let others = Atomic<Int>(0)
    // Whoever takes part 0 waits until the other thread has done all that is left.
    pool.run(count: 8, partsPerThread: 4) { range, _ in
      if range.contains(0) {
        while others.load(ordering: .acquiring) < 7 { sched_yield() }
      } else {
        others.add(1, ordering: .acquiringAndReleasing)
      }
    }
    #expect(others.load(ordering: .relaxed) == 7)
  }

  @Test func aPipeIsRefusedWithoutWaitingForAWriter() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/pipe"
    try #require(mkfifo(path, 0o600) == 0)
    let error = #expect(throws: LabError.self) { try MappedFile(path) }
    #expect(error?.kind == .badData && error?.what == "not a regular file")
  }

  @Test func aParkedPoolWakes() async throws {
    let pool = WorkerPool(threads: 2, poll: 0)
    let total = Atomic<Int>(0)
    for _ in 0..<50 {
      pool.run(count: 10) { range, _ in total.add(range.count, ordering: .relaxed) }
      try await Task.sleep(nanoseconds: 200_000)
    }
    #expect(total.load(ordering: .relaxed) == 500)
  }
}
