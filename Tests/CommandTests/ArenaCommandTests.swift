import Foundation
import Testing
import TritLab
import _TritTestSupport

@Suite struct ArenaCommandTests {
  private static let small = [
    "--shape", "192x768", "--tokens", "1,4", "--runs", "2", "--budget", "0.02", "--warm",
  ]

  private func arena(_ words: [String], environment: [String: String] = [:]) throws
    -> CommandResult
  {
    try CommandRunner.run(["arena"] + words, environment: environment)
  }

  @Test("a contest prints a line a case and a score") func contest() throws {
    let result = try arena(["reference", "--against", "i2_s,reference"] + Self.small)
    #expect(result.status == 0, "\(result)")
    let lines = result.out.split(separator: "\n").map(String.init)
    #expect(lines[0].hasPrefix("reference, 1 thread, from caches, "))
    #expect(lines[1].hasPrefix("shape"))
    for (line, tokens) in zip(lines[2...3], ["1", "4"]) {
      let words = line.split(separator: " ").map(String.init)
      #expect(words[..<4] == ["192", "×", "768", tokens])
      #expect(words.last == "PASS")
      #expect(words.contains("exact"))
    }
    #expect(lines[4] == "11 of 11 checks passed")
    #expect(lines[5].contains(/^score \d+\.\d{3} against i2_s, the geometric mean of 2 cases$/))
    #expect(lines[6].contains(/^median of 2 runs, secret seed 0x[0-9a-f]+$/))
    for line in lines.dropFirst() { #expect(line.count <= 80, "\(line)") }
  }

  @Test("JSON goes into a file, and files into a board") func board() throws {
    let folder = try TemporaryFolder("arena")
    for name in ["i2_s", "reference"] {
      let result = try arena([name, "--json"] + Self.small)
      #expect(result.status == 0, "\(result)")
      let document = try ArenaResult(json: result.out, at: name)
      #expect(document.kernel == name)
      #expect(document.score != nil)
      try folder.write(result.out, to: name + ".json")
    }
    let paths = ["reference", "i2_s"].map { folder.file($0 + ".json") }
    let table = try arena(["board"] + paths)
    #expect(table.status == 0, "\(table)")
    let lines = table.out.split(separator: "\n").map(String.init)
    #expect(lines[0] == "against i2_s: 2 cases, 1 thread, from caches")
    // i2_s is its own baseline, and the reference is dozens of times slower.
    #expect(lines[2].hasPrefix("i2_s "))
    #expect(lines[3].hasPrefix("reference "))
    let json = try arena(["board", "--json"] + paths)
    let kernels = try json.out.split(separator: "\n").map {
      try ArenaResult(json: $0, at: "board").kernel
    }
    #expect(kernels == ["i2_s", "reference"])
  }

  @Test("a given seed gives lines and says why there is no score") func seed() throws {
    let result = try arena(["i2_s", "--seed", "0x10"] + Self.small)
    #expect(result.status == 0, "\(result)")
    #expect(result.out.contains("no score: the seed was given, not secret"))
  }

  @Test("what cannot be raced is told, with the exit code of its kind") func errors() throws {
    let cases: [(words: [String], status: Int32, say: String)] = [
      ([], 64, "Missing expected argument '<kernel>'"),
      (["i2_x"], 64, "unknown kernel 'i2_x'"),
      (["i2_s", "extra"], 64, "Unexpected argument 'extra'"),
      (["i2_s", "--against", "nobody"], 64, "unknown kernel 'nobody'"),
      (["i2_s", "--shape", "12"], 64, "rows x columns"),
      (["i2_s", "--shape", "0x5"], 64, "rows x columns"),
      (["i2_s", "--shape", "1048576x131072"], 64, "a case is larger than the arena takes"),
      (["i2_s", "--seed", "maybe"], 64, "'secret', or a whole number"),
      (["i2_s", "--tokens", "0"], 64, "from 1 to 4096"),
      (["board"], 64, "Missing expected argument '<file>'"),
      (["board", "/nowhere/a.json"], 66, "/nowhere/a.json"),
    ]
    for (words, status, say) in cases {
      let result = try arena(words)
      #expect(result.status == status, "\(words): \(result)")
      #expect(result.err.contains(say), "\(words): \(result)")
      #expect(result.out.isEmpty)
    }
  }

  @Test("foreign and damaged files are refused by name") func damaged() throws {
    let folder = try TemporaryFolder("arena")
    try folder.write("{\"schema\": \"trit/arena/2\"}", to: "later.json")
    try folder.write("hello", to: "text.json")
    let result = try arena(["board", folder.file("later.json"), folder.file("text.json")])
    #expect(result.status == 65, "\(result)")
    #expect(result.err.contains("later.json: no result that this program reads"))
    #expect(result.err.contains("got: trit/arena/2"))
    #expect(result.err.contains("text.json: no result of an arena"))
  }

  #if os(Linux)
    @Test("an interrupted contest ends with its child") func interruption() throws {
      let command = try RunningCommand(["arena", "reference", "--shape", "2560x2560"])
      func children() -> [String] {
        let path = "/proc/\(command.identifier)/task/\(command.identifier)/children"
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return text.split(separator: " ").map(String.init)
      }
      try #require(command.wait { !children().isEmpty })
      let child = try #require(children().first)
      command.send(SIGINT)
      let result = command.end()
      #expect(result.status == 130, "\(result)")
      #expect(!FileManager.default.fileExists(atPath: "/proc/\(child)"))
    }
  #endif

  @Test("a kernel that this CPU cannot run is refused") func absent() throws {
    // A CPU without what a kernel needs cannot race it: that is usage, not a verdict.
    let absent = try arena(
      ["i2_s/avx2"] + Self.small, environment: ["TRITLAB_CPU_WITHOUT": "avx2"])
    #expect(absent.status == 64, "\(absent)")
    #expect(absent.err.contains("cannot run here"))
  }
}
