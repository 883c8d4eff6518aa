/// Reads the words after a subcommand by its table, in one pass.
///
/// Rules, in the order in which they are tried for each word: `--` ends the options; `--x v` and
/// `--x=v`; `--no-x` for switches that allow it; a whole single-dash name (`-ngl 0`, `-temp 0.8`);
/// a negative number is an argument; then short names run together (`-jq`, `-n128`); everything
/// else is an argument.
package struct ArgumentParser {
  private let command: CommandSpec
  private var words: ArraySlice<String>
  private var values: [String: [String]] = [:]
  private var arguments: [String] = []

  /// Reads `words`. Throws a `ParserError` for the first that does not fit.
  package static func parse(_ words: [String], for command: CommandSpec) throws -> ParsedArguments {
    var parser = ArgumentParser(command: command, words: words[...])
    try parser.parseAll()
    return ParsedArguments(command: command, values: parser.values, arguments: parser.arguments)
  }

  /// Whether a switch such as `--help` stands anywhere before a `--`: it wins over every mistake
  /// beside it. It cannot be the value of another option, because a known option never is
  /// (`takeValue`).
  package static func asks(for option: OptionSpec, in words: [String]) -> Bool {
    words.prefix { $0 != "--" }.contains(where: option.names.contains)
  }

  /// Whether the last of the words about it asks for JSON: `--json` or `--json=true`. Complaints
  /// ask, which may be about the very words that say so.
  static func asksForJSON(_ words: [String]) -> Bool {
    let about = words.prefix { $0 != "--" }
      .filter { $0 == "--json" || $0 == "--json=true" || $0 == "--json=false" }
    return about.last.map { $0 != "--json=false" } ?? false
  }

  /// The values of one option in `words` that `parseAll` would find, without complaints about
  /// others: what must be known before the words can be parsed.
  static func values(
    of option: OptionSpec, in words: [String], for command: CommandSpec
  ) -> [String] {
    guard command.options.contains(where: { $0.mainName == option.mainName }) else { return [] }
    var values: [String] = []
    var parser = ArgumentParser(command: command, words: words.prefix { $0 != "--" })
    while let word = parser.words.popFirst() {
      if option.names.contains(word) {
        if let value = try? parser.takeValue(of: option) { values.append(value) }
      } else if let name = option.names.first(where: { word.hasPrefix($0 + "=") }) {
        values.append(String(word.dropFirst(name.count + 1)))
      }
    }
    return values
  }

  private init(command: CommandSpec, words: ArraySlice<String>) {
    self.command = command
    self.words = words
  }

  private func option(_ name: String) -> OptionSpec? {
    command.options.first { $0.names.contains(name) }
  }

  private static func isNumber(_ word: String) -> Bool { Double(word) != nil }

  private mutating func parseAll() throws {
    while let word = words.popFirst() {
      if word == "--" {
        arguments += words
        words = []
      } else if word == "-" || !word.hasPrefix("-") {
        arguments.append(word)
      } else if try !parseNamed(word) {
        if Self.isNumber(word) {
          arguments.append(word)
        } else if word.hasPrefix("--") {
          throw unknown(word)
        } else {
          try parseBundle(word)
        }
      }
    }
    let isOpen = command.arguments.last?.repeats ?? false
    if arguments.count > command.arguments.count, !isOpen {
      throw ParserError.unexpectedArgument(arguments[command.arguments.count])
    }
    if let missing = command.arguments.dropFirst(arguments.count).first(where: { !$0.isOptional }) {
      throw ParserError.missingArgument(missing)
    }
  }

  /// `--x`, `--x=v`, `-x`, `-xyz` as one whole name, and `--no-x`. False where there is none such.
  private mutating func parseNamed(_ word: String) throws -> Bool {
    let sides = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(sides[0])
    let attached = sides.count > 1 ? String(sides[1]) : nil
    if let option = option(name) {
      if option.value != nil {
        record(try attached ?? takeValue(of: option), for: option)
      } else {
        guard attached == nil || attached == "true" || attached == "false" else {
          throw ParserError.unwantedValue(name, value: attached ?? "")
        }
        record(attached ?? "true", for: option)
      }
      return true
    }
    if attached == nil, name.hasPrefix("--no-"),
      let positive = option("--" + name.dropFirst("--no-".count)), positive.isNegatable
    {
      record("false", for: positive)
      return true
    }
    return false
  }

  /// `-jq` is `-j -q`; `-n128` is `-n 128`.
  private mutating func parseBundle(_ word: String) throws {
    var rest = word.dropFirst()
    while let letter = rest.popFirst() {
      guard let option = option("-\(letter)") else { throw unknown(word) }
      guard option.value != nil else {
        record("true", for: option)
        continue
      }
      // A long word after a value option is more likely a misspelt name than a value: `-tokens 3`.
      if !rest.isEmpty, rest.first?.isLetter == true { throw unknown(word) }
      record(rest.isEmpty ? try takeValue(of: option) : String(rest), for: option)
      return
    }
  }

  private mutating func takeValue(of option: OptionSpec) throws -> String {
    guard let next = words.first, next != "--" else { throw ParserError.missingValue(option) }
    let name = next.prefix { $0 != "=" }
    if next.hasPrefix("-"), !Self.isNumber(next), self.option(String(name)) != nil {
      throw ParserError.missingValue(option)
    }
    words.removeFirst()
    return next
  }

  private mutating func record(_ value: String, for option: OptionSpec) {
    values[option.mainName, default: []].append(value)
  }

  private func unknown(_ word: String) -> ParserError {
    let name = String(word.prefix { $0 != "=" })
    let visible = command.options.filter { !$0.isHidden }
    // A long name written with one dash is compared as if it had two.
    let compared = name.hasPrefix("--") || name.count < 3 ? name : "-" + name
    let known = visible.flatMap(\.names)
    if compared != name, known.contains(compared) {
      return .unknownOption(name, known: [compared])
    }
    return .unknownOption(name, known: known)
  }
}
