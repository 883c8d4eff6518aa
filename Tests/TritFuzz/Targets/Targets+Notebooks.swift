import Foundation
import TritLab
import TritNotebook

extension FuzzTarget {
  /// Notebooks, which people send each other.
  static let notebooks = [
    FuzzTarget(
      name: "notebook",
      summary: "notebooks in Markdown: cells, knobs, their page and their file for Jupyter",
      grammar: .text(words: notebookWords), minimumAccepted: 0.2,
      sources: ["TritNotebook/Document", "TritNotebook/Writers", "TritNotebook/Run/InlineValues"],
      seeds: { notebookSeeds.map { Array($0.utf8) } }
    ) { _ in notebook }
  ]

  private static let notebookWords = [
    "```", "~~~", "````", "```swift", "```c", "```yaml experiment", " raises", " parameters",
    " solution", " folded", " large", " no-run", "# ", "## ", "- ", "1. ", "> ", "---", "| a | b |",
    "|---|:-:|", "<details>", "<summary>", "</summary>", "</details>", "<!--=", "-->", "<!--", "**",
    "*", "_", "`", "``", "[a](", "[a](02.md#b)", "![f](../plots/x.svg)", "[a]: ", "](", ")", "<br>",
    "<sub>", "</sub>", "&amp;", "&#x41;", "\\", "let x = ", "let y: Double = ", "1.5", "[1, 2]",
    "\"t\"", "true", "nil", ".row", " // c", "<script>", "</pre>", "\u{202E}", "é", "\r\n", "\t",
  ]

  private static let fence = "```"

  private static let notebookSeeds = [
    """
    # A *lesson*

    One question, **1.58**<!--= fixed(log2(3), 2) --> bits. See [03](03-x.md#a) and <http://a.b/c>.

    \(fence)swift parameters
    let threshold = 0.5  // in γ
    let names: [String] = ["a", "b"]
    \(fence)

    > **Predict.** What comes?

    <details><summary>Answer</summary>

    ![A figure](../plots/gallery/a.svg)

    \(fence)swift solution
    display(Table(["a"], [["1"]]))
    \(fence)

    | a | b |
    |---|--:|
    | 1 | `c|d` |

    </details>
    """,
    """
    ~~~c raises
    int f(void) { return 1; }
    ~~~
    - item

      \(fence)yaml experiment
      name: x
      measure: {weights: {}}
      \(fence)
    1. [r][]

    [r]: 02.md "t"

    \(fence)sh
    trit list
    \(fence)
    """,
  ]

  static func notebook(_ bytes: [UInt8]) throws {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw LabError(.badData, "not UTF-8")
    }
    let notebook = try Notebook(text: text, path: "none/n.md")
    let lines = text.replacing("\r\n", with: "\n").split(
      separator: "\n", omittingEmptySubsequences: false)
    for cell in notebook.cells {
      let own = cell.text.split(separator: "\n", omittingEmptySubsequences: false)
      for (index, line) in own.enumerated() where !cell.text.isEmpty {
        let place = cell.line - 1 + index
        try demand(
          place < lines.count && lines[place].hasSuffix(line), "a cell says where its lines stand")
      }
    }
    // A knob that is given its own value stays what it is.
    for knob in notebook.knobs where !knob.value.hasPrefix("\"") && !knob.value.contains("\\") {
      var same = notebook
      try same.set(["\(knob.name)=\(knob.value)"])
      try demand(same.knobs.count == notebook.knobs.count, "setting a knob makes no other knobs")
    }
    let unrun = ExecutedNotebook(unrun: notebook)
    let page = NotebookPage().write(unrun)
    try demand(page == NotebookPage().write(unrun), "a notebook gives the same page again")
    try elementsClose(page.html)
    let file = try JSONReader.read(IPYNBWriter.text(unrun, withOutputs: false))
    let cells = file["cells"]?.array ?? []
    try demand(
      cells.count { $0["cell_type"]?.string == "code" } == notebook.cells.count,
      "each cell is a cell of Jupyter")
    let prose = notebook.pieces.map { piece in
      if case .prose(let text, _) = piece { text } else { "" }
    }
    try elementsClose(MarkdownHTML.html(prose.joined(separator: "\n\n")))
  }

  /// Every element of a page closes in its order, and none is there that runs.
  private static func elementsClose(_ html: String) throws {
    let empty: Set<String> = ["meta", "br", "hr", "img", "input"]
    var open: [Substring] = []
    var rest = html.utf8[...]
    while let start = rest.firstIndex(of: UInt8(ascii: "<")) {
      guard let end = rest[start...].firstIndex(of: UInt8(ascii: ">")) else {
        throw BrokenLaw("a tag of the page does not end")
      }
      let tag = Substring(rest[rest.index(after: start)..<end])
      rest = rest[rest.index(after: end)...]
      if tag.hasPrefix("!") { continue }
      let name = tag.drop { $0 == "/" }.prefix { !$0.isWhitespace && $0 != "/" }
      try demand(name != "script", "a page of prose runs nothing")
      if tag.hasPrefix("/") {
        try demand(open.popLast() == name, "elements of a page close in their order")
      } else if !tag.hasSuffix("/"), !empty.contains(String(name)) {
        open.append(name)
      }
    }
    try demand(open.isEmpty, "elements of a page are closed")
  }
}
