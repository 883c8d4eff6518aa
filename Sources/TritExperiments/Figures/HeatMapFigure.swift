internal import Foundation
internal import TritCore

/// Two axes of a sweep as columns and rows, the figure of each variant as a cell; a third axis
/// makes several maps.
enum HeatMapFigure: Figure {
  static let key = "heat-map"
  static let summary = "two axes of a sweep as a map"
  static let needs: [String] = []

  /// Cells that one figure has at most.
  private static let most = 400
  /// Rows that one map has at most: what a page holds.
  private static let mostRows = 72
  /// From the best to the worst: light to dark, so that it is read without colours too.
  private static let ramp = [
    (0xf7, 0xfb, 0xff), (0xc6, 0xdb, 0xef), (0x6b, 0xae, 0xd6), (0x21, 0x71, 0xb5),
    (0x08, 0x30, 0x6b),
  ]

  static func data(_ report: Report) -> PlotData? {
    let axes = VariantAxes(report)
    guard axes.axes.count > 1, let metric = SweepMetric.of(report.variants) else { return nil }
    // The two longest axes: the longest is rows, whose names have room.
    let order = axes.axes.indices.sorted {
      axes.axes[$0].values.count == axes.axes[$1].values.count
        ? $0 < $1 : axes.axes[$0].values.count > axes.axes[$1].values.count
    }
    let (rows, columns) = (order[0], order[1])
    var maps: [(title: String, records: [RunRecord])] = []
    for record in report.variants where axes.place(record, rows) != nil {
      let title = axes.titled(record, without: [rows, columns])
      if let index = maps.firstIndex(where: { $0.title == title }) {
        maps[index].records.append(record)
      } else {
        maps.append((title, [record]))
      }
    }
    let values = maps.flatMap(\.records).compactMap(metric.value)
    guard values.count > 1 else { return nil }
    return Map(
      metric: metric, axes: axes, rows: rows, columns: columns, maps: maps, values: values
    ).data(report)
  }

  /// Where the cells stand.
  private struct Map {
    let metric: SweepMetric
    let axes: VariantAxes
    let rows: Int, columns: Int
    var maps: [(title: String, records: [RunRecord])]
    let values: [Double]

    func data(_ report: Report) -> PlotData {
      let rowNames = Array(axes.axes[rows].values.prefix(HeatMapFigure.mostRows))
      let columnNames = axes.axes[columns].values
      let perMap = rowNames.count * columnNames.count
      let shown = Array(maps.prefix(max(1, HeatMapFigure.most / max(perMap, 1))))
      var remarks = PlotWords.undrawn(report.variants, metric.key, metric.name)
      if rowNames.count < axes.axes[rows].values.count {
        remarks.append("rows of \(axes.axes[rows].values.count): the first \(rowNames.count)")
      }
      if shown.count < maps.count {
        remarks.append("\(maps.count - shown.count) maps of \(maps.count) are not drawn")
      }
      var sheet = PlotSheet()
      sheet.top = 42
      let best = metric.lessIsBetter ? values.min() : values.max()
      let worst = metric.lessIsBetter ? values.max() : values.min()
      sheet.legend(
        "",
        [
          (
            "\(metric.name): light is best (\(Figures.plain(best ?? 0))), dark worst (\(Figures.plain(worst ?? 0)))\(isLog ? ", by factors" : "")",
            0, "black"
          )
        ])
      let labelRoom = min(PlotText.widest(rowNames.map { GnuplotText.shown($0) }, size: 11), 240)
      sheet.left = PlotSheet.margin + labelRoom + 10
      let height = min(30.0, max(16, 1100 / Double(max(rowNames.count, 1))))
      let texts = values.map(Figures.plain)
      let wanted =
        max(
          PlotText.widest(texts, size: 11),
          PlotText.widest(columnNames.map { GnuplotText.shown($0) }, size: 11)) + 12
      let room = PlotSheet.width - PlotSheet.margin - sheet.left
      let width = min(max(wanted, 40), room / Double(max(columnNames.count, 1)))
      // As many side by side as there is room for.
      let mapWidth = width * Double(columnNames.count)
      let perRow = min(max(1, Int((room + 24) / (mapWidth + 24))), shown.count)
      sheet.right = sheet.left + Double(perRow) * (mapWidth + 24) - 24
      sheet.add(
        PlotSheet.Note(
          text: PlotText.fit(
            "\(axes.axes[rows].title) ↓   \(axes.axes[columns].title) →", room: 700, size: 11),
          x: PlotSheet.margin, y: sheet.top, ink: "gray", size: 11))
      sheet.top += 18
      var cells: [[String]] = []
      let begin = sheet.top
      let left = sheet.left
      var y = sheet.top
      for (index, map) in shown.enumerated() {
        sheet.left = left + Double(index % perRow) * (mapWidth + 24)
        let head = map.title.isEmpty ? 0.0 : 18
        if !map.title.isEmpty {
          sheet.add(
            PlotSheet.Note(
              text: PlotText.fit(GnuplotText.shown(map.title), room: mapWidth, size: 11),
              x: sheet.left, y: y + 6, ink: "blue", size: 11))
        }
        names(
          columnNames, index % perRow == 0 ? rowNames : [], &sheet, at: y + head, width: width,
          height: height, room: labelRoom)
        cells += self.cells(map.records, sheet, at: y + head + 16, width: width, height: height)
        if index % perRow == perRow - 1 || index == shown.count - 1 {
          y += head + 16 + Double(rowNames.count) * height + 14
        }
      }
      sheet.left = left
      sheet.top = begin
      sheet.bottom = y
      sheet.foot = 24
      return PlotData(
        sheet,
        table: PlotData.table(
          ["x", "y", "left", "right", "top", "bottom", "colour", "shown", "ink", "value", "label"],
          cells),
        variables: [("cell_size", "11")], rows: cells.count,
        words: "\(metric.name) by \(axes.axes.map(\.title).joined(separator: " and ")). "
          + PlotWords.list(
            shown.flatMap(\.records).map {
              "\(GnuplotText.spoken($0.label)): \(Figures.plain(metric.value($0) ?? .nan))"
            }), remarks: remarks)
    }

    private var isLog: Bool { PlotData.isWide(values, factor: 8) }

    private func names(
      _ columns: [String], _ rows: [String], _ sheet: inout PlotSheet, at y: Double, width: Double,
      height: Double, room: Double
    ) {
      for (index, name) in PlotText.fit(names: columns, room: width - 4, size: 11).enumerated() {
        sheet.add(
          PlotSheet.Note(
            text: name, x: sheet.left + (Double(index) + 0.5) * width, y: y + 7, side: .center))
      }
      for (index, name) in PlotText.fit(names: rows, room: room, size: 11).enumerated() {
        sheet.add(
          PlotSheet.Note(
            text: name, x: sheet.left - 6, y: y + 16 + (Double(index) + 0.5) * height,
            side: .right))
      }
    }

    private func cells(
      _ records: [RunRecord], _ sheet: PlotSheet, at y: Double, width: Double, height: Double
    ) -> [[String]] {
      let axis = PlotAxis(values, isLog: isLog, room: 0)
      func box(_ row: Int, _ column: Int) -> [String] {
        let left = sheet.left + Double(column) * width + 0.5
        let top = y + Double(row) * height + 0.5
        return [
          left + width / 2 - 0.5, top + height / 2 - 0.5, left, left + width - 1, top,
          top + height - 1,
        ].map { Figures.fixed($0, 1) }
      }
      // Where numbers have no room, colours alone speak.
      let hasRoom =
        PlotText.widest(values.map(Figures.plain), size: PlotSheet.letters) <= width - 3
      var missing = Set(
        axes.axes[rows].values.indices.prefix(HeatMapFigure.mostRows).flatMap { row in
          axes.axes[columns].values.indices.map { [row, $0] }
        })
      let drawn = records.compactMap { record -> [String]? in
        guard let column = axes.place(record, columns), let row = axes.place(record, rows),
          row < HeatMapFigure.mostRows
        else { return nil }
        missing.remove([row, column])
        let value = metric.value(record)
        let place = value.map { metric.lessIsBetter ? axis.place($0) : 1 - axis.place($0) }
        let colour = place.map(HeatMapFigure.colour) ?? 0xdddddd
        // What has no figure says why.
        let text =
          value.map(Figures.plain) ?? (record.status == .finished ? "∞" : record.status.rawValue)
        let fitted =
          hasRoom || value == nil
          ? PlotText.fit(text, room: width - 3, size: PlotSheet.letters) : " "
        return box(row, column) + [
          "\(colour)", GnuplotText.cell(fitted), "\(HeatMapFigure.ink(on: colour))",
          value.map { "\($0)" } ?? "NaN", PlotData.cell(record.label),
        ]
      }
      // What is no part of the sweep is paper, with a dash.
      return drawn
        + missing.sorted { $0.lexicographicallyPrecedes($1) }.map { place in
          box(place[0], place[1]) + ["\(0xffffff)", "–", "\(0x5c6670)", "NaN", " "]
        }
    }
  }

  /// White or black, whichever has the higher contrast on a colour (WCAG 2.2, relative luminance).
  private static func ink(on colour: Int) -> Int {
    let parts = [colour >> 16, colour >> 8 & 0xff, colour & 0xff].map { part -> Double in
      let share = Double(part) / 255
      return share <= 0.04045 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
    }
    let luminance = 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    return 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 ? 0xfefefe : 0x010101
  }

  /// The colour at a share of the way, as a number.
  private static func colour(_ place: Double) -> Int {
    let step = min(max(place, 0), 1) * Double(ramp.count - 1)
    let index = min(Int(step), ramp.count - 2)
    let rest = step - Double(index)
    func mix(_ a: Int, _ b: Int) -> Int { Int(Double(a) + (Double(b) - Double(a)) * rest) }
    let (a, b) = (ramp[index], ramp[index + 1])
    return mix(a.0, b.0) << 16 | mix(a.1, b.1) << 8 | mix(a.2, b.2)
  }
}
