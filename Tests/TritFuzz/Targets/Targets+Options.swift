import TritCommand
import TritLab

extension FuzzTarget {
  /// The commands of the lab itself.
  private static let commands = TritCommand.commands(CommandContext(lab: .standard))

  /// Every name and choice of every option.
  static let optionWords: [String] = {
    let options = commands.flatMap(\.options)
    return Array(Set(options.flatMap(\.names) + options.flatMap(\.choices))).sorted()
      + [
        "--", "-", "=", "--x=", "-1", "0", "1", "2", "128-1024*2", "2-10+2", "1,2,4", "nan", "inf",
        "1e999", "a.gguf", "-n128",
        "absmean:group=64", "blk.0.*:quantizer=none;kernel=openblas", "15043+1", "2-inf",
        "9223372036854775807",
      ]
  }()

  /// Command lines: parsed, and every value read as each command reads it.
  static let options = [
    FuzzTarget(
      name: "options", summary: "command lines, one word a line: parsed, and their values read",
      grammar: .text(words: optionWords), minimumAccepted: 0.05, share: 2,
      sources: ["TritCommand/Arguments", "TritCommand/Options"],
      seeds: {
        [
          "generate -m model.gguf -p Once -n 80 --temp 0.8 --top-k 40 -s 3 -t 2 -l 15-inf",
          "bench -m a.gguf -p 128-1024*2 -n 1,2 -t 1-4 -r 3 --kernel i2_s --no-warmup",
          "run x.yaml --set a=b --list", "list kernel --json", "kernel check i2_s --tokens 1,9",
          "inspect m.gguf",
          "perplexity -m m -f t.txt -c 64 --protocol strided --stride 32 --kl-divergence",
          "tokenize -m m -p text", "export -m m -o x.gguf", "train f.yaml -o out --restart",
          "completions bash",
          "generate -m m -p x --layers blk.0.*:quantizer=none;kernel=openblas --quantizer absmean:granularity=row",
        ].map { Array($0.replacing(" ", with: "\n").utf8) }
      }
    ) { _ in
      { bytes in
        let words = String(decoding: bytes, as: UTF8.self).split(
          separator: "\n", omittingEmptySubsequences: false
        )
        .prefix(64).map(String.init)
        do {
          try read(words)
        } catch let error as ParserError {
          try demand(!error.message.isEmpty, "a complaint says something")
          throw LabError(.usage, error.message)
        } catch let error as UsageError {
          throw LabError(.usage, error.lines.joined(separator: "\n"))
        }
      }
    }
  ]

  private static func read(_ words: [String]) throws {
    guard let command = commands.first(where: { $0.name == words.first }) else {
      throw ParserError.unknownCommand(words.first ?? "", known: commands.map(\.name))
    }
    let rest = Array(words.dropFirst())
    _ = ArgumentParser.asks(for: .help, in: rest)
    let arguments = try ArgumentParser.parse(rest, for: command)
    // Whichever reader an option has, no value may bring it down.
    var refused: ParserError?
    func attempt(_ body: () throws -> Void) throws {
      do { try body() } catch let error as ParserError { refused = error } catch is LabError {
      } catch is LabErrors {}
    }
    for option in command.options where arguments.has(option) {
      try attempt { _ = try arguments.integer(option, in: -1...Int.max) }
      try attempt { _ = try arguments.real(option, in: -1e300...1e300) }
      try attempt { _ = try arguments.list(option) }
      try attempt { _ = try arguments.integers(option, in: 1...4096) }
      try attempt { _ = try arguments.choice(option) }
    }
    for argument in command.arguments { try attempt { _ = try arguments.choice(argument) } }
    if let refused { _ = refused.message }
    if command.options.contains(where: { $0.names.contains("--kernel") }) {
      _ = try arguments.context.stages.selection(arguments)
    }
    if command.options.contains(where: { $0.names.contains("--top-k") }) {
      _ = try SamplingFlags.options(arguments)
    }
    if command.name == "generate" {
      _ = try ModelOptions.engineOptions(arguments, trained: 2048)
    }
    for width in [40, 80] { _ = HelpText(width: width).help(for: command) }
  }
}
