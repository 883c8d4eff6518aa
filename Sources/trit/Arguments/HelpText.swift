/// Lays out help from the tables of the subcommands.
struct HelpText {
  /// Columns to wrap at.
  let width: Int

  private let labelWidth = 26

  /// The help of one subcommand.
  func help(for command: CommandSpec) -> String {
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
      let lines = command.examples.flatMap { ["  # " + $0.does, "  " + $0.line] }
      blocks.append(["EXAMPLES:"] + lines)
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
      ["EXAMPLES:"] + examples.flatMap { ["  # " + $0.does, "  " + $0.line] },
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
    let margin = String(repeating: " ", count: indent)
    var lines: [String] = []
    for paragraph in text.split(separator: "\n", omittingEmptySubsequences: false) {
      var line = margin
      var isEmpty = true
      for word in paragraph.split(separator: " ") {
        if !isEmpty, line.count + 1 + word.count > width {
          lines.append(line)
          line = margin
          isEmpty = true
        }
        line += (isEmpty ? "" : " ") + word
        isEmpty = false
      }
      lines.append(line)
    }
    return lines
  }
}
