/// GitHub's tables: a row, a row of dashes that says how columns are aligned, and further rows.
extension MarkdownBlocks {
  static let columnLimit = 256

  /// Makes the last line of `paragraph` the head of a table where this line is its row of dashes.
  mutating func table(_ paragraph: MarkdownBlock, matched: inout Int) -> Bool {
    guard let alignments = Self.alignments(line[next...]) else { return false }
    let head = paragraph.text[paragraph.lastLine...]
    guard head.contains(UInt8(ascii: "|")), Self.cells(head.bare).count == alignments.count
    else { return false }
    let row = Array(head)
    paragraph.text.removeSubrange(paragraph.lastLine...)
    let parent = path.count - 2
    close(downTo: parent, line: number - 2)
    matched = parent
    let table = add(.table(alignments), matched: &matched)
    table.firstLine = number - 1
    table.text = row
    offset = line.endIndex
    return true
  }

  private static func alignments(_ text: ArraySlice<UInt8>) -> [MarkdownAlignment]? {
    guard text.count > 1, text.allSatisfy({ "|-: \t".utf8.contains($0) }),
      text.contains(UInt8(ascii: "|")) || text.contains(UInt8(ascii: ":"))
    else { return nil }
    let colon = UInt8(ascii: ":")
    let cells = cells(text.bare)
    guard cells.count <= columnLimit else { return nil }
    var result: [MarkdownAlignment] = []
    for cell in cells {
      let (isLeft, isRight) = (cell.first == colon, cell.last == colon)
      let dashes = cell.dropFirst(isLeft ? 1 : 0).dropLast(isRight && cell.count > 1 ? 1 : 0)
      guard !dashes.isEmpty, dashes.allSatisfy({ $0 == UInt8(ascii: "-") }) else { return nil }
      result.append(isLeft ? (isRight ? .center : .left) : (isRight ? .right : .none))
    }
    return result
  }

  /// The cells of a row: between bars that have no backslash before them.
  static func cells(_ row: ArraySlice<UInt8>) -> [[UInt8]] {
    let bar = UInt8(ascii: "|")
    var cells: [[UInt8]] = []
    var cell: [UInt8] = []
    var index = row.startIndex
    if row.first == bar { index += 1 }
    while index < row.endIndex {
      let byte = row[index]
      if byte == UInt8(ascii: "\\"), index + 1 < row.endIndex, row[index + 1] == bar {
        cell.append(bar)
        index += 2
        continue
      }
      if byte == bar {
        cells.append(Array(cell.bare))
        cell = []
      } else {
        cell.append(byte)
      }
      index += 1
    }
    if row.last != bar || !cell.isEmpty || cells.isEmpty { cells.append(Array(cell.bare)) }
    return cells
  }
}
