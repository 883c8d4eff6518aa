import TritLab

/// Help as JSON, from the tables of the subcommands.
enum HelpDocument {
  /// All subcommands.
  static func json(_ commands: [CommandSpec]) -> JSONValue { .array(commands.map(json)) }

  /// One subcommand.
  static func json(_ command: CommandSpec) -> JSONValue {
    [
      "name": .string(command.name), "usage": .string(command.usage),
      "overview": .string(command.overview), "discussion": .string(command.discussion),
      "arguments": .array(command.arguments.map(json)),
      "options": .array(command.options.filter { !$0.isHidden }.map(json)),
      "examples": .array(
        command.examples.map { ["line": .string($0.line), "does": .string($0.does)] }),
    ]
  }

  private static func json(_ argument: ArgumentSpec) -> JSONValue {
    [
      "name": .string(argument.name), "help": .string(argument.help),
      "optional": .bool(argument.isOptional), "repeats": .bool(argument.repeats),
      "choices": .array(argument.choices.map(JSONValue.string)),
    ]
  }

  private static func json(_ option: OptionSpec) -> JSONValue {
    func text(_ part: String?) -> JSONValue { part.map(JSONValue.string) ?? .null }
    return [
      "names": .array(option.names.map(JSONValue.string)), "value": text(option.value),
      "help": .string(option.help), "default": text(option.defaultText),
      "environment": text(option.environment), "negatable": .bool(option.isNegatable),
      "choices": .array(option.choices.map(JSONValue.string)),
    ]
  }
}
