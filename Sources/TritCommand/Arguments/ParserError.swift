import TritLab

/// What can be wrong with a command line. One place turns it into words: `message`.
package enum ParserError: Error {
  /// A word in the place of the subcommand that is none.
  case unknownCommand(String, known: [String])
  /// An option that the subcommand does not have.
  case unknownOption(String, known: [String])
  /// An option at the end, or before another option, that needs a value.
  case missingValue(OptionSpec)
  /// `--json=3`.
  case unwantedValue(String, value: String)
  /// A value that cannot be read.
  case invalidValue(OptionSpec, value: String, expected: String)
  /// A positional argument too many.
  case unexpectedArgument(String)
  /// A positional argument too few.
  case missingArgument(ArgumentSpec)
  /// A positional argument that is not one of its words.
  case invalidArgument(ArgumentSpec, value: String)
  /// An option that the command cannot do without.
  case missingOption([OptionSpec])
  /// An option of a command, or of all of them, in the place of the command; with a line as it is
  /// right.
  case misplacedOption(String, example: String)
  /// Options that exclude one another.
  case conflict(OptionSpec, OptionSpec)

  /// The sentence for the user.
  package var message: String {
    switch self {
    case .unknownCommand(let name, let known):
      return "Unknown command '\(name)'." + Self.hint(name, known)
    case .unknownOption(let name, let known):
      return "Unknown option '\(name)'." + Self.hint(name, known.filter { $0.hasPrefix("--") })
    case .missingValue(let option):
      let choices = option.choices.joined(separator: ", ")
      return "Missing value for '\(option.synopsis)'"
        + (choices.isEmpty ? "." : ": expected \(choices).")
    case .unwantedValue(let name, let value):
      return "The option '\(name)' takes no value, but got '\(value)'."
    case .invalidValue(let option, let value, let expected):
      return "The value '\(value)' is invalid for '\(option.synopsis)': expected \(expected)."
        + Self.hint(value, option.choices)
    case .unexpectedArgument(let text):
      return "Unexpected argument '\(text)'."
    case .missingArgument(let argument):
      return "Missing expected argument '<\(argument.name)>'."
    case .invalidArgument(let argument, let value):
      return "The value '\(value)' is invalid for '<\(argument.name)>': expected "
        + argument.choices.joined(separator: ", ") + "." + Self.hint(value, argument.choices)
    case .missingOption(let options):
      return "Missing option '" + options.map(\.synopsis).joined(separator: "' or '") + "'."
    case .misplacedOption(let name, let example):
      return "The option '\(name)' stands before the command. Options follow it, as in: \(example)"
    case .conflict(let first, let second):
      return "The options '\(first.mainName)' and '\(second.mainName)' exclude one another."
    }
  }

  /// What is wrong, for programs.
  var code: LabError.Code {
    switch self {
    case .unknownCommand: LabError.Code(rawValue: "command.unknown")
    case .unknownOption: LabError.Code(rawValue: "option.unknown")
    case .misplacedOption: LabError.Code(rawValue: "option.misplaced")
    case .missingOption: LabError.Code(rawValue: "option.missing")
    case .conflict: LabError.Code(rawValue: "option.conflict")
    case .missingValue, .unwantedValue, .invalidValue: LabError.Code(rawValue: "option.value")
    case .unexpectedArgument, .missingArgument, .invalidArgument:
      LabError.Code(rawValue: "argument")
    }
  }

  private static func hint(_ name: String, _ known: [String]) -> String {
    Suggestion.nearest(name, known).map { " Did you mean '\($0)'?" } ?? ""
  }
}

/// A parser error together with the subcommand whose usage line goes under it.
package struct UsageError: Error {
  /// What is wrong.
  let error: ParserError
  /// The subcommand, once it is known.
  let command: CommandSpec?

  /// The same as an error of the lab, part by part.
  var problem: LabError {
    let name = command.map { " " + $0.name } ?? ""
    return LabError(
      .usage, error.message, expected: command?.usage ?? "trit <command> [<options>]",
      advice: "see 'trit\(name) --help'", code: error.code)
  }

  /// The message, the usage line, and where to read more.
  package var lines: [String] {
    let name = command.map { " " + $0.name } ?? ""
    return [
      error.message, "Usage: " + (command?.usage ?? "trit <command> [<options>]"),
      "  See 'trit\(name) --help' for more information.",
    ]
  }
}
