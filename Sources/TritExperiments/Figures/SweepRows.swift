internal import Foundation
internal import TritCore

/// A sweep whose longest axis has names for values: a row for each, the others as colours, and as
/// panels side by side.
struct SweepRows {
  let report: Report
  let axes: VariantAxes
  let metric: SweepMetric
  let across: Int
  let records: [RunRecord]

  /// Panels that stand side by side at most.
  private static let mostPanels = 4

  func data() -> PlotData {
    let rest = axes.axes.indices.filter { $0 != across }
    let colours = self.colours(rest)
    let panels = self.panels(without: Set([across] + colours.axes))
    let shown = Array(panels.prefix(Self.mostPanels))
    var remarks = PlotWords.undrawn(report.variants, metric.key, metric.name)
    if shown.count < panels.count {
      remarks.append("\(panels.count - shown.count) of \(panels.count) panels are not drawn")
    }
    let rows = sortedRows()
    let drawn = shown.flatMap(\.records)
    let values = drawn.compactMap(metric.value)
    let isLog = PlotData.isWide(values, factor: 8)
    let ends = drawn.compactMap(metric.ends).flatMap { [$0.lower, $0.upper] }
    let axis = PlotAxis(
      isLog ? (values + ends).filter { $0 > 0 } : values + ends, isLog: isLog,
      most: max(2, 7 / shown.count))
    var sheet = PlotSheet()
    sheet.top = 42
    if colours.names.count > 1 {
      sheet.legend(
        colours.title,
        colours.names.enumerated().map { index, name in
          (GnuplotText.shown(name), CurveChart.signs[index % 8].0, CurveChart.signs[index % 8].1)
        })
    }
    let names = axes.axes[across].values
    let room = min(PlotText.widest(names.map { GnuplotText.shown($0) }, size: 11) + 4, 250)
    sheet.left = PlotSheet.margin + room + 12
    sheet.right = PlotSheet.width - PlotSheet.margin - 6
    let height = min(1100, Double(names.count) * max(20, Double(colours.names.count) * 9 + 8))
    let boxes = boxes(&sheet, shown.map(\.title), height: max(height, 60))
    for (place, name) in PlotText.fit(names: names, room: room, size: 11).enumerated() {
      sheet.add(
        PlotSheet.Note(
          text: name, x: sheet.left - 9,
          y: sheet.top
            + (Double(rows[place]) + 0.5) * (sheet.bottom - sheet.top) / Double(names.count),
          side: .right))
    }
    sheet.titles(x: metric.title)
    return PlotData(
      sheet, table: table(shown.map(\.records), rows, colours, axis),
      variables: [
        ("by_rows", "1"), ("panels", "\(boxes.count)"), ("panel_size", "11"),
        ("x_ticks", PlotData.string(axis.tics())), ("x_low", "\(axis.low)"),
        ("x_high", "\(axis.high)"), ("x_logarithmic", axis.isLog ? "1" : "0"),
      ] + placed(boxes), rows: names.count, words: words(), remarks: remarks)
  }

  /// Which axes are colours: all others together where they have eight values at most, else the
  /// longest that has.
  private func colours(_ rest: [Int]) -> (axes: [Int], title: String, names: [String]) {
    var names: [String] = []
    for record in records {
      let name = rest.compactMap { axes.value(record, $0) }.joined(separator: " · ")
      if !names.contains(name) { names.append(name) }
    }
    if names.count <= CurveChart.most {
      return (rest, rest.map { axes.axes[$0].title }.joined(separator: " · "), names)
    }
    let fit = rest.filter { axes.axes[$0].values.count <= CurveChart.most }
    guard let chosen = fit.max(by: { axes.axes[$0].values.count < axes.axes[$1].values.count })
    else { return ([], "", [""]) }
    return ([chosen], axes.axes[chosen].title, axes.axes[chosen].values)
  }

  private func panels(without apart: Set<Int>) -> [(title: String, records: [RunRecord])] {
    var panels: [(title: String, records: [RunRecord])] = []
    for record in records {
      let title = axes.titled(record, without: apart)
      if let index = panels.firstIndex(where: { $0.title == title }) {
        panels[index].records.append(record)
      } else {
        panels.append((title, [record]))
      }
    }
    return panels
  }

  /// The values of the axis, the best mean on top.
  private func sortedRows() -> [Int] {
    let count = axes.axes[across].values.count
    let means = (0..<count).map { place -> Double in
      let own = records.filter { axes.place($0, across) == place }.compactMap(metric.value)
      return own.isEmpty ? .infinity : own.reduce(0, +) / Double(own.count)
    }
    let order = (0..<count).sorted {
      metric.lessIsBetter ? means[$0] < means[$1] : means[$0] > means[$1]
    }
    return (0..<count).map { place in order.firstIndex(of: place) ?? place }
  }

  private func boxes(
    _ sheet: inout PlotSheet, _ titles: [String], height: Double
  ) -> [PlotSheet.Box] {
    let gap = 14.0
    let wide =
      (sheet.right - sheet.left - gap * Double(titles.count - 1)) / Double(titles.count)
    let hasTitles = titles.contains { !$0.isEmpty }
    if hasTitles { sheet.top += 12 }
    sheet.bottom = sheet.top + height
    return PlotText.fit(names: titles, room: wide, size: 11).enumerated().map { index, title in
      let left = sheet.left + Double(index) * (wide + gap)
      if !title.isEmpty {
        sheet.add(
          PlotSheet.Note(
            text: title, x: left, y: sheet.top - 8, ink: "blue"))
      }
      return PlotSheet.Box(left: left, top: sheet.top, right: left + wide, bottom: sheet.bottom)
    }
  }

  private func table(
    _ panels: [[RunRecord]], _ rows: [Int],
    _ colours: (axes: [Int], title: String, names: [String]), _ axis: PlotAxis
  ) -> String {
    let inks = [
      0x0072b2, 0xe69f00, 0x009e73, 0xd55e00, 0xcc79a7, 0x56b4e9, 0xb8a800, 0x1b1f24,
    ]
    let blocks = panels.map { records in
      records.compactMap { record -> String? in
        guard let value = metric.value(record), let ends = metric.ends(record),
          let place = axes.place(record, across), let name = axes.value(record, across)
        else { return nil }
        let own = colours.axes.compactMap { axes.value(record, $0) }.joined(separator: " · ")
        let colour = colours.names.firstIndex(of: own) ?? 0
        let step = 0.7 / Double(max(colours.names.count, 1))
        let shift = (Double(colour) - Double(colours.names.count - 1) / 2) * step
        return [
          "\(Double(rows[place]) + shift)", "\(value)", "\(axis.inside(ends.lower))",
          "\(axis.inside(ends.upper))", "\(inks[colour % 8])",
          "\(CurveChart.signs[colour % 8].0)", "\(rows[place])", PlotData.cell(name),
          PlotData.cell(record.label),
        ].joined(separator: "\t") + "\n"
      }.joined()
    }
    return "# row\t\(metric.name)\tlower\tupper\tcolour\tsymbol\tplace\tname\tlabel\n"
      + blocks.joined(separator: "\n\n")
  }

  private func placed(_ boxes: [PlotSheet.Box]) -> [(name: String, value: String)] {
    let count = "[\(boxes.count)]"
    func list(_ values: [Double]) -> String {
      "[" + values.map { Figures.fixed($0, 1) }.joined(separator: ", ") + "]"
    }
    return [
      ("array panel_left\(count)", list(boxes.map(\.left))),
      ("array panel_right\(count)", list(boxes.map(\.right))),
      ("array panel_top\(count)", list(boxes.map(\.top))),
      ("array panel_bottom\(count)", list(boxes.map(\.bottom))),
    ]
  }

  private func words() -> String {
    "\(metric.name) by \(axes.axes.map(\.title).joined(separator: ", ")). "
      + PlotWords.list(
        records.map {
          "\(GnuplotText.spoken($0.label)): \(Figures.plain(metric.value($0) ?? .nan))"
        })
  }
}
