internal import TritCore
internal import TritDrawing

/// Writes a notebook that was run as one page of HTML: nothing is fetched, it reads on a phone and
/// at a desk, in light and in dark, and on paper.
///
/// What prose holds is Markdown without raw HTML (`MarkdownHTML`). What cells show as HTML or SVG
/// stands in the page as it is: it comes from code that its reader ran. The page's policy lets no
/// part of it reach the network. The same notebook gives the same bytes.
public struct NotebookPage {
  /// A page beside this one.
  public struct Link: Sendable, Equatable {
    /// What it is called.
    public var title: String
    /// Where it lies, relative to the page.
    public var address: String

    /// A link.
    public init(title: String, address: String) {
      self.title = title
      self.address = address
    }
  }

  /// The page, and what could not be shown on it.
  public struct Written: Sendable, Equatable {
    /// The text of the file.
    public var html: String
    /// Sentences: images that are missing or not allowed.
    public var notes: [String]
  }

  /// The lesson before, where there is one.
  public var previous: Link?
  /// The lesson after it.
  public var next: Link?

  /// A form of pages.
  public init(previous: Link? = nil, next: Link? = nil) {
    self.previous = previous
    self.next = next
  }

  /// The page of `notebook`.
  public func write(_ notebook: ExecutedNotebook) -> Written {
    let images = PageImages(notebook: notebook.path)
    var body = PageBody(
      images: images, links: NotebookLinks(notebook: notebook.path, ending: ".html"),
      settled: SettledOutputs(of: notebook))
    let figures = Self.figures(of: notebook)
    for piece in notebook.pieces {
      switch piece {
      case .prose(let text): body.add(prose: Self.withoutShown(text, figures))
      case .cell(let cell): body.add(cell)
      }
    }
    body.close()
    let title = PageText.html(notebook.title.isEmpty ? notebook.path : notebook.title)
    let html = """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8" />
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
      style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <meta name="generator" content="TritLab" />
      <title>\(title)</title>
      <style>
      \(Self.style)
      </style>
      </head>
      <body>
      \(contents(body.markdown.headings))<main>
      \(body.html)\(links)</main>
      </body>
      </html>

      """
    return Written(html: html, notes: images.notes)
  }

  /// The table of contents: for wide screens, and for notebooks with several parts.
  private func contents(_ headings: [MarkdownHTML.Heading]) -> String {
    let parts = headings.filter { (2...3).contains($0.level) }
    guard parts.count >= 2 else { return "" }
    var text = "<nav class=\"contents\" aria-label=\"Contents\">\n<ul>\n"
    for heading in parts {
      text += "<li class=\"level\(heading.level)\"><a href=\"#\(PageText.html(heading.anchor))\">"
      text += PageText.html(heading.text) + "</a></li>\n"
    }
    return text + "</ul>\n</nav>\n"
  }

  private var links: String {
    guard previous != nil || next != nil else { return "" }
    var text = "<nav class=\"lessons\" aria-label=\"Lessons\">\n"
    if let previous { text += Self.link(previous, "prev", "← ", "") }
    if let next { text += Self.link(next, "next", "", " →") }
    return text + "</nav>\n"
  }

  /// The names of the figures that cells show as answers.
  static func figures(of notebook: ExecutedNotebook) -> Set<String> {
    var names: Set<String> = []
    for case .display(_, let id?) in notebook.cells.flatMap(\.outputs) where id.hasPrefix("figure-")
    {
      names.insert(String(id.dropFirst("figure-".count)))
    }
    return names
  }

  /// Prose without the images of figures that stand on the page already, drawn by their cells: the
  /// committed files are for those who read the notebook without running it.
  static func withoutShown(_ text: String, _ figures: Set<String>) -> String {
    guard !figures.isEmpty else { return text }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).filter { line in
      guard let match = line.wholeMatch(of: /\s*!\[[^\]]*\]\((?:[^()\s]*\/)?([^()\s\/]+)\.svg\)\s*/)
      else { return true }
      return !figures.contains(String(match.1))
    }
    return lines.joined(separator: "\n")
  }

  private static func link(_ link: Link, _ rel: String, _ before: String, _ after: String) -> String
  {
    let title = before + PageText.html(link.title) + after
    guard let address = MarkdownText.safeURL(Array(link.address.utf8)) else {
      return "<span class=\"\(rel)\">\(title)</span>\n"
    }
    let target = PageText.html(String(decoding: address, as: UTF8.self))
    return "<a class=\"\(rel)\" rel=\"\(rel)\" href=\"\(target)\">\(title)</a>\n"
  }
}
