/// Lays out help from the tables of the subcommands.
package struct HelpText {
  /// Columns to wrap at.
  let width: Int

  private let labelWidth = 26

  /// Help that is wrapped at `width` columns.
  package init(width: Int) { self.width = width }

  /// The help of one subcommand.
  package func help(for command: CommandSpec) -> String {
    var blocks = [wrapped("OVERVIEW: " + command.overview, indent: 0)]
    if !command.discussion.isEmpty { blocks.append(wrapped(command.discussion, indent: 0)) }
    blocks.append(wrapped("USAGE: " + command.usage, indent: 0))
    if !command.arguments.isEmpty {
      blocks.append(
        section("ARGUMENTS:", command.arguments.map { ("<\($0.name)>", argumentHelp($0)) }))
    }
    for group in command.groups {
      let visible = group.options.filter { !$0.isHidden }
      blocks.append(section(group.title + ":", visible.map { (label($0), optionHelp($0)) }))
    }
    if !command.examples.isEmpty {
      blocks.append(["EXAMPLES:"] + lines(of: command.examples))
    }
    return blocks.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
  }

  /// The help of the whole command.
  func overview(_ commands: [CommandSpec], examples: [(line: String, does: String)]) -> String {
    let blocks = [
      wrapped(
        "OVERVIEW: TritLab, a research and teaching lab for ternary language models.", indent: 0),
      ["USAGE: trit <command> [<options>]"],
      section("COMMANDS:", commands.map { ($0.name, $0.overview) }),
      section("OPTIONS:", OptionGroup.common.options.map { (label($0), optionHelp($0)) }),
      ["EXAMPLES:"] + lines(of: examples),
      ["  See 'trit <command> --help' for the options of a command."],
    ]
    return blocks.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
  }

  /// The help of every subcommand as one Markdown document.
  func markdown(_ commands: [CommandSpec]) -> String {
    let sections = commands.map { "## trit \($0.name)\n\n```\n\(help(for: $0))```\n" }
    return (["# Commands\n"] + sections).joined(separator: "\n")
  }

  private func label(_ option: OptionSpec) -> String {
    var names = option.names
    if option.isNegatable, names.last == option.mainName {
      names[names.count - 1] = "--[no-]" + option.mainName.dropFirst(2)
    }
    return names.joined(separator: ", ") + (option.value.map { " <\($0)>" } ?? "")
  }

  private func optionHelp(_ option: OptionSpec) -> String {
    var notes: [String] = []
    if let standard = option.defaultText { notes.append("default: \(standard)") }
    if let variable = option.environment { notes.append("or \(variable)") }
    return option.help + (notes.isEmpty ? "" : " (\(notes.joined(separator: "; ")))")
  }

  private func argumentHelp(_ argument: ArgumentSpec) -> String {
    argument.choices.isEmpty
      ? argument.help : argument.help + ": " + argument.choices.joined(separator: ", ")
  }

  private func section(_ title: String, _ rows: [(label: String, help: String)]) -> [String] {
    wrapped(title, indent: 0)
      + rows.flatMap { row -> [String] in
        var lines = wrapped(row.help, indent: labelWidth)
        let label = "  " + row.label
        if label.count + 2 > labelWidth {
          lines.insert(label, at: 0)
        } else {
          let padded = label + String(repeating: " ", count: labelWidth - label.count)
          lines[0] = padded + lines[0].dropFirst(labelWidth)
        }
        return lines
      }
  }

  /// `text` in lines of at most `width` columns, each `indent` columns in; words are kept whole.
  private func wrapped(_ text: String, indent: Int) -> [String] {
    TextLayout.wrap(text, width: width, indent: indent, breaksWords: false)
  }

  /// What each example does, and its command; a long command goes on in the next line, as shells
  /// take it.
  private func lines(of examples: [(line: String, does: String)]) -> [String] {
    examples.flatMap { example in
      TextLayout.wrap(example.does, width: width - 2, indent: 2, breaksWords: false)
        .map { "  # " + $0.dropFirst(2) } + commandLines(example.line)
    }
  }

  private func commandLines(_ command: String) -> [String] {
    guard command.count + 2 > width else { return ["  " + command] }
    var lines = ["  "]
    var isQuoted = false
    for word in command.split(separator: " ") {
      // Two columns for the backslash; a quoted word with blanks in it stays in one line.
      if !isQuoted, lines[lines.count - 1].count + 1 + word.count > width - 2 {
        lines[lines.count - 1] += " \\"
        lines.append("    " + word)
      } else {
        lines[lines.count - 1] += (lines.count == 1 && lines[0] == "  " ? "" : " ") + word
      }
      if !word.count(where: { $0 == "'" }).isMultiple(of: 2) { isQuoted.toggle() }
    }
    return lines
  }
}
