import Foundation
import Testing
import _TritTestSupport

@Suite struct CacheCommandTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("cache-command") }

  private func run(_ arguments: String...) throws -> CommandResult {
    try CommandRunner.run(["cache"] + arguments, environment: ["XDG_CACHE_HOME": folder.path])
  }

  @Test func anEmptyCacheIsSaidToBeEmpty() throws {
    #expect(try run("list").out.hasPrefix("0 images"))
    #expect(try run("list", "--json").out == "[]\n")
    #expect(try run("verify").status == 0)
    #expect(try run("clear").out.hasPrefix("removed 0 images"))
    #expect(try folder.names().isEmpty)
  }

  @Test func whatIsNoImageIsNamedAndCleared() throws {
    let images = folder.file("tritlab/images")
    try FileManager.default.createDirectory(
      atPath: images, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    try folder.write("no image at all", to: "tritlab/images/head-0.image")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o600], ofItemAtPath: images + "/head-0.image")
    try folder.write("something else", to: "tritlab/images/other.txt")
    let list = try run("list")
    #expect(list.status == 0)
    #expect(list.out.contains("not used: it is no image of this version"))
    let verify = try run("verify")
    #expect(verify.status == 2)
    #expect(verify.out.hasPrefix("FAIL"))
    #expect(verify.err.contains("trit cache clear"))
    #expect(try run("clear").out.hasPrefix("removed 1 image,"))
    // What the program did not write stays.
    #expect(
      try Set(FileManager.default.contentsOfDirectory(atPath: images)) == ["lock", "other.txt"])
  }

  @Test func withoutAFolderThereIsAMessage() throws {
    let result = try CommandRunner.run(
      ["cache", "list"], environment: ["XDG_CACHE_HOME": "", "HOME": ""])
    #expect(result.status == 66)
    #expect(result.err.contains("XDG_CACHE_HOME"))
    let unknown = try run("empty")
    #expect(unknown.status == 64)
  }
}
