import Foundation
import Testing
import _TritTestSupport

/// The command as a library: `trit-guest` is a program of somebody else's, with a quantizer more
/// and plug-ins of its own (Tests/TritGuest). Everything that the command says of stages comes from
/// the lab it was given.
@Suite struct GuestTests {
  let folder: TemporaryFolder
  private static let guest =
    (CommandRunner.path as NSString).deletingLastPathComponent + "/trit-guest"

  init() throws { folder = try TemporaryFolder("guest") }

  /// Runs a line of shell in which `guest` is the program of somebody else's.
  private func run(_ line: String) throws -> CommandResult {
    try CommandRunner.shell("cd '\(folder.path)'; guest() { '\(Self.guest)' \"$@\"; }; \(line)")
  }

  @Test func aStageFromOutsideIsEverywhere() throws {
    #expect(try run("guest list quantizer --brief").out.contains("  guest "))
    #expect(try run("guest list quantizer").out.contains("package TritGuest"))
    #expect(try run("guest schema").out.contains("\"guest\""))
    for shell in ["bash", "zsh", "fish"] {
      let script = try run("guest completions \(shell)").out
      #expect(script.contains(" guest"), "\(shell)")
      #expect(script.contains("strength="), "\(shell)")
    }
    let own = try CommandRunner.run(["completions", "bash"]).out
    #expect(!own.contains("guest"))
    let story = "generate -m builtin:tiny-fp -p Once -n 8 --temp 0 --no-display-prompt -t 1"
    let guest = try run("guest \(story) --quantizer guest:strength=4")
    #expect(guest.status == 0, "\(guest)")
    #expect(try guest.out == run("guest \(story) --quantizer absmean").out)
    let wrong = try run("guest \(story) --quantizer guest:strength=40")
    #expect(wrong.status == 64 && wrong.err.contains("integer 1…9"), "\(wrong)")
    // The program of the lab itself does not have it.
    let unknown = try run("trit \(story) --quantizer guest")
    #expect(unknown.status == 64 && unknown.err.contains("unknown weight quantizer 'guest'"))
  }

  @Test func plugInsAreLoadedBeforeOptionsAreRead() throws {
    try folder.write("quantizer one\nquantizer two\n", to: "mine.stages")
    try folder.write("quantizer three\n", to: "other.stages")
    let story = "generate -m builtin:tiny-fp -p Once -n 8 --temp 0 --no-display-prompt -t 1"
    let reference = try run("guest \(story) --quantizer absmean")
    #expect(reference.status == 0 && !reference.out.isEmpty, "\(reference)")
    // Before the options that name it and behind them, joined or not, several, one of them twice.
    for line in [
      "\(story) --plugin mine.stages --quantizer two",
      "\(story) --quantizer one --plugin=mine.stages",
      "\(story) --plugin mine.stages --quantizer three --plugin other.stages --plugin mine.stages",
      "\(story) --plugin mine.stages --layers 'blk.*:quantizer=two' --quantizer one",
    ] {
      let result = try run("guest " + line)
      #expect(result.status == 0 && result.out == reference.out, "\(line): \(result)")
    }
    let without = try run("guest \(story) --quantizer two")
    #expect(without.status == 64, "\(without)")
    for line in [
      "list quantizer --json", "schema", "completions fish", "list",
      "run study.yaml --list", "kernel list; guest list --brief",
    ] {
      try folder.write(
        "name: study\nmodel: builtin:tiny-fp\nbase: {quantizer: two}\nmeasure: {generate: {prompts: [Once], tokens: 2}}\n",
        to: "study.yaml")
      let words = line.split(separator: ";")[0]
      let result = try run("guest \(words) --plugin mine.stages")
      #expect(result.status == 0, "\(words): \(result)")
      if words.hasPrefix("kernel") || words.hasPrefix("run") { continue }
      #expect(result.out.contains("two"), "\(words)")
    }
    #expect(
      try run("guest list quantizer --plugin mine.stages").out.contains("mine.stages (digest"))
  }

  @Test func whatCannotBeLoadedIsToldAndNothingRuns() throws {
    let missing = try run("guest list --plugin nowhere.c")
    #expect(missing.status == 66 && missing.out.isEmpty, "\(missing)")
    #expect(missing.err.contains("nowhere.c: there is no such plug-in"), "\(missing)")
    try folder.write("quantizer absmean\n", to: "taken.stages")
    let taken = try run("guest list --plugin taken.stages")
    #expect(taken.status == 64 && taken.err.contains("'absmean' from built in"), "\(taken)")
    #expect(taken.err.contains("taken.stages"), "\(taken)")
    // Words behind -- are arguments, help needs no plug-in, and a name without a file is told as
    // for any option.
    #expect(try run("guest list --help --plugin nowhere.c").status == 0)
    let bare = try run("guest list --plugin")
    #expect(
      bare.status == 64 && bare.err.contains("Missing value for '--plugin <file>'"), "\(bare)")
    let argument = try run("guest list -- --plugin")
    #expect(argument.status == 64 && argument.err.contains("'--plugin'"), "\(argument)")
  }

  @Test func aBuildWithoutPlugInsSaysSo() throws {
    let result = try run("'\(Self.guest)' --version > /dev/null && guest list --plugin '' ")
    #expect(result.status == 66, "\(result)")
    for command in [
      "bench", "completions", "explain", "export", "generate", "inspect", "kernel", "list",
      "logits",
      "perplexity", "run", "schema", "train",
    ] {
      let help = try CommandRunner.run([command, "--help"])
      #expect(help.out.contains("--plugin <file>"), "\(command)")
    }
  }
}
