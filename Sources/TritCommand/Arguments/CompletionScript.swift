/// Completion scripts for shells, from the tables of the subcommands.
enum CompletionScript {
  /// The shells that there is a script for.
  static let shells = ["bash", "zsh", "fish"]

  /// The script for `shell`, to be sourced.
  static func script(for shell: String, _ commands: [CommandSpec]) -> String {
    switch shell {
    case "zsh": zsh(commands)
    case "fish": fish(commands)
    default: bash(commands)
    }
  }

  private static func visible(_ command: CommandSpec) -> [OptionSpec] {
    command.options.filter { !$0.isHidden }
  }

  private static func bash(_ commands: [CommandSpec]) -> String {
    let cases = commands.map { command -> String in
      let options = visible(command)
      let names = options.flatMap(\.names).joined(separator: " ")
      let words = command.arguments.flatMap(\.choices).joined(separator: " ")
      let choices = options.filter { !$0.choices.isEmpty }.map {
        "        \($0.names.joined(separator: "|"))) words=\"\($0.choices.joined(separator: " "))\" ;;"
      }
      let files = options.filter { $0.value != nil && $0.choices.isEmpty }.flatMap(\.names)
      let open = files.isEmpty ? [] : ["        \(files.joined(separator: "|"))) words=\"\" ;;"]
      return """
            \(command.name))
              case "$previous" in
        \((choices + open).joined(separator: "\n"))
                *) words="\(words.isEmpty ? names : words + " " + names)" ;;
              esac
              ;;
        """
    }
    return """
      # Completion for trit. Use: source <(trit completions bash)
      _trit() {
        local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" words=""
        if [ "$COMP_CWORD" -eq 1 ]; then
          words="\(commands.map(\.name).joined(separator: " ")) help --help --version"
        else
          case "${COMP_WORDS[1]}" in
      \(cases.joined(separator: "\n"))
          esac
        fi
        COMPREPLY=($(compgen -W "$words" -- "$current"))
      }
      complete -o default -F _trit trit

      """
  }

  /// The script of bash, by zsh's own bridge. Installed as `_trit` in a folder of `fpath`, zsh reads it at the first
  /// completion, as the body of the function `_trit`, which the script then replaces: it must answer that
  /// first time itself.
  private static func zsh(_ commands: [CommandSpec]) -> String {
    "#compdef trit\nautoload -U +X bashcompinit && bashcompinit\n" + bash(commands)
      + "[[ -z ${compstate-} ]] || _bash_complete -o default -F _trit\n"
  }

  private static func fish(_ commands: [CommandSpec]) -> String {
    var lines = ["# Completion for trit. Use: trit completions fish | source"]
    lines.append("complete -c trit -n __fish_use_subcommand -l help -l version")
    for command in commands {
      lines.append(
        "complete -c trit -n __fish_use_subcommand -f -a \(command.name) "
          + "-d '\(escaped(command.overview))'")
      let condition = "-n '__fish_seen_subcommand_from \(command.name)'"
      for argument in command.arguments where !argument.choices.isEmpty {
        lines.append(
          "complete -c trit \(condition) -f -a '\(argument.choices.joined(separator: " "))'")
      }
      for option in visible(command) {
        var parts = ["complete -c trit", condition]
        for name in option.names {
          if name.hasPrefix("--") {
            parts.append("-l \(name.dropFirst(2))")
          } else {
            parts.append(name.count == 2 ? "-s \(name.dropFirst())" : "-o \(name.dropFirst())")
          }
        }
        if option.value != nil { parts.append("-r") }
        if !option.choices.isEmpty {
          parts.append("-f -a '\(option.choices.joined(separator: " "))'")
        }
        parts.append("-d '\(escaped(option.help))'")
        lines.append(parts.joined(separator: " "))
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
  }
}
