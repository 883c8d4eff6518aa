import TritCore

/// Rows of text under a head: aligned for terminals, and as Markdown and HTML.
///
/// A column whose cells are all numbers stands at the right. Short rows are filled with empty
/// cells, longer ones get columns without a name.
public struct Table: Sendable, Equatable, Displayable {
  /// The head.
  public var columns: [String]
  /// Cells, row by row.
  public var rows: [[String]]

  /// A table of texts.
  public init(_ columns: [String], _ rows: [[String]]) {
    self.columns = columns
    self.rows = rows
  }

  /// A table of texts.
  public init(columns: [String], rows: [[String]]) { self.init(columns, rows) }

  /// A table of anything that has a description.
  public init(_ columns: [String], _ rows: [[any CustomStringConvertible & Sendable]]) {
    self.init(columns, rows.map { $0.map(\.description) })
  }

  /// Text, Markdown and HTML.
  public var displayData: DisplayData {
    DisplayData(plain: plain(width: 80), [.markdown: markdown, .html: html])
  }

  /// How many columns there are, named or not.
  var width: Int { max(columns.count, rows.map(\.count).max() ?? 0) }

  private func cell(_ row: [String], _ column: Int) -> String {
    column < row.count ? row[column] : ""
  }

  /// Whether everything in the column is a number, and there is something.
  func isNumeric(_ column: Int) -> Bool {
    let cells = rows.map { cell($0, column) }.filter { !["", "Σ", "–", "…"].contains($0) }
    return !cells.isEmpty && cells.allSatisfy(Self.isNumber)
  }

  static func isNumber(_ text: String) -> Bool {
    var text = text.replacing("−", with: "-")
    // A comma stands between thousands; in "0,32" it does not.
    if text.contains(",") {
      guard text.wholeMatch(of: /[-+]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?[^,]*/) != nil else {
        return false
      }
      text = text.replacing(",", with: "")
    }
    text = String(text.filter { $0 != "\u{202F}" && $0 != "\u{A0}" })
    if text.hasSuffix("%") {
      text.removeLast()
      if text.hasSuffix(" ") { text.removeLast() }
    }
    guard let first = text.first, first.isASCII, !first.isLetter else {
      return ["nan", "inf", "∞"].contains(text)
    }
    return Double(text) != nil
  }

  /// Text in lines of at most `width` columns, as long as the table has room for a few letters in
  /// each of its own.
  public func plain(width limit: Int) -> String {
    let count = width
    guard count > 0 else { return "" }
    func line(_ row: [String]) -> [String] {
      (0..<count).map { VisibleText.line(cell(row, $0)) }
    }
    let head = line(columns)
    let body = rows.map(line)
    let gap = 2
    var widths = (0..<count).map { column in
      ([head] + body).map { TextMeasure.columns($0[column]) }.max() ?? 0
    }
    // The widest column gives way, a step at a time; its cells are wrapped.
    while widths.reduce(0, +) + gap * (count - 1) > limit, let most = widths.max(), most > 8 {
      widths[widths.firstIndex(of: most) ?? 0] -= 1
    }
    let right = (0..<count).map(isNumeric)
    func text(_ row: [String]) -> String {
      let cells = (0..<count).map { TextMeasure.wrap(row[$0], widths[$0]) }
      return (0..<(cells.map(\.count).max() ?? 1)).map { index in
        var line = (0..<count).map { column in
          let part = index < cells[column].count ? cells[column][index] : ""
          return TextMeasure.padded(part, widths[column], right: right[column])
        }.joined(separator: String(repeating: " ", count: gap))
        while line.last == " " { line.removeLast() }
        return line
      }.joined(separator: "\n")
    }
    var lines: [String] = []
    if !columns.isEmpty {
      lines.append(text(head))
      lines.append(
        widths.map { String(repeating: "-", count: max($0, 1)) }
          .joined(separator: String(repeating: " ", count: gap)))
    }
    return (lines + body.map(text)).joined(separator: "\n")
  }

  /// GitHub's tables.
  public var markdown: String {
    let count = width
    guard count > 0 else { return "" }
    func line(_ row: [String]) -> String {
      "| " + (0..<count).map { Markup.markdown(cell(row, $0)) }.joined(separator: " | ") + " |"
    }
    let rule = (0..<count).map { isNumeric($0) ? "--:" : "---" }.joined(separator: " | ")
    return ([line(columns), "| \(rule) |"] + rows.map(line)).joined(separator: "\n")
  }

  /// An HTML table; what surrounds it decides its looks.
  public var html: String {
    let count = width
    func line(_ row: [String], _ tag: String) -> String {
      let cells = (0..<count).map { column in
        let side = isNumeric(column) ? "right" : "left"
        let scope = tag == "th" ? " scope=\"col\"" : ""
        let text = Markup.xml(cell(row, column)).replacing("\n", with: "<br>")
        return "<\(tag)\(scope) style=\"text-align:\(side)\">\(text)</\(tag)>"
      }
      return "<tr>" + cells.joined() + "</tr>\n"
    }
    let head = columns.isEmpty ? "" : "<thead>\n\(line(columns, "th"))</thead>\n"
    return "<table>\n\(head)<tbody>\n\(rows.map { line($0, "td") }.joined())</tbody>\n</table>"
  }
}

/// A text in Markdown, shown as it is where nobody renders it.
public struct MarkdownText: Sendable, Equatable, Displayable {
  /// The text.
  public var text: String
  /// Markdown as it is written.
  public init(_ text: String) { self.text = text }
  /// The text, twice.
  public var displayData: DisplayData { DisplayData(plain: text, [.markdown: text]) }
}

/// A whole SVG document, with words for those who do not see it.
public struct SVGImage: Sendable, Equatable, Displayable {
  /// The document.
  public var svg: String
  /// What terminals show.
  public var plain: String

  /// `svg` begins with `<svg`, or with an XML declaration, which is taken off: pages cannot hold
  /// it.
  public init(_ svg: String, plain: String = "a picture") {
    self.svg = InlineSVG.markup(svg, prefix: "") ?? svg
    self.plain = plain
  }

  /// Text and picture.
  public var displayData: DisplayData { DisplayData(plain: plain, [.svg: svg]) }
}
