/// `trit completions`: a script that teaches a shell the commands and options.
enum CompletionsCommand {
  private static let shell = ArgumentSpec(
    "shell", help: "The shell", choices: CompletionScript.shells)

  static let spec = CommandSpec(
    "completions", overview: "Print a completion script for a shell.",
    arguments: [shell],
    groups: [],
    examples: [
      ("source <(trit completions bash)", "complete in this bash"),
      ("trit completions zsh > ~/.zfunc/_trit", "install for zsh"),
      ("trit completions fish | source", "complete in this fish"),
    ],
    run: run)

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    try Terminal.out(
      CompletionScript.script(for: try arguments.choice(shell) ?? "", TritCommand.commands))
  }
}
