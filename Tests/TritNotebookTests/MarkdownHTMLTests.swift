import Foundation
import Testing
import TritNotebook

@Suite struct MarkdownHTMLTests {
  /// Rules of CommonMark 0.31 (sections named) and of GitHub's tables.
  @Test(arguments: [
    // 4.2, 4.3: headings, with GitHub's anchors.
    ("# A *b* `c`", "<h1 id=\"a-b-c\">A <em>b</em> <code>c</code></h1>\n"),
    ("####### x", "<p>####### x</p>\n"),
    ("a\n---", "<h2 id=\"a\">a</h2>\n"),
    // 4.1: thematic breaks.
    ("***", "<hr />\n"),
    ("- - -", "<hr />\n"),
    // 4.4, 4.5: code, whose text is as it stands.
    ("    a <b>\n\n      c", "<pre><code>a &lt;b&gt;\n\n  c\n</code></pre>\n"),
    ("~~~ sh x\n**a**\n~~~", "<pre><code class=\"language-sh\">**a**\n</code></pre>\n"),
    ("```\nopen", "<pre><code>open\n</code></pre>\n"),
    // 5.1: quotations, and the line that goes on without a mark.
    ("> a\nb", "<blockquote>\n<p>a\nb</p>\n</blockquote>\n"),
    // 5.3: tight and loose lists, nested ones, where numbers begin.
    ("- a\n  - b\n- c", "<ul>\n<li>a\n<ul>\n<li>b</li>\n</ul>\n</li>\n<li>c</li>\n</ul>\n"),
    ("3. a\n\n4. b", "<ol start=\"3\">\n<li>\n<p>a</p>\n</li>\n<li>\n<p>b</p>\n</li>\n</ol>\n"),
    // 6.2: emphasis binds as flanks say.
    ("foo_bar_baz", "<p>foo_bar_baz</p>\n"),
    ("***a** b*", "<p><em><strong>a</strong> b</em></p>\n"),
    ("*a **b*", "<p>*a *<em>b</em></p>\n"),
    // 6.1: code binds tighter than all else.
    ("*a `*`", "<p>*a <code>*</code></p>\n"),
    ("`` ` ``", "<p><code>`</code></p>\n"),
    // 6.3: links; none within another.
    ("[a](<b c> \"t\")", "<p><a href=\"b%20c\" title=\"t\">a</a></p>\n"),
    ("[a [b](c) d](e)", "<p>[a <a href=\"c\">b</a> d](e)</p>\n"),
    ("[R]\n\n[r]: /u 'w'", "<p><a href=\"/u\" title=\"w\">R</a></p>\n"),
    ("<http://a.b?c&d>", "<p><a href=\"http://a.b?c&amp;d\">http://a.b?c&amp;d</a></p>\n"),
    // 2.4, 2.5, 6.7: escapes, entities, hard breaks.
    ("\\*a\\* &copy; &nosuch; &#0;", "<p>*a* © &amp;nosuch; \u{FFFD}</p>\n"),
    ("a  \nb\\\nc", "<p>a<br />\nb<br />\nc</p>\n"),
    // GitHub's tables: short rows are filled, long ones cut, an escaped bar is text.
    (
      "| a | b |\n|:-:|--:|\n| 1 |\n| \\| | 2 | 3 |",
      "<table>\n<thead>\n<tr>\n<th style=\"text-align:center\">a</th>\n"
        + "<th style=\"text-align:right\">b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n"
        + "<td style=\"text-align:center\">1</td>\n<td style=\"text-align:right\"></td>\n</tr>\n<tr>\n"
        + "<td style=\"text-align:center\">|</td>\n<td style=\"text-align:right\">2</td>\n</tr>\n"
        + "</tbody>\n</table>\n"
    ),
  ])
  func followsCommonMark(_ markdown: String, _ html: String) {
    // Blanks between blocks have no meaning.
    func joined(_ text: String) -> String {
      text.replacingOccurrences(of: "<li>\n", with: "<li>")
        .replacingOccurrences(of: "</p>\n</li>", with: "</p></li>")
        .replacingOccurrences(of: "</p></li>", with: "</p>\n</li>")
    }
    #expect(joined(MarkdownHTML.html(markdown)) == joined(html))
  }

  /// 2,000 generated texts: 1,996 are as markdown-it-py 4.0 or commonmark 0.9.1 (PyPI) have them;
  /// in the others, a table and a definition of a link, neither speaks
  /// (`Scripts/check_markdown.py`).
  @Test func generatedTextsAreAsTheyWereCompared() throws {
    let texts = GeneratedMarkdown.texts(2000)
    let pages = texts.map { MarkdownHTML.html($0) }
    if let folder = ProcessInfo.processInfo.environment["TRITLAB_MARKDOWN"] {
      try GeneratedMarkdown.write(texts, pages, to: folder)
    }
    #expect(GeneratedMarkdown.digest(pages) == 0x450b_da9c_e054_b92c)
  }

  @Test func foldedPartsHoldMarkdown() {
    let html = MarkdownHTML.html(
      "<details><summary>The *answer*</summary>\n\n- `a`\n\n</details>\n\nafter")
    #expect(
      html == "<details>\n<summary>The <em>answer</em></summary>\n<ul>\n<li><code>a</code></li>\n"
        + "</ul>\n</details>\n<p>after</p>\n")
    #expect(
      MarkdownHTML.html("<details open>\n<summary>A</summary>\nb\n</details>")
        == "<details open=\"open\">\n<summary>A</summary>\n<p>b</p>\n</details>\n")
    #expect(
      MarkdownHTML.html("<details><summary>A</summary>b</details>")
        == "<details>\n<summary>A</summary>\n<p>b</p>\n</details>\n")
    // One that nobody ends ends with its text; an end without a beginning is text.
    #expect(MarkdownHTML.html("<details>\na").hasSuffix("<p>a</p>\n</details>\n"))
    #expect(MarkdownHTML.html("a </details>") == "<p>a &lt;/details&gt;</p>\n")
  }

  @Test func fewTagsAreTagsAndTheRestIsText() {
    #expect(
      MarkdownHTML.html("x<sup>2</sup> H<sub>2</sub>O <kbd>Q</kbd><br>")
        == "<p>x<sup>2</sup> H<sub>2</sub>O <kbd>Q</kbd><br /></p>\n")
    #expect(
      MarkdownHTML.html("<script>alert('&')</script>")
        == "<p>&lt;script&gt;alert('&amp;')&lt;/script&gt;</p>\n")
    #expect(
      MarkdownHTML.html("<sup onclick=\"x\">") == "<p>&lt;sup onclick=&quot;x&quot;&gt;</p>\n")
    // Elements close in the order in which they were opened, or are text.
    #expect(MarkdownHTML.html("<sub>*a</sub>*") == "<p><sub>*a</sub>*</p>\n")
    #expect(MarkdownHTML.html("<kbd>a") == "<p>&lt;kbd&gt;a</p>\n")
    #expect(MarkdownHTML.html("a <!-- not shown --> b") == "<p>a  b</p>\n")
    #expect(MarkdownHTML.html("<!-- check: skip\n\nas said -->\nb") == "<p>b</p>\n")
  }

  @Test(arguments: [
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java&#10;script:alert(1)", "&#1;javascript:x",
    "data:text/html,x", "vbscript:x", "file:///etc/passwd", "ftp://a/b",
  ])
  func otherSchemesAreNoLinks(_ address: String) {
    for text in ["[a](\(address))", "[a](<\(address)>)", "<\(address)>", "[a]\n\n[a]: \(address)"] {
      #expect(!MarkdownHTML.html(text).contains("<a "), "\(text)")
    }
  }

  @Test(arguments: ["https://a.b/c", "mailto:a@b.c", "#part", "02.md", "../a/b.md?x=a:b", "/x"])
  func webMailAndRelativePlacesAreLinks(_ address: String) {
    #expect(MarkdownHTML.html("[a](\(address))") == "<p><a href=\"\(address)\">a</a></p>\n")
  }

  @Test func anchorsAreOnceOnAPage() {
    var page = MarkdownHTML()
    let html = page.html("# A b\n# A b") + page.html("# A b\n# A b-1")
    #expect(page.headings.map(\.text) == ["A b", "A b", "A b", "A b-1"])
    #expect(Set(page.headings.map(\.anchor)).count == 4)
    #expect(page.headings.prefix(2).map(\.anchor) == ["a-b", "a-b-1"])
    for heading in page.headings { #expect(html.contains("id=\"\(heading.anchor)\"")) }
  }

  @Test func hiddenCharactersAreWrittenOut() {
    #expect(MarkdownHTML.html("a\0b\u{202E}c\u{1b}") == "<p>a\\u{0}b\\u{202e}c\\u{1b}</p>\n")
    #expect(MarkdownHTML.html("&#x202E;") == "<p>\\u{202e}</p>\n")
    #expect(MarkdownHTML.html("\u{FEFF}# a\r\nb\rc").hasSuffix("</h1>\n<p>b\nc</p>\n"))
  }

  /// What makes naive readers quadratic, or deep: all of it comes back, within the time that tests
  /// have.
  @Test(arguments: [
    "*", "_", "[", "]", "`", ">", "> ", "![", "[a](", "*a_", "**a", "<", "<!--", "<sub>", "<sub>]",
    "- ", "1. ", "|", "<details>\n", "</details>", "![a](b)", "a\n===\n", "`a``b", "[a]: b\n", "&",
  ])
  func hostileTextsAreNothingSpecial(_ unit: String) {
    let html = MarkdownHTML.html(String(repeating: unit, count: 100_000 / unit.utf8.count))
    #expect(html.utf8.count < 2_000_000)
    #expect(Markup(html).problem == nil)
  }
}
