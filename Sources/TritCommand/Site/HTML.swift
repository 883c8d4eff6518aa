import TritLab

/// Pieces of pages.
enum HTML {
  /// Text between tags or within an attribute.
  static func text(_ text: String) -> String { Markup.xml(text) }

  /// Text in which what stands in backticks is code, and papers of arXiv can be followed.
  static func prose(_ prose: String) -> String {
    prose.split(separator: "`", omittingEmptySubsequences: false).enumerated()
      .map { index, part in
        index.isMultiple(of: 2) ? cited(String(part)) : "<code>\(text(String(part)))</code>"
      }.joined()
  }

  /// Paragraphs: what a blank line parts.
  static func paragraphs(_ text: String) -> String {
    text.split(separator: "\n\n").map { "<p>\(prose(String($0)))</p>\n" }.joined()
  }

  private static func cited(_ plain: String) -> String {
    text(plain).replacing(/(?:arXiv[: ])?\b(\d{4}\.\d{5})\b/) { match in
      "<a href=\"https://arxiv.org/abs/\(match.1)\">\(match.0)</a>"
    }
  }

  /// A name as part of an address: letters, digits, `_`, `.` and `-`.
  static func slug(_ name: String) -> String {
    String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "_.-".contains($0)) ? $0 : "-" })
  }

  /// A formula, as it is written: lines keep their form.
  static func formula(_ formula: String) -> String {
    "<pre class=\"formula\">\(text(formula))</pre>\n"
  }

  /// A command line; it wraps where the window is narrow.
  static func command(_ line: String) -> String {
    "<pre class=\"command\"><code>\(text(line))</code></pre>\n"
  }

  /// Lines whose form matters.
  static func listing(_ lines: String) -> String { "<pre><code>\(text(lines))</code></pre>\n" }

  /// A link with a name and a line about it.
  static func card(_ address: String, _ title: String, _ about: String, note: String = "") -> String
  {
    "<a class=\"card\" href=\"\(address)\"><strong>\(text(title))</strong><span>\(text(about))</span>"
      + (note.isEmpty ? "" : "<small>\(text(note))</small>") + "</a>\n"
  }

  /// A table whose cells are HTML. On a phone a row becomes a block, whose cells from the third on
  /// say what they are.
  static func table(_ heading: [String], _ rows: [[String]]) -> String {
    var table = "<table>\n<thead><tr>"
    table += heading.map { "<th scope=\"col\">\(text($0))</th>" }.joined()
    table += "</tr></thead>\n<tbody>\n"
    for row in rows {
      table += "<tr>"
      for (index, cell) in row.enumerated() {
        let label = index > 1 ? " data-label=\"\(text(heading[index])): \"" : ""
        table += "<td\(label)>\(cell)</td>"
      }
      table += "</tr>\n"
    }
    return table + "</tbody></table>\n"
  }

  /// Names and what they mean; both are HTML.
  static func facts(_ facts: [(name: String, value: String)]) -> String {
    "<dl>\n" + facts.map { "<dt>\($0.name)</dt><dd>\($0.value)</dd>\n" }.joined() + "</dl>\n"
  }

  /// A figure from the folder `figures`.
  static func figure(_ name: String, _ caption: String) -> String {
    "<figure><img src=\"figures/\(name).svg\" alt=\"\(text(caption))\" loading=\"lazy\">"
      + "<figcaption>\(text(caption))</figcaption></figure>\n"
  }
}
