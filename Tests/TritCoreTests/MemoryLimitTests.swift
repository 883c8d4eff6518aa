import Foundation
import Testing
import TritCore

@Suite struct MemoryLimitTests {
  @Test func whatTheSystemDoesNotGiveIsAnError() throws {
    try MemoryLimit.require(1 << 20, for: "a little")
    try MemoryLimit.require(0, for: "nothing")
    // More than any machine has of address space (47 bits on x86-64, 48 on AArch64).
    let error = #expect(throws: LabError.self) {
      try MemoryLimit.require(1 << 52, for: "a sea", advice: "ask for a lake")
    }
    #expect(error?.kind == .failure)
    #expect(error?.what == "there is no memory for a sea")
    #expect(error?.got == "\(1 << 32) MiB wanted")
    #expect(error?.advice?.hasPrefix("ask for a lake") == true)
    // Sizes that are no Int are refused like any other.
    #expect(throws: LabError.self) { try MemoryLimit.require(Int.max, of: 8, for: "an ocean") }
    #expect(throws: LabError.self) { try MemoryLimit.require(Int.max, for: "an ocean") }
  }

  @Test func aChildTellsWhatWentWrong() throws {
    let here = FileManager.default.temporaryDirectory.path
    #expect(ChildProcess.run("/bin/sh", ["-c", "exit 0"], in: here) == nil)
    #expect(ChildProcess.run("/bin/sh", ["-c", "echo why >&2; exit 3"], in: here) == "why")
    #expect(ChildProcess.run("/bin/sh", ["-c", "exit 3"], in: here) == "exit code 3")
    #expect(ChildProcess.run("/bin/sh", ["-c", "kill -9 $$"], in: here) == "ended by signal 9")
    #expect(ChildProcess.run("/bin/sh", ["-c", "test \"$(pwd -P)\" = / "], in: "/") == nil)
    #expect(ChildProcess.run("/no/such/program", [], in: here)?.contains("no/such") == true)
    #expect(ChildProcess.run("/bin/sh", ["-c", "exit 0"], in: "/no/such/folder") != nil)
    // Signals that this process ignores mean again what they mean.
    #expect(ChildProcess.run("/bin/sh", ["-c", "kill -PIPE $$"], in: here) == "ended by signal 13")
  }
}
