public import TritCore

/// A matrix of trits as cells: three colours, and the sign in each cell, so that it can be read
/// without them.
public struct TritGrid: Sendable, Equatable, Drawable {
  /// The picture's name; none is drawn where it is empty.
  public var title: String
  /// The number of rows.
  public let rows: Int
  /// The number of columns.
  public let columns: Int
  /// −1, 0 or +1, row-major.
  public let trits: [Int8]
  /// Names of rows; their numbers where there are none.
  public var rowLabels: [String]
  /// Names of columns; their numbers where there are none.
  public var columnLabels: [String]
  /// Words behind each row: its scale, say.
  public var notes: [String]

  /// Trits `[rows, columns]`. Throws `LabError` where their count does not fit the shape.
  public init(
    _ title: String = "", rows: Int, columns: Int, trits: [Int8], rowLabels: [String] = [],
    columnLabels: [String] = [], notes: [String] = []
  ) throws {
    try GridShape.check(rows, columns, trits.count, "trits")
    (self.title, self.rows, self.columns, self.trits) = (title, rows, columns, trits)
    (self.rowLabels, self.columnLabels, self.notes) = (rowLabels, columnLabels, notes)
  }

  /// The trits of a matrix, with its scales: a scale a row stands behind the row, the only one in
  /// the title.
  public init(_ matrix: TernaryMatrix, _ title: String = "") {
    (rows, columns) = (matrix.rows, matrix.columns)
    trits = withExtendedLifetime(matrix.trits) { Array($0.buffer) }
    (rowLabels, columnLabels) = ([], [])
    self.title = title
    switch matrix.granularity {
    case .tensor:
      notes = []
      if let scale = matrix.scales.first {
        let words = "scale \(TextMeasure.number(Double(scale)))"
        self.title = title.isEmpty ? words : "\(title) (\(words))"
      }
    case .row, .group:
      let groups = max(matrix.granularity.groups(columns: matrix.columns), 1)
      notes = (0..<min(matrix.rows, CellGrid.maximumRows)).map { row in
        let scales = matrix.scales[(row * groups)..<min((row + 1) * groups, matrix.scales.count)]
        return "× "
          + scales.prefix(3).map { TextMeasure.number(Double($0)) }.joined(separator: " ")
          + (groups > 3 ? " …" : "")
      }
    }
  }

  /// `+`, `0` or `-`; `?` for what is no trit.
  static func sign(_ trit: Int8) -> String {
    switch trit {
    case 1: "+"
    case 0: "0"
    case -1: "-"
    default: "?"
    }
  }

  static func cell(_ trit: Int8) -> CellGrid.Cell {
    switch trit {
    case 1: CellGrid.Cell(text: "+", ink: .plus, textInk: .onPlus)
    case -1: CellGrid.Cell(text: "−", ink: .minus, textInk: .onMinus)
    case 0: CellGrid.Cell(text: "0", ink: .zero, textInk: .onZero)
    default: CellGrid.Cell(text: "?", ink: .mark)
    }
  }

  var cells: CellGrid {
    CellGrid(
      title: title, summary: "", rows: rows, columns: columns, rowLabels: rowLabels,
      columnLabels: columnLabels, notes: notes,
      cell: { Self.cell(trits[$0 * columns + $1]) })
  }

  private var textCells: CellGrid {
    CellGrid(
      title: title, summary: "", rows: rows, columns: columns, rowLabels: rowLabels,
      columnLabels: columnLabels, notes: notes,
      cell: { CellGrid.Cell(text: Self.sign(trits[$0 * columns + $1]), ink: .zero) })
  }

  /// The cells as lines of text, without the title.
  var lines: [String] { textCells.body }

  /// Text and picture.
  public var displayData: DisplayData {
    DisplayData(plain: textCells.plain, [.svg: picture])
  }

  /// The shape where it has no title.
  public var heading: String { title.isEmpty ? "\(rows) × \(columns) trits" : title }
  /// How to read it.
  public var legend: String { "Blue with + is +1, orange with − is −1, grey is 0." }
  /// Cells with their labels.
  public func draw(on canvas: inout SVGCanvas) { cells.draw(on: &canvas) }
}

/// A matrix of integers, such as int8 activations or int32 sums, as a heat map with its values.
public struct IntegerGrid: Sendable, Equatable, Drawable {
  /// The picture's name.
  public var title: String
  /// The number of rows.
  public let rows: Int
  /// The number of columns.
  public let columns: Int
  /// The values, row-major.
  public let values: [Int]
  /// Names of rows; their numbers where there are none.
  public var rowLabels: [String]
  /// Names of columns; their numbers where there are none.
  public var columnLabels: [String]

  /// Values `[rows, columns]`. Throws `LabError` where their count does not fit the shape.
  public init(
    _ title: String = "", rows: Int, columns: Int, values: [some BinaryInteger],
    rowLabels: [String] = [], columnLabels: [String] = []
  ) throws {
    try GridShape.check(rows, columns, values.count, "values")
    (self.title, self.rows, self.columns) = (title, rows, columns)
    self.values = values.map { Int(clamping: $0) }
    (self.rowLabels, self.columnLabels) = (rowLabels, columnLabels)
  }

  var cells: CellGrid {
    let most = Double(values.map(\.magnitude).max() ?? 1)
    return CellGrid(
      title: title, summary: "", rows: rows, columns: columns, rowLabels: rowLabels,
      columnLabels: columnLabels,
      cell: { row, column in
        let value = values[row * columns + column]
        let text = value < 0 ? "−\(value.magnitude)" : "\(value)"
        guard value != 0 else { return CellGrid.Cell(text: text, ink: .zero, textInk: .onZero) }
        // Words stay readable on the darkest cell.
        return CellGrid.Cell(
          text: text, ink: value > 0 ? .tint0 : .tint1,
          opacity: 0.1 + 0.5 * Double(value.magnitude) / most)
      })
  }

  /// Text and picture.
  public var displayData: DisplayData {
    DisplayData(plain: cells.plain.replacing("−", with: "-"), [.svg: picture])
  }

  /// The shape where it has no title.
  public var heading: String { title.isEmpty ? "\(rows) × \(columns) integers" : title }
  /// How to read it.
  public var legend: String { "Blue is above zero, orange below; the stronger, the larger." }
  /// Cells with their labels.
  public func draw(on canvas: inout SVGCanvas) { cells.draw(on: &canvas) }
}

/// Bytes with their offsets, in hexadecimal or as bits.
public struct ByteGrid: Sendable, Equatable, Drawable {
  /// How a byte is written.
  public enum Form: String, Sendable, CaseIterable { case hexadecimal, binary }

  /// The picture's name.
  public var title: String
  /// The bytes.
  public let bytes: [UInt8]
  /// How a byte is written.
  public var form: Form
  /// The offset of the first one.
  public var offset: Int
  /// Those of them that are marked, by index.
  public var marked: Set<Int>

  /// Bytes from `offset` on; 16 in a line, or 4 as bits.
  public init(
    _ title: String = "", _ bytes: some Sequence<UInt8>, form: Form = .hexadecimal, offset: Int = 0,
    marked: Set<Int> = []
  ) {
    self.title = title
    self.bytes = Array(bytes)
    (self.form, self.offset, self.marked) = (form, offset, marked)
  }

  /// `95` or `10010101`.
  static func text(_ byte: UInt8, _ form: Form) -> String {
    let radix = form == .hexadecimal ? 16 : 2
    let digits = String(byte, radix: radix)
    return String(repeating: "0", count: (radix == 16 ? 2 : 8) - digits.count) + digits
  }

  var cells: CellGrid {
    let perRow = form == .hexadecimal ? 16 : 4
    let lines = (bytes.count + perRow - 1) / perRow
    return CellGrid(
      title: title, summary: "", rows: lines, columns: min(perRow, bytes.count),
      rowLabels: (0..<min(lines, CellGrid.maximumRows)).map { "\(offset &+ $0 * perRow)" },
      columnLabels: (0..<perRow).map { "+\($0)" }, mono: true,
      cell: { row, column in
        let index = row * perRow + column
        guard index < bytes.count else {
          return CellGrid.Cell(text: "", ink: .zero, opacity: 0)
        }
        return CellGrid.Cell(
          text: Self.text(bytes[index], form), ink: marked.contains(index) ? .tint0 : .zero,
          textInk: marked.contains(index) ? .text : .onZero,
          opacity: marked.contains(index) ? 0.35 : 1)
      })
  }

  /// Text and picture.
  public var displayData: DisplayData { DisplayData(plain: cells.plain, [.svg: picture]) }

  /// How many there are, where it has no title.
  public var heading: String { title.isEmpty ? "\(bytes.count) bytes" : title }
  /// Cells with the offset of each line's first byte.
  public func draw(on canvas: inout SVGCanvas) { cells.draw(on: &canvas) }
}

/// Shapes of what is given to be drawn.
enum GridShape {
  static func check(_ rows: Int, _ columns: Int, _ count: Int, _ things: String) throws {
    let (wanted, overflows) = rows.multipliedReportingOverflow(by: columns)
    guard rows >= 0, columns >= 0, !overflows, wanted == count else {
      throw LabError(
        .badData, "a grid of \(rows) × \(columns) cannot be drawn from \(count) \(things)",
        expected: overflows || rows < 0 || columns < 0
          ? "rows and columns from 0" : "\(wanted) \(things), row by row", got: "\(count)",
        advice: "give rows · columns \(things)", code: .wrongShape)
    }
  }
}
