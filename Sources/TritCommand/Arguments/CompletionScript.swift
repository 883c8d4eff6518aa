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

  /// What may stand behind `trit help`.
  private static func help(_ commands: [CommandSpec]) -> String {
    (commands.map(\.name) + ["--json", "--man", "--markdown"]).joined(separator: " ")
  }

  // MARK: bash

  private static func bash(_ commands: [CommandSpec]) -> String {
    let cases = commands.map { command -> String in
      let options = visible(command)
      let names = options.flatMap(\.names).joined(separator: " ")
      let words = command.arguments.flatMap(\.completion.words).joined(separator: " ")
      let values = options.filter { $0.value != nil }.map {
        "        \($0.names.joined(separator: "|"))) \(bash($0.completion)) ;;"
      }
      let files = command.arguments.first.map { bash($0.completion.files) } ?? ""
      return """
            \(command.name))
              case "$previous" in
        \(values.joined(separator: "\n"))
                *) words="\(words.isEmpty ? names : words + " " + names)"\(files) ;;
              esac
              ;;
        """
    }
    let parameters = parameters(commands).map {
      "    \($0.name)) echo '\($0.words.joined(separator: " "))' ;;"
    }.joined(separator: "\n")
    return """
      # Completion for trit. Use: source <(trit completions bash)

      # What may stand behind the colon of a stage's name.
      _trit_parameters() {
        case "$1" in
      \(parameters)
        esac
      }

      \(bashFunction)
      _trit() {
        local current="" previous="" words="" files="" stage="" i word glue="" typed=""
        # bash takes words apart at ':' and '='; here they are whole again.
        for ((i = 1; i <= COMP_CWORD; i++)); do
          word="${COMP_WORDS[i]}"
          case "$word" in
            [:=]*) current="$current$word" glue=1 ;;
            *)
              if [ -n "$glue" ]; then
                current="$current$word" glue=""
              else
                previous="$current" current="$word" typed=""
              fi
              ;;
          esac
          # What stands before the last piece is on the line already.
          case "$word" in
            *[:=]) typed="$current" ;;
            *) typed="${current%"$word"}" ;;
          esac
        done
        local head=""
        case "$current" in
          --*=*) previous="${current%%=*}" head="${current%%=*}=" current="${current#*=}" ;;
        esac
        if [ "$COMP_CWORD" -eq 1 ]; then
          words="\(commands.map(\.name).joined(separator: " ")) help --help --version"
        else
          case "${COMP_WORDS[1]}" in
      \(cases.joined(separator: "\n"))
            help) words="\(help(commands))" ;;
          esac
        fi
        COMPREPLY=()
        _trit_offer
      }
      complete -o default -F _trit trit

      """
  }

  /// Offers what `words`, `stage` and `files` say for `current`, behind `head`, without what is
  /// `typed`.
  private static let bashFunction = #"""
    _trit_offer() {
      if [ -n "$stage" ]; then
        # NAME, NAME:key=value,key=value, or several of them.
        case "$current" in
          *:*)
            word="${current%:*}" word="${word##*,}"
            words="$(_trit_parameters "$stage/$word")"
            ;;
        esac
        head="$head${current%"${current##*[:,]}"}" current="${current##*[:,]}"
      fi
      for word in $words; do
        case "$word" in
          "$current"*)
            word="$head$word"
            COMPREPLY+=("${word#"$typed"}")
            ;;
        esac
      done
      if [ "${#COMPREPLY[@]}" -eq 1 ]; then
        case "${COMPREPLY[0]}" in *=) compopt -o nospace 2> /dev/null ;; esac
      fi
      if [ -n "$files" ]; then
        local IFS=$'\n'
        for word in $(compgen -f -- "$current"); do
          if [ -d "$word" ]; then
            word="$word/"
            compopt -o nospace 2> /dev/null
          else
            case "$files" in
              any) ;;
              *) case " $files " in *" .${word##*.} "*) ;; *) continue ;; esac ;;
            esac
          fi
          if [ -n "${BASH_VERSION-}" ]; then word="$(printf %q "$word")"; fi
          word="$head$word"
          COMPREPLY+=("${word#"$typed"}")
        done
      fi
      return 0
    }

    """#

  /// The shell's variables for what is offered.
  private static func bash(_ completion: Completion) -> String {
    "words=\"\(completion.words.joined(separator: " "))\""
      + (completion.stage.map { " stage=\"\($0)\"" } ?? "")
      + bash(completion.files, words: completion.words)
  }

  /// Which files are offered; where there are no words, all of them are by themselves.
  private static func bash(_ files: Completion.Files, words: [String] = []) -> String {
    switch files {
    case .none: ""
    case .any: words.isEmpty ? "" : " files=any"
    case .ending(let endings): " files=\"\(endings.joined(separator: " "))\""
    }
  }

  /// The words behind the colon, once for all commands: a stage has the same in each.
  private static func parameters(_ commands: [CommandSpec]) -> [(name: String, words: [String])] {
    var known: Set<String> = []
    return commands.flatMap(visible).map(\.completion).flatMap {
      completion -> [(name: String, words: [String])] in
      let stage = completion.stage ?? ""
      return completion.parameters.map { (name: "\(stage)/\($0.name)", words: $0.words) }
    }.filter { known.insert($0.name).inserted }
  }

  /// The script of bash, by zsh's own bridge. Installed as `_trit` in a folder of `fpath`, zsh
  /// reads it at the first completion, as the body of the function `_trit`, which the script then
  /// replaces: it must answer that first time itself.
  private static func zsh(_ commands: [CommandSpec]) -> String {
    "#compdef trit\nautoload -U +X bashcompinit && bashcompinit\n" + bash(commands)
      + "[[ -z ${compstate-} ]] || _bash_complete -o default -F _trit\n"
  }

  // MARK: fish

  private static func fish(_ commands: [CommandSpec]) -> String {
    var lines = ["# Completion for trit. Use: trit completions fish | source"]
    lines.append("complete -c trit -n __fish_use_subcommand -l help -l version")
    lines.append("complete -c trit -n __fish_use_subcommand -f -a help -d 'Show help'")
    lines.append(
      "complete -c trit -n '__fish_seen_subcommand_from help' -f -a '\(help(commands))'")
    for command in commands {
      lines.append(
        "complete -c trit -n __fish_use_subcommand -f -a \(command.name) "
          + "-d '\(escaped(command.overview))'")
      let condition = "-n '__fish_seen_subcommand_from \(command.name)'"
      for argument in command.arguments {
        let offer = fish(argument.completion)
        if !offer.isEmpty { lines.append("complete -c trit \(condition) \(offer)") }
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
        if option.value != nil {
          parts.append("-r")
          let offer = fish(option.completion)
          if !offer.isEmpty { parts.append(offer) }
        }
        parts.append("-d '\(escaped(option.help))'")
        lines.append(parts.joined(separator: " "))
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The words with what may stand behind their colons; fish does not take words apart.
  private static func fish(_ completion: Completion) -> String {
    let deep = completion.parameters.flatMap { entry in entry.words.map { "\(entry.name):\($0)" } }
    let words = (completion.words + deep).joined(separator: " ")
    switch completion.files {
    case .none: return words.isEmpty ? "" : "-f -a '\(words)'"
    case .any: return words.isEmpty ? "" : "-a '\(words)'"
    case .ending(let endings):
      let files = endings.map { "(__fish_complete_suffix \($0))" }
      return "-f -a '\(([words].filter { !$0.isEmpty } + files).joined(separator: " "))'"
    }
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
  }
}
