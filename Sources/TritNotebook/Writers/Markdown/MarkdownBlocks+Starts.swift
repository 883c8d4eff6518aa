extension MarkdownBlocks {
  /// What a line began.
  enum Start {
    case none
    /// A block that holds others: the rest of the line is looked at again.
    case container
    /// A block that takes the rest of the line.
    case leaf
    /// A block that took the whole line.
    case done
  }

  mutating func start(
    in container: MarkdownBlock, matched: inout Int, isClosed: inout Bool
  ) -> Start {
    guard let mark = byte(next) else { return .none }
    guard indent < 4 else {
      return indentedCode(matched: &matched, isClosed: &isClosed)
    }
    switch mark {
    case UInt8(ascii: ">"):
      guard path.count < Self.depthLimit else { return .none }
      skipToNext()
      advance(1)
      if byte(offset)?.isBlank == true { advance(1, columns: true) }
      closeUnmatched(matched, &isClosed)
      add(.quote, matched: &matched)
      return .container
    case UInt8(ascii: "#"): return heading(matched: &matched, isClosed: &isClosed)
    case UInt8(ascii: "`"), UInt8(ascii: "~"):
      return fence(mark, matched: &matched, isClosed: &isClosed)
    case UInt8(ascii: "<"):
      if line[next...].starts(with: "<!--".utf8) {
        closeUnmatched(matched, &isClosed)
        add(.comment, matched: &matched)
        if Self.find("-->", in: line[(next + 4)...]) != nil {
          close(downTo: path.count - 2, line: number)
        }
        return .done
      }
      return details(matched: &matched, isClosed: &isClosed)
    default: break
    }
    let inParagraph = container.isParagraph
    if inParagraph, underlines(container) { return .done }
    if inParagraph, table(container, matched: &matched) { return .done }
    if isThematicBreak {
      closeUnmatched(matched, &isClosed)
      add(.thematicBreak, matched: &matched)
      offset = line.endIndex
      return .done
    }
    return item(in: container, matched: &matched, isClosed: &isClosed)
  }

  private mutating func indentedCode(
    matched: inout Int, isClosed: inout Bool
  ) -> Start {
    guard !path[path.count - 1].isParagraph else { return .none }
    advance(4, columns: true)
    closeUnmatched(matched, &isClosed)
    add(.code(nil), matched: &matched)
    return .leaf
  }

  private mutating func heading(matched: inout Int, isClosed: inout Bool) -> Start {
    let level = line[next...].prefix { $0 == UInt8(ascii: "#") }.count
    let after = next + level
    guard level <= 6, byte(after)?.isBlank ?? true else { return .none }
    var text = line[after...].bare
    let closing = text.reversed().prefix { $0 == UInt8(ascii: "#") }.count
    let rest = text.dropLast(closing)
    if rest.isEmpty || rest.last?.isBlank == true { text = rest }
    closeUnmatched(matched, &isClosed)
    let block = add(.heading(level), matched: &matched)
    block.text = Array(text.bare)
    offset = line.endIndex
    return .done
  }

  private mutating func fence(
    _ mark: UInt8, matched: inout Int, isClosed: inout Bool
  ) -> Start {
    let length = line[next...].prefix { $0 == mark }.count
    let info = line[(next + length)...].bare
    guard length >= 3, mark != UInt8(ascii: "`") || !info.contains(mark) else { return .none }
    let fence = MarkdownFence(mark: mark, length: length, indent: indent, info: Array(info))
    closeUnmatched(matched, &isClosed)
    add(.code(fence), matched: &matched)
    offset = line.endIndex
    return .done
  }

  /// `===` or `---` below a paragraph makes it a heading.
  private mutating func underlines(_ paragraph: MarkdownBlock) -> Bool {
    guard let mark = byte(next), mark == UInt8(ascii: "=") || mark == UInt8(ascii: "-"),
      line[next...].drop(while: { $0 == mark }).allSatisfy(\.isBlank)
    else { return false }
    takeReferences(of: paragraph)
    guard !paragraph.text.bare.isEmpty else { return false }
    paragraph.kind = .heading(mark == UInt8(ascii: "=") ? 1 : 2)
    paragraph.text = Array(paragraph.text.bare)
    offset = line.endIndex
    close(downTo: path.count - 2, line: number)
    return true
  }

  private var isThematicBreak: Bool {
    guard let mark = byte(next), "*-_".utf8.contains(mark) else { return false }
    var count = 0
    for byte in line[next...] where !byte.isBlank {
      guard byte == mark else { return false }
      count += 1
    }
    return count >= 3
  }

  // MARK: Lists

  private mutating func item(
    in container: MarkdownBlock, matched: inout Int, isClosed: inout Bool
  ) -> Start {
    guard path.count < Self.depthLimit,
      let list = listMark(interrupting: container.isParagraph)
    else { return .none }
    closeUnmatched(matched, &isClosed)
    var isSame = false
    if case .list(let open) = path[path.count - 1].kind { isSame = open.continues(list) }
    if !isSame { add(.list(list), matched: &matched) }
    add(.item(list), matched: &matched)
    return .container
  }

  private mutating func listMark(interrupting isParagraph: Bool) -> MarkdownList? {
    var end = next
    var list: MarkdownList
    guard let first = byte(next) else { return nil }
    if "*+-".utf8.contains(first) {
      list = MarkdownList(mark: first, start: nil, indent: indent, padding: 0)
      end += 1
    } else {
      let digits = line[next...].prefix { $0.isDigit }
      end += digits.count
      guard (1...9).contains(digits.count), let mark = byte(end),
        mark == UInt8(ascii: ".") || mark == UInt8(ascii: ")")
      else { return nil }
      let value = digits.reduce(0) { $0 * 10 + Int($1 & 15) }
      if isParagraph, value != 1 { return nil }
      list = MarkdownList(mark: mark, start: value, indent: indent, padding: 0)
      end += 1
    }
    guard byte(end)?.isBlank ?? true else { return nil }
    // An item without text does not interrupt a paragraph.
    if isParagraph, line[end...].allSatisfy(\.isBlank) { return nil }
    let width = end - next
    skipToNext()
    advance(width, columns: true)
    let (startColumn, startOffset, startTab) = (column, offset, isInsideTab)
    repeat {
      advance(1, columns: true)
    } while column - startColumn < 5
      && byte(offset)?.isBlank == true
    let isEmpty = byte(offset) == nil
    let spaces = column - startColumn
    if spaces >= 5 || spaces < 1 || isEmpty {
      list.padding = width + 1
      (column, offset, isInsideTab) = (startColumn, startOffset, startTab)
      if byte(offset)?.isBlank == true { advance(1, columns: true) }
    } else {
      list.padding = width + spaces
    }
    return list
  }

  // MARK: Folded parts

  /// `<details>`, with `<summary>…</summary>` behind it, on this line or those that follow.
  private mutating func details(matched: inout Int, isClosed: inout Bool) -> Start {
    let rest = line[next...]
    if let length = Self.tag("<details>", rest) ?? Self.tag("<details open>", rest) {
      guard path.count < Self.depthLimit else { return .none }
      closeUnmatched(matched, &isClosed)
      let isOpen = length > "<details>".utf8.count
      add(.details(isOpen: isOpen, summary: []), matched: &matched)
      skipToNext()
      advance(length)
      return .container
    }
    // The summary is the first thing in its part.
    if let length = Self.tag("<summary>", rest), case .details(let isOpen, []) = path[matched].kind,
      path[matched].children.isEmpty,
      let end = Self.find("</summary>", in: rest)
    {
      path[matched].kind = .details(
        isOpen: isOpen, summary: Array(line[(next + length)..<end].bare))
      skipToNext()
      advance(end + "</summary>".utf8.count - offset)
      return .container
    }
    return .none
  }

  /// Whether the line ends the innermost folded part; what stands before the tag is read first.
  mutating func closesDetails(_ text: ArraySlice<UInt8>) -> Bool {
    var before = text.bare
    var count = 0
    while before.suffix(10).elementsEqual("</details>".utf8) {
      before = before.dropLast(10).bare
      count += 1
    }
    guard count > 0, !path[path.count - 1].isVerbatim,
      Self.find("<details", in: before) != nil || detailsDepth != nil || carried > 0
    else { return false }
    // Text stands before it, or all of the part is on one line.
    if before.isEmpty {
      number += 1
    } else {
      read(text[..<before.endIndex])
    }
    while count > 0, let depth = detailsDepth {
      close(downTo: depth - 1, line: number)
      count -= 1
    }
    while count > 0, carried > 0 {
      close(downTo: 0, line: number)
      var matched = 0
      add(.detailsEnd, matched: &matched)
      close(downTo: 0, line: number)
      carried -= 1
      count -= 1
    }
    return true
  }

  /// Marks the folded parts that are open, and lie in nothing but each other, as unfinished.
  mutating func leaveDetailsOpen() {
    for block in path.dropFirst() {
      guard case .details = block.kind else { return }
      block.isUnfinished = true
      carried += 1
    }
  }

  private var detailsDepth: Int? {
    path.lastIndex { if case .details = $0.kind { true } else { false } }
  }

  private static func tag(_ tag: String, _ text: ArraySlice<UInt8>) -> Int? {
    text.starts(with: tag.utf8) ? tag.utf8.count : nil
  }

  static func find(_ word: String, in text: ArraySlice<UInt8>) -> Int? {
    let word = Array(word.utf8)
    var index = text.startIndex
    while index + word.count <= text.endIndex {
      if text[index] == word[0], text[index..<(index + word.count)].elementsEqual(word) {
        return index
      }
      index += 1
    }
    return nil
  }
}
