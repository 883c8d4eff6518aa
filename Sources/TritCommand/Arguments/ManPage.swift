import Foundation
import TritLab

/// Pages for `man`, from the tables of the subcommands, in the macros of man(7).
enum ManPage {
  /// `trit(1)`: the subcommands and what they have in common.
  static func overview(
    _ commands: [CommandSpec], examples: [(line: String, does: String)]
  ) -> String {
    var lines = head("trit", "a research and teaching lab for ternary language models")
    lines += ["\\fBtrit\\fR \\fIcommand\\fR [\\fIoptions\\fR]"]
    lines += [".SH DESCRIPTION"] + paragraphs(streams)
    lines += [".SH COMMANDS"]
    for command in commands {
      lines += [".TP", "\\fB\(text("trit-" + command.name))\\fR(1)", line(command.overview)]
    }
    lines += section(.common)
    lines += [".SH EXIT STATUS"]
    for (code, meaning) in exitCodes { lines += [".TP", "\\fB\(code)\\fR", line(meaning)] }
    lines += environment(commands.flatMap(\.options))
    lines += self.examples(examples)
    lines += [
      ".SH SEE ALSO",
      commands.map { "\\fB\(text("trit-" + $0.name))\\fR(1)" }.joined(separator: ",\n"),
    ]
    return lines.joined(separator: "\n") + "\n"
  }

  /// `trit-NAME(1)`.
  static func page(of command: CommandSpec) -> String {
    var lines = head("trit-\(command.name)", lowercased(command.overview))
    let arguments = command.arguments.map { argument -> String in
      let word = "\\fI\(text(argument.name))\\fR" + (argument.repeats ? "..." : "")
      return " " + (argument.isOptional ? "[\(word)]" : word)
    }
    lines += ["\\fBtrit \(text(command.name))\\fR\(arguments.joined()) [\\fIoptions\\fR]"]
    lines += [".SH DESCRIPTION"]
    lines += paragraphs(command.discussion.isEmpty ? command.overview : command.discussion)
    if !command.arguments.isEmpty {
      lines += [".SH ARGUMENTS"]
      for argument in command.arguments {
        let choices = argument.choices.joined(separator: ", ")
        lines += [
          ".TP", "\\fI\(text(argument.name))\\fR",
          line(argument.help + (choices.isEmpty ? "" : ": " + choices)),
        ]
      }
    }
    for group in command.groups { lines += section(group) }
    lines += environment(command.options)
    lines += examples(command.examples)
    lines += [".SH SEE ALSO", "\\fBtrit\\fR(1)"]
    return lines.joined(separator: "\n") + "\n"
  }

  /// What holds for all commands.
  private static let streams = """
    Standard output is the product; progress, timings and complaints go to standard error. A complaint says what \
    is wrong, where, what was expected, what was there, and what to do next.

    With --json standard output is JSON: one document, or one a line for commands whose answers come one by one. \
    Names stay the same, numbers are numbers, and what is not finite is null. Complaints are told as without it; \
    the last line of standard error is then an object of its own: error and errors, each with kind, code, \
    what, place, expected, got and advice, and exit_code.
    """

  private static let exitCodes = [
    ("0", "All is well."), ("1", "A run failed, or an output could not be written."),
    ("2", "A comparison ended outside its tolerance."),
    ("64", "The command line is wrong."), ("65", "Input is malformed."),
    ("66", "An input, model or data set is missing."), ("70", "A mistake of the program itself."),
    ("128 + n", "Signal n asked to stop: 130 is Ctrl-C."),
  ]

  /// Variables that no option names.
  private static let variables = [
    ("COLUMNS", "Columns to print at, in place of the terminal's."),
    ("NO_COLOR", "Where it is not empty, nothing is coloured."),
    ("TRITLAB_MODELS", "The folder of the built-in models."),
    ("XDG_CACHE_HOME", "Where prepared weights and decisions of 'auto' are kept, in tritlab."),
  ]

  private static func head(_ name: String, _ does: String) -> [String] {
    [
      ".\\\" Made by trit help --man",
      ".TH \"\(name.uppercased())\" \"1\" \"\" \"trit \(BuildInformation.version)\" \"TritLab\"",
      ".SH NAME", "\(text(name)) \\- \(text(does))", ".SH SYNOPSIS",
    ]
  }

  private static func section(_ group: OptionGroup) -> [String] {
    let visible = group.options.filter { !$0.isHidden }
    guard !visible.isEmpty else { return [] }
    return [".SH \"\(text(group.title).replacing("\"", with: "\\(dq"))\""]
      + visible.flatMap { option -> [String] in
        let names = option.names.map { name in
          let shown =
            option.isNegatable && name == option.mainName
            ? "--[no-]" + name.dropFirst(2) : name
          return "\\fB\(text(shown))\\fR"
        }
        let value = option.value.map { " \\fI\(text($0))\\fR" } ?? ""
        return [".TP", names.joined(separator: ", ") + value, line(help(option))]
      }
  }

  private static func help(_ option: OptionSpec) -> String {
    var sentences = [option.help]
    if !option.choices.isEmpty {
      sentences.append("One of: " + option.choices.joined(separator: ", "))
    }
    if let standard = option.defaultText { sentences.append("Default: \(standard)") }
    if let variable = option.environment { sentences.append("Or \(variable) in the environment") }
    return sentences.joined(separator: ". ") + "."
  }

  private static func environment(_ options: [OptionSpec]) -> [String] {
    var known: [(name: String, help: String)] = []
    for option in options {
      guard let name = option.environment, !known.contains(where: { $0.name == name }) else {
        continue
      }
      known.append((name, "Stands in where \(option.mainName) is not given."))
    }
    known += variables.map { ($0.0, $0.1) }
    return [".SH ENVIRONMENT"]
      + known.sorted { $0.name < $1.name }.flatMap {
        [".TP", "\\fB\(text($0.name))\\fR", line($0.help)]
      }
  }

  private static func examples(_ examples: [(line: String, does: String)]) -> [String] {
    guard !examples.isEmpty else { return [] }
    return [".SH EXAMPLES"]
      + examples.flatMap { example in
        [".PP", line(uppercased(example.does) + ":"), ".PP", ".RS 4", ".nf", line(example.line)]
          + [".fi", ".RE"]
      }
  }

  private static func paragraphs(_ discussion: String) -> [String] {
    discussion.components(separatedBy: "\n\n").enumerated().flatMap { index, part in
      (index == 0 ? [] : [".PP"]) + [line(part.replacing("\n", with: " "))]
    }
  }

  private static func lowercased(_ sentence: String) -> String {
    let text = sentence.hasSuffix(".") ? String(sentence.dropLast()) : sentence
    return text.prefix(1).lowercased() + text.dropFirst()
  }

  private static func uppercased(_ text: String) -> String {
    text.prefix(1).uppercased() + text.dropFirst()
  }

  /// Text that stands at the beginning of a line: a dot or a quote there would be a request.
  private static func line(_ words: String) -> String {
    let text = text(words)
    return text.hasPrefix(".") || text.hasPrefix("'") || text.hasPrefix("\\(aq")
      ? "\\&" + text : text
  }

  /// Text as roff shows it unchanged: dashes stay dashes that can be copied, all else by its
  /// number.
  private static func text(_ words: String) -> String {
    words.unicodeScalars.map { scalar -> String in
      switch scalar {
      case "\\": "\\(rs"
      case "-": "\\-"
      case "'": "\\(aq"
      case "`": "\\(ga"
      case "^": "\\(ha"
      case "~": "\\(ti"
      case "\n": " "
      default:
        scalar.isASCII
          ? String(scalar)
          : "\\[u\(String(repeating: "0", count: max(0, 4 - hex(scalar).count)))\(hex(scalar))]"
      }
    }.joined()
  }

  private static func hex(_ scalar: Unicode.Scalar) -> String {
    String(scalar.value, radix: 16, uppercase: true)
  }
}
