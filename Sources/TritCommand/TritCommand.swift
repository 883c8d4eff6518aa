import Foundation
import TritLab

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The command: finds the subcommand, reads its options, runs it, and turns what went wrong into a
/// message on standard error and an exit code. A program that is it calls `main` and nothing else.
public enum TritCommand {
  /// Runs the words of the process's command line to the end of the process. The exit code is 0, or that of the
  /// error (`LabError.exitCode`).
  public static func main() -> Never {
    StandardStreams.open()
    // A reader that leaves early must not look like a crash: writes report EPIPE instead.
    signal(SIGPIPE, SIG_IGN)
    MappingFaults.install(prefix: "trit: error: ")
    MemoryLimit.install(prefix: "trit: error: ")
    Interruption.install()
    CacheFolder.rememberDecisions()
    ProcessEnd.exit(run(Array(CommandLine.arguments.dropFirst())))
  }

  /// Runs one command line and gives the exit code.
  private static func run(_ words: [String]) -> Int32 {
    do {
      try checkArguments()
      try CPUFlags.check()
      try LeafRunner.check()
      try dispatch(words)
      return 0
    } catch {
      let style = Style(when: colorChoice(words), descriptor: STDERR_FILENO)
      return Complaint(error).report(style: style)
    }
  }

  /// Throws where a word is not UTF-8: it would be read as another word, and a file of that name not be found.
  private static func checkArguments() throws {
    guard let word = EscapedPath.unreadableArguments().first else { return }
    throw LabError(
      .usage, "a word of the command line is not UTF-8", at: "word \(word.number)",
      expected: "UTF-8", got: "'\(word.text)'",
      advice:
        "for a file, rename it or make a link with a plain name: ln -s $'\(word.text)' FILE; for a text, "
        + "convert it with iconv and give it by -f")
  }

  private static func dispatch(_ words: [String]) throws {
    guard let first = words.first, !OptionSpec.help.names.contains(first) else {
      return try Terminal.out(
        HelpText(width: Terminal.columns).overview(commands, examples: examples))
    }
    if OptionSpec.version.names.contains(first) { return try Terminal.out(VersionText.text()) }
    if words == ["help", "--markdown"] {
      return try Terminal.out(HelpText(width: 90).markdown(commands))
    }
    if first == "help", words.count > 1 { return try dispatch([words[1], "--help"]) }
    if first == "help" { return try dispatch([]) }
    guard let command = commands.first(where: { $0.name == first }) else {
      let error: ParserError =
        first.hasPrefix("-")
        ? misplaced(words) : .unknownCommand(first, known: commands.map(\.name))
      throw UsageError(error: error, command: nil)
    }
    let rest = Array(words.dropFirst())
    if ArgumentParser.asks(for: .help, in: rest) {
      return try Terminal.out(HelpText(width: Terminal.columns).help(for: command))
    }
    if ArgumentParser.asks(for: .version, in: rest) {
      return try Terminal.out(VersionText.text())
    }
    do {
      let arguments = try ArgumentParser.parse(rest, for: command)
      _ = try arguments.choice(.color)
      try command.run(arguments)
    } catch let error as ParserError {
      throw UsageError(error: error, command: command)
    }
  }

  /// The error for a line that begins with an option: it belongs behind a command, or is none at all.
  private static func misplaced(_ words: [String]) -> ParserError {
    let written = words[0]
    let name = String(written.prefix { $0 != "=" })
    let owner = commands.first { $0.options.contains { $0.names.contains(name) } }
    guard let owner, let option = owner.options.first(where: { $0.names.contains(name) }) else {
      return .unknownOption(
        name,
        known: Array(Set(commands.flatMap { $0.options.filter { !$0.isHidden }.flatMap(\.names) }))
          .sorted())
    }
    // The command may stand behind the option: then the line is the same words in another order.
    let command = words.dropFirst().first { word in
      commands.contains { $0.name == word && $0.options.contains { $0.names.contains(name) } }
    }
    let isCommon = OptionGroup.common.options.contains { $0.names.contains(name) }
    let example = command ?? (isCommon ? "list" : owner.name)
    let given = words.dropFirst().first.flatMap { option.choices.contains($0) ? $0 : nil }
    let value = option.value.map { " " + (given ?? option.choices.last ?? "<\($0)>") } ?? ""
    return .misplacedOption(
      name, example: "trit \(example) \(written.contains("=") ? written : name + value)")
  }

  /// The value of `--color` for complaints, which may be about the very words that hold it.
  private static func colorChoice(_ words: [String]) -> String? {
    if let joined = words.last(where: { $0.hasPrefix("--color=") }) {
      return String(joined.dropFirst("--color=".count))
    }
    guard let index = words.lastIndex(of: "--color"), index + 1 < words.count else { return nil }
    return words[index + 1]
  }
}
