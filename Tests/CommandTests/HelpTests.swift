import Foundation
import Testing
import TritCommand
import TritLab
import _TritTestSupport

/// Help and completion texts, compared with the files in Snapshots. After a wanted change run the
/// tests with `TRITLAB_UPDATE_SNAPSHOTS=1` and look at the difference.
@Suite struct HelpTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Snapshots").path
  static let commands = [
    "arena", "bench", "cache", "chat", "collect", "compare", "completions", "detokenize", "doctor",
    "dummy", "embed", "explain", "export", "generate", "inspect", "kernel", "list", "logits", "new",
    "notebook", "peak", "perplexity", "run", "schema", "tasks", "template", "tokenize", "train",
  ]

  @Test(arguments: commands)
  func helpIsAsReviewed(command: String) throws {
    let result = try CommandRunner.run([command, "--help"])
    #expect(result.status == 0)
    #expect(result.err.isEmpty)
    try compare(result.out, with: "help-\(command).txt")
  }

  @Test func overviewIsAsReviewed() throws {
    let result = try CommandRunner.run(["--help"])
    try compare(result.out, with: "help.txt")
    for command in Self.commands { #expect(result.out.contains("\n  \(command) ")) }
  }

  @Test(arguments: commands)
  func helpFitsTheTerminal(command: String) throws {
    let result = try CommandRunner.run([command, "--help"], environment: ["COLUMNS": "60"])
    let options = result.out.components(separatedBy: "EXAMPLES:")[0]
    for line in options.split(separator: "\n") {
      // A label may be wider than the window; text is wrapped.
      #expect(line.count <= 60 || line.hasPrefix("  -"), "\(line)")
    }
  }

  /// Every example in a help text is read without complaint up to the point where it needs a model.
  @Test(arguments: commands)
  func examplesAreReadByTheParser(command: String) throws {
    let help = try CommandRunner.run([command, "--help"]).out
    // A long example goes on in the next line behind a backslash.
    let examples = (help.components(separatedBy: "EXAMPLES:\n").last ?? "")
      .replacing(/\s\\\n\s+/, with: " ")
    let lines = examples.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { $0.hasPrefix("trit \(command)") }
    #expect(!lines.isEmpty)
    // The examples of 'dummy' write gigabytes.
    for line in lines where !line.contains("|") && !line.contains(">") && command != "dummy" {
      let result = try CommandRunner.shell("cd \"$(mktemp -d)\" && " + Self.small(line))
      #expect(result.status == 0 || result.status == 66, "\(line): \(result)")
    }
  }

  /// The same on the smallest layers: whole minutes of measuring say nothing about parsing.
  private static func small(_ line: String) -> String {
    guard line.contains("kernel bench") else { return line }
    return line.replacing(/\s--models\s\S+/, with: "") + " --models trilm-99M"
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func completionNamesEveryCommandAndOption(shell: String) throws {
    let script = try CommandRunner.run(["completions", shell]).out
    for command in Self.commands { #expect(script.contains(command)) }
    for option in ["quantizer", "kernel", "top-k", "kl-divergence", "ctk"] {
      #expect(script.contains(option), "\(option)")
    }
    #expect(!script.contains("gpu-layers"), "hidden options are not offered")
  }

  @Test func bashCompletesCommandsOptionsAndChoices() throws {
    let complete = { (words: [String]) in
      let list = words.map { "'\($0)'" }.joined(separator: " ")
      return try CommandRunner.shell(
        "source <(trit completions bash); COMP_WORDS=(\(list)); COMP_CWORD=\(words.count - 1); "
          + "_trit; echo ${COMPREPLY[@]}"
      ).out
    }
    #expect(try complete(["trit", "gen"]) == "generate\n")
    #expect(try complete(["trit", "generate", "--top"]) == "--top-k --top-p\n")
    #expect(try complete(["trit", "list", "kern"]) == "kernel\n")
    #expect(try complete(["trit", "bench", "-o", "js"]) == "json jsonl\n")
  }

  private func compare(_ text: String, with name: String) throws {
    let path = Self.folder + "/" + name
    if ProcessInfo.processInfo.environment["TRITLAB_UPDATE_SNAPSHOTS"] != nil {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }
    let expected = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text == expected, "\(name) differs; see CONTRIBUTING, Tests")
  }

  /// `Lab.install` refuses the names of options, which it knows by a list of its own.
  @Test func theLabKnowsTheOptions() {
    let context = CommandContext(lab: .standard)
    let stages = Set(
      Lab.standard.kinds(in: .layer, .model).flatMap { $0.flags + ["--\($0.key.rawValue)"] })
    let names = Set(TritCommand.commands(context).flatMap { $0.options.flatMap(\.names) })
    #expect(names.subtracting(stages) == Lab.optionNames)
  }
}
