import Foundation
import Testing
import TritDrawing
import TritNotebook
import _TritTestSupport

@Suite struct NotebookPageTests {
  private func page(_ pieces: [ExecutedNotebook.Piece], title: String = "t") -> String {
    NotebookPage().write(ExecutedNotebook(path: "n/a.md", title: title, pieces: pieces)).html
  }

  @Test func aPageIsWholeAndFetchesNothing() {
    let notebook = SampleNotebook.notebook()
    let html = NotebookPage(
      previous: .init(title: "Four", address: "04.html"),
      next: .init(title: "<Six>", address: "06.html")
    ).write(notebook).html
    let markup = Markup(html)
    #expect(markup.problem == nil)
    #expect(Set(markup.ids).count == markup.ids.count, "ids are once on the page: \(markup.ids)")
    #expect(html.hasPrefix("<!DOCTYPE html>\n<html lang=\"en\">"))
    #expect(html.contains("content=\"default-src 'none'; img-src data:;"))
    #expect(html.contains("name=\"viewport\""))
    #expect(html.contains("<title>How does a trit multiply?</title>"))
    #expect(html.contains("<a class=\"next\" rel=\"next\" href=\"06.html\">&lt;Six&gt; →</a>"))
    for word in ["src=\"http", "src='http", "<link", "@import", "url(http"] {
      #expect(!html.contains(word), "\(word)")
    }
    #expect(NotebookPage().write(notebook) == NotebookPage().write(SampleNotebook.notebook()))
  }

  @Test func drawingsKeepWhatTheyReferTo() {
    let html = page([
      SampleNotebook.cell(
        .swift, "a", 1,
        [1, 2].map { _ in
          .display(DisplayData(plain: "p", [.svg: SampleNotebook.gnuplot]), id: nil)
        })
    ])
    for prefix in ["D1-", "D2-"] {
      #expect(html.contains("id='\(prefix)gpDot'"))
      #expect(html.contains("xlink:href='#\(prefix)gpDot'"))
      #expect(html.contains("url(#\(prefix)p)"))
    }
    // Made for white paper: a light card in the dark.
    #expect(html.contains("<div class=\"figure paper wide\">"))
    #expect(!html.contains("<?xml"))
    let own = "<svg width=\"90\"><style>@media (prefers-color-scheme: dark) {}</style></svg>"
    let small = page([
      SampleNotebook.cell(
        .swift, "a", 1, [.result(DisplayData(plain: "p", [.svg: own]))])
    ])
    #expect(small.contains("<div class=\"figure\" style=\"width:90px\">"))
  }

  @Test func whatCellsPrintIsText() {
    let bad = "<script>alert(\"1\")</script>\0\u{202E}&"
    let safe = "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;\\u{0}\\u{202e}&amp;"
    let failure = CellFailure(.thrown, name: bad, message: bad, place: bad)
    let html = page(
      [
        SampleNotebook.cell(
          .c, bad, 1, [.stream(.stdout, bad), .result(DisplayData(plain: bad)), .failure(failure)],
          state: .failed(failure)),
        SampleNotebook.cell(.swift, "x", nil, state: .skipped(bad)),
        .prose(bad),
      ], title: bad)
    #expect(!html.contains("<script>"))
    #expect(!html.contains("\0") && !html.contains("\u{202E}"))
    #expect(html.contains("<title>\(safe)</title>"))
    #expect(html.contains("<pre class=\"stdout\">\(safe)</pre>"))
    #expect(html.contains("<strong>\(safe)</strong> <code>\(safe)</code>"))
    #expect(Markup(html).problem == nil)
  }

  @Test func printedTextIsAsATerminalShowsIt() {
    let html = page([
      SampleNotebook.cell(
        .swift, "x", 1,
        [
          .stream(.stdout, "1 %\r50 %\r"), .stream(.stdout, "100 %\r\nend\n"),
          .stream(.stderr, "\u{1b}[31mred\u{1b}[0m"),
        ])
    ])
    #expect(html.contains("<pre class=\"stdout\">100 %\nend\n</pre>"))
    #expect(html.contains("<pre class=\"stderr\">red</pre>"))
  }

  @Test func updatesReplaceWhatWasShown() {
    let html = page([
      SampleNotebook.cell(
        .swift, "x", 1,
        [
          .display(DisplayData(plain: "ZERO"), id: "p"), .stream(.stdout, "between\n"),
          .update(DisplayData(plain: "HALF"), id: "p"),
        ]),
      SampleNotebook.cell(.swift, "y", 2, [.update(DisplayData(plain: "DONE"), id: "p")]),
    ])
    #expect(!html.contains("ZERO") && !html.contains("HALF"))
    #expect(html.components(separatedBy: "DONE").count == 2)
    #expect(html.contains("<pre class=\"value\">DONE</pre>\n<pre class=\"stdout\">between"))
  }

  @Test func marksDecideWhatIsFoldedAndWhatIsBad() {
    let failure = SampleNotebook.failure
    let html = page([
      SampleNotebook.cell(
        .swift, "a", 1, [.failure(failure)], options: [.raises], state: .failed(failure)),
      SampleNotebook.cell(.swift, "b", 2, options: [.raises]),
      SampleNotebook.cell(.swift, "c", 3, options: [.solution]),
      .prose("<details>\n<summary>Solution</summary>"),
      SampleNotebook.cell(.swift, "d", 4, options: [.solution]), .prose("</details>"),
    ])
    #expect(html.contains("fails, as it should"))
    #expect(html.contains("should have failed, and passed"))
    #expect(html.contains("class=\"failure expected\""))
    // The second solution is in the fold that prose began.
    #expect(html.components(separatedBy: "<details").count == 3)
    #expect(Markup(html).problem == nil)
  }

  @Test func linksToNotebooksLeadToTheirPages() throws {
    let folder = try TemporaryFolder("links")
    try "# Words".write(toFile: folder.file("words.md"), atomically: true, encoding: .utf8)
    try "```swift\n1\n```\n".write(
      toFile: folder.file("cells.md"), atomically: true, encoding: .utf8)
    let html = NotebookPage().write(
      ExecutedNotebook(
        path: folder.file("n.md"), title: "t",
        pieces: [
          .prose(
            "[a](cells.md) [b](gone.md#x-1) [c](words.md) [d](http://a.b/c.md) [e][r] `[f](g.md)`\n\n"
              + "[r]: ./cells.md 'w'")
        ])
    ).html
    let addresses = html.matches(of: /<a href="([^"]*)"/).map { String($0.1) }
    #expect(
      addresses == ["cells.html", "gone.html#x-1", "words.md", "http://a.b/c.md", "./cells.html"])
    #expect(html.contains("[f](g.md)"))
  }

  @Test func imagesComeFromBesideTheNotebook() throws {
    let folder = try TemporaryFolder()
    let manager = FileManager.default
    for name in ["repo/.git", "repo/notebooks/in", "repo/plots/gallery", "repo/private"] {
      try manager.createDirectory(
        atPath: folder.path + "/" + name, withIntermediateDirectories: true)
    }
    let repository = folder.path + "/repo"
    for name in ["notebooks/in/a.svg", "plots/gallery/b.svg", "private/c.svg"] {
      try SampleNotebook.gnuplot.write(
        toFile: repository + "/" + name, atomically: true, encoding: .utf8)
    }
    try "secret".write(
      toFile: repository + "/notebooks/key.png", atomically: true, encoding: .utf8)
    try manager.createSymbolicLink(
      atPath: repository + "/notebooks/link.svg",
      withDestinationPath: repository + "/private/c.svg")
    func written(_ source: String) -> NotebookPage.Written {
      NotebookPage().write(
        ExecutedNotebook(
          path: repository + "/notebooks/n.md", title: "t",
          pieces: [.prose("![what it shows](\(source))")]))
    }
    for source in ["in/a.svg", "./in/../in/a.svg", "../plots/gallery/b.svg"] {
      let page = written(source)
      #expect(page.notes.isEmpty, "\(source)")
      #expect(page.html.contains("src=\"data:image/svg+xml;base64,"), "\(source)")
    }
    for source in [
      "../private/c.svg", "link.svg", "gone.svg", "key.png", "/etc/hostname", "in", "%00",
      "https://a.b/c.png", "//a.b/c.png", "data:image/png;base64,AA",
    ] {
      let page = written(source)
      #expect(page.notes.count == 1, "\(source)")
      #expect(page.html.contains("<em class=\"missing\">what it shows</em>"), "\(source)")
      #expect(!page.html.contains("<img"), "\(source)")
    }
  }

  @Test func colouredCodeIsTheSameText() {
    let code = """
      /* a /* b */ c */ let x = #"raw \\" "# + "in \\(f("y")) out" // "s"
      @main struct T<U> { var n = 0x1p-3 + 1_000.5e+2 ... 3 }
      #if os(Linux)
      """
    for language in CellLanguage.allCases {
      let html = page([SampleNotebook.cell(language, code, 1)])
      let start = html.range(of: "<pre class=\"code\"><code>")?.upperBound ?? html.endIndex
      let end = html.range(of: "</code></pre>")?.lowerBound ?? html.endIndex
      var text = html[start..<end].replacing(/<[^>]*>/, with: "")
      for (entity, character) in [
        ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&"),
      ] { text = text.replacing(entity, with: character) }
      #expect(text == code + "\n", "\(language)")
    }
    let swift = page([SampleNotebook.cell(.swift, code, 1)])
    #expect(swift.contains("<span class=\"c\">/* a /* b */ c */</span>"))
    #expect(swift.contains("<span class=\"s\">&quot;in \\(f(&quot;y&quot;)) out&quot;</span>"))
    #expect(swift.contains("<span class=\"k\">struct</span> <span class=\"t\">T</span>"))
  }
}
