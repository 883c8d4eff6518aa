import Foundation
import Testing
import TritLab
import _TritTestSupport

/// What the command says to wrong words, and that right ones are read in every spelling.
@Suite struct ArgumentTests {
  /// A command line and the first line of the complaint about it.
  struct Mistake: Sendable, CustomTestStringConvertible {
    let words: [String]
    let message: String
    var testDescription: String { words.joined(separator: " ") }

    init(_ words: String..., message: String) {
      self.words = words
      self.message = message
    }
  }

  private static let colorMissing =
    "Missing value for '--color <when>': expected auto, always, never."

  static let mistakes = [
    Mistake("lst", message: "Unknown command 'lst'. Did you mean 'list'?"),
    Mistake("--colour", message: "Unknown option '--colour'. Did you mean '--color'?"),
    Mistake("list", "--jsn", message: "Unknown option '--jsn'. Did you mean '--json'?"),
    Mistake("list", "-json", message: "Unknown option '-json'. Did you mean '--json'?"),
    Mistake("list", "--zzzzzz", message: "Unknown option '--zzzzzz'."),
    Mistake("list", "-z", message: "Unknown option '-z'."),
    Mistake("list", "--color", message: colorMissing),
    Mistake("list", "--color", "--json", message: colorMissing),
    Mistake(
      "list", "--color", "alway",
      message: "The value 'alway' is invalid for '--color <when>': expected auto, always, never. "
        + "Did you mean 'always'?"),
    Mistake("list", "--json=3", message: "The option '--json' takes no value, but got '3'."),
    Mistake("list", "--no-json", message: "Unknown option '--no-json'. Did you mean '--json'?"),
    Mistake("list", "kernel", "b", message: "Unexpected argument 'b'."),
    Mistake("list", "--", "kernel", "--json", message: "Unexpected argument '--json'."),
  ]

  @Test(arguments: mistakes)
  func complaintNamesTheWordAndTheWayOut(mistake: Mistake) throws {
    let result = try CommandRunner.run(mistake.words)
    #expect(result.status == 64, "\(result)")
    #expect(result.out.isEmpty)
    var lines = result.err.split(separator: "\n").map(String.init)
    // Who asked for JSON has a line more.
    if mistake.words.prefix(while: { $0 != "--" }).contains("--json") {
      #expect(lines.removeLast().hasPrefix("{\"error\":{"), "\(result)")
    }
    try #require(lines.count == 3, "\(result)")
    #expect(lines[0] == "trit: error: " + mistake.message)
    #expect(lines[1].hasPrefix("Usage: trit "))
    #expect(lines[2].hasPrefix("  See 'trit"))
    #expect(lines[2].hasSuffix("--help' for more information."))
  }

  @Test func helpWinsOverMistakesBesideIt() throws {
    let plain = try CommandRunner.run(["list", "--help"])
    #expect(plain.status == 0)
    #expect(plain.err.isEmpty)
    for words in [["list", "--nonsense", "-h"], ["help", "list"], ["list", "x", "y", "--help"]] {
      let result = try CommandRunner.run(words)
      #expect(result.status == 0)
      #expect(result.out == plain.out)
    }
  }

  @Test func noWordsAtAllGiveTheOverview() throws {
    let bare = try CommandRunner.run([])
    #expect(bare.status == 0)
    #expect(bare.out.hasPrefix("OVERVIEW: TritLab"))
    #expect(try CommandRunner.run(["--help"]).out == bare.out)
    #expect(try CommandRunner.run(["help"]).out == bare.out)
  }

  @Test func versionSaysWhatASpeedReportNeeds() throws {
    for words in [["--version"], ["list", "--version"]] {
      let result = try CommandRunner.run(words)
      #expect(result.status == 0)
      #expect(result.out.hasPrefix("trit \(BuildInformation.version)\n"))
      for key in ["commit: ", "swift: 6.", "cpu: ", "blas: "] {
        #expect(result.out.contains("\n" + key), "\(key) in \(result.out)")
      }
    }
  }

  @Test func colourFollowsTheFlagThenTheEnvironment() throws {
    let escape = "\u{1B}["
    let cases: [(words: [String], environment: [String: String], isColoured: Bool)] = [
      ([], [:], false),
      ([], ["FORCE_COLOR": "1"], true),
      ([], ["CLICOLOR_FORCE": "1"], true),
      ([], ["FORCE_COLOR": "1", "NO_COLOR": "1"], false),
      ([], ["FORCE_COLOR": "1", "NO_COLOR": ""], true),
      (["--color=always"], ["NO_COLOR": "1"], true),
      (["--color", "never"], ["FORCE_COLOR": "1"], false),
    ]
    for one in cases {
      let result = try CommandRunner.run(
        ["list", "sampler"] + one.words, environment: one.environment)
      #expect(result.out.contains(escape) == one.isColoured, "\(one)")
      let failed = try CommandRunner.run(
        ["list", "nothing"] + one.words, environment: one.environment)
      #expect(failed.err.contains(escape) == one.isColoured, "\(one)")
    }
  }

  @Test func readerThatLeavesEndsTheCommandQuietly() throws {
    // `exec true` closes the pipe's reading end before the command has written anything.
    let result = try CommandRunner.shell(
      "set -o pipefail; (sleep 0.2; trit list --json) | exec true; echo ${PIPESTATUS[0]}")
    #expect(result.out == "141\n", "\(result)")
    #expect(result.err.isEmpty, "\(result)")
  }
}
