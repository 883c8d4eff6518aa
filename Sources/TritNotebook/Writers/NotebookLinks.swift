import Foundation
import TritCore

/// Links between notebooks: their files are Markdown, and what is made of them has another ending.
final class NotebookLinks {
  private let folder: String
  private let ending: String
  private var known: [String: Bool] = [:]

  /// Links of the notebook at `path`, for files that end in `ending` (`.html`, `.ipynb`).
  init(notebook path: String, ending: String) {
    folder = (path as NSString).deletingLastPathComponent
    self.ending = ending
  }

  /// `address` as it is among files of that ending; nil where it leads to no notebook.
  func target(_ address: some StringProtocol) -> String? {
    let parts = address.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
    guard let path = parts.first, path.hasSuffix(".md"), path.count > 3, !path.hasPrefix("/"),
      !path.contains(":"), !path.contains("?"), isNotebook(String(path))
    else { return nil }
    return path.dropLast(3) + ending + (parts.count > 1 ? "#\(parts[1])" : "")
  }

  /// Whether a file holds cells. One that is not there is taken for one: nothing else would make
  /// the link lead anywhere.
  private func isNotebook(_ path: String) -> Bool {
    if let known = known[path] { return known }
    let name = path.removingPercentEncoding ?? path
    let place = folder.isEmpty ? name : folder + "/" + name
    let isOne: Bool
    if FileKind(at: place) == .absent {
      isOne = true
    } else {
      isOne = (try? Notebook(path: place)).map { !$0.cells.isEmpty } ?? false
    }
    known[path] = isOne
    return isOne
  }

  /// `html`, made of Markdown, with the addresses of its links changed. What is code there has no
  /// tags.
  func html(_ html: String) -> String {
    guard html.contains(".md") else { return html }
    return html.replacing(/<a href="([^"]+)"/) { match in
      target(match.1).map { "<a href=\"\($0)\"" } ?? String(match.0)
    }
  }

  /// Markdown with the addresses of its links changed, code apart.
  func markdown(_ text: String) -> String {
    guard text.contains(".md") else { return text }
    return MarkdownProse.withAddresses(text) { address, isImage in
      isImage ? nil : target(address)
    }
  }
}

/// The text of Markdown that is neither a fence nor code within a line.
enum MarkdownProse {
  /// What the words of a link may be long, and its address.
  private static let reach = 1000

  /// `text` with the addresses of its links and images, `[words](address` and `[label]: address`,
  /// changed by `change`, which is told whether it is an image; nil leaves one as it is.
  static func withAddresses(_ text: String, _ change: (Substring, Bool) -> String?) -> String {
    mapped(text) { piece, isWholeLine in
      var result = ""
      var rest = piece
      // A definition: the label first, then the address alone.
      if isWholeLine, rest.drop(while: { $0 == " " }).hasPrefix("["),
        let colon = rest.firstRange(of: "]:")
      {
        let address = rest[colon.upperBound...].drop { $0 == " " || $0 == "\t" }
          .prefix { !$0.isWhitespace }
        if let other = change(address, false) {
          result += rest[..<address.startIndex] + other
          rest = rest[address.endIndex...]
        }
      }
      while let mark = rest.firstRange(of: "](") {
        let address = rest[mark.upperBound...].prefix(reach).prefix {
          !$0.isWhitespace && $0 != "(" && $0 != ")"
        }
        result += rest[..<mark.upperBound]
        let words = rest[..<mark.lowerBound].suffix(reach)
        let isImage = words.lastIndex(of: "[").map { words[..<$0].hasSuffix("!") } ?? false
        result += change(address, isImage) ?? String(address)
        rest = rest[address.endIndex...]
      }
      return result + rest
    }
  }

  /// `text` with each such piece, a line at most, changed by `change`, which is told whether it is
  /// the line's beginning.
  static func mapped(_ text: String, _ change: (Substring, Bool) -> String) -> String {
    var fence: Substring?
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      let bare = line.drop { $0 == " " }
      let mark =
        bare.prefix { $0 == "`" }.count >= 3 ? bare.prefix { $0 == "`" } : bare.prefix { $0 == "~" }
      if let open = fence {
        if mark.hasPrefix(open), bare.dropFirst(mark.count).allSatisfy(\.isWhitespace) {
          fence = nil
        }
        return String(line)
      }
      if mark.count >= 3 {
        fence = mark
        return String(line)
      }
      return outsideOfCode(line, change)
    }
    return lines.joined(separator: "\n")
  }

  private static func outsideOfCode(
    _ line: Substring, _ change: (Substring, Bool) -> String
  ) -> String {
    var result = ""
    var rest = line
    // Runs of so many ticks that nothing closes in this line: they are not looked for again.
    var open: Set<Int> = []
    var text = rest.startIndex
    while let start = rest.firstIndex(of: "`") {
      let ticks = rest[start...].prefix { $0 == "`" }
      let end =
        open.contains(ticks.count)
        ? nil : closing(ticks.count, in: rest[ticks.endIndex...])
      guard let end else {
        open.insert(ticks.count)
        rest = rest[ticks.endIndex...]
        continue
      }
      result += change(line[text..<start], text == line.startIndex) + line[start..<end]
      rest = rest[end...]
      text = end
    }
    return result + change(line[text...], text == line.startIndex)
  }

  /// Where a run of just so many ticks ends.
  private static func closing(_ count: Int, in text: Substring) -> String.Index? {
    var rest = text
    while let start = rest.firstIndex(of: "`") {
      let ticks = rest[start...].prefix { $0 == "`" }
      if ticks.count == count { return ticks.endIndex }
      rest = rest[ticks.endIndex...]
    }
    return nil
  }
}
