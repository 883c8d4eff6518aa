import Foundation

/// Prose of a notebook as cells of Jupyter hold it: each by itself. Links lead to notebooks of
/// Jupyter, images are in the text, and a folded part that goes on behind a cell is folded in each
/// of its pieces: HTML that is open at the end of a cell of Markdown closes there.
struct IPYNBProse {
  private let links: NotebookLinks
  private let images: PageImages
  private let figures: Set<String>
  /// The heads of folded parts that are open, the outermost first.
  private var open: [String] = []

  /// Prose of the notebook at `path`; its cells show `figures` themselves.
  init(notebook path: String, figures: Set<String>) {
    links = NotebookLinks(notebook: path, ending: ".ipynb")
    images = PageImages(notebook: path)
    self.figures = figures
  }

  /// The next piece; empty where nothing of it is left.
  mutating func next(_ text: String) -> String {
    let shown = NotebookPage.withoutShown(text, figures)
    return folded(links.markdown(withImages(shown))).trimmingCharacters(in: .newlines)
  }

  /// Images beside the notebook become part of the text: the file is read elsewhere too.
  private func withImages(_ text: String) -> String {
    guard text.contains("![") else { return text }
    return MarkdownProse.withAddresses(text) { address, isImage in
      isImage ? images.data(String(address)) : nil
    }
  }

  private mutating func folded(_ text: String) -> String {
    var rest = text.trimmingCharacters(in: .whitespacesAndNewlines)[...]
    while !open.isEmpty, rest.hasPrefix(Self.end) {
      rest = rest.dropFirst(Self.end.count).drop { $0.isWhitespace }
      open.removeLast()
    }
    var result = rest.isEmpty ? "" : open.map { Self.head($0) + "\n\n" }.joined()
    var last: Range<String.Index>?
    var from = rest.startIndex
    while let tag = Self.tag(in: rest[from...]) {
      from = tag.range.upperBound
      if let head = tag.head {
        // Deeper ones are text.
        if open.count < Self.deepest { open.append(head) }
        last = tag.range
      } else {
        if !open.isEmpty { open.removeLast() }
        last = nil
      }
    }
    guard !rest.isEmpty else { return "" }
    // What is folded are the cells that follow, and those fold by themselves.
    if let last, last.upperBound == rest.endIndex, let head = open.last {
      result += rest[..<last.lowerBound] + "*\(head)*"
      return result + String(repeating: "\n\n" + Self.end, count: open.count - 1)
    }
    return result + rest + String(repeating: "\n\n" + Self.end, count: open.count)
  }

  private static let deepest = 16

  /// The next tag of a folded part: with its head where it begins, without where it ends.
  private static func tag(
    in text: Substring
  ) -> (head: String?, range: Range<String.Index>)? {
    var rest = text
    while let found = rest.firstIndex(of: "<") {
      rest = rest[found...]
      if rest.hasPrefix(end) {
        return (nil, found..<rest.index(found, offsetBy: end.count))
      }
      let begin = "<details>", summary = "<summary>"
      if rest.hasPrefix(begin) {
        let inner = rest.dropFirst(begin.count).drop { $0.isWhitespace }
        if inner.hasPrefix(summary),
          let close = inner.prefix(1000).firstRange(of: "</summary>")
        {
          let head = inner[
            inner.index(inner.startIndex, offsetBy: summary.count)..<close.lowerBound]
          return (String(head), found..<close.upperBound)
        }
      }
      rest = rest.dropFirst()
    }
    return nil
  }

  private static let end = "</details>"
  private static func head(_ summary: String) -> String {
    "<details><summary>\(summary), continued</summary>"
  }
}
