internal import TritCore

/// Text of unknown origin (names, parameters, errors, what models wrote) as it stands in Markdown,
/// HTML and CSV.
///
/// Each form is escaped for what it is, and what is hidden is written out first (`VisibleText`): a
/// report holds no element, link, table cell or terminal sequence that the lab did not put there.
package enum ReportText {
  // MARK: Markdown

  /// Text within a line: what has a meaning in CommonMark, in GitHub's tables or in HTML has a
  /// backslash in front.
  package static func markdown(_ text: String) -> String {
    punctuated(VisibleText.line(unbroken(text)))
  }

  /// A paragraph or several, each line on its own, none of them a heading, a list, a quotation or
  /// code.
  package static func paragraphs(_ text: String) -> String {
    text.split(omittingEmptySubsequences: false) { $0.isNewline }
      .map { markdownStart(punctuated(VisibleText.prose(String($0)).trimmed)) }
      .joined(separator: "\n")
  }

  /// Lines of what a model wrote, as a quotation.
  package static func quotation(_ text: String) -> String {
    text.split(omittingEmptySubsequences: false) { $0.isNewline }
      .map { "> " + markdownStart(punctuated(VisibleText.prose(String($0)))) }
      .joined(separator: "\n")
  }

  /// A value as code within a line.
  package static func code(_ text: String) -> String {
    let plain = VisibleText.line(unbroken(text))
    // Code spans know no escapes, so what would end one, a table's cell or begin an element is no
    // code.
    let isPlain = !plain.isEmpty && !plain.contains { "`|<>&".contains($0) }
    return isPlain ? "`\(plain)`" : "<code>\(html(plain).replacing("|", with: "&#124;"))</code>"
  }

  /// Lines whose form matters, as an error has it.
  package static func block(_ text: String) -> String { "<pre>\n\(html(text))\n</pre>" }

  private static func unbroken(_ text: String) -> String {
    String(text.map { $0.isNewline ? " " : $0 })
  }

  private static func punctuated(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      if "|*_`<>[]#\\&~$".unicodeScalars.contains(scalar) { result += "\\" }
      result.unicodeScalars.append(scalar)
    }
    return result
  }

  /// A line that would begin a list, or underline a heading, begins with a backslash.
  private static func markdownStart(_ line: String) -> String {
    let body = line.drop { $0 == " " || $0 == "\t" }
    // Four blanks begin code.
    let indent = body.count == line.count ? "" : " "
    guard let first = body.first else { return "" }
    if "-+=".contains(first) { return indent + "\\" + body }
    let digits = body.prefix { $0.isASCII && $0.isNumber }
    let rest = body.dropFirst(digits.count)
    if !digits.isEmpty, let mark = rest.first, mark == "." || mark == ")" {
      return indent + digits + "\\" + rest
    }
    return indent + body
  }

  // MARK: HTML

  /// Text between tags or within an attribute.
  package static func html(_ text: String) -> String {
    var result = ""
    for scalar in VisibleText.prose(text.replacing("\r\n", with: "\n")).unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  // MARK: CSV

  /// A cell (RFC 4180), with what is hidden written out. One that a spreadsheet would take for a
  /// formula begins with an apostrophe, which spreadsheets do not show; numbers stay numbers.
  package static func csv(_ text: String) -> String {
    var cell = VisibleText.lines(text.replacing("\r\n", with: "\n"))
    if let first = cell.unicodeScalars.first, "=+-@\t".unicodeScalars.contains(first),
      Double(cell) == nil
    {
      cell = "'" + cell
    }
    let isPlain =
      !cell.contains { $0 == "," || $0 == "\"" || $0.isNewline } && cell == cell.trimmed
    return isPlain ? cell : "\"" + cell.replacing("\"", with: "\"\"") + "\""
  }
}
