import Foundation
import TritLab

/// The values of one command line, read with their types.
///
/// An option that was not given has the value of its environment variable, if it names one that is
/// set and not empty; the flag wins over the environment.
package struct ParsedArguments {
  /// The subcommand they belong to.
  let command: CommandSpec
  private let values: [String: [String]]
  /// Positional arguments, in order.
  let arguments: [String]

  init(command: CommandSpec, values: [String: [String]], arguments: [String]) {
    self.command = command
    self.values = values
    self.arguments = arguments
  }

  /// What the command is made from.
  package var context: CommandContext { command.context }
  /// The stages that can be chosen.
  var lab: Lab { context.lab }
  /// The options that choose them.
  var stages: StageOptions { context.stages }
  /// Whether standard output is to be JSON.
  var isJSON: Bool { flag(.json) }

  /// Every value given for `option`, in order.
  func all(_ option: OptionSpec) -> [String] {
    if let given = values[option.mainName] { return given }
    guard let variable = option.environment,
      let value = ProcessInfo.processInfo.environment[variable], !value.isEmpty
    else { return [] }
    return [value]
  }

  /// Whether `option` was given, on the command line or by its environment variable.
  package func has(_ option: OptionSpec) -> Bool { !all(option).isEmpty }

  /// The last value given, as text.
  func text(_ option: OptionSpec) -> String? { all(option).last }

  /// The last value given; throws where there is none.
  func required(_ option: OptionSpec) throws -> String {
    guard let value = text(option) else { throw ParserError.missingOption([option]) }
    return value
  }

  /// Whether a switch is on.
  func flag(_ option: OptionSpec, default standard: Bool = false) -> Bool {
    text(option).map { $0 == "true" } ?? standard
  }

  /// A word out of the option's choices.
  package func choice(_ option: OptionSpec) throws -> String? {
    guard let value = text(option) else { return nil }
    guard option.choices.contains(value) else {
      throw invalid(option, value, option.choices.joined(separator: ", "))
    }
    return value
  }

  /// A positional argument that is one of its words; nil where it was left out.
  package func choice(_ argument: ArgumentSpec) throws -> String? {
    guard let index = command.arguments.firstIndex(where: { $0.name == argument.name }),
      index < arguments.count
    else { return nil }
    guard argument.choices.contains(arguments[index]) else {
      throw ParserError.invalidArgument(argument, value: arguments[index])
    }
    return arguments[index]
  }

  /// A whole number in `range`; `expected` says what it may be where that is narrower.
  package func integer(_ option: OptionSpec, in range: ClosedRange<Int>, expected: String? = nil)
    throws
    -> Int?
  {
    guard let value = text(option) else { return nil }
    guard let number = Int(value), range.contains(number) else {
      throw invalid(option, value, expected ?? "a whole number" + Self.words(range))
    }
    return number
  }

  /// A real number in `range`; never NaN or infinite. `expected` says what it may be where that is
  /// narrower.
  package func real(_ option: OptionSpec, in range: ClosedRange<Double>, expected: String? = nil)
    throws
    -> Double?
  {
    guard let value = text(option) else { return nil }
    guard let number = Double(value), number.isFinite, range.contains(number) else {
      throw invalid(option, value, expected ?? "a number" + Self.words(range))
    }
    return number
  }

  /// The error for a value that cannot be used; says so where it comes from the environment.
  private func invalid(_ option: OptionSpec, _ value: String, _ expected: String) -> ParserError {
    guard values[option.mainName] == nil, let variable = option.environment else {
      return .invalidValue(option, value: value, expected: expected)
    }
    return .invalidValue(
      option, value: value,
      expected: "\(expected) (it stands in the environment variable \(variable))")
  }

  /// All values, comma lists taken apart; empty parts are an error.
  package func list(_ option: OptionSpec) throws -> [String] {
    try all(option).flatMap { value in
      let parts = value.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      guard !parts.contains("") else {
        throw ParserError.invalidValue(option, value: value, expected: "a list such as a,b,c")
      }
      return parts
    }
  }

  /// Whole numbers: `1,2,4`, `1-4`, `2-10+2` (steps), `128-1024*2` (factors), as llama-bench reads
  /// them.
  package func integers(_ option: OptionSpec, in range: ClosedRange<Int>) throws -> [Int] {
    try list(option).flatMap { part in
      guard let numbers = Self.expand(part), numbers.allSatisfy(range.contains) else {
        throw ParserError.invalidValue(
          option, value: part,
          expected: "at most 10000 whole numbers\(Self.words(range)), as 4 or 1,2,4 or 1-8+1 or "
            + "128-1024*2")
      }
      return numbers
    }
  }

  private static func expand(_ text: String) -> [Int]? {
    if let single = Int(text) { return [single] }
    let ends = text.split(separator: "-", maxSplits: 1).map(String.init)
    guard ends.count == 2, let first = Int(ends[0]) else { return nil }
    let sign = ends[1].firstIndex { $0 == "+" || $0 == "*" }
    guard let last = Int(ends[1].prefix(upTo: sign ?? ends[1].endIndex)), first <= last,
      let step = sign.map({ Int(ends[1].suffix(from: $0).dropFirst()) }) ?? 1
    else { return nil }
    let grows = sign.map { ends[1][$0] == "*" } ?? false
    guard grows ? step > 1 && first > 0 : step > 0 else { return nil }
    var numbers: [Int] = []
    var value = first
    while value <= last {
      // More than anybody would wait for is no list that was meant.
      guard numbers.count < 10_000 else { return nil }
      numbers.append(value)
      let (next, overflow) =
        grows ? value.multipliedReportingOverflow(by: step) : value.addingReportingOverflow(step)
      if overflow { break }
      value = next
    }
    return numbers
  }

  private static func words(_ range: ClosedRange<Int>) -> String {
    switch (range.lowerBound, range.upperBound) {
    case (.min, .max): " of at most 64 bits"
    case (let low, .max): " from \(low), of at most 64 bits"
    case (let low, let high): " from \(low) to \(high)"
    }
  }

  private static func words(_ range: ClosedRange<Double>) -> String {
    func shown(_ bound: Double) -> String {
      Int(exactly: bound).map { "\($0)" } ?? "\(bound)"
    }
    let most = Double.greatestFiniteMagnitude
    return switch (range.lowerBound == -most, range.upperBound == most) {
    case (true, true): ", finite"
    case (false, true): " from \(shown(range.lowerBound))"
    case (true, false): " up to \(shown(range.upperBound))"
    case (false, false): " from \(shown(range.lowerBound)) to \(shown(range.upperBound))"
    }
  }
}
