/// A value that can be drawn, alone or under others on one sheet.
public protocol Drawable: Displayable, Sendable {
  /// What it is called.
  var heading: String { get }
  /// How to read it, in a sentence; may be empty.
  var legend: String { get }
  /// Draws below the canvas's height and grows it.
  func draw(on canvas: inout SVGCanvas)
}

extension Drawable {
  /// Nothing that needs words.
  public var legend: String { "" }

  /// The picture alone.
  public var picture: String {
    var canvas = SVGCanvas(heading, summary: legend)
    canvas.heading()
    draw(on: &canvas)
    return canvas.svg
  }
}

/// Several drawings, with words between them, as one picture and one text.
public struct Sheet: Drawable {
  /// What stands on it.
  public enum Part: Sendable {
    /// Words.
    case text(String)
    /// Lines whose form matters.
    case listing(String)
    /// A table.
    case table(Table)
    /// A drawing under its name.
    case drawing(any Drawable)
  }

  /// The sheet's name.
  public var heading: String
  /// A sentence under it.
  public var legend: String
  /// From the top.
  public var parts: [Part]

  /// Puts `parts` under one another.
  public init(_ heading: String, _ legend: String = "", _ parts: [Part]) {
    (self.heading, self.legend, self.parts) = (heading, legend, parts)
  }

  /// Text and picture.
  public var displayData: DisplayData { DisplayData(plain: plain, [.svg: picture]) }

  /// Text of at most 80 columns.
  private var plain: String {
    var blocks = [TextMeasure.wrap(heading, 80).joined(separator: "\n")]
    if !legend.isEmpty { blocks[0] += "\n" + TextMeasure.wrap(legend, 80).joined(separator: "\n") }
    for part in parts {
      switch part {
      case .text(let text): blocks.append(TextMeasure.wrap(text, 80).joined(separator: "\n"))
      case .listing(let text): blocks.append(text)
      case .table(let table): blocks.append(table.plain(width: 80))
      case .drawing(let drawing): blocks.append(drawing.displayData.plain)
      }
    }
    return blocks.filter { !$0.isEmpty }.joined(separator: "\n\n")
  }

  /// Each part below the one before it.
  public func draw(on canvas: inout SVGCanvas) {
    let width = canvas.width - 24
    for part in parts {
      switch part {
      case .text(let text):
        canvas.height = canvas.prose(text, x: 12, y: canvas.height, width: width) + 4
      case .listing(let text):
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
          canvas.height += 16
          canvas.text(String(line), x: 12, y: canvas.height, mono: true)
        }
        canvas.height += 8
      case .table(let table): table.draw(on: &canvas)
      case .drawing(let drawing):
        canvas.height = canvas.prose(
          drawing.heading, x: 12, y: canvas.height, width: width, size: 13, bold: true)
        if !drawing.legend.isEmpty {
          canvas.height = canvas.prose(
            drawing.legend, x: 12, y: canvas.height, width: width, .faint)
        }
        canvas.height += 2
        drawing.draw(on: &canvas)
      }
      canvas.height += 4
    }
  }
}

extension Table: Drawable {
  /// A table has no title of its own.
  public var heading: String { "Table" }

  /// Cells in columns; those that are too wide for the picture are wrapped.
  public func draw(on canvas: inout SVGCanvas) {
    let count = width
    guard count > 0 else { return }
    let all = (columns.isEmpty ? [] : [columns]) + rows
    func cell(_ row: [String], _ column: Int) -> String { column < row.count ? row[column] : "" }
    let letter = 7.2
    let gap = 12.0
    var widths = (0..<count).map { column in
      all.map { TextMeasure.columns(cell($0, column)) }.max() ?? 1
    }
    let room = Int((canvas.width - 24 - gap * Double(count - 1)) / letter)
    while widths.reduce(0, +) > room, let most = widths.max(), most > 4 {
      widths[widths.firstIndex(of: most) ?? 0] -= 1
    }
    let right = (0..<count).map(isNumeric)
    for (index, row) in all.enumerated() {
      let isHead = index == 0 && !columns.isEmpty
      let cells = (0..<count).map { TextMeasure.wrap(cell(row, $0), widths[$0]) }
      let top = canvas.height
      var x = 12.0
      for column in 0..<count {
        let span = Double(widths[column]) * letter
        for (line, text) in cells[column].enumerated() {
          canvas.text(
            text, x: right[column] ? x + span : x, y: top + 14 + 15 * Double(line),
            isHead ? .faint : .text, anchor: right[column] ? .end : .start)
        }
        x += span + gap
      }
      canvas.height = top + 15 * Double(cells.map(\.count).max() ?? 1) + 3
      if isHead {
        canvas.line((12, canvas.height + 1), (min(x - gap, canvas.width - 12), canvas.height + 1))
        canvas.height += 3
      }
    }
    canvas.height += 6
  }
}
