/// Links and images, written in place or by reference.
extension MarkdownInline {
  /// Addresses, titles and labels are not looked for farther than this many bytes.
  static let reach = 4096

  mutating func closeBracket() {
    position += 1
    guard brackets > 0,
      let index = openers.lastIndex(where: { if case .tag = $0.kind { false } else { true } })
    else {
      plain.append(UInt8(ascii: "]"))
      return
    }
    flush()
    let opener = openers[index]
    let isImage = opener.kind == .image
    guard isImage || index >= inactive, let target = target(of: opener) else {
      // Tags that were opened since and not closed are text.
      dropOpeners(from: index)
      plain.append(UInt8(ascii: "]"))
      return
    }
    emphasize(from: opener.delimiters)
    dropOpeners(from: index)
    if isImage {
      let (description, depth) = description(of: pieces[(opener.piece + 1)...])
      pieces.removeSubrange(opener.piece...)
      let source = String(decoding: target.destination, as: UTF8.self)
      let title = target.title.map { String(decoding: $0, as: UTF8.self) }
      // Descriptions of descriptions are copied once for each: deep ones stay text.
      let html = depth > 8 ? [] : image(source, description, title)
      add(html: html, plain: Array(description.utf8), depth: depth)
    } else {
      var html = Array("<a href=\"".utf8)
      MarkdownText.escape(MarkdownText.safeURL(target.destination) ?? [], into: &html)
      html += "\"".utf8
      if let title = target.title {
        html += " title=\"".utf8
        MarkdownText.escape(title, into: &html)
        html += "\"".utf8
      }
      pieces[opener.piece] = .html(html + Array(">".utf8), plain: [], depth: 0)
      add(html: "</a>".utf8)
      // No link holds another.
      inactive = openers.count
    }
  }

  private func description(of inner: ArraySlice<Piece>) -> (String, depth: Int) {
    let depth = inner.reduce(0) {
      if case .html(_, _, let depth) = $1 { max($0, depth) } else { $0 }
    }
    return (String(decoding: plain(of: inner), as: UTF8.self), depth + 1)
  }

  /// Where the brackets lead, and the place behind it all; the place in the text moves there.
  private mutating func target(of opener: Opener) -> MarkdownReference? {
    var reader = MarkdownLinkReader(text: text, position: position)
    if let target = reader.inlineTarget(), isAllowed(target, opener) {
      position = reader.position
      return target
    }
    guard !references.isEmpty else { return nil }
    reader.position = position
    var label: ArraySlice<UInt8>?
    var end = position
    if let explicit = reader.label() {
      end = reader.position
      if !explicit.bare.isEmpty { label = explicit }
    }
    let whole = text[opener.position..<(position - 1)]
    // A label that is the text holds no brackets.
    if label == nil, whole.count <= 999, !MarkdownLinkReader.hasBrackets(whole) { label = whole }
    guard let label, let target = references[MarkdownLinkReader.key(label)],
      isAllowed(target, opener)
    else { return nil }
    position = end
    return target
  }

  private func isAllowed(_ target: MarkdownReference, _ opener: Opener) -> Bool {
    opener.kind == .image || MarkdownText.safeURL(target.destination) != nil
  }
}

/// Reads the parts of links: labels, addresses, titles.
struct MarkdownLinkReader {
  let text: [UInt8]
  var position: Int

  private func byte(_ index: Int) -> UInt8? { index < text.count ? text[index] : nil }

  private mutating func skipSpacing() {
    while byte(position)?.isSpacing == true { position += 1 }
  }

  /// `(address "title")`.
  mutating func inlineTarget() -> MarkdownReference? {
    guard byte(position) == UInt8(ascii: "(") else { return nil }
    position += 1
    skipSpacing()
    guard let destination = destination() else { return nil }
    let end = position
    skipSpacing()
    var title: [UInt8]?
    if position > end, let found = self.title() {
      title = found
      skipSpacing()
    }
    guard byte(position) == UInt8(ascii: ")") else { return nil }
    position += 1
    return MarkdownReference(destination: destination, title: title)
  }

  /// `[label]`.
  mutating func label() -> ArraySlice<UInt8>? {
    guard byte(position) == UInt8(ascii: "[") else { return nil }
    var index = position + 1
    while let byte = byte(index), index - position <= 1000 {
      if byte == UInt8(ascii: "[") { return nil }
      if byte == UInt8(ascii: "]") {
        defer { position = index + 1 }
        return text[(position + 1)..<index]
      }
      index += byte == UInt8(ascii: "\\") ? 2 : 1
    }
    return nil
  }

  mutating func destination() -> [UInt8]? {
    let limit = min(text.count, position + MarkdownInline.reach)
    var index = position
    if byte(index) == UInt8(ascii: "<") {
      index += 1
      while index < limit {
        switch text[index] {
        case UInt8(ascii: ">"):
          defer { position = index + 1 }
          return MarkdownText.unescaped(text[(position + 1)..<index])
        case .newline, UInt8(ascii: "<"): return nil
        case UInt8(ascii: "\\"): index += 2
        default: index += 1
        }
      }
      return nil
    }
    var depth = 0
    scan: while index < limit {
      switch text[index] {
      case UInt8(ascii: "\\") where byte(index + 1)?.isMarkdownPunctuation == true: index += 2
      case UInt8(ascii: "("):
        depth += 1
        guard depth <= 32 else { return nil }
        index += 1
      case UInt8(ascii: ")"):
        if depth == 0 { break scan }
        depth -= 1
        index += 1
      case 0...0x20, 0x7f: break scan
      default: index += 1
      }
    }
    index = min(index, text.count)
    guard depth == 0, index < limit || limit == text.count else { return nil }
    guard index > position || byte(index) == UInt8(ascii: ")") else { return nil }
    defer { position = index }
    return MarkdownText.unescaped(text[position..<index])
  }

  mutating func title() -> [UInt8]? {
    guard let mark = byte(position), "\"'(".utf8.contains(mark) else { return nil }
    let close = mark == UInt8(ascii: "(") ? UInt8(ascii: ")") : mark
    let limit = min(text.count, position + MarkdownInline.reach)
    var index = position + 1
    while index < limit {
      if text[index] == close {
        defer { position = index + 1 }
        return MarkdownText.unescaped(text[(position + 1)..<index])
      }
      if text[index] == mark { return nil }
      index += text[index] == UInt8(ascii: "\\") ? 2 : 1
    }
    return nil
  }

  static func hasBrackets(_ text: ArraySlice<UInt8>) -> Bool {
    var isEscaped = false
    for byte in text {
      if isEscaped {
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else if byte == UInt8(ascii: "[") || byte == UInt8(ascii: "]") {
        return true
      }
    }
    return false
  }

  /// Labels match without regard to case and spacing.
  static func key(_ label: ArraySlice<UInt8>) -> String {
    let words = label.split { $0.isSpacing }.joined(separator: [.blank])
    return String(decoding: Array(words), as: UTF8.self).lowercased().uppercased()
  }
}

extension MarkdownBlocks {
  /// Takes the definitions (`[label]: address "title"`) at the beginning of a paragraph out of it.
  mutating func takeReferences(of block: MarkdownBlock) {
    guard block.text.first == UInt8(ascii: "[") else { return }
    var reader = MarkdownLinkReader(text: block.text, position: 0)
    var end = 0
    while let (label, reference) = reader.definition() {
      end = reader.position
      if references[label] == nil { references[label] = reference }
    }
    block.text.removeFirst(end)
    block.lastLine = max(0, block.lastLine - end)
  }
}

extension MarkdownLinkReader {
  /// A definition that ends with its line.
  mutating func definition() -> (String, MarkdownReference)? {
    let start = position
    guard let label = label(), !label.bare.isEmpty, byte(position) == UInt8(ascii: ":") else {
      return nil
    }
    position += 1
    skipSpacing()
    guard position < text.count, let destination = destination(),
      !destination.isEmpty || text[position - 1] == UInt8(ascii: ">")
    else {
      position = start
      return nil
    }
    let behind = position
    var title: [UInt8]?
    skipSpacing()
    if position > behind { title = self.title() }
    if title == nil || !skipLineEnd() {
      title = nil
      position = behind
      guard skipLineEnd() else {
        position = start
        return nil
      }
    }
    return (Self.key(label), MarkdownReference(destination: destination, title: title))
  }

  private mutating func skipLineEnd() -> Bool {
    while byte(position)?.isBlank == true { position += 1 }
    guard byte(position) == .newline else { return position >= text.count }
    position += 1
    return true
  }
}
