import Foundation
internal import TritCore
internal import TritDrawing

/// The parts of a page, in their order.
struct PageBody {
  private(set) var html = ""
  var markdown: MarkdownHTML
  private let links: NotebookLinks
  private var settled: SettledOutputs
  private var cells = 0
  private var drawings = 0

  init(images: PageImages, links: NotebookLinks, settled: SettledOutputs) {
    self.links = links
    self.settled = settled
    markdown = MarkdownHTML(image: images.markup, code: Self.code)
  }

  // MARK: Prose

  mutating func add(prose: String) {
    html += links.html(scrolling(markdown.html(prose, isPart: true)))
  }

  /// Ends the folded parts that prose left open.
  mutating func close() {
    html += String(repeating: "</details>\n", count: markdown.openDetails)
  }

  /// Tables that are wider than the page scroll within it.
  private func scrolling(_ html: String) -> String {
    html.replacing("<table>", with: "<div class=\"scroll\"><table>")
      .replacing("</table>", with: "</table></div>")
  }

  /// Code in prose: coloured where its language is known.
  private static func code(_ code: String, _ words: String) -> String? {
    guard let word = words.split(separator: " ").first,
      let language = CodeHighlighter.Language(fence: String(word))
    else { return nil }
    return
      "<pre class=\"code\"><code>\(CodeHighlighter.html(code, language: language))</code></pre>\n"
  }

  // MARK: Cells

  mutating func add(_ run: ExecutedCell) {
    cells += 1
    let given = settled.next()
    let isFolded = run.cell.options.contains(.solution) && markdown.openDetails == 0
    if isFolded { html += "<details class=\"solution\">\n<summary>Solution</summary>\n" }
    html += "<section class=\"cell \(run.cell.language.rawValue)\" id=\"C\(cells)\">\n"
    html += head(run) + source(run.cell)
    if !given.isEmpty {
      html += "<div class=\"outputs\">\n"
      for output in given { html += self.output(output, of: run) }
      html += "</div>\n"
    }
    if !given.contains(where: { if case .failure = $0 { true } else { false } }),
      case .failed(let failure) = run.state
    {
      html += "<div class=\"outputs\">\n\(card(failure, of: run))</div>\n"
    }
    html += "</section>\n"
    if isFolded { html += "</details>\n" }
  }

  private func head(_ run: ExecutedCell) -> String {
    var text = "<div class=\"head\"><span class=\"language\">\(Self.name(run.cell.language))</span>"
    if let number = run.number {
      text += " <a class=\"number\" href=\"#C\(cells)\">[\(number)]</a>"
    }
    switch run.state {
    case .passed:
      if run.cell.options.contains(.raises) {
        text += " <span class=\"bad\">should have failed, and passed</span>"
      }
    case .failed:
      text +=
        run.cell.options.contains(.raises)
        ? " <span class=\"mark\">fails, as it should</span>" : " <span class=\"bad\">failed</span>"
    case .skipped(let reason):
      text += " <span class=\"mark\">not run: \(PageText.html(reason))</span>"
    }
    if run.number != nil { text += " <span class=\"seconds\">\(Self.seconds(run.seconds))</span>" }
    return text + "</div>\n"
  }

  private func source(_ cell: NotebookCell) -> String {
    var text = cell.text
    while text.last?.isNewline == true { text.removeLast() }
    let language: CodeHighlighter.Language =
      switch cell.language {
      case .swift: .swift
      case .c: .c
      case .experiment: .yaml
      }
    let code = CodeHighlighter.html(VisibleText.prose(text), language: language)
    let block = "<pre class=\"code\"><code>\(code)\n</code></pre>\n"
    guard cell.options.contains(.folded) else { return block }
    let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }.count
    return "<details class=\"fold\">\n<summary>Code, \(lines) \(lines == 1 ? "line" : "lines")"
      + "</summary>\n\(block)</details>\n"
  }

  private static func name(_ language: CellLanguage) -> String {
    switch language {
    case .swift: "Swift"
    case .c: "C"
    case .experiment: "Experiment"
    }
  }

  private static func seconds(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0 else { return "" }
    return String(format: seconds < 9.95 ? "%.2f s" : "%.0f s", seconds)
  }

  // MARK: Outputs

  private mutating func output(_ output: CellOutput, of run: ExecutedCell) -> String {
    switch output {
    case .stream(let stream, let text):
      return
        "<pre class=\"\(stream.rawValue)\">\(PageText.html(TerminalText.settled(text)))</pre>\n"
    case .display(let data, _), .update(let data, _), .result(let data): return display(data)
    case .failure(let failure): return card(failure, of: run)
    }
  }

  /// The richest form that a page can show.
  private mutating func display(_ data: DisplayData) -> String {
    if let html = data[.html] { return "<div class=\"display\">\n\(html)\n</div>\n" }
    drawings += 1
    if let svg = data[.svg], let drawing = InlineSVG.markup(svg, prefix: "D\(drawings)-") {
      let form = FigureForm.of(drawing)
      return "<div class=\"\(form.kind)\"\(form.style)>\n\(drawing)\n</div>\n"
    }
    if let png = data.types["image/png"],
      let bytes = Data(base64Encoded: png, options: .ignoreUnknownCharacters)
    {
      return "<div class=\"figure raster\"><img alt=\"\(PageText.html(data.plain))\" "
        + "src=\"data:image/png;base64,\(bytes.base64EncodedString())\" /></div>\n"
    }
    if let text = data[.markdown] {
      return "<div class=\"display\">\n\(scrolling(markdown.html(shown: text)))</div>\n"
    }
    return "<pre class=\"value\">\(PageText.html(TerminalText.settled(data.plain)))</pre>\n"
  }

  private func card(_ failure: CellFailure, of run: ExecutedCell) -> String {
    let isExpected = run.cell.options.contains(.raises)
    var text = "<div class=\"failure\(isExpected ? " expected" : "")\" role=\"note\">\n"
    text += "<p><strong>\(PageText.html(failure.name))</strong>"
    if let place = failure.place { text += " <code>\(PageText.html(place))</code>" }
    return text
      + "</p>\n<pre>\(PageText.html(TerminalText.settled(failure.message)))</pre>\n</div>\n"
  }
}
