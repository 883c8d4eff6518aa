internal import TritCore

/// Reads the text of a leaf block: emphasis, code, links, images, breaks and a few safe tags
/// (CommonMark 0.31, appendix "Phase 2: inline structure"). Linear in the length of the text.
struct MarkdownInline {
  /// A piece of the result.
  enum Piece {
    /// Text that is escaped when it is written.
    case text([UInt8])
    /// Markup, and what of it is text.
    case html([UInt8], plain: [UInt8], depth: Int)
    /// What is left of a run of `*` or `_`, the tags that it closes and those that it opens.
    case run(UInt8, count: Int, closes: [UInt8], opens: [[UInt8]])
  }

  /// A run of `*` or `_` that may yet become emphasis.
  struct Delimiter {
    var piece: Int
    var mark: UInt8
    var count: Int
    let length: Int
    let canOpen: Bool
    let canClose: Bool
    var previous: Int
    var next: Int
  }

  /// A `[`, a `![` or a safe tag that may yet be closed.
  struct Opener {
    enum Kind: Equatable { case link, image, tag(String) }
    var kind: Kind
    var piece: Int
    /// Behind it in the text.
    var position: Int
    /// Delimiters from this one on stand behind it.
    var delimiters: Int
  }

  let text: [UInt8]
  let references: [String: MarkdownReference]
  /// Gives an image as markup: destination, description, title.
  let image: (String, String, String?) -> [UInt8]
  var position = 0
  var pieces: [Piece] = []
  var plain: [UInt8] = []
  var delimiters: [Delimiter] = []
  var openers: [Opener] = []
  /// How many openers of links below this index lead nowhere: a link holds no other.
  var inactive = 0
  /// How many of the openers are brackets, and how many are tags of each name.
  var brackets = 0
  var openTags: [String: Int] = [:]
  private var codeRuns: [Int: [Int]]?
  private var codeCursor: [Int: Int] = [:]
  private var isWithoutComments = false

  init(
    _ text: some Collection<UInt8>, references: [String: MarkdownReference],
    image: @escaping (String, String, String?) -> [UInt8]
  ) {
    self.text = Array(text)
    self.references = references
    self.image = image
  }

  /// The markup of the whole text.
  mutating func html() -> [UInt8] {
    readAll()
    var result: [UInt8] = []
    result.reserveCapacity(text.count + text.count / 4)
    for piece in pieces {
      switch piece {
      case .text(let text): MarkdownText.escape(text, into: &result)
      case .html(let html, _, _): result += html
      case .run(let mark, let count, let closes, let opens):
        result += closes
        result += [UInt8](repeating: mark, count: count)
        for tag in opens.reversed() { result += tag }
      }
    }
    return result
  }

  /// The text alone.
  mutating func plainText() -> String {
    readAll()
    return String(decoding: plain(of: pieces[...]), as: UTF8.self)
  }

  func plain(of pieces: ArraySlice<Piece>) -> [UInt8] {
    var result: [UInt8] = []
    for piece in pieces {
      switch piece {
      case .text(let text): result += text
      case .html(_, let plain, _): result += plain
      case .run(let mark, let count, _, _): result += [UInt8](repeating: mark, count: count)
      }
    }
    return result
  }

  private mutating func readAll() {
    while position < text.count { step() }
    flush()
    emphasize(from: 0)
  }

  func byte(_ index: Int) -> UInt8? { index >= 0 && index < text.count ? text[index] : nil }

  mutating func flush() {
    guard !plain.isEmpty else { return }
    pieces.append(.text(plain))
    plain.removeAll(keepingCapacity: true)
  }

  mutating func add(html: some Sequence<UInt8>, plain text: [UInt8] = [], depth: Int = 0) {
    flush()
    pieces.append(.html(Array(html), plain: text, depth: depth))
  }

  private mutating func step() {
    let byte = text[position]
    switch byte {
    case UInt8(ascii: "\\"): escape()
    case UInt8(ascii: "`"): code()
    case UInt8(ascii: "*"), UInt8(ascii: "_"): run(byte)
    case UInt8(ascii: "["):
      position += 1
      open(.link, "[")
    case UInt8(ascii: "!") where self.byte(position + 1) == UInt8(ascii: "["):
      position += 2
      open(.image, "![")
    case UInt8(ascii: "]"): closeBracket()
    case UInt8(ascii: "<"): angle()
    case UInt8(ascii: "&"): entity()
    case .newline: lineEnd()
    default:
      plain.append(byte)
      position += 1
    }
  }

  mutating func open(_ kind: Opener.Kind, _ literal: String) {
    flush()
    pieces.append(.text(Array(literal.utf8)))
    if case .tag(let name) = kind { openTags[name, default: 0] += 1 } else { brackets += 1 }
    openers.append(
      Opener(
        kind: kind, piece: pieces.count - 1, position: position, delimiters: delimiters.count))
  }

  // MARK: Escapes, entities, breaks

  private mutating func escape() {
    let next = byte(position + 1)
    if next == .newline {
      add(html: "<br />\n".utf8, plain: [.newline])
      position += 2
      skipBlanks()
    } else if let next, next.isMarkdownPunctuation {
      plain.append(next)
      position += 2
    } else {
      plain.append(UInt8(ascii: "\\"))
      position += 1
    }
  }

  private mutating func entity() {
    if let (value, length) = MarkdownText.entity(text[position...]) {
      plain += value
      position += length
    } else {
      plain.append(UInt8(ascii: "&"))
      position += 1
    }
  }

  private mutating func lineEnd() {
    var blanks = 0
    while plain.last == .blank {
      plain.removeLast()
      blanks += 1
    }
    if blanks >= 2 {
      add(html: "<br />\n".utf8, plain: [.newline])
    } else {
      plain.append(.newline)
    }
    position += 1
    skipBlanks()
  }

  private mutating func skipBlanks() {
    while byte(position)?.isBlank == true { position += 1 }
  }

  // MARK: Code

  private mutating func code() {
    let length = text[position...].prefix { $0 == UInt8(ascii: "`") }.count
    let start = position + length
    guard let end = codeEnd(length, after: start) else {
      plain += text[position..<start]
      position = start
      return
    }
    var content = text[start..<end].map { $0 == .newline ? .blank : $0 }
    if content.first == .blank, content.last == .blank, content.contains(where: { $0 != .blank }) {
      content = Array(content.dropFirst().dropLast())
    }
    var html = Array("<code>".utf8)
    MarkdownText.escape(content, into: &html)
    add(html: html + Array("</code>".utf8), plain: content)
    position = end + length
  }

  /// Where the next run of exactly `length` backticks begins.
  private mutating func codeEnd(_ length: Int, after start: Int) -> Int? {
    if codeRuns == nil {
      var runs: [Int: [Int]] = [:]
      var index = 0
      while index < text.count {
        guard text[index] == UInt8(ascii: "`") else {
          index += 1
          continue
        }
        let count = text[index...].prefix { $0 == UInt8(ascii: "`") }.count
        runs[count, default: []].append(index)
        index += count
      }
      codeRuns = runs
    }
    guard let places = codeRuns?[length] else { return nil }
    var cursor = codeCursor[length] ?? 0
    while cursor < places.count, places[cursor] < start { cursor += 1 }
    codeCursor[length] = cursor
    return cursor < places.count ? places[cursor] : nil
  }

  // MARK: What begins with `<`

  private static let safeTags: Set<String> = ["sub", "sup", "kbd"]

  private mutating func angle() {
    if let (destination, length) = MarkdownText.autolink(text[position...]) {
      let address = Array(text[(position + 1)..<(position + length - 1)])
      if let url = MarkdownText.safeURL(destination) {
        var html = Array("<a href=\"".utf8)
        MarkdownText.escape(url, into: &html)
        html += "\">".utf8
        MarkdownText.escape(address, into: &html)
        add(html: html + Array("</a>".utf8), plain: address)
        position += length
        return
      }
    }
    if text[position...].starts(with: "<!--".utf8), let end = commentEnd() {
      position = end
      return
    }
    let head = text[position...].prefix(8)
    if let end = head.firstIndex(of: UInt8(ascii: ">")) {
      let tag = String(decoding: text[(position + 1)..<end], as: UTF8.self)
      let length = end + 1 - position
      if tag == "br" || tag == "br/" || tag == "br /" {
        add(html: "<br />".utf8, plain: [.newline])
        position += length
        return
      }
      if Self.safeTags.contains(tag) {
        position += length
        open(.tag(tag), "<\(tag)>")
        return
      }
      if tag.first == "/", Self.safeTags.contains(String(tag.dropFirst())),
        close(tag: String(tag.dropFirst()))
      {
        position += length
        return
      }
    }
    plain.append(UInt8(ascii: "<"))
    position += 1
  }

  private mutating func commentEnd() -> Int? {
    guard !isWithoutComments else { return nil }
    var index = position + 4
    while index + 2 < text.count {
      if text[index] == UInt8(ascii: "-"), text[index + 1] == UInt8(ascii: "-"),
        text[index + 2] == UInt8(ascii: ">")
      {
        return index + 3
      }
      index += 1
    }
    isWithoutComments = true
    return nil
  }

  /// Makes elements of the tag that was opened last under this name and what stands behind it.
  private mutating func close(tag: String) -> Bool {
    guard openTags[tag, default: 0] > 0,
      let index = openers.lastIndex(where: { $0.kind == .tag(tag) })
    else { return false }
    flush()
    let opener = openers[index]
    emphasize(from: opener.delimiters)
    pieces[opener.piece] = .html(Array("<\(tag)>".utf8), plain: [], depth: 0)
    add(html: "</\(tag)>".utf8)
    dropOpeners(from: index)
    return true
  }

  /// Forgets all openers from `index` on: what they stand for is text.
  mutating func dropOpeners(from index: Int) {
    for opener in openers[index...] {
      if case .tag(let name) = opener.kind {
        openTags[name, default: 0] -= 1
      } else {
        brackets -= 1
      }
    }
    openers.removeSubrange(index...)
    inactive = min(inactive, index)
  }
}
