import TritCore
import TritNotebook

/// A cell as Jupyter has it: its first line may say what it is written in (`%%c`, `%%experiment`,
/// `%%swift`).
package struct CellMagic: Equatable {
  /// What it is written in.
  package let language: CellLanguage
  /// The cell without that line.
  package let text: String
  /// The number of the first line of `text` in the cell, from 1.
  package let line: Int
  /// The Unicode scalars before `text`.
  package let offset: Int

  /// Splits `code`. Throws `usage` for a line that names no language.
  package init(_ code: String) throws {
    guard code.hasPrefix("%%") else {
      (language, text, line, offset) = (.swift, code, 1, 0)
      return
    }
    let scalars = code.unicodeScalars
    let end = scalars.firstIndex(of: "\n") ?? scalars.endIndex
    let next = end == scalars.endIndex ? end : scalars.index(after: end)
    let words = String(scalars[..<end]).split(whereSeparator: \.isWhitespace)
    let name = String(words[0].dropFirst(2))
    let known = CellLanguage.allCases.map { "%%\($0.rawValue)" }
    guard words.count == 1, let language = CellLanguage(rawValue: name) else {
      throw LabError(
        .usage, words.count > 1 ? "a cell's language has no options" : "unknown language of a cell",
        expected: known.joined(separator: ", ") + " alone in the first line",
        got: VisibleText.line(String(scalars[..<end].prefix(80))),
        advice: Suggestion.nearest(name, CellLanguage.allCases.map(\.rawValue)).map {
          "did you mean %%\($0)?"
        } ?? "leave the line out for a cell of Swift")
    }
    self.language = language
    text = String(scalars[next...])
    line = 2
    offset = scalars.distance(from: scalars.startIndex, to: next)
  }
}
