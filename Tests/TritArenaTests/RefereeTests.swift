import Foundation
import Testing
import TritArena
import TritLab

/// What the referee measures with, each against cases that are known.
@Suite("The referee's instruments") struct RefereeTests {
  @Test(
    "guarded memory tells writes on either side by their distance", arguments: [0, 1, 2, 63, 64])
  func canaries(distance: Int) {
    for place in GuardedMemory.Place.allCases {
      let memory = GuardedMemory("the test", count: 100, tail: 64, at: place)
      memory.fill(1)
      #expect(memory.damage() == nil)
      #expect(UInt(bitPattern: memory.base) % 64 == 0)
      // Where the page is on the other side there is room for a stray write.
      switch place {
      case .end:
        guard distance > 0 else { continue }
        let byte = (memory.base - distance).assumingMemoryBound(to: UInt8.self)
        byte.pointee ^= 1
        #expect(memory.damage() == "wrote \(distance) bytes in front of the test")
        byte.pointee ^= 1
      case .start:
        let byte = (memory.base + 100 + distance).assumingMemoryBound(to: UInt8.self)
        byte.pointee ^= 1
        #expect(memory.damage() == "wrote \(distance + 1) bytes behind the test")
        byte.pointee ^= 1
      }
      #expect(memory.damage() == nil)
    }
  }

  @Test("the last byte lies right before the page that must not be touched") func exactEnd() {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    for count in [4, 100, 4096, 5000] {
      let memory = GuardedMemory("the test", count: count, alignment: 4, at: .end)
      #expect((UInt(bitPattern: memory.base) + UInt(count)) % UInt(page) == 0)
      let front = GuardedMemory("the test", count: count, alignment: 4, at: .start)
      #expect(UInt(bitPattern: front.base) % UInt(page) == 0)
    }
  }

  @Test("clocks that agree are no fault; one that goes at another speed is named") func clocks() {
    var honest = ArenaClocks()
    for _ in 0..<10 {
      honest.count(.init(system: 50_000, counter: 50_100, library: 50_900))
    }
    // Once the process lost its core between two readings.
    honest.count(.init(system: 50_000, counter: 50_100, library: 9_000_000))
    #expect(honest.fault() == nil)
    var slow = ArenaClocks()
    for _ in 0..<10 { slow.count(.init(system: 1e6, counter: 1e6, library: 5e5)) }
    #expect(
      slow.fault()
        == "in 10 of 10 timed multiplies the C library's clock went 0.5 times as fast as the "
        + "system's")
    // The core was lost in some spans too, by far more than the clock is wrong.
    for _ in 0..<5 { slow.count(.init(system: 1e5, counter: 9e6, library: 5e4)) }
    #expect(slow.fault()?.contains("the C library's clock went 0.5 times") == true)
    var system = ArenaClocks()
    for _ in 0..<3 { system.count(.init(system: 1e6, counter: 2e6, library: 1e6)) }
    #expect(system.fault()?.contains("the CPU's counter clock went 2.0 times") == true)
  }

  @Test("a child's clock is held against its parent's") func parentClock() throws {
    let second: UInt64 = 1_000_000_000
    #expect(ArenaReferee.clockFault([]) == nil)
    #expect(ArenaReferee.clockFault([(0, 5 * second)]) == nil)
    // A message that lay in a pipe for half a second.
    #expect(ArenaReferee.clockFault([(0, 0), (second, second + second / 2)]) == nil)
    let words = try #require(ArenaReferee.clockFault([(7, 9), (7 + 5 * second, 9 + 10 * second)]))
    #expect(words == "by its own clock the race took 0.5 times as long as by its parent's")
  }

  @Test("nothing is faster than reading log₂ 3 bits a weight, nor than 2.5 times the int8 peak")
  func floor() throws {
    let roofs = ArenaRoofs(threads: 1)
    // 10 GB/s and 1 Top/s.
    roofs.assume(operations: 1e12, memory: 1e10)
    let one = ArenaCase(rows: 1000, columns: 8000, tokens: 1)
    // Entropy of a fair trit, log₂ 3 = 1.58496 bits: 8 million of them have 1,584,963 bytes.
    #expect(abs(one.leastBytes - 1_584_962.5) < 0.1)
    let least = 1_584_962.5 / 1e10
    #expect(abs(roofs.floor(one, fromMemory: true).seconds - least) < 1e-9)
    #expect(roofs.fault(one, seconds: least * 0.9, fromMemory: true) == nil)
    let fault = try #require(roofs.fault(one, seconds: least * 0.8, fromMemory: true))
    #expect(fault.contains("126.8 µs is faster than the machine allows, 158.5 µs"), "\(fault)")
    // From caches only the products count: 16 Mop at 2.5 Top/s.
    #expect(roofs.fault(one, seconds: least * 0.8, fromMemory: false) == nil)
    #expect(abs(roofs.floor(one, fromMemory: false).seconds - 6.4e-6) < 1e-12)
    let many = ArenaCase(rows: 1000, columns: 8000, tokens: 100)
    #expect(roofs.fault(many, seconds: 6.4e-4, fromMemory: true) == nil)
    #expect(roofs.fault(many, seconds: 5e-4, fromMemory: true)?.contains("int8 peak") == true)
  }

  @Test("medians and standard errors by hand") func statistics() {
    #expect(ArenaStatistics.median([3, 1, 2]) == 2)
    #expect(ArenaStatistics.median([4, 1, 2, 3]) == 2.5)
    // Mean 2, variance 1, three values: √(1/3) / 2.
    #expect(abs(ArenaStatistics.relativeError([1, 2, 3]) - 0.288675) < 1e-6)
    #expect(ArenaStatistics.relativeError([1, 1]) == .infinity)
  }

  @Test("a backtrace gives the first place in a source that is not the referee's own")
  func places() {
    let said = """
      program: Fatal error: Index out of range
      Thread 0 crashed:
      0 0x00 _assertionFailure(_:_:) + 1 in program at /toolchain/swift/stdlib/public/Assert.swift:12
      1 [ra] 0x01 multiply(_:) + 12 in program at /home/me/kernel.swift:31:14
      2 [ra] 0x02 run() + 5 in program at /lab/Sources/TritArena/ArenaContest.swift:7:1
      """
    #expect(ArenaCrash.place(said) == "/home/me/kernel.swift:31:14")
    #expect(ArenaCrash.message(said) == "Fatal error: Index out of range")
    #expect(ArenaCrash.place("0 0x00 f at nowhere") == nil)
    #expect(ArenaCrash.place("1 0x1 tk_multiply at /k/my kernel.c:7") == "/k/my kernel.c:7")
    #expect(ArenaCrash.message("all is well") == nil)
  }

  @Test("the layers of BitNet 2B-4T are those of its preset") func suite() throws {
    let preset = try DummyPreset.named("bitnet-b1.58-2B-4T")
    #expect(Set(ArenaSuite.layers) == Set(preset.linearShapes))
    #expect(ArenaSuite.cases().count == ArenaSuite.layers.count * ArenaSuite.tokens.count)
    #expect(ArenaSuite.cases([WeightShape(2, 3), WeightShape(2, 3)], tokens: [1, 1]).count == 1)
  }

  @Test("figures out of range are refused before anything is started")
  func ranges() {
    func refused(_ change: (inout ArenaRequest) -> Void) -> Bool {
      var request = ArenaRequest(contestant: "i2_s")
      change(&request)
      do { try request.validate() } catch { return (error as? LabError)?.kind == .usage }
      return false
    }
    #expect(!refused { _ in })
    #expect(refused { $0.baselines = [] })
    #expect(refused { $0.cases = [] })
    #expect(refused { $0.cases[0].rows = 0 })
    #expect(refused { $0.cases[0].columns = Int.max })
    #expect(refused { $0.cases[0] = ArenaCase(rows: 1 << 20, columns: 1 << 17, tokens: 1) })
    #expect(refused { $0.cases[0].tokens = 100_000 })
    #expect(refused { $0.threads = 0 })
    #expect(refused { $0.runs = 0 })
    #expect(refused { $0.budget = .nan })
    #expect(refused { $0.limit = 0 })
  }

  @Test("a contestant or baseline that is not there is an error, no verdict") func unknown() throws
  {
    #expect(throws: LabError.self) { try ArenaTesting.run(ArenaTesting.request("no such kernel")) }
    var request = ArenaTesting.request("honest")
    request.baselines = ["i2_s", "nobody"]
    let error = #expect(throws: LabError.self) { try ArenaTesting.run(request) }
    #expect(error?.kind == .usage)
    #expect(error?.what.contains("nobody") == true)
    #expect(throws: LabError.self) {
      try Arena.run(ArenaTesting.request("honest"), program: "/nowhere/trit")
    }
  }

  @Test("a baseline that does not take a shape ends the contest with a reason") func baseline()
    throws
  {
    var request = ArenaTesting.request("honest")
    request.baselines = ["few-shapes"]
    request.cases = [ArenaCase(rows: 48, columns: 64, tokens: 1)]
    let error = #expect(throws: LabError.self) { try ArenaTesting.run(request) }
    #expect(error?.what.contains("the baseline 'few-shapes' does not take 48 × 64") == true)
    #expect(error?.advice?.contains("--against") == true)
  }
}
