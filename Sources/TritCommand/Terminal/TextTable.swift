/// A table for people: as many columns as a terminal has room for, the most wanted first.
struct TextTable {
  /// A column of figures.
  struct Column {
    let title: String
    /// One cell a row.
    let cells: [String]
    /// Columns of high rank are left out first.
    let rank: Int
  }

  /// The title over the labels.
  let heading: String
  /// The first cell of each row.
  let labels: [String]
  let columns: [Column]

  private static let gap = 2

  /// The lines of the table, none wider than `width`, and the titles of the columns that had no
  /// room.
  func lines(width: Int, style: Style) -> (lines: [String], leftOut: [String]) {
    let names = ([heading] + labels).map { TextLayout.cut($0, to: max(12, width * 2 / 5)) }
    let first = names.map { TextLayout.width($0) }.max() ?? 0
    let widths = columns.map { column in
      ([column.title] + column.cells).map { TextLayout.width($0) }.max() ?? 0
    }
    var room = width - first
    var shown: Set<Int> = []
    for index in columns.indices.sorted(by: { columns[$0].rank < columns[$1].rank }) {
      guard widths[index] + Self.gap <= room else { continue }
      room -= widths[index] + Self.gap
      shown.insert(index)
    }
    let chosen = columns.indices.filter(shown.contains)
    func line(_ name: String, _ cell: (Column) -> String) -> String {
      var text = TextLayout.padded(name, first)
      for index in chosen {
        text += String(repeating: " ", count: Self.gap)
        text += TextLayout.padded(cell(columns[index]), widths[index], right: true)
      }
      return text
    }
    var lines = [style.faint(line(names[0], \.title))]
    for (row, name) in names.dropFirst().enumerated() { lines.append(line(name) { $0.cells[row] }) }
    return (lines, columns.indices.filter { !shown.contains($0) }.map { columns[$0].title })
  }
}
