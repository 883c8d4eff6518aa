internal import TritCore

/// Reads the blocks of a Markdown document, line by line: CommonMark 0.31, with GitHub's tables and
/// `<details>`, without raw HTML.
///
/// Every line is looked at once for each container that is open, and at most `depthLimit` are.
struct MarkdownBlocks {
  /// Containers within each other; deeper markers are text.
  static let depthLimit = 48

  let document = MarkdownBlock(.document, line: 1)
  var references: [String: MarkdownReference] = [:]
  /// From the document to the block that takes the next line.
  var path: [MarkdownBlock]
  /// The line and the place in it; a column counts a tab as up to four blanks.
  var line: ArraySlice<UInt8> = []
  var offset = 0
  var column = 0
  var isInsideTab = false
  var number = 0
  /// The next byte that is no blank.
  var next = 0
  var nextColumn = 0

  /// Folded parts that earlier texts of the page began.
  var carried: Int

  init(carried: Int) {
    self.carried = carried
    path = [document]
  }

  /// The blocks of `text`. Controls and what turns the direction of writing are written out.
  ///
  /// `carried` counts the folded parts that are open where it begins; with `isPart`, those that are
  /// open where it ends stay so.
  static func read(_ text: String, carried: Int = 0, isPart: Bool = false) -> MarkdownBlocks {
    var reader = MarkdownBlocks(carried: carried)
    var source = Array(text.utf8)
    if source.contains(0x0d) { source = lineEnds(source) }
    var shown = String(decoding: source, as: UTF8.self)
    if shown.unicodeScalars.first == "\u{FEFF}" { shown.unicodeScalars.removeFirst() }
    source = Array(VisibleText.prose(shown).utf8)
    if source.last == .newline { source.removeLast() }
    for line in source.split(separator: .newline, omittingEmptySubsequences: false) {
      reader.take(line)
    }
    if isPart { reader.leaveDetailsOpen() }
    reader.close(downTo: 0, line: reader.number)
    return reader
  }

  private static func lineEnds(_ source: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(source.count)
    for (index, byte) in source.enumerated() {
      if byte == 0x0d {
        result.append(.newline)
      } else if byte != .newline || index == 0 || source[index - 1] != 0x0d {
        result.append(byte)
      }
    }
    return result
  }

  // MARK: A line

  mutating func take(_ text: ArraySlice<UInt8>) {
    if !closesDetails(text) { read(text) }
  }

  mutating func read(_ text: ArraySlice<UInt8>) {
    begin(text)
    number += 1
    // Which of the open blocks does the line continue?
    var matched = 0
    matching: while matched + 1 < path.count {
      findNext()
      switch continues(path[matched + 1]) {
      case .yes: matched += 1
      case .no: break matching
      case .ends:
        close(downTo: matched, line: number)
        return
      }
    }
    let allMatched = matched == path.count - 1
    var isClosed = allMatched
    var container = path[matched]
    var isLeaf = container.isVerbatim
    while !isLeaf {
      findNext()
      let start = start(in: container, matched: &matched, isClosed: &isClosed)
      if start == .done { return }
      container = path[matched]
      if start == .none {
        skipToNext()
        break
      }
      isLeaf = start == .leaf
    }
    // A line that no block begins in goes on with the paragraph before, whatever it lies in.
    if !isClosed, !isBlankLine, path[path.count - 1].isParagraph {
      append(to: path[path.count - 1])
      return
    }
    closeUnmatched(matched, &isClosed)
    if container.takesLines {
      append(to: container)
    } else if !isBlankLine {
      let paragraph = add(.paragraph, matched: &matched)
      skipToNext()
      append(to: paragraph)
    }
  }

  private enum Continuation { case yes, no, ends }

  private mutating func continues(_ block: MarkdownBlock) -> Continuation {
    switch block.kind {
    case .document, .details: return .yes
    case .list: return .yes
    case .quote:
      guard indent < 4, byte(next) == UInt8(ascii: ">") else { return .no }
      skipToNext()
      advance(1)
      if byte(offset)?.isBlank == true { advance(1, columns: true) }
      return .yes
    case .item(let list):
      if isBlankLine {
        if block.children.isEmpty { return .no }
        skipToNext()
        return .yes
      }
      guard indent >= list.indent + list.padding else { return .no }
      advance(list.indent + list.padding, columns: true)
      return .yes
    case .heading, .thematicBreak, .detailsEnd: return .no
    case .comment: return Self.find("-->", in: line[offset...]) == nil ? .yes : .ends
    case .paragraph: return isBlankLine ? .no : .yes
    case .table: return isBlankLine ? .no : .yes
    case .code(let fence):
      guard let fence else {
        if indent >= 4 {
          advance(4, columns: true)
        } else if isBlankLine {
          skipToNext()
        } else {
          return .no
        }
        return .yes
      }
      if indent < 4, byte(next) == fence.mark {
        let run = line[next...].prefix { $0 == fence.mark }.count
        if run >= fence.length, line[(next + run)...].allSatisfy(\.isBlank) { return .ends }
      }
      var left = fence.indent
      while left > 0, byte(offset)?.isBlank == true {
        advance(1, columns: true)
        left -= 1
      }
      return .yes
    }
  }

  // MARK: Places

  private mutating func begin(_ text: ArraySlice<UInt8>) {
    line = text
    offset = text.startIndex
    column = 0
    isInsideTab = false
    findNext()
  }

  func byte(_ index: Int) -> UInt8? { index < line.endIndex ? line[index] : nil }

  var isBlankLine: Bool { next == line.endIndex }
  var indent: Int { nextColumn - column }

  mutating func findNext() {
    next = offset
    nextColumn = column
    while next < line.endIndex {
      switch line[next] {
      case .blank: nextColumn += 1
      case .tab: nextColumn += 4 - nextColumn % 4
      default: return
      }
      next += 1
    }
  }

  mutating func skipToNext() {
    offset = next
    column = nextColumn
    isInsideTab = false
  }

  /// Moves over `count` bytes, or columns: a tab may be left within.
  mutating func advance(_ count: Int, columns: Bool = false) {
    var left = count
    while left > 0, let byte = byte(offset) {
      guard byte == .tab else {
        isInsideTab = false
        offset += 1
        column += 1
        left -= 1
        continue
      }
      let width = 4 - column % 4
      if columns {
        isInsideTab = width > left
        let step = min(left, width)
        column += step
        offset += isInsideTab ? 0 : 1
        left -= step
      } else {
        isInsideTab = false
        column += width
        offset += 1
        left -= 1
      }
    }
  }

  private mutating func append(to block: MarkdownBlock) {
    if isInsideTab {
      offset += 1
      block.text += [UInt8](repeating: .blank, count: 4 - column % 4)
    }
    block.lastLine = block.text.count
    block.text += line[min(offset, line.endIndex)...]
    block.text.append(.newline)
  }

  // MARK: Blocks

  /// A new block in the last matched one that can hold it; it becomes the last matched.
  @discardableResult
  mutating func add(_ kind: MarkdownBlock.Kind, matched: inout Int) -> MarkdownBlock {
    while !path[path.count - 1].canHold(kind) { close(downTo: path.count - 2, line: number - 1) }
    let block = MarkdownBlock(kind, line: number)
    path[path.count - 1].children.append(block)
    path.append(block)
    matched = path.count - 1
    return block
  }

  mutating func closeUnmatched(_ matched: Int, _ isClosed: inout Bool) {
    guard !isClosed else { return }
    close(downTo: matched, line: number - 1)
    isClosed = true
  }

  /// Closes all blocks above the one at `depth` of the path.
  mutating func close(downTo depth: Int, line: Int) {
    while path.count > depth + 1 {
      let block = path.removeLast()
      finish(block, line: line)
    }
  }

  private mutating func finish(_ block: MarkdownBlock, line: Int) {
    block.isOpen = false
    block.endLine = line
    switch block.kind {
    case .paragraph:
      takeReferences(of: block)
      if block.text.bare.isEmpty, path.last?.children.last === block {
        path[path.count - 1].children.removeLast()
      }
    case .code(nil):
      // Blank lines at the end do not belong to it.
      var lines = block.text.split(separator: .newline, omittingEmptySubsequences: false)
      lines.removeLast()
      while let last = lines.last, last.allSatisfy(\.isBlank) { lines.removeLast() }
      block.text = Array(lines.joined(separator: [.newline])) + [.newline]
      block.endLine = block.firstLine + lines.count - 1
    case .item:
      block.endLine = block.children.last?.endLine ?? block.firstLine
    case .list(var list):
      list.isTight = isTight(block)
      block.kind = .list(list)
      block.endLine = block.children.last?.endLine ?? line
    default: break
    }
  }

  /// Whether no blank line lies between items, nor between the blocks of one.
  private func isTight(_ list: MarkdownBlock) -> Bool {
    func touches(_ blocks: [MarkdownBlock]) -> Bool {
      zip(blocks, blocks.dropFirst()).allSatisfy { $0.endLine + 1 >= $1.firstLine }
    }
    return touches(list.children) && list.children.allSatisfy { touches($0.children) }
  }
}
