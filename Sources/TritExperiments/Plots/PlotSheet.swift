internal import Foundation

/// The paper of a figure: where the marks are drawn, and every word around and between them.
///
/// Places are pixels of the SVG from its upper left corner. The words are laid out here, with
/// `PlotText`'s widths, so that none leaves the paper, lies on another or on a line that is not its
/// own; gnuplot is told where they stand.
struct PlotSheet {
  /// The width of every figure (pixels).
  static let width = 760.0
  /// The least size of letters (pixels): what is read on a phone.
  static let letters = 11.0
  /// The room at the edges.
  static let margin = 14.0

  /// A place and its size.
  struct Box {
    var left: Double, top: Double, right: Double, bottom: Double
    func meets(_ other: Box) -> Bool {
      left < other.right && other.left < right && top < other.bottom && other.top < bottom
    }
    func holds(_ other: Box) -> Bool {
      left <= other.left && right >= other.right && top <= other.top && bottom >= other.bottom
    }
  }

  /// Where a text stands from its point.
  enum Side: String {
    case left, center, right
  }

  /// A line of text, its middle at `y`.
  struct Note {
    var text: String
    var x: Double, y: Double
    var side = Side.left
    var ink = "black"
    var size = 11.0

    var box: Box {
      let width = PlotText.width(text, size: size)
      let left = side == .left ? x : side == .right ? x - width : x - width / 2
      return Box(left: left, top: y - size * 0.65, right: left + width, bottom: y + size * 0.65)
    }
  }

  /// A sign of the legend, or beside a point: gnuplot's number of the symbol.
  struct Symbol {
    var x: Double, y: Double
    var point: Int
    var ink: String
  }

  /// A thin line from a name to what it names.
  struct Leader {
    var from: (x: Double, y: Double)
    var to: (x: Double, y: Double)
    var ink = "gray"
  }

  /// The edges of the marks.
  var left = 60.0, right = width - margin, top = 40.0, bottom = 400.0
  /// The words.
  private(set) var notes: [Note] = []
  private(set) var symbols: [Symbol] = []
  private(set) var leaders: [Leader] = []
  /// Room below the marks: ticks, the axis' title, the footer.
  var foot = 62.0

  var height: Double { bottom + foot }
  /// The edges of the marks as a box.
  var area: Box { Box(left: left, top: top, right: right, bottom: bottom) }
  var paper: Box { Box(left: 4, top: 2, right: Self.width - 4, bottom: height - 2) }

  mutating func add(_ note: Note) { notes.append(note) }
  mutating func add(_ symbol: Symbol) { symbols.append(symbol) }
  mutating func add(_ leader: Leader) { leaders.append(leader) }

  /// A legend in lines from `top` on, which moves below it: a sign and a word for each entry.
  mutating func legend(
    _ title: String = "", _ entries: [(text: String, point: Int, ink: String)], size: Double = 11
  ) {
    guard !entries.isEmpty else { return }
    var x = Self.margin
    var y = top
    if !title.isEmpty {
      let text = PlotText.fit(title, room: 300, size: size)
      add(Note(text: text, x: x, y: y, ink: "gray", size: size))
      x += PlotText.width(text, size: size) + 14
    }
    let begin = x
    for entry in entries {
      let room = Self.width - Self.margin - begin - 18
      let text = PlotText.fit(entry.text, room: room, size: size)
      let width = PlotText.width(text, size: size)
      if x > begin, x + 14 + width > Self.width - Self.margin {
        x = begin
        y += size + 5
      }
      if entry.point > 0 { add(Symbol(x: x + 5, y: y, point: entry.point, ink: entry.ink)) }
      add(
        Note(
          text: text, x: x + (entry.point > 0 ? 14 : 0), y: y,
          ink: entry.point > 0 ? "black" : entry.ink, size: size))
      x += 14 + width + 16
    }
    top = y + size + 5
  }

  /// Names of upright lines over the marks, each at its line, on as many levels as they need; `top`
  /// moves below them.
  mutating func names(over lines: [(x: Double, text: String, ink: String)], size: Double = letters)
  {
    guard !lines.isEmpty else { return }
    var placed: [Note] = []
    for line in lines.sorted(by: { $0.x < $1.x }) {
      let tries = (0..<lines.count).flatMap { level in
        [Side.center, .left, .right].map { side in
          Note(
            text: line.text, x: line.x + (side == .left ? 3 : side == .right ? -3 : 0),
            y: -Double(level) * (size + 4), side: side, ink: line.ink, size: size)
        }
      }
      let free = tries.first { note in
        note.box.left >= 4 && note.box.right <= Self.width - 4
          && !placed.contains { $0.box.meets(note.box) }
      }
      // Where no side has room, it is moved along its line's top.
      var note = free ?? tries[tries.count - 3]
      if free == nil {
        note.x = min(max(note.x, 8 + note.box.width / 2), Self.width - 8 - note.box.width / 2)
      }
      placed.append(note)
    }
    let levels = placed.map { -$0.y }.max() ?? 0
    for note in placed {
      var note = note
      note.y += top + levels
      add(note)
    }
    top += levels + size + 3
  }

  /// Titles of both axes: the upright one stands level over its axis, which `top` moves below.
  mutating func titles(x: String, y: String = "", size: Double = 11) {
    if !y.isEmpty {
      add(
        Note(
          text: PlotText.fit(y, room: Self.width - 2 * Self.margin, size: size), x: Self.margin,
          y: top, size: size))
      top += size + 8
    }
    xTitle = x
  }

  private var xTitle = ""

  /// The room that texts of ticks need at the left of the marks.
  static func room(_ axis: PlotAxis, size: Double = 11) -> Double {
    PlotText.widest(axis.ticks.map(\.text), size: size) + 14
  }

  /// The pixel of a value on either axis.
  func x(_ value: Double, _ axis: PlotAxis) -> Double { left + (right - left) * axis.place(value) }
  func y(_ value: Double, _ axis: PlotAxis) -> Double {
    bottom - (bottom - top) * axis.place(value)
  }

  /// Everything as variables of the script: `eval frame` in a template sets it.
  var variables: [(name: String, value: String)] {
    var notes = notes
    if !xTitle.isEmpty {
      let text = PlotText.fit(xTitle, room: Self.width - 2 * Self.margin, size: 11)
      let half = PlotText.width(text, size: 11) / 2
      let x = min(max((left + right) / 2, Self.margin + half), Self.width - Self.margin - half)
      notes.append(Note(text: text, x: x, y: bottom + 34, side: .center))
    }
    func list(_ values: [Double]) -> String {
      "[" + values.map { Figures.fixed($0, 1) }.joined(separator: ", ") + "]"
    }
    func words(_ values: [String]) -> String {
      "[" + values.map { "'\($0)'" }.joined(separator: ", ") + "]"
    }
    var result: [(String, String)] = [
      ("left", Figures.fixed(left, 1)), ("right", Figures.fixed(right, 1)),
      ("top", Figures.fixed(top, 1)), ("bottom", Figures.fixed(bottom, 1)),
      ("notes", "\(notes.count)"), ("symbols", "\(symbols.count)"),
      ("leaders", "\(leaders.count)"),
    ]
    if !notes.isEmpty {
      let count = "[\(notes.count)]"
      result += [
        (
          "array note\(count)",
          "[" + notes.map { PlotData.string($0.text) }.joined(separator: ", ") + "]"
        ),
        ("array note_x\(count)", list(notes.map(\.x))),
        ("array note_y\(count)", list(notes.map(\.y))),
        ("array note_side\(count)", words(notes.map(\.side.rawValue))),
        ("array note_ink\(count)", words(notes.map(\.ink))),
        ("array note_size\(count)", list(notes.map(\.size))),
      ]
    }
    if !symbols.isEmpty {
      let count = "[\(symbols.count)]"
      result += [
        ("array symbol\(count)", "[" + symbols.map { "\($0.point)" }.joined(separator: ", ") + "]"),
        ("array symbol_x\(count)", list(symbols.map(\.x))),
        ("array symbol_y\(count)", list(symbols.map(\.y))),
        ("array symbol_ink\(count)", words(symbols.map(\.ink))),
      ]
    }
    if !leaders.isEmpty {
      let count = "[\(leaders.count)]"
      result += [
        ("array leader_x\(count)", list(leaders.map(\.from.x))),
        ("array leader_y\(count)", list(leaders.map(\.from.y))),
        ("array leader_u\(count)", list(leaders.map(\.to.x))),
        ("array leader_v\(count)", list(leaders.map(\.to.y))),
        ("array leader_ink\(count)", words(leaders.map(\.ink))),
      ]
    }
    return result
  }
}

extension PlotSheet.Box {
  var width: Double { right - left }
}
