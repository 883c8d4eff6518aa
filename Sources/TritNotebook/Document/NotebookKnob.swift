import Foundation
public import TritCore

/// A constant of a notebook that can be set from outside: `let threshold = 0.5` in a cell marked
/// `parameters`, a literal alone on its line.
public struct NotebookKnob: Sendable, Equatable {
  /// Its name.
  public var name: String
  /// Its value as the notebook has it, in Swift.
  public var value: String
  /// The type that is written behind its name; nil where none is.
  public var type: String?
  /// The cell that it stands in.
  public var cell: String

  /// Those of a cell.
  static func all(in cell: NotebookCell) -> [NotebookKnob] {
    cell.text.split(separator: "\n").compactMap { line in
      guard let found = constant(in: line) else { return nil }
      return NotebookKnob(
        name: found.name, value: String(line[found.value]), type: found.type, cell: cell.id)
    }
  }

  /// The constant that a line declares, and where its value stands.
  static func constant(
    in line: Substring
  ) -> (name: String, type: String?, value: Range<String.Index>)? {
    // Most lines are none, and an expression is slow to begin with.
    let bare = line.drop { $0 == " " || $0 == "\t" }
    guard bare.hasPrefix("let") || bare.hasPrefix("var") else { return nil }
    let pattern =
      /^\s*(?:let|var)\s+([A-Za-z_][A-Za-z0-9_]*)\s{0,20}(?::([^=]{1,100}))?=\s*/
    guard let match = line.prefixMatch(of: pattern) else { return nil }
    let start = match.range.upperBound
    guard let literal = KnobLiteral.scan(line[start...]) else { return nil }
    let rest = line[literal.end...].drop { $0 == " " || $0 == ";" || $0 == "\t" }
    guard rest.isEmpty || rest.hasPrefix("//") else { return nil }
    return (
      String(match.1), match.2.map { $0.trimmingCharacters(in: .whitespaces) }, start..<literal.end
    )
  }

  /// What its values are: as its type says, else as its literal does.
  private var kind: KnobLiteral? {
    let written = type.flatMap { KnobLiteral.ofType($0) }
    switch written {
    case nil, .optional(nil), .list(nil): return KnobLiteral.scan(value[...])?.kind ?? written
    default: return written
    }
  }

  /// `text` as a value of this knob's kind, in Swift: what the notebook made a number with a point
  /// of stays one. Throws a usage error for one of another kind.
  func literal(_ text: String) throws -> String {
    if let literal = kind?.literal(text) { return literal }
    throw LabError(
      .usage, "'\(VisibleText.line(text))' is no value for the knob '\(name)'",
      at: "--set \(name)", expected: kind?.words ?? "a literal", got: VisibleText.line(text),
      advice: "the notebook has: \(name)\(type.map { ": \($0)" } ?? "") = \(value)")
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
          guard let found = NotebookKnob.constant(in: line), found.name == name else {
            return String(line)
          }
          return line[..<found.value.lowerBound] + literal + line[found.value.upperBound...]
        }
        cell.text = lines.joined(separator: "\n")
        pieces[index] = .cell(cell)
      }
    }
  }
}
