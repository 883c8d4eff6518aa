/// A block of a Markdown document while it is read: CommonMark 0.31, appendix "A parsing strategy".
final class MarkdownBlock {
  enum Kind {
    case document, quote, paragraph, thematicBreak
    /// `<!-- … -->`: not shown.
    case comment
    case heading(Int)
    case list(MarkdownList)
    case item(MarkdownList)
    /// A fence is nil for indented code.
    case code(MarkdownFence?)
    case table([MarkdownAlignment])
    /// `<details>`: a folded part whose content is Markdown.
    case details(isOpen: Bool, summary: [UInt8])
    /// The end of a folded part that an earlier text of the page began.
    case detailsEnd
  }

  var kind: Kind
  var children: [MarkdownBlock] = []
  /// What it holds where it is a leaf; lines end in newlines.
  var text: [UInt8] = []
  /// Where the last line of a paragraph begins in `text`.
  var lastLine = 0
  var isOpen = true
  /// A folded part whose end is in a later text of the page.
  var isUnfinished = false
  /// Lines of the document, from 1: between them blank lines make a list loose.
  var firstLine: Int
  var endLine: Int

  init(_ kind: Kind, line: Int) {
    self.kind = kind
    firstLine = line
    endLine = line
  }

  var isParagraph: Bool {
    if case .paragraph = kind { true } else { false }
  }

  /// Whether it takes every line until its end.
  var isVerbatim: Bool {
    switch kind {
    case .code, .comment: true
    default: false
    }
  }

  var isFenced: Bool {
    if case .code(let fence) = kind { fence != nil } else { false }
  }

  /// Whether lines belong to it as they are.
  var takesLines: Bool {
    switch kind {
    case .paragraph, .code, .table, .comment: true
    default: false
    }
  }

  func canHold(_ child: Kind) -> Bool {
    let isItem = if case .item = child { true } else { false }
    switch kind {
    case .document, .quote, .item, .details: return !isItem
    case .list: return isItem
    default: return false
    }
  }
}

/// What a list's marker says.
struct MarkdownList {
  /// `-`, `+`, `*`; of ordered lists `.` or `)`.
  var mark: UInt8
  /// The first number; nil where the list has none.
  var start: Int?
  /// Columns from the container's edge to the marker, and from it to the text.
  var indent: Int
  var padding: Int
  var isTight = true

  func continues(_ other: MarkdownList) -> Bool {
    mark == other.mark && (start == nil) == (other.start == nil)
  }
}

/// The line that began a fenced block.
struct MarkdownFence {
  var mark: UInt8
  var length: Int
  var indent: Int
  var info: [UInt8]
}

/// How a column of a table is aligned.
enum MarkdownAlignment: String {
  case none, left, right, center
}

/// Where a reference definition leads.
struct MarkdownReference {
  var destination: [UInt8]
  var title: [UInt8]?
}

extension UInt8 {
  static let newline = UInt8(ascii: "\n")
  static let tab = UInt8(ascii: "\t")
  static let blank = UInt8(ascii: " ")

  var isBlank: Bool { self == .blank || self == .tab }
  var isSpacing: Bool { isBlank || self == .newline }
  var isDigit: Bool { (0x30...0x39).contains(self) }
  var isLetter: Bool { (0x41...0x5a).contains(self & 0xdf) }
  var isMarkdownPunctuation: Bool {
    switch self {
    case 0x21...0x2f, 0x3a...0x40, 0x5b...0x60, 0x7b...0x7e: true
    default: false
    }
  }
}

extension BidirectionalCollection where Element == UInt8 {
  /// Without blanks and newlines at both ends.
  var bare: SubSequence {
    var rest = drop { $0.isSpacing }
    var end = rest.endIndex
    while end > rest.startIndex {
      let before = rest.index(end, offsetBy: -1)
      guard rest[before].isSpacing else { break }
      end = before
    }
    rest = rest[rest.startIndex..<end]
    return rest
  }
}
