import Foundation
import Testing
import TritLab
import _TritTestSupport

/// Commands that write a file and are killed at moments that have nothing to do with it: the file
/// is there whole, or as it was before, or not at all.
@Suite struct WriterKillTests {
  /// What is written, by which words.
  struct Writer: Sendable, CustomTestStringConvertible {
    let name: String
    let words: @Sendable (TemporaryFolder) -> [String]
    var testDescription: String { name }
  }

  static let writers = [
    Writer(name: "export") {
      ["export", "-m", "builtin:tiny", "-o", $0.file("out.gguf")]
    },
    Writer(name: "dummy") {
      ["dummy", "--preset", "large", "--layers", "1", "-o", $0.file("out.gguf")]
    },
  ]

  @Test(arguments: writers) func whatIsThereIsWhole(writer: Writer) throws {
    let folder = try TemporaryFolder("writer")
    let path = folder.file("out.gguf")
    let start = DispatchTime.now().uptimeNanoseconds
    let whole = try CommandRunner.run(writer.words(folder))
    #expect(whole.status == 0, "\(whole)")
    let length = DispatchTime.now().uptimeNanoseconds - start
    let expected = try Data(contentsOf: URL(fileURLWithPath: path))
    var random = SeededRandom(seed: 17)
    for turn in 0..<10 {
      // Over what was there before in one half of the turns, where nothing was in the other.
      let before = turn.isMultiple(of: 2) ? Data("before".utf8) : nil
      try? FileManager.default.removeItem(atPath: path)
      try before?.write(to: URL(fileURLWithPath: path))
      let running = try RunningCommand(writer.words(folder))
      usleep(UInt32(random.uniform() * Double(length) * 1.2 / 1000))
      running.send(SIGKILL)
      let result = running.end()
      #expect(result.status == 128 + SIGKILL || result.status == 0, "\(result)")
      let after = FileManager.default.contents(atPath: path)
      #expect(after == before || after == expected, "turn \(turn): \(after?.count ?? -1) bytes")
    }
    // The next one clears up what the killed ones left.
    #expect(try CommandRunner.run(writer.words(folder)).status == 0)
    #expect(try folder.names() == ["out.gguf"])
    #expect(FileManager.default.contents(atPath: path) == expected)
  }
}
