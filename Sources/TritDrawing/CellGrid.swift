/// A matrix of cells with words in them: what grids of trits, integers and bytes have in common.
struct CellGrid {
  struct Cell {
    var text: String
    var ink: SVGCanvas.Ink
    var textInk: SVGCanvas.Ink = .text
    /// Nil: what is usual for the ink.
    var opacity: Double?
  }

  let title: String
  let summary: String
  let rows: Int
  let columns: Int
  var rowLabels: [String] = []
  var columnLabels: [String] = []
  /// Words behind each row.
  var notes: [String] = []
  var mono = false
  let cell: (_ row: Int, _ column: Int) -> Cell

  /// What is drawn of a matrix; the rest is counted in words.
  static let maximumRows = 64
  static let maximumColumns = 128

  var shownRows: Int { min(rows, Self.maximumRows) }
  var shownColumns: Int { min(columns, Self.maximumColumns) }
  /// Says what is left out; empty where nothing is.
  var leftOut: String {
    shownRows == rows && shownColumns == columns
      ? "" : "the first \(shownRows) × \(shownColumns) of \(rows) × \(columns)"
  }

  func rowLabel(_ row: Int) -> String { row < rowLabels.count ? rowLabels[row] : "\(row)" }
  func columnLabel(_ column: Int) -> String {
    column < columnLabels.count ? columnLabels[column] : "\(column)"
  }

  /// Draws below the picture's height, in bands of as many columns as fit its width.
  func draw(on canvas: inout SVGCanvas) {
    guard shownRows > 0, shownColumns > 0 else {
      canvas.height = canvas.prose("nothing to draw", x: 12, y: canvas.height, width: 300, .faint)
      return
    }
    let labels = (0..<shownRows).map { TextMeasure.columns(rowLabel($0)) }.max() ?? 1
    let left = 16 + 7.2 * Double(labels)
    let noteWidth = 7.0 * Double(notes.map { TextMeasure.columns($0) }.max() ?? 0)
    let room = canvas.width - left - 12 - noteWidth
    let widest =
      (0..<shownRows).flatMap { row in
        (0..<shownColumns).map { TextMeasure.columns(cell(row, $0).text) }
      }.max() ?? 1
    // Two letters a cell, as bytes have, stand 16 in a line.
    var side = widest == 2 ? 21 : 7.7 * Double(widest) + (widest > 1 ? 7 : 14)
    // One letter a cell may stand closer: 32 columns, as I2_S has them, still fit.
    if widest <= 1, side * Double(shownColumns) > room { side = max(10.5, room / 32) }
    let perBand = max(1, min(shownColumns, Int(room / side)))
    let rowHeight = max(16, min(side, 24))
    var y = canvas.height
    for start in stride(from: 0, to: shownColumns, by: perBand) {
      let band = start..<min(start + perBand, shownColumns)
      y += 13
      let headWidth = band.map { 7 * Double(TextMeasure.columns(columnLabel($0))) + 4 }.max() ?? 1
      // Only labels that do not touch each other, and the band's first always.
      let step = max(1, Int((headWidth / side).rounded(.up)))
      for column in band where (column - band.lowerBound).isMultiple(of: step) {
        let x = left + side * (Double(column - band.lowerBound) + 0.5)
        canvas.text(
          columnLabel(column), x: x, y: y, .faint, anchor: .middle, size: 11)
      }
      y += 4
      for row in 0..<shownRows {
        canvas.text(
          rowLabel(row), x: left - 5, y: y + rowHeight / 2 + 4, .faint, anchor: .end, size: 11)
        for column in band {
          let drawn = cell(row, column)
          let x = left + side * Double(column - band.lowerBound)
          canvas.rectangle(
            x: x + 0.5, y: y + 0.5, width: side - 1, height: rowHeight - 1, drawn.ink,
            radius: side < 14 ? 0 : 2, opacity: drawn.opacity)
          canvas.text(
            drawn.text, x: x + side / 2, y: y + rowHeight / 2 + 4.2, drawn.textInk, anchor: .middle,
            bold: widest <= 1, mono: mono)
        }
        if row < notes.count, band.upperBound == shownColumns {
          canvas.text(
            notes[row], x: left + side * Double(band.count) + 6, y: y + rowHeight / 2 + 4, .faint)
        }
        y += rowHeight
      }
      y += 4
    }
    if !leftOut.isEmpty { y = canvas.prose(leftOut, x: 12, y: y, width: canvas.width - 24, .faint) }
    canvas.height = y + 6
  }

  /// Aligned text of at most 80 columns, in bands.
  var plain: String {
    var lines = title.isEmpty ? [] : [title]
    if !summary.isEmpty { lines += TextMeasure.wrap(summary, 80) }
    lines += body
    if !leftOut.isEmpty { lines.append(leftOut) }
    return lines.joined(separator: "\n")
  }

  /// The cells alone.
  var body: [String] {
    guard shownRows > 0, shownColumns > 0 else { return ["(empty)"] }
    let label = max((0..<shownRows).map { TextMeasure.columns(rowLabel($0)) }.max() ?? 1, 3)
    let note = notes.map { TextMeasure.columns($0) + 2 }.max() ?? 0
    let widest =
      (0..<shownRows).flatMap { row in
        (0..<shownColumns).map { TextMeasure.columns(cell(row, $0).text) }
      }.max() ?? 1
    let heads = (0..<shownColumns).map { TextMeasure.columns(columnLabel($0)) }.max() ?? 1
    let room = 80 - label - 2 - note
    let width = max(widest, heads) + 1
    // Many columns of one letter: runs of eight, with the first column's label over each.
    let isTight = widest == 1 && width * shownColumns > room
    let perBand =
      isTight ? max(8, room / 9 * 8) : max(1, room / width)
    var lines: [String] = []
    for start in stride(from: 0, to: shownColumns, by: perBand) {
      let band = start..<min(start + perBand, shownColumns)
      var head = String(repeating: " ", count: label + 1)
      for column in band {
        if !isTight {
          head += TextMeasure.padded(columnLabel(column), width, right: true)
        } else if (column - start).isMultiple(of: 8) {
          head += " " + TextMeasure.padded(columnLabel(column), 8)
        }
      }
      while head.last == " " { head.removeLast() }
      lines.append(head)
      for row in 0..<shownRows {
        var line = TextMeasure.padded(rowLabel(row), label, right: true) + " "
        for column in band {
          let text = cell(row, column).text
          if isTight {
            line += ((column - start).isMultiple(of: 8) ? " " : "") + text
          } else {
            line += TextMeasure.padded(text, width, right: true)
          }
        }
        if row < notes.count, band.upperBound == shownColumns { line += "  " + notes[row] }
        while line.last == " " { line.removeLast() }
        lines.append(line)
      }
    }
    return lines
  }
}
