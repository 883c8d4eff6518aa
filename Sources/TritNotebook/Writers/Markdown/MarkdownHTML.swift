/// Makes HTML of the Markdown that notebooks are written in.
///
/// CommonMark 0.31 and GitHub's tables, without raw HTML: tags are shown as text, except
/// `<details>` with `<summary>` (what is in them is Markdown), `<br>`, `<sub>`, `<sup>` and
/// `<kbd>`; comments are left out. Links lead to the web, to mail or to relative places; others
/// stay text. Headings get anchors as GitHub makes them. The time is linear in the length of the
/// text, whatever it holds.
public struct MarkdownHTML {
  /// A heading, for tables of contents.
  public struct Heading: Sendable, Equatable {
    /// From 1 to 6.
    public var level: Int
    /// Its text, without markup.
    public var text: String
    /// Its anchor, once on the page.
    public var anchor: String
  }

  /// The headings of all texts so far.
  public private(set) var headings: [Heading] = []
  /// Gives an image as markup: its address, its description, its title. Nil: images are shown as
  /// their description.
  let image: ((String, String, String?) -> String)?
  /// Gives code of a fence as markup: the code, the fence's words. Nil where it is shown plainly.
  let code: ((String, String) -> String?)?
  private var anchors: [String: Int] = [:]

  /// A maker of HTML for the texts of one page.
  public init() { self.init(image: nil, code: nil) }

  init(
    image: ((String, String, String?) -> String)?, code: ((String, String) -> String?)? = nil
  ) {
    self.image = image
    self.code = code
  }

  /// The HTML of `markdown`. Anchors differ from those of texts before.
  public mutating func html(_ markdown: String) -> String {
    html(markdown, isPart: false)
  }

  /// Folded parts that are open behind the texts so far.
  private(set) var openDetails = 0

  /// The HTML of a text between cells: a folded part may begin in one and end in a later one.
  mutating func html(_ markdown: String, isPart: Bool) -> String {
    let blocks = MarkdownBlocks.read(
      markdown, carried: isPart ? openDetails : 0, isPart: isPart)
    if isPart { openDetails = blocks.carried }
    var writer = MarkdownWriter(references: blocks.references, page: self)
    writer.write(blocks.document.children, isTight: false)
    headings = writer.page.headings
    anchors = writer.page.anchors
    return String(decoding: writer.output, as: UTF8.self)
  }

  /// The HTML of one text by itself.
  public static func html(_ markdown: String) -> String {
    var page = MarkdownHTML()
    return page.html(markdown)
  }

  /// Notes a heading and gives its anchor: lower case, letters, digits, `-` and `_`, blanks as
  /// dashes; numbered where it stood before.
  mutating func anchor(level: Int, text: String) -> String {
    var slug = ""
    for scalar in text.lowercased().unicodeScalars {
      if scalar == " " || scalar == "\n" {
        slug += "-"
      } else if scalar == "-" || scalar == "_" || scalar.properties.isAlphabetic
        || scalar.properties.numericType != nil
      {
        slug.unicodeScalars.append(scalar)
      }
    }
    if slug.isEmpty { slug = "section" }
    var anchor = slug
    while let count = anchors[anchor] {
      anchors[anchor] = count + 1
      anchor = "\(slug)-\(count)"
      if anchors[anchor] == nil { break }
    }
    anchors[anchor] = 1
    headings.append(Heading(level: level, text: text, anchor: anchor))
    return anchor
  }

  /// What makes images: by itself, so that nothing else of the page is kept with it.
  var imageMarkup: (String, String, String?) -> [UInt8] {
    if let image { return { Array(image($0, $1, $2).utf8) } }
    return { _, description, _ in
      var html = Array("<em>".utf8)
      MarkdownText.escape(description.utf8, into: &html)
      return html + Array("</em>".utf8)
    }
  }

  /// The HTML of what a cell shows: its headings are no part of the table of contents.
  mutating func html(shown markdown: String) -> String {
    let count = headings.count
    defer { headings.removeSubrange(count...) }
    return html(markdown)
  }
}

/// Writes blocks as HTML.
struct MarkdownWriter {
  /// Cells that short rows are given, for the whole document: a wide head over many short rows
  /// would make much of little.
  static let fillLimit = 65536

  let references: [String: MarkdownReference]
  var page: MarkdownHTML
  var output: [UInt8] = []
  private var filled = 0
  private let image: (String, String, String?) -> [UInt8]

  init(references: [String: MarkdownReference], page: MarkdownHTML) {
    self.references = references
    self.page = page
    image = page.imageMarkup
  }

  private mutating func put(_ text: String) { output += text.utf8 }

  private mutating func startLine() {
    if let last = output.last, last != .newline { output.append(.newline) }
  }

  private func inline(_ text: some BidirectionalCollection<UInt8>) -> [UInt8] {
    var reader = MarkdownInline(text.bare, references: references, image: image)
    return reader.html()
  }

  /// Nesting is bounded by the reader, so this calls itself a bounded number of times.
  mutating func write(_ blocks: [MarkdownBlock], isTight: Bool) {
    for block in blocks { write(block, isTight: isTight) }
  }

  private mutating func write(_ block: MarkdownBlock, isTight: Bool) {
    switch block.kind {
    case .document: write(block.children, isTight: false)
    case .comment: break
    case .paragraph:
      let html = inline(block.text)
      guard !html.isEmpty else { return }
      if isTight {
        output += html
        return
      }
      startLine()
      put("<p>")
      output += html
      put("</p>\n")
    case .heading(let level):
      var reader = MarkdownInline(
        block.text.bare, references: references, image: image)
      let html = reader.html()
      let text = String(decoding: reader.plain(of: reader.pieces[...]), as: UTF8.self)
      let anchor = page.anchor(level: level, text: text)
      startLine()
      put("<h\(level) id=\"")
      MarkdownText.escape(anchor.utf8, into: &output)
      put("\">")
      output += html
      put("</h\(level)>\n")
    case .thematicBreak:
      startLine()
      put("<hr />\n")
    case .quote:
      startLine()
      put("<blockquote>\n")
      write(block.children, isTight: false)
      startLine()
      put("</blockquote>\n")
    case .list(let list): write(list, block)
    case .item:
      put("<li>")
      write(block.children, isTight: isTight)
      put("</li>\n")
    case .code(let fence): write(code: block.text, fence)
    case .table(let alignments): write(table: block.text, alignments)
    case .details(let isOpen, let summary):
      startLine()
      put(isOpen ? "<details open=\"open\">\n<summary>" : "<details>\n<summary>")
      output += summary.isEmpty ? Array("Details".utf8) : inline(summary)
      put("</summary>\n")
      write(block.children, isTight: false)
      startLine()
      if !block.isUnfinished { put("</details>\n") }
    case .detailsEnd:
      startLine()
      put("</details>\n")
    }
  }

  private mutating func write(_ list: MarkdownList, _ block: MarkdownBlock) {
    startLine()
    let tag = list.start == nil ? "ul" : "ol"
    if let start = list.start, start != 1 {
      put("<ol start=\"\(start)\">\n")
    } else {
      put("<\(tag)>\n")
    }
    for item in block.children { write(item, isTight: list.isTight) }
    startLine()
    put("</\(tag)>\n")
  }

  private mutating func write(code: [UInt8], _ fence: MarkdownFence?) {
    startLine()
    let info = MarkdownText.unescaped((fence?.info ?? [])[...])
    let words = String(decoding: info, as: UTF8.self)
    let text = String(decoding: code, as: UTF8.self)
    if let markup = page.code?(text, words) {
      put(markup)
      startLine()
      return
    }
    put("<pre><code")
    if let language = info.split(whereSeparator: \.isSpacing).first {
      put(" class=\"language-")
      MarkdownText.escape(language, into: &output)
      put("\"")
    }
    put(">")
    MarkdownText.escape(code, into: &output)
    put("</code></pre>\n")
  }

  private mutating func write(table text: [UInt8], _ alignments: [MarkdownAlignment]) {
    startLine()
    put("<table>\n")
    for (index, row) in text.split(separator: .newline).enumerated() {
      if index == 0 { put("<thead>\n") }
      if index == 1 { put("<tbody>\n") }
      put("<tr>\n")
      let cells = MarkdownBlocks.cells(row.bare)
      for (column, alignment) in alignments.enumerated() {
        if column >= cells.count {
          filled += 1
          if filled > Self.fillLimit { break }
        }
        let tag = index == 0 ? "th" : "td"
        put("<\(tag)")
        if alignment != .none { put(" style=\"text-align:\(alignment.rawValue)\"") }
        put(">")
        if column < cells.count { output += inline(cells[column]) }
        put("</\(tag)>\n")
      }
      put("</tr>\n")
      if index == 0 { put("</thead>\n") }
    }
    if text.split(separator: .newline).count > 1 { put("</tbody>\n") }
    put("</table>\n")
  }
}
