import Foundation
import TritLab

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// From the words of a command line to the command that they name.
struct CommandDispatch {
  private let lab: Lab
  private let load: PluginLoading
  private let approved: ApprovedLoading?
  private let watched: WatchedRun?
  /// The subcommands as they are without plug-ins.
  private let commands: [CommandSpec]

  init(
    lab: Lab, plugins: @escaping PluginLoading, approved: ApprovedLoading? = nil,
    watched: WatchedRun? = nil
  ) {
    self.lab = lab
    load = plugins
    self.approved = approved
    self.watched = watched
    commands = TritCommand.commands(
      CommandContext(lab: lab, load: plugins, approved: approved, watched: watched))
  }

  /// Runs one command line and gives the exit code.
  func run(_ words: [String]) -> Int32 {
    do {
      try checkArguments()
      try CPUFlags.check()
      try LeafRunner.check()
      try dispatch(words)
      return 0
    } catch {
      let style = Style(when: colorChoice(words), descriptor: STDERR_FILENO)
      return Complaint(error).report(style: style, json: ArgumentParser.asksForJSON(words))
    }
  }

  /// Throws where a word is not UTF-8: it would be read as another word, and a file of that name
  /// not be found.
  private func checkArguments() throws {
    guard let word = EscapedPath.unreadableArguments().first else { return }
    throw LabError(
      .usage, "a word of the command line is not UTF-8", at: "word \(word.number)",
      expected: "UTF-8", got: "'\(word.text)'",
      advice:
        "for a file, rename it or make a link with a plain name: ln -s $'\(word.text)' FILE; for a text, "
        + "convert it with iconv and give it by -f")
  }

  private func dispatch(_ words: [String]) throws {
    guard let first = words.first, !OptionSpec.help.names.contains(first) else {
      return try overview(json: ArgumentParser.asksForJSON(words))
    }
    if OptionSpec.version.names.contains(first) { return try version(words) }
    if first == "help" { return try help(Array(words.dropFirst())) }
    let command = try command(words)
    let rest = Array(words.dropFirst())
    if ArgumentParser.asks(for: .help, in: rest) {
      guard !ArgumentParser.asksForJSON(rest) else {
        return try Terminal.json(HelpDocument.json(command))
      }
      return try Terminal.out(HelpText(width: Terminal.columns).help(for: command))
    }
    if ArgumentParser.asks(for: .version, in: rest) { return try version(words) }
    do {
      let command = try withPlugins(rest, command)
      let arguments = try ArgumentParser.parse(rest, for: command)
      _ = try arguments.choice(.color)
      try command.run(arguments)
    } catch let error as ParserError {
      throw UsageError(error: error, command: command)
    }
  }

  /// The command that the first word names.
  private func command(_ words: [String]) throws -> CommandSpec {
    guard let command = commands.first(where: { $0.name == words[0] }) else {
      let error: ParserError =
        words[0].hasPrefix("-")
        ? misplaced(words) : .unknownCommand(words[0], known: commands.map(\.name))
      throw UsageError(error: error, command: nil)
    }
    return command
  }

  /// `command` as it is once the plug-ins of the line are loaded.
  private func withPlugins(_ words: [String], _ command: CommandSpec) throws -> CommandSpec {
    guard !ArgumentParser.values(of: .plugin, in: words, for: command).isEmpty else {
      return command
    }
    let all = TritCommand.commands(
      CommandContext(
        lab: try TritCommand.lab(lab, adding: words, for: command, by: load), load: load,
        approved: approved, watched: watched))
    return all.first { $0.name == command.name } ?? command
  }

  // MARK: Help

  private func overview(json: Bool) throws {
    guard !json else { return try Terminal.json(HelpDocument.json(commands)) }
    try Terminal.out(
      HelpText(width: Terminal.columns).overview(commands, examples: TritCommand.examples))
  }

  private func version(_ words: [String]) throws {
    guard ArgumentParser.asksForJSON(words) else { return try Terminal.out(VersionText.text()) }
    try Terminal.json(VersionText.json)
  }

  /// `help`, `help COMMAND`, and each in another form: `--markdown`, `--man`, `--json`;
  /// `--html FOLDER` writes the pages of `make docs`.
  private func help(_ words: [String]) throws {
    if words.first == "--html" { return try site(Array(words.dropFirst())) }
    var words = words
    let index = words.firstIndex { ["--markdown", "--man", "--json"].contains($0) }
    let form = index.map { words.remove(at: $0) }
    guard !words.isEmpty else {
      switch form {
      case "--markdown": return try Terminal.out(HelpText(width: 90).markdown(commands))
      case "--man":
        return try Terminal.out(ManPage.overview(commands, examples: TritCommand.examples))
      default: return try overview(json: form != nil)
      }
    }
    guard let form else { return try dispatch([words[0], "--help"]) }
    let command = try command(words)
    switch form {
    case "--markdown": try Terminal.out(HelpText(width: 90).markdown([command]))
    case "--man": try Terminal.out(ManPage.page(of: command))
    default: try Terminal.json(HelpDocument.json(command))
    }
  }

  /// Writes the pages of lab and commands into a folder.
  private func site(_ words: [String]) throws {
    guard let folder = words.first, words.count == 1, !folder.isEmpty, !folder.hasPrefix("-") else {
      throw LabError(
        .usage, "help --html writes pages into one folder", expected: "trit help --html FOLDER",
        got: words.isEmpty ? "no folder" : words.joined(separator: " "))
    }
    let site = Site(lab: lab, commands: commands, in: folder)
    try site.write(to: folder)
    try Terminal.line("wrote \(site.pages.count) pages: \(folder)/index.html")
  }

  // MARK: Complaints

  /// The error for a line that begins with an option: it belongs behind a command, or is none at
  /// all.
  private func misplaced(_ words: [String]) -> ParserError {
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
  private func colorChoice(_ words: [String]) -> String? {
    if let joined = words.last(where: { $0.hasPrefix("--color=") }) {
      return String(joined.dropFirst("--color=".count))
    }
    guard let index = words.lastIndex(of: "--color"), index + 1 < words.count else { return nil }
    return words[index + 1]
  }
}
