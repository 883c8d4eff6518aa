import Testing
import TritLab

/// Every cheat that was seen in arenas elsewhere is caught, is told why, and gets no score.
@Suite("Cheats are caught") struct CheatTests {
  /// A cheat of `Tests/ArenaCheats`, the check that catches it, and what it is told.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let check: ArenaCheck
    let words: String
    var testDescription: String { name }

    init(_ name: String, _ check: ArenaCheck, _ words: String) {
      self.name = name
      self.check = check
      self.words = words
    }
  }

  static let cases: [Case] = [
    Case("replay", .freshness, "replays the outputs of an earlier call"),
    Case("replay-in-race", .outputs, "replays the outputs of an earlier call"),
    Case("pointer", .freshness, "by the address of the activations"),
    Case("shape", .freshness, "replays outputs by shape"),
    Case("pass-through", .freshness, "hands its inputs through"),
    Case("old-weights", .freshness, "the weights of an earlier layer"),
    Case("threads", .threads, "starts threads of its own"),
    Case("kept-thread", .threads, "keeps 1 thread of its own"),
    Case("wrapper", .library, "its layer is one of another kernel, 'reference'"),
    Case("few-shapes", .shapes, "made for a few shapes alone"),
    Case("known-shapes", .shapes, "wrong for a random shape"),
    Case("behind", .bounds, "behind the outputs"),
    Case("in-front", .bounds, "in front of the outputs"),
    Case("other-rows", .bounds, "it wrote row 0"),
    Case("inputs", .bounds, "changed the activations"),
    Case("stale-scratch", .freshness, "reads stale scratch"),
    Case("stale-outputs", .freshness, "reads stale outputs"),
    Case("half", .freshness, "left outputs unwritten"),
    Case("too-few-bytes", .bytes, "random trits need 324601"),
    Case("too-many-bytes", .bytes, "its layer owns"),
    Case("crash", .survival, "crashed with signal"),
    Case("exit", .survival, "ended the process with exit code 0 in bounds"),
  ]

  @Test(arguments: cases) func isCaught(cheat: Case) throws {
    let result = try ArenaTesting.run(ArenaTesting.request(cheat.name))
    let found = result.found(cheat.check)
    #expect(found?.contains(cheat.words) == true, "\(cheat.name): \(result.verdicts)")
    #expect(!result.passed)
    #expect(result.score == nil)
    #expect(result.reason != nil)
    // What is told is written and read like any other result.
    #expect(try ArenaResult(json: result.json(), at: "result") == result)
  }

  #if os(Linux)
    @Test("a clock that a kernel slows down is told from the system's and the CPU's")
    func clock() throws {
      let result = try ArenaTesting.run(ArenaTesting.request("clock"))
      let found = try #require(result.found(.clock))
      #expect(found.contains("the C library's clock"), "\(found)")
      #expect(result.score == nil)
    }

    @Test("a library of products that is loaded behind the lab's back is named")
    func library() throws {
      guard OpenBLASRuntime.core != "none" else { return }
      let result = try ArenaTesting.run(ArenaTesting.request("blas"))
      let found = try #require(result.found(.library))
      #expect(found.contains("loads a library that multiplies matrices"), "\(found)")
      #expect(found.lowercased().contains("blas"))
    }
  #endif

  @Test("a kernel that does not come back is ended, and it is told where")
  func hang() throws {
    var request = ArenaTesting.request("hang")
    request.limit = 3
    let result = try ArenaTesting.run(request)
    let found = try #require(result.found(.survival))
    #expect(found.hasPrefix("did not come back within 3.0 s in bounds"), "\(found)")
    #expect(result.lines.isEmpty)
  }

  @Test("a crash says where in the kernel's source it was, where a backtrace is to be had")
  func place() throws {
    let result = try ArenaTesting.run(ArenaTesting.request("crash"))
    let verdict = try #require(result.verdicts.first { $0.check == .survival })
    #expect(verdict.found.contains("Index out of range") || verdict.found.contains("signal"))
    if let place = verdict.place { #expect(place.contains("/ArenaCheats/Cheats.swift:")) }
  }

  @Test("work in the input layout is timed")
  func layoutIsTimed() throws {
    let result = try ArenaTesting.run(ArenaTesting.request("lazy-layout"))
    #expect(!result.lines.isEmpty, "\(result.verdicts)")
    // It sleeps for 3 ms each time that it builds.
    #expect(result.lines.allSatisfy { $0.seconds >= 0.003 })
  }
}
