/// One option of a subcommand: its spellings, its value, and its line in the help.
///
/// Options are values in one table per subcommand; parsing, help, suggestions and shell completion
/// all read that table, so none of them can disagree with another.
package struct OptionSpec: Sendable {
  /// All spellings with their dashes, the one for messages last: `["-t", "--threads"]`. Names with
  /// one dash may have several letters (`-ngl`), as hands know them from llama.cpp.
  package let names: [String]
  /// The placeholder of the value, or nil for a switch.
  let value: String?
  /// One line, without a full stop.
  let help: String
  /// What holds when the option is not given, for the help text.
  let defaultText: String?
  /// An environment variable that stands in when the option is not given.
  let environment: String?
  /// The words that are legal, where they are few; completion offers them.
  package let choices: [String]
  /// What completion offers for the value.
  let completion: Completion
  /// Whether `--no-x` is legal for the switch `--x`.
  let isNegatable: Bool
  /// Accepted, but left out of help and completion: spellings for scripts written for other tools.
  let isHidden: Bool

  /// An option that takes a value.
  init(
    _ names: String..., value: String, help: String, default defaultText: String? = nil,
    environment: String? = nil, choices: [String] = [], completion: Completion? = nil,
    hidden: Bool = false
  ) {
    self.init(
      names: names, value: value, help: help, default: defaultText, environment: environment,
      choices: choices, completion: completion, hidden: hidden)
  }

  /// An option that takes a value, with a list of spellings.
  init(
    names: [String], value: String, help: String, default defaultText: String? = nil,
    environment: String? = nil, choices: [String] = [], completion: Completion? = nil,
    hidden: Bool = false
  ) {
    self.names = names
    self.value = value
    self.help = help
    self.defaultText = defaultText
    self.environment = environment
    self.choices = choices
    self.completion = completion ?? Completion(choices: choices)
    isNegatable = false
    isHidden = hidden
  }

  /// A switch.
  init(flag names: String..., help: String, negatable: Bool = false, hidden: Bool = false) {
    self.names = names
    value = nil
    self.help = help
    defaultText = nil
    environment = nil
    choices = []
    completion = Completion()
    isNegatable = negatable
    isHidden = hidden
  }

  /// The spelling that messages use: the last one with two dashes, else the last.
  var mainName: String { names.last { $0.hasPrefix("--") } ?? names.last ?? "" }

  /// `--seed <seed>`, as messages and usage lines write it.
  var synopsis: String { value.map { "\(mainName) <\($0)>" } ?? mainName }
}

/// A positional argument of a subcommand.
package struct ArgumentSpec: Sendable {
  /// The placeholder.
  let name: String
  /// One line, without a full stop.
  let help: String
  /// Whether the command can do without it.
  let isOptional: Bool
  /// The words that are legal, where they are few.
  package let choices: [String]
  /// What completion offers.
  let completion: Completion
  /// Whether any number of words may stand in its place; the last argument only.
  let repeats: Bool

  /// Describes a positional argument.
  init(
    _ name: String, help: String, optional: Bool = false, choices: [String] = [],
    completion: Completion? = nil, repeats: Bool = false
  ) {
    self.name = name
    self.help = help
    isOptional = optional
    self.choices = choices
    self.completion = completion ?? Completion(choices: choices)
    self.repeats = repeats
  }

  /// `<file>`, `[<file>]` or `[<file>...]`.
  var synopsis: String {
    let word = repeats ? "<\(name)>..." : "<\(name)>"
    return isOptional ? "[\(word)]" : word
  }
}

/// Options that belong together under one heading of the help.
struct OptionGroup: Sendable {
  /// The heading, in capitals.
  let title: String
  /// The options, in the order of the help.
  let options: [OptionSpec]

  /// Groups options under a heading.
  init(_ title: String, _ options: [OptionSpec]) {
    self.title = title
    self.options = options
  }
}

/// A subcommand: everything that help, parsing and completion need, and what runs it.
package struct CommandSpec: Sendable {
  /// The word after `trit`.
  package let name: String
  /// The lab and what comes from it.
  package let context: CommandContext
  /// One sentence.
  let overview: String
  /// More, for `--help`; empty for none.
  let discussion: String
  /// Positional arguments, in order.
  package let arguments: [ArgumentSpec]
  /// Options by heading.
  let groups: [OptionGroup]
  /// Command lines that work, each with what it does.
  let examples: [(line: String, does: String)]
  /// Runs the command.
  let run: @Sendable (ParsedArguments) throws -> Void

  /// Describes a subcommand. `json` says what `--json` prints; `plugins` are taken by commands that
  /// use stages.
  init(
    _ name: String, _ context: CommandContext, overview: String, discussion: String = "",
    arguments: [ArgumentSpec] = [], groups: [OptionGroup], json: String, plugins: Bool = false,
    examples: [(line: String, does: String)],
    run: @escaping @Sendable (ParsedArguments) throws -> Void
  ) {
    self.name = name
    self.context = context
    self.overview = overview
    self.discussion = discussion
    self.arguments = arguments
    self.groups = groups + [.common(json: json, plugins: plugins)]
    self.examples = examples
    self.run = run
  }

  /// All options of all groups.
  package var options: [OptionSpec] { groups.flatMap(\.options) }

  /// The first lines of the help and of every complaint: arguments, then that there are options.
  var usage: String {
    (["trit", name] + arguments.map(\.synopsis) + ["[<options>]"]).joined(separator: " ")
  }
}

extension OptionSpec {
  /// The answer, and errors, as JSON. Each command says what it prints.
  static let json = json("Print JSON, and after an error a line of JSON on standard error")

  static func json(_ help: String) -> OptionSpec { OptionSpec(flag: "--json", help: help) }

  /// Stages from a file.
  static let plugin = OptionSpec(
    "--plugin", value: "file", help: "Add the stages of a C or Swift file; may be repeated",
    completion: Completion(files: .ending([".c", ".swift"])))

  /// Help for one subcommand.
  package static let help = OptionSpec(flag: "-h", "--help", help: "Show this help")
  /// Version and build facts.
  static let version = OptionSpec(
    flag: "--version", help: "Show version, commit, compiler, CPU features and BLAS")
  /// Colour on a terminal.
  static let color = OptionSpec(
    "--color", value: "when", help: "Colour: auto, always or never", default: "auto",
    choices: ["auto", "always", "never"])
}

extension OptionGroup {
  /// What subcommands have in common; the overview shows it.
  static let common = OptionGroup(
    "COMMON OPTIONS", [.json, .plugin, .color, .help, .version])

  /// The same for one subcommand, which says what it prints as JSON.
  static func common(json: String, plugins: Bool) -> OptionGroup {
    OptionGroup(
      common.title,
      [.json("Print JSON: \(json)")] + (plugins ? [.plugin] : []) + [.color, .help, .version])
  }
}
