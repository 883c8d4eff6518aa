internal import Foundation

/// Curves over one pair of axes: named at their ends where there are few of them, in small panels
/// with the same axes where there are many. Curves that lie on each other are one, with the names
/// of all.
struct CurveChart {
  /// A point with both ends of its error bar.
  struct Point {
    var x: Double, y: Double
    var lower: Double, upper: Double
  }

  /// A curve.
  struct Curve {
    var label: String
    var points: [Point]
    /// Whose it is, where it is a variant's.
    var record: RunRecord?
    /// What stands behind each point's columns in the table.
    var cells: [[String]] = []
  }

  /// A line that is no curve, with its height at the right end: it is named among the curves.
  struct Line {
    var text: String
    var y: Double
    var ink: String
  }

  /// Symbols and colours in the order of `style.gp`'s line types.
  static let signs = [
    (7, "blue"), (5, "orange"), (9, "green"), (13, "red"), (11, "purple"), (6, "sky"),
    (4, "yellow"), (8, "black"),
  ]
  /// Curves that one panel has at most.
  static let most = 8
  /// Panels that one figure has at most.
  static let mostPanels = 60

  private var curves: [Curve]
  private let x: PlotAxis
  private let y: PlotAxis
  private let across: Int?
  /// Blocks of curves that lie on another.
  private var hidden: [Curve] = []
  private var panels: [(title: String, range: Range<Int>)] = []
  private var types: [Int] = []
  private var legend: (title: String, entries: [String])?
  private(set) var remarks: [String] = []

  /// `across` is the axis of the sweep that goes from left to right, where it is one.
  init(
    _ curves: [Curve], x: PlotAxis, y: PlotAxis, report: Report, across: Int? = nil
  ) {
    self.x = x
    self.y = y
    self.across = across
    self.curves = []
    let axes = VariantAxes(report)
    merge(curves, axes)
    let isCluttered = self.isCluttered
    guard self.curves.count > Self.most || isCluttered else {
      panels = [("", 0..<self.curves.count)]
      types = self.curves.indices.map { $0 + 1 }
      return
    }
    arrange(axes, apart: self.curves.count <= Self.most)
  }

  /// Whether so many bars lie over each other that nobody follows a curve.
  private var isCluttered: Bool {
    guard curves.count > 5, let count = curves.first?.points.count,
      curves.allSatisfy({ $0.points.count == count })
    else { return false }
    var (touching, pairs) = (0, 0)
    for index in 0..<count {
      let spans = curves.map { curve in
        let point = curve.points[index]
        return (low: y.place(y.inside(point.lower)), high: y.place(y.inside(point.upper)))
      }.sorted { $0.low + $0.high < $1.low + $1.high }
      for (one, next) in zip(spans, spans.dropFirst()) {
        pairs += 1
        if next.low < one.high + 4.0 / 330 { touching += 1 }
      }
    }
    return Double(touching) > 0.6 * Double(pairs)
  }

  /// Curves that differ by less than a pixel and a half anywhere are drawn once.
  private mutating func merge(_ all: [Curve], _ axes: VariantAxes) {
    func places(_ curve: Curve) -> [(Double, Double)] {
      curve.points.map { (x.place($0.x) * 600, y.place($0.y) * 320) }
    }
    var drawn: [[(Double, Double)]] = []
    var twins: [[Curve]] = []
    for curve in all {
      let mine = places(curve)
      let twin = drawn.firstIndex { other in
        other.count == mine.count
          && zip(other, mine).allSatisfy { abs($0.0 - $1.0) < 0.5 && abs($0.1 - $1.1) < 1.5 }
      }
      if let twin {
        twins[twin].append(curve)
        hidden.append(curve)
      } else {
        drawn.append(mine)
        curves.append(curve)
        twins.append([curve])
      }
    }
    for (index, alike) in twins.enumerated() where alike.count > 1 {
      let records = alike.compactMap(\.record)
      curves[index].label =
        records.count == alike.count
        ? axes.name(records) : alike.map(\.label).joined(separator: ", ")
    }
  }

  /// Several panels: the values of one axis of the sweep are colours (those of the shortest where
  /// curves should stand `apart`), what is left of the choices names the panel; where there are no
  /// such axes, each curve has its own.
  private mutating func arrange(_ axes: VariantAxes, apart isApart: Bool) {
    let free = axes.axes.indices.filter { $0 != across }
    // Where several lie on each other, a joint name says so better than colours.
    let colour =
      hidden.isEmpty && free.count > 1
      ? free.filter { axes.axes[$0].values.count <= Self.most }
        .max { one, other in
          let (one, other) = (axes.axes[one].values.count, axes.axes[other].values.count)
          return isApart ? one > other : one < other
        } : nil
    let apart = Set([colour, across].compactMap { $0 })
    var groups: [(title: String, members: [(curve: Curve, type: Int)])] = []
    for curve in curves {
      guard let colour, let record = curve.record, let place = axes.place(record, colour) else {
        groups.append((curve.label, [(curve, 1)]))
        continue
      }
      let title = axes.label(record, without: apart)
      if let index = groups.firstIndex(where: { $0.title == title }) {
        groups[index].members.append((curve, place + 1))
      } else {
        groups.append((title, [(curve, place + 1)]))
      }
    }
    if groups.count > Self.mostPanels {
      remarks.append("\(groups.count - Self.mostPanels) panels of \(groups.count) are not drawn")
      hidden += groups[Self.mostPanels...].flatMap { $0.members.map(\.curve) }
      groups = Array(groups.prefix(Self.mostPanels))
    }
    if let colour {
      legend = (axes.axes[colour].title, axes.axes[colour].values)
    }
    curves = []
    types = []
    for group in groups {
      let first = curves.count
      curves += group.members.map(\.curve)
      types += group.members.map(\.type)
      panels.append((group.title, first..<curves.count))
    }
  }

  /// The figure. `lines` are named at the right end of a single panel, and in the legend of
  /// several; `values` are texts beside points, left out where they have no room.
  func data(
    x xTitle: String, y yTitle: String, header: String, lines: [Line] = [],
    values: [(x: Double, y: Double, text: String)] = [], height: Double = 330,
    variables: [(name: String, value: String)] = [], words: String, remarks: [String] = []
  ) -> PlotData {
    var sheet = PlotSheet()
    sheet.top = 42
    if let legend {
      sheet.legend(
        legend.title,
        legend.entries.enumerated().map { index, text in
          (GnuplotText.shown(text), Self.signs[index % 8].0, Self.signs[index % 8].1)
        })
    }
    if panels.count > 1 {
      sheet.legend("", lines.map { ($0.text, 0, $0.ink) })
    }
    sheet.titles(x: xTitle, y: yTitle)
    let size = PlotSheet.letters
    sheet.left = PlotSheet.margin + PlotSheet.room(y, size: size)
    let boxes: [PlotSheet.Box]
    if panels.count > 1 {
      boxes = grid(&sheet)
    } else {
      sheet.bottom = sheet.top + height
      name(lines, on: &sheet)
      mark(values, on: &sheet)
      boxes = [sheet.area]
    }
    let columns = boxes.filter { $0.top == boxes[0].top }.count
    // Small panels have room for fewer words.
    let x = x.thinned(across: boxes[0].right - boxes[0].left, size: size)
    let y = y.thinned(along: boxes[0].bottom - boxes[0].top, size: size)
    return PlotData(
      sheet, table: table(header),
      variables: panelVariables(boxes, columns: columns, size: size) + variables
        + PlotData.axis(x, prefix: "x_") + PlotData.axis(y, prefix: "y_")
        + [
          ("x_bare", PlotData.string(x.tics(bare: true))),
          ("y_bare", PlotData.string(y.tics(bare: true))),
        ], rows: curves.count, words: words, remarks: self.remarks + remarks)
  }

  /// Names at the right ends of curves and lines, with a symbol and a thin line to each.
  private func name(_ lines: [Line], on sheet: inout PlotSheet) {
    let size = PlotSheet.letters
    let texts = curves.map { GnuplotText.shown($0.label, limit: 60) }
    let room = min(
      PlotText.widest(texts + lines.map(\.text), size: size), PlotSheet.width * 0.36)
    // What the axis' title says needs no name.
    guard (texts + lines.map(\.text)).contains(where: { !$0.isEmpty }) else {
      sheet.right = PlotSheet.width - PlotSheet.margin
      return
    }
    let fitted =
      PlotText.fit(names: curves.map(\.label), room: room, size: size)
      + lines.map { PlotText.fit($0.text, room: room, size: size) }
    sheet.right = PlotSheet.width - PlotSheet.margin - room - 42
    let wanted =
      curves.map { sheet.y($0.points.last?.y ?? 0, y) } + lines.map { sheet.y($0.y, y) }
    let places = LabelPlacer.spread(
      wanted, gap: size + 4, within: (sheet.top + 4)...(sheet.bottom - 4))
    let x0 = sheet.right + 40
    for index in fitted.indices where !fitted[index].isEmpty {
      let isCurve = index < curves.count
      let (point, ink) =
        isCurve ? Self.signs[index % 8] : (0, lines[index - curves.count].ink)
      let begin = isCurve ? sheet.x(curves[index].points.last?.x ?? 0, x) + 6 : sheet.right + 2
      sheet.add(
        PlotSheet.Leader(
          from: (begin, wanted[index]), to: (x0 - (isCurve ? 18 : 5), places[index]), ink: ink))
      if isCurve {
        sheet.add(PlotSheet.Symbol(x: x0 - 9, y: places[index], point: point, ink: ink))
      }
      sheet.add(
        PlotSheet.Note(
          text: fitted[index], x: x0, y: places[index],
          ink: isCurve ? "black" : ink, size: size))
    }
  }

  /// Texts beside points, where they lie on nothing.
  private func mark(_ values: [(x: Double, y: Double, text: String)], on sheet: inout PlotSheet) {
    guard !values.isEmpty else { return }
    var placer = LabelPlacer(bounds: sheet.area)
    for leader in sheet.leaders { placer.avoid(from: leader.from, to: leader.to) }
    for curve in curves {
      placer.avoid(path: curve.points.map { (sheet.x($0.x, x), sheet.y($0.y, y)) })
      for point in curve.points {
        let place = sheet.x(point.x, x)
        placer.avoid(point: (place, sheet.y(point.y, y)))
        // Bars have ends, and stand a little beside their place.
        placer.avoid(
          PlotSheet.Box(
            left: place - 6, top: sheet.y(y.inside(point.upper), y) - 1, right: place + 6,
            bottom: sheet.y(y.inside(point.lower), y) + 1))
      }
    }
    for value in values {
      let point = (sheet.x(value.x, x), sheet.y(value.y, y))
      if let placed = placer.place(value.text, at: point, ink: "gray", reach: [9, 14]) {
        sheet.add(placed.note)
      }
    }
  }

  /// Places of the panels, the title of each over it.
  private func grid(_ sheet: inout PlotSheet) -> [PlotSheet.Box] {
    let columns = panels.count <= 4 ? 2 : panels.count <= 9 ? 3 : panels.count <= 20 ? 4 : 6
    let rows = (panels.count + columns - 1) / columns
    let tall = rows <= 2 ? 150.0 : rows <= 4 ? 110 : rows <= 6 ? 84 : 62
    let gap = 10.0
    let wide =
      (PlotSheet.width - PlotSheet.margin - sheet.left - gap * Double(columns - 1))
      / Double(columns)
    sheet.right = PlotSheet.width - PlotSheet.margin
    var boxes: [PlotSheet.Box] = []
    let titles = PlotText.fit(names: panels.map(\.title), room: wide, size: 11)
    for (index, title) in titles.enumerated() {
      let left = sheet.left + Double(index % columns) * (wide + gap)
      let top = sheet.top + 14 + Double(index / columns) * (tall + 24)
      boxes.append(
        PlotSheet.Box(left: left, top: top, right: left + wide, bottom: top + tall))
      sheet.add(
        PlotSheet.Note(
          text: title, x: left, y: top - 8))
    }
    sheet.top += 14
    sheet.bottom = sheet.top + Double(rows) * (tall + 24) - 24
    return boxes
  }

  private func panelVariables(
    _ boxes: [PlotSheet.Box], columns: Int, size: Double
  ) -> [(name: String, value: String)] {
    let count = "[\(boxes.count)]"
    func list(_ values: [Double]) -> String {
      "[" + values.map { Figures.fixed($0, 1) }.joined(separator: ", ") + "]"
    }
    func whole(_ values: [Int]) -> String {
      "[" + values.map { "\($0)" }.joined(separator: ", ") + "]"
    }
    let shift = panels.flatMap { panel in
      panel.range.map {
        2.4 * (Double($0 - panel.range.lowerBound) - Double(panel.range.count - 1) / 2)
      }
    }
    let wide = max(boxes[0].right - boxes[0].left, 1)
    let range = x.isLog ? log(x.high / x.low) : x.high - x.low
    return [
      ("array label[\(curves.count)]", PlotData.strings(curves.map(\.label))),
      ("array type[\(curves.count)]", whole(types)),
      // Bars of neighbours stand side by side: what is added to x, or its factor on a logarithmic
      // axis.
      (
        "array dodge[\(curves.count)]",
        PlotData.numbers(
          shift.map { x.isLog ? exp($0 / wide * range) : $0 / wide * range })
      ),
      ("panels", "\(boxes.count)"), ("panel_size", Figures.fixed(size, 1)),
      ("array panel_left\(count)", list(boxes.map(\.left))),
      ("array panel_right\(count)", list(boxes.map(\.right))),
      ("array panel_top\(count)", list(boxes.map(\.top))),
      ("array panel_bottom\(count)", list(boxes.map(\.bottom))),
      ("array panel_first\(count)", whole(panels.map(\.range.lowerBound))),
      ("array panel_last\(count)", whole(panels.map { $0.range.upperBound - 1 })),
      (
        "array panel_x\(count)",
        whole(boxes.indices.map { $0 + columns >= boxes.count ? 1 : 0 })
      ),
      ("array panel_y\(count)", whole(boxes.indices.map { $0 % columns == 0 ? 1 : 0 })),
      ("band", panels.count > 1 && band != nil ? "\(curves.count + hidden.count)" : "-1"),
    ]
  }

  /// The range of all curves, behind those of each panel; nil where they are not over the same
  /// places.
  private var band: [(x: Double, low: Double, high: Double)]? {
    let all = curves + hidden
    guard let first = all.first, all.allSatisfy({ $0.points.map(\.x) == first.points.map(\.x) })
    else { return nil }
    return first.points.indices.map { index in
      let values = all.map { $0.points[index].y }
      return (first.points[index].x, values.min() ?? 0, values.max() ?? 0)
    }
  }

  private func table(_ header: String) -> String {
    var blocks = (curves + hidden).map { curve in
      "# \(PlotData.cell(curve.label))\n"
        + curve.points.enumerated().map { index, point in
          let more = curve.cells.indices.contains(index) ? curve.cells[index] : []
          let error = max(point.upper - point.y, point.y - point.lower)
          return
            (["\(point.x)", "\(point.y)", "\(error)"] + more + [
              "\(y.inside(point.lower))", "\(y.inside(point.upper))",
            ]).joined(separator: "\t") + "\n"
        }.joined()
    }
    if panels.count > 1, let band {
      blocks.append(
        "# all curves: least and greatest\n"
          + band.map { "\($0.x)\t\($0.low)\t\($0.high)\n" }.joined())
    }
    return "# \(header)\n" + blocks.joined(separator: "\n\n")
  }
}
