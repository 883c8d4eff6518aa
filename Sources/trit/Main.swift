import Foundation
import TritLab

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The command: finds the subcommand, reads its options, runs it, and turns what went wrong into a
/// message on standard error and an exit code.
@main struct Trit {
  static func main() {
    StandardStreams.open()
    // A reader that leaves early must not look like a crash: writes report EPIPE instead.
    signal(SIGPIPE, SIG_IGN)
    MappingFaults.install(prefix: "trit: error: ")
    Interruption.install()
    EngineLoader.rememberDecisions()
    Restart.forOpenBLASIfNeeded()
    exit(run(Array(CommandLine.arguments.dropFirst())))
  }

  /// Runs one command line and gives the exit code.
  private static func run(_ words: [String]) -> Int32 {
    do {
      try LeafRunner.check()
      try dispatch(words)
      return 0
    } catch {
      let style = Style(when: colorChoice(words), descriptor: STDERR_FILENO)
      return Complaint(error).report(style: style)
    }
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
      let known = commands.map(\.name)
      let error: ParserError =
        first.hasPrefix("-")
        ? .unknownOption(first, known: OptionGroup.common.options.flatMap(\.names))
        : .unknownCommand(first, known: known)
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

  /// The value of `--color` for complaints, which may be about the very words that hold it.
  private static func colorChoice(_ words: [String]) -> String? {
    if let joined = words.last(where: { $0.hasPrefix("--color=") }) {
      return String(joined.dropFirst("--color=".count))
    }
    guard let index = words.lastIndex(of: "--color"), index + 1 < words.count else { return nil }
    return words[index + 1]
  }
}
