import TritLab

/// `trit completions`: a script that teaches a shell the commands and options.
enum CompletionsCommand {
  private static let shell = ArgumentSpec(
    "shell", help: "The shell", choices: CompletionScript.shells)

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "completions", context, overview: "Print a completion script for a shell.",
      arguments: [shell],
      groups: [],
      json: "one object: shell, script", plugins: true,
      examples: [
        ("source <(trit completions bash)", "complete in this bash"),
        ("trit completions zsh > ~/.zfunc/_trit", "install for zsh"),
        ("trit completions fish | source", "complete in this fish"),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    let name = try arguments.choice(shell) ?? ""
    let script = CompletionScript.script(for: name, TritCommand.commands(arguments.context))
    guard arguments.isJSON else { return try Terminal.out(script) }
    try Terminal.json(["shell": .string(name), "script": .string(script)])
  }
}
