internal import Foundation

/// Perplexity against a figure of a variant's cost: a point a variant, with the Pareto front. Where
/// a sweep has axes, they are colours and symbols.
struct ScatterChart {
  /// The metric that is the axis from left to right, and what it is multiplied with.
  let key: String
  var scale = 1.0
  /// Whether less is better.
  var lessIsBetter = true
  /// The axis' title.
  let title: String
  /// What a value is called in words.
  let unit: String
  /// Ticks of a logarithmic axis, where those of powers of ten would not do.
  var ticks: [(value: Double, text: String)]?
  /// Whether the axis is logarithmic wherever values differ at all.
  var isAlwaysLog = false

  /// A variant's point.
  private struct Item {
    var record: RunRecord
    var x: Double, y: Double, lower: Double, upper: Double
    var point = 7
    var ink = "blue"
    var isFront = false
  }

  private static let inks = CurveChart.signs.map(\.1)
  private static let symbols = [7, 5, 9, 13, 11, 6, 4, 8]

  /// The data; nil where no record has both figures.
  func data(_ report: Report) -> PlotData? {
    var items = report.variants.compactMap { record -> Item? in
      guard let y = PlotData.finite(record.metrics["perplexity.value"]),
        let x = PlotData.finite(record.metrics[key]), !isAlwaysLog || x > 0
      else { return nil }
      let error = Report.error(record, "perplexity.error") ?? 0
      return Item(record: record, x: x * scale, y: y, lower: y - error, upper: y + error)
    }
    guard !items.isEmpty else { return nil }
    markFront(&items)
    let x = xAxis(items)
    let isLog = PlotData.isWide(items.map(\.y), factor: 8)
    let ends = items.flatMap { [$0.lower, $0.upper] }
    let lines = PlotLines(report, beside: ends, isLog: isLog)
    let y = PlotAxis(ends + lines.shown.map(\.value), isLog: isLog)
    var sheet = PlotSheet()
    sheet.top = 42
    let hasAxes = dress(&items, report, on: &sheet)
    // One point is no line.
    if items.count > 2, items.count(where: \.isFront) > 1 {
      let better = lessIsBetter ? "smaller" : "faster"
      sheet.legend(
        "",
        [
          (
            "gray line: Pareto front. No variant is both \(better) and of lower perplexity than one on it",
            0, "gray"
          )
        ])
    }
    sheet.legend("", lines.off.map { ($0, 0, "gray") })
    sheet.titles(x: title, y: "Perplexity, ± one standard error (lower is better)")
    sheet.left = PlotSheet.margin + PlotSheet.room(y)
    sheet.bottom = sheet.top + 360
    let unnamed = name(&sheet, items, x, y, report, lines: lines.shown, hasAxes: hasAxes)
    return PlotData(
      sheet, table: table(items, y),
      variables: lines.variables + PlotData.axis(y) + PlotData.axis(x, prefix: "x_")
        + front(items), rows: items.count,
      words: words(items, report),
      remarks: PlotWords.undrawn(report.variants, "perplexity.value", "perplexity")
        + placeless(report, items) + unnamed)
  }

  /// Variants with a perplexity and no place from left to right, as a sentence.
  private func placeless(_ report: Report, _ items: [Item]) -> [String] {
    let lost = report.variants.filter { record in
      PlotData.finite(record.metrics["perplexity.value"]) != nil
        && !items.contains { $0.record.id == record.id && $0.record.index == record.index }
    }
    return lost.isEmpty ? [] : ["no figure in \(unit), so not drawn: \(PlotWords.names(lost))"]
  }

  private func xAxis(_ items: [Item]) -> PlotAxis {
    let values = items.map(\.x)
    let isLog = isAlwaysLog || PlotData.isWide(values, factor: 20)
    // Points need no zero: beside one, sizes that are near to each other would be one place.
    let hasZero = !isLog && (values.min() ?? 0) < 0.4 * (values.max() ?? 0)
    let axis = PlotAxis(
      values, isLog: isLog, fromZero: hasZero, room: isAlwaysLog ? 0.25 : 0.12, most: 7)
    guard let ticks, isLog else { return axis }
    let inside = ticks.filter { $0.value >= axis.low && $0.value <= axis.high }
    return inside.count < 2
      ? axis : PlotAxis(low: axis.low, high: axis.high, isLog: true, ticks: inside)
  }

  /// Marks what no other variant beats in both figures.
  private func markFront(_ items: inout [Item]) {
    for index in items.indices {
      let (x, y) = (items[index].x, items[index].y)
      items[index].isFront = !items.contains { other in
        let isNoDearer = lessIsBetter ? other.x <= x : other.x >= x
        return isNoDearer && other.y <= y && (other.x != x || other.y != y)
      }
    }
  }

  /// Colours and symbols: those of two axes of the sweep, else one for each of a few variants, else
  /// two for on the front and off it.
  private func dress(
    _ items: inout [Item], _ report: Report, on sheet: inout PlotSheet
  ) -> Bool {
    let axes = VariantAxes(report)
    let fit = axes.axes.indices.filter { axes.axes[$0].values.count <= 8 }
      .sorted { axes.axes[$0].values.count > axes.axes[$1].values.count }
    if axes.axes.count > 1, items.count > 4, let colour = fit.first {
      let symbol = fit.dropFirst().first
      for index in items.indices {
        items[index].ink = axes.place(items[index].record, colour).map { Self.inks[$0] } ?? "black"
        items[index].point =
          symbol.flatMap { axes.place(items[index].record, $0) }.map { Self.symbols[$0] } ?? 7
      }
      let axis = axes.axes[colour]
      sheet.legend(
        axis.title,
        axis.values.enumerated().map {
          (GnuplotText.shown($0.element), symbol == nil ? 7 : 5, Self.inks[$0.offset])
        })
      if let symbol {
        sheet.legend(
          axes.axes[symbol].title,
          axes.axes[symbol].values.enumerated().map {
            (GnuplotText.shown($0.element), Self.symbols[$0.offset], "gray")
          })
      }
      return true
    }
    for index in items.indices {
      if items.count <= 8 {
        items[index].ink = Self.inks[index]
        items[index].point = Self.symbols[index]
      } else {
        items[index].ink = items[index].isFront ? "blue" : "pale"
      }
    }
    return false
  }

  /// The front as a staircase, in the order of the axis.
  private func stairs(_ items: [Item], _ y: PlotAxis) -> [(x: Double, y: Double)] {
    let front = items.filter(\.isFront).sorted { $0.x < $1.x }
    var points: [(x: Double, y: Double)] = []
    for item in front {
      if let last = points.last {
        // Between two of them, what has been reached holds.
        points.append(lessIsBetter ? (item.x, last.y) : (last.x, item.y))
      }
      points.append((item.x, item.y))
    }
    return points
  }

  /// Names the points: all of a few, those of the front first; what has no room is told.
  private func name(
    _ sheet: inout PlotSheet, _ items: [Item], _ x: PlotAxis, _ y: PlotAxis, _ report: Report,
    lines: [(value: Double, text: String, ink: String)], hasAxes: Bool
  ) -> [String] {
    let axes = VariantAxes(report)
    let places = items.map { (x: sheet.x($0.x, x), y: sheet.y($0.y, y)) }
    var placer = LabelPlacer(bounds: sheet.area)
    for (item, place) in zip(items, places) {
      placer.avoid(point: place)
      placer.avoid(
        from: (place.x, sheet.y(y.inside(item.lower), y)),
        to: (place.x, sheet.y(y.inside(item.upper), y)))
    }
    placer.avoid(path: stairs(items, y).map { (sheet.x($0.x, x), sheet.y($0.y, y)) })
    for line in lines {
      let height = sheet.y(line.value, y)
      placer.avoid(from: (sheet.left, height), to: (sheet.right, height))
    }
    nameLines(&sheet, &placer, y, lines)
    // Points on each other have one name for all.
    var groups: [(place: (x: Double, y: Double), members: [Int])] = []
    for (index, place) in places.enumerated() {
      if let twin = groups.firstIndex(where: {
        abs($0.place.x - place.x) < 3 && abs($0.place.y - place.y) < 3
      }) {
        groups[twin].members.append(index)
      } else {
        groups.append((place, [index]))
      }
    }
    let ordered =
      groups.filter { $0.members.contains { items[$0].isFront } }
      + groups.filter { !$0.members.contains { items[$0].isFront } }
    let names = PlotText.fit(
      names: ordered.map { axes.name($0.members.map { items[$0].record }) }, room: 280,
      size: PlotSheet.letters)
    var unnamed = 0
    for (text, group) in zip(names, ordered) {
      // Colour and symbol name a point of a grid already: words are for those on the front.
      if hasAxes, ordered.count > 16, !group.members.contains(where: { items[$0].isFront }) {
        continue
      }
      if let placed = placer.place(text, at: group.place) {
        sheet.add(placed.note)
        if let leader = placed.leader { sheet.add(leader) }
      } else {
        unnamed += group.members.count
      }
    }
    guard unnamed > 0 else { return [] }
    return [
      "\(unnamed) \(unnamed == 1 ? "point has" : "points have") no room for a name; the table beside the figure names all"
    ]
  }

  /// Names of the level lines, where they lie on nothing.
  private func nameLines(
    _ sheet: inout PlotSheet, _ placer: inout LabelPlacer, _ y: PlotAxis,
    _ lines: [(value: Double, text: String, ink: String)]
  ) {
    for line in lines {
      let height = sheet.y(line.value, y)
      let width = PlotText.width(line.text, size: PlotSheet.letters) / 2
      // Along the line, above or below it, from the right.
      let tries = stride(from: sheet.right - width - 4, to: sheet.left + width, by: -20)
      for x in tries {
        if let placed = placer.place(
          line.text, at: (x, height), ink: line.ink, reach: [5])
        {
          sheet.add(placed.note)
          break
        }
      }
    }
  }

  private func front(_ items: [Item]) -> [(name: String, value: String)] {
    [("front", items.filter(\.isFront).count > 1 ? "1" : "0")]
  }

  private func table(_ items: [Item], _ y: PlotAxis) -> String {
    let middle = ((items.map(\.x).min() ?? 0) + (items.map(\.x).max() ?? 0)) / 2
    let colours = [
      "blue": 0x0072b2, "orange": 0xe69f00, "green": 0x009e73, "red": 0xd55e00, "purple": 0xcc79a7,
      "sky": 0x56b4e9, "yellow": 0xb8a800, "black": 0x1b1f24, "pale": 0x9aa4ad,
    ]
    let rows = items.map { item in
      let label = PlotData.cell(item.record.label)
      return [
        "\(item.x)", "\(item.y)", "\(item.upper - item.y)", item.x > middle ? " " : label,
        item.x > middle ? label : " ", "\(y.inside(item.lower))", "\(y.inside(item.upper))",
        "\(colours[item.ink] ?? 0)", "\(item.point)", item.isFront ? "1" : "0",
      ]
    }
    let steps = stairs(items, y).map { "\($0.x)\t\($0.y)\n" }.joined()
    return PlotData.table(
      [
        "x", "perplexity", "error", "label at the right", "label at the left", "lower", "upper",
        "colour", "symbol", "on the front",
      ], rows) + "\n\n# the Pareto front\n" + steps
  }

  private func words(_ items: [Item], _ report: Report) -> String {
    let front = items.filter(\.isFront).sorted { $0.x < $1.x }
      .map { GnuplotText.spoken($0.record.label) }
    return PlotLines.words(report) + "On the Pareto front: \(front.joined(separator: ", ")). "
      + PlotWords.list(
        items.map { item in
          "\(GnuplotText.spoken(item.record.label)): \(Figures.plain(item.x)) \(unit), perplexity "
            + Figures.text(item.y, error: item.upper - item.y)
        })
  }
}
