import Foundation
public import TritCore

/// A constant of a notebook that can be set from outside: `let threshold = 0.5` in a cell marked
/// `parameters`.
public struct NotebookKnob: Sendable, Equatable {
  /// Its name.
  public var name: String
  /// Its value as the notebook has it, in Swift.
  public var value: String
  /// The cell that it stands in.
  public var cell: String

  private static func pattern() -> Regex<(Substring, Substring, Substring, Substring)> {
    /^(\s*(?:let|var)\s+)([A-Za-z_][A-Za-z0-9_]*)(?:\s*:\s*[A-Za-z0-9_.<>\[\]? ]+)?\s*=\s*(.+)$/
  }

  /// Those of a cell.
  static func all(in cell: NotebookCell) -> [NotebookKnob] {
    cell.text.split(separator: "\n").compactMap { line in
      guard let match = line.firstMatch(of: pattern()) else { return nil }
      return NotebookKnob(
        name: String(match.2), value: bare(String(match.3)), cell: cell.id)
    }
  }

  /// A value without the comment behind it.
  private static func bare(_ text: String) -> String {
    (text.range(of: " //").map { String(text[..<$0.lowerBound]) } ?? text)
      .trimmingCharacters(in: .whitespaces)
  }

  /// `text` as a value of this knob's kind, in Swift. Throws a usage error for one of another kind.
  func literal(_ text: String) throws -> String {
    let isText = value.hasPrefix("\"")
    if isText {
      return String(reflecting: text)
    }
    let isFlag = value == "true" || value == "false"
    let isList = value.hasPrefix("[")
    let isFine =
      isFlag
      ? text == "true" || text == "false"
      : isList
        ? text.hasPrefix("[") && text.hasSuffix("]")
          && text.allSatisfy { "[]0123456789.,-+e \"_".contains($0) || $0.isLetter }
        : value.contains(".") ? Double(text) != nil : Int(text) != nil
    guard isFine else {
      throw LabError(
        .usage, "'\(VisibleText.line(text))' is no value for the knob '\(name)'",
        at: "--set \(name)",
        expected: isFlag
          ? "true or false"
          : isList ? "a list in brackets" : value.contains(".") ? "a number" : "a whole number",
        got: VisibleText.line(text), advice: "the notebook has: \(name) = \(value)")
    }
    return text
  }
}

extension Notebook {
  /// Sets knobs: `name=value` each. Throws a usage error for one that the notebook does not have.
  public mutating func set(_ settings: [String]) throws {
    let knobs = knobs
    for setting in settings {
      let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      guard parts.count == 2, let knob = knobs.first(where: { $0.name == name }) else {
        let known = knobs.map { "\($0.name) (\($0.value))" }
        throw LabError(
          .usage,
          parts.count == 2
            ? "the notebook has no knob '\(VisibleText.line(name))'" : "a setting is name=value",
          at: path,
          expected: known.isEmpty ? "no knob: it has none" : known.joined(separator: ", "),
          got: VisibleText.line(setting), advice: Suggestion.didYouMean(name, knobs.map(\.name)))
      }
      let literal = try knob.literal(String(parts[1]))
      for index in pieces.indices {
        guard case .cell(var cell) = pieces[index], cell.id == knob.cell else { continue }
        let lines = cell.text.split(separator: "\n", omittingEmptySubsequences: false).map {
          line -> String in
          guard
            NotebookKnob.all(in: NotebookCell(id: "", language: .swift, text: String(line))).first?
              .name == name,
            let equals = line.range(of: "=")
          else { return String(line) }
          return line[...equals.lowerBound] + " " + literal
        }
        cell.text = lines.joined(separator: "\n")
        pieces[index] = .cell(cell)
      }
    }
  }
}
