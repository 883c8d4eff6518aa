import Foundation
import Testing
import TritLab
import _TritTestSupport

/// What is printed fits where it is printed: 80 columns where nobody says, COLUMNS, or the
/// terminal's width.
@Suite struct WidthTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("width") }

  private func expectFits(
    _ lines: [String], _ width: Int, location: SourceLocation = #_sourceLocation
  ) {
    for line in lines { #expect(line.count <= width, "\(line)", sourceLocation: location) }
  }

  @Test(arguments: [[], ["--brief"]] + Lab.stages.kinds.map { [$0.key.rawValue] })
  func listFits(words: [String]) throws {
    for (columns, width) in [("80", 80), ("", 80), ("45", 45), ("132", 132)] {
      let result = try CommandRunner.run(["list"] + words, environment: ["COLUMNS": columns])
      #expect(result.status == 0)
      expectFits(result.out.components(separatedBy: "\n"), width)
    }
  }

  /// Wrapping loses no word.
  @Test func wrappedListSaysAll() throws {
    let words = { (columns: String) in
      try CommandRunner.run(["list", "kernel"], environment: ["COLUMNS": columns]).out
        .split(whereSeparator: \.isWhitespace)
    }
    #expect(try words("80") == words("2000"))
  }

  @Test func aTerminalIsAskedForItsWidth() throws {
    let narrow = try PseudoTerminal.run(["list", "kernel"], columns: 62)
    expectFits(PseudoTerminal.lines(narrow.screen), 62)
    #expect(PseudoTerminal.lines(narrow.screen).contains { $0.count > 50 })
    // COLUMNS wins over the terminal, and prose is no wider than 120 on a wide one.
    let asked = try PseudoTerminal.run(
      ["list", "kernel"], columns: 62, environment: ["COLUMNS": "90"])
    #expect(PseudoTerminal.lines(asked.screen).contains { $0.count > 62 })
    expectFits(PseudoTerminal.lines(try PseudoTerminal.run(["list"], columns: 400).screen), 120)
  }

  @Test(arguments: HelpTests.commands + ["export"])
  func helpFits(command: String) throws {
    let help = try CommandRunner.run([command, "--help"]).out
    expectFits(help.components(separatedBy: "\n"), 80)
  }

  @Test func tablesOfKernelsFit() throws {
    for words in [
      ["kernel", "list"], ["kernel", "check", "i2_s/scalar", "--tokens", "1"],
      ["kernel", "check", "sparse_columns/scalar", "--tokens", "1"],
    ] {
      let result = try CommandRunner.run(words)
      #expect(result.status == 0, "\(result)")
      expectFits(result.out.components(separatedBy: "\n"), 80)
    }
  }

  @Test func questionsFit() throws {
    let result = try CommandRunner.run([
      "perplexity", "-m", "builtin:tiny", "--multiple-choice", "-f", "builtin:storyteller/tasks",
      "--multiple-choice-tasks", "12",
    ])
    #expect(result.status == 0, "\(result)")
    let table = result.out.components(separatedBy: "\n").filter { !$0.hasPrefix("Final") }
    expectFits(table, 80)
  }

  private func experiment() throws -> String {
    try folder.write(
      String(repeating: "once upon a time the end. ", count: 40), to: "text.txt")
    return try folder.write(
      """
      name: small
      variants:
        - {name: plain, kernel: i2_s}
        - {name: "a name that is longer than any column could ever be on a screen", kernel: tl1}
      measure:
        generate: {prompts: [{text: once upon}], tokens: 6}
        perplexity: {data: text.txt, context: 32, chunks: 3}
        divergence: {}
        weights: {}
        speed: {prompt: 8, tokens: 4, repetitions: 2}
      plots: [perplexity-by-variant]
      """, to: "small.yaml")
  }

  /// The table of a run: short, within the window, with the way to everything else.
  @Test func aRunShowsAShortTable() throws {
    let model = try TinyCheckpoint.write(.bitnetOnline, in: folder)
    let words = ["run", try experiment(), "-m", model, "-o", folder.file("out"), "-t", "1"]
    for columns in [80, 56] {
      let (status, screen) = try PseudoTerminal.run(words, columns: columns)
      #expect(status == 0, "\(screen)")
      let lines = PseudoTerminal.lines(screen)
      let start = try #require(lines.firstIndex { $0.hasPrefix("variant ") })
      let end = try #require(lines.firstIndex { $0.hasPrefix("report:  ") })
      expectFits(Array(lines[start..<end]), columns)
      #expect(lines[start].contains("perplexity") && lines[start].contains("KL"))
      #expect(lines[start + 1].hasPrefix("reference "))
      #expect(lines[start + 2].hasPrefix("plain "))
      #expect(lines[start + 3].hasPrefix("a name that") && lines[start + 3].contains("…"))
      #expect(end - start < 30 && lines[end + 1].hasPrefix("results: "), "\(screen)")
      #expect(!screen.contains("![") && !screen.contains("|---"))
      // What had no room is named, not silently left out.
      #expect(lines.contains { $0.hasPrefix("also in the report: ") })
    }
    // The line that changes never wraps, so that it can be overwritten.
    let (_, screen) = try PseudoTerminal.run(words + ["--force"], columns: 44)
    let states = PseudoTerminal.states(screen).filter { $0.hasPrefix("[") || $0.contains(" %") }
    #expect(!states.isEmpty)
    expectFits(states.filter { !$0.hasPrefix("(!)") && !$0.hasPrefix("warning") }, 44)
  }

  /// Not on a terminal: the same table, and a last line for scripts; --quiet has that alone.
  @Test func scriptsGetTheDirectory() throws {
    let model = try TinyCheckpoint.write(.bitnetOnline, in: folder)
    let words = ["run", try experiment(), "-m", model, "-o", folder.file("out"), "-t", "1"]
    let piped = try CommandRunner.run(words)
    #expect(piped.status == 0, "\(piped)")
    expectFits(
      piped.out.components(separatedBy: "\n").filter { !$0.contains(folder.path) }, 80)
    let last = try #require(piped.out.split(separator: "\n").last)
    #expect(last.hasPrefix("results: \(folder.path)/out/small/20"))
    let quiet = try CommandRunner.run(words + ["--quiet"])
    #expect(quiet.status == 0 && quiet.err.isEmpty, "\(quiet)")
    let directory = quiet.out.trimmingCharacters(in: .newlines)
    #expect(quiet.out == directory + "\n")
    #expect(FileManager.default.fileExists(atPath: directory + "/metrics.csv"))
    // Quiet is not deaf: what is wrong is told.
    let wrong = try CommandRunner.run(words + ["-q", "--set", "base.kernel=i2s"])
    #expect(wrong.status != 0 && wrong.out.isEmpty && wrong.err.contains("i2s"), "\(wrong)")
  }

  @Test func benchFitsATerminalAndStaysMarkdownInAPipe() throws {
    let words = [
      "bench", "-m", "builtin:tiny", "-p", "8", "-n", "4", "-r", "2", "-t", "1", "--kernel",
      "i2_s,reference",
    ]
    let (status, screen) = try PseudoTerminal.run(words, columns: 80)
    #expect(status == 0, "\(screen)")
    let lines = PseudoTerminal.lines(screen)
    expectFits(lines, 80)
    #expect(lines.contains { $0.hasPrefix("kernel") && $0.contains("t/s") })
    #expect(lines.filter { $0.hasPrefix("reference") }.count == 2, "\(screen)")
    let piped = try CommandRunner.run(words)
    #expect(piped.out.hasPrefix("| model "))
    let table = try CommandRunner.run(words + ["-o", "table"])
    expectFits(table.out.components(separatedBy: "\n"), 80)
  }
}
