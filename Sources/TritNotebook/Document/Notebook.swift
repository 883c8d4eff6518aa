import Foundation
public import TritCore

/// A notebook: Markdown in which fences are cells. The file is the source of truth; pages and
/// `.ipynb` files are made from it.
///
/// - A fence of `swift`, `c` or `yaml experiment` is a cell; words after that are its marks
///   (`CellOption`). Any other fence is prose.
/// - `<!--= EXPRESSION -->` behind a word of the prose is that word's value: it is computed after
///   the cells before it, and takes the word's place.
public struct Notebook: Sendable {
  /// A piece, in the order of the file.
  public enum Piece: Sendable {
    /// Markdown, and the number of its first line.
    case prose(String, line: Int)
    /// Code that is run.
    case cell(NotebookCell)
  }

  /// The file as it was named.
  public var path: String
  /// Its pieces.
  public var pieces: [Piece]

  /// Its cells.
  public var cells: [NotebookCell] {
    pieces.compactMap { if case .cell(let cell) = $0 { cell } else { nil } }
  }

  /// The largest notebook that is read.
  static let limit = FileLimit("a notebook", bytes: 8 << 20)

  /// Reads the notebook at `path`. Throws `missingInput` where there is none, and `badData` with
  /// the line of what is wrong: text that is not UTF-8, a fence that is not closed, an unknown
  /// mark.
  public init(path: String) throws {
    let bytes = try WholeFile.read(path, limit: Self.limit)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw LabError(
        .badData, "the notebook is not UTF-8", at: path, expected: "Markdown in UTF-8",
        advice: "convert it: iconv -f latin1 -t utf-8 FILE")
    }
    try self.init(text: text, path: path)
  }

  /// Reads `text`; messages call it `path`.
  public init(text: String, path: String) throws {
    self.path = path
    var reader = NotebookReader(path: path)
    pieces = try reader.read(text)
  }

  /// The first heading, else the name of the file.
  public var title: String {
    for case .prose(let text, _) in pieces {
      for line in text.split(separator: "\n") where line.hasPrefix("# ") {
        return String(line.dropFirst(2)).trimmingCharacters(in: .whitespaces)
      }
    }
    return ((path as NSString).lastPathComponent as NSString).deletingPathExtension
  }

  /// Constants that can be set from outside: those of cells that are marked `parameters`.
  public var knobs: [NotebookKnob] {
    cells.filter { $0.options.contains(.parameters) }.flatMap { NotebookKnob.all(in: $0) }
  }
}

/// Cuts a notebook into pieces.
private struct NotebookReader {
  let path: String
  private var pieces: [Notebook.Piece] = []
  private var prose: [Substring] = []
  private var proseLine = 1
  private var count = 0

  init(path: String) { self.path = path }

  private struct Fence {
    var mark: Character
    var length: Int
    var indent: Int
    var line: Int
    var language: CellLanguage?
    var options: Set<CellOption>
    var lines: [Substring]
  }

  mutating func read(_ text: String) throws -> [Notebook.Piece] {
    let text = text.replacing("\r\n", with: "\n")
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    var fence: Fence?
    for (index, line) in lines.enumerated() {
      let number = index + 1
      if var open = fence {
        guard closes(line, open) else {
          open.lines.append(line)
          fence = open
          continue
        }
        end(open, closedBy: line, at: number)
        fence = nil
        continue
      }
      guard let open = try opening(line, at: number) else {
        prose.append(line)
        continue
      }
      if open.language != nil {
        flush(next: number)
      } else {
        prose.append(line)
      }
      fence = open
    }
    if let fence {
      throw LabError(
        .badData, "a fence of the notebook is not closed", at: "\(path):\(fence.line)",
        expected: "a line of \(String(repeating: fence.mark, count: fence.length))",
        got: "the end of the file", advice: "close it")
    }
    flush(next: lines.count + 1)
    return pieces
  }

  private mutating func flush(next: Int) {
    let text = prose.joined(separator: "\n")
    if !text.allSatisfy(\.isWhitespace) { pieces.append(.prose(text, line: proseLine)) }
    prose = []
    proseLine = next
  }

  private mutating func end(_ fence: Fence, closedBy line: Substring, at number: Int) {
    guard let language = fence.language else {
      prose += fence.lines + [line]
      return
    }
    count += 1
    let digits = String(count)
    let text = fence.lines.map { $0.dropFirst(min(fence.indent, $0.prefix { $0 == " " }.count)) }
    pieces.append(
      .cell(
        NotebookCell(
          id: "c" + String(repeating: "0", count: max(0, 2 - digits.count)) + digits,
          language: language, text: text.joined(separator: "\n"), line: fence.line + 1,
          options: fence.options)))
    proseLine = number + 1
  }

  private func closes(_ line: Substring, _ fence: Fence) -> Bool {
    let bare = line.drop { $0 == " " }
    let length = bare.prefix { $0 == fence.mark }.count
    return length >= fence.length && bare.dropFirst(length).allSatisfy(\.isWhitespace)
  }

  private func opening(_ line: Substring, at number: Int) throws -> Fence? {
    let bare = line.drop { $0 == " " }
    let indent = line.count - bare.count
    guard indent < 4, let mark = bare.first, mark == "`" || mark == "~" else { return nil }
    let length = bare.prefix { $0 == mark }.count
    let words = bare.dropFirst(length).split(separator: " ").map(String.init)
    guard length >= 3, mark == "~" || !bare.dropFirst(length).contains("`") else { return nil }
    var fence = Fence(
      mark: mark, length: length, indent: indent, line: number, language: nil, options: [],
      lines: [])
    var marks = words.dropFirst()
    switch words.first {
    case "swift": fence.language = .swift
    case "c": fence.language = .c
    case "yaml" where words.contains("experiment"):
      fence.language = .experiment
      marks = marks.filter { $0 != "experiment" }[...]
    default: return fence
    }
    for word in marks {
      guard let option = CellOption(rawValue: word) else {
        let known = CellOption.allCases.map(\.rawValue)
        throw LabError(
          .badData, "unknown mark '\(VisibleText.line(word))' of a cell", at: "\(path):\(number)",
          expected: known.joined(separator: ", "), advice: Suggestion.didYouMean(word, known))
      }
      fence.options.insert(option)
    }
    if fence.options.contains(.noRun) { fence.language = nil }
    return fence
  }
}
