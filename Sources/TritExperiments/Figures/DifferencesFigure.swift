internal import Foundation
internal import TritCore
internal import TritEvaluation

/// The difference of each variant to the baseline with its 95 % interval, a part for each quantity:
/// what can be told apart, and what cannot.
enum DifferencesFigure: Figure {
  static let key = "differences"
  static let summary = "differences to the baseline, with their 95 % intervals"
  static let needs: [String] = []

  /// Rows of all parts together; where there are more, the first quantity is drawn alone.
  private static let most = 64

  static func data(_ report: Report) -> PlotData? {
    let all = report.pairedQuantities.map { quantity in
      DifferencePart(
        title: quantity.title, unit: quantity.unit, lowerIsBetter: quantity.lowerIsBetter,
        comparisons: report.differences(quantity).filter { $0.difference.value.isFinite })
    }.filter { !$0.comparisons.isEmpty }
    guard let first = all.first, let baseline = report.baseline else { return nil }
    let isWhole = all.map(\.comparisons.count).reduce(0, +) <= most
    var parts = isWhole ? all : [first]
    var remarks: [String] = []
    if !isWhole, all.count > 1 {
      remarks.append(
        "not drawn for lack of room: "
          + all.dropFirst().map { $0.title.lowercased() }.joined(separator: ", "))
    }
    for index in parts.indices {
      let lost = parts[index].sort(most: most)
      if lost > 0 {
        remarks.append("\(lost) variants between the best and the worst are not drawn")
      }
    }
    return DifferenceSheet(parts: parts, baseline: baseline.label, report: report)
      .data(remarks: remarks)
  }
}

/// One quantity: its comparisons from the best to the worst.
struct DifferencePart {
  let title: String
  let unit: String
  let lowerIsBetter: Bool
  var comparisons: [PairedComparison]

  /// Sorts them, and takes away those in the middle that have no room; their number.
  mutating func sort(most: Int) -> Int {
    comparisons.sort {
      lowerIsBetter
        ? $0.difference.value < $1.difference.value : $0.difference.value > $1.difference.value
    }
    let lost = comparisons.count - most
    guard lost > 0 else { return 0 }
    comparisons.removeSubrange((most * 3 / 4)..<(most * 3 / 4 + lost))
    return lost
  }

  /// Both ends of an interval; the value where there is none.
  static func ends(_ one: PairedComparison) -> (lower: Double, upper: Double) {
    let (lower, upper) = (one.difference.lower, one.difference.upper)
    return (
      lower.isFinite ? lower : one.difference.value, upper.isFinite ? upper : one.difference.value
    )
  }

  /// Where differences are of very different sizes, even steps around zero would hide the small
  /// ones: beyond this, steps are factors (inverse hyperbolic sine). nil where one scale shows all.
  var turn: Double? {
    let sizes = comparisons.map { max(abs(Self.ends($0).lower), abs(Self.ends($0).upper)) }
      .filter { $0 > 0 }
    guard let largest = sizes.max(), let smallest = sizes.min(), largest > 40 * smallest else {
      return nil
    }
    return max(smallest, largest * 1e-6)
  }

  /// A value's place on the axis.
  func place(_ value: Double) -> Double { turn.map { asinh(value / $0) } ?? value }

  /// The axis, zero on it.
  var axis: PlotAxis {
    let values = comparisons.flatMap {
      [Self.ends($0).lower, Self.ends($0).upper, $0.difference.value]
    }
    guard let turn else { return PlotAxis(values + [0]) }
    let (low, high) = (min(values.min() ?? 0, 0), max(values.max() ?? 0, 0))
    // Powers of ten on both sides, as many as have room.
    let decades = Int(log10(turn).rounded(.up))...Int(log10(max(high, -low)).rounded(.down) + 1)
    let step = max(1, (decades.count + 3) / 4)
    var ticks = [(value: 0.0, text: "0")]
    for decade in stride(from: decades.upperBound, through: decades.lowerBound, by: -step) {
      let size = pow(10, Double(decade))
      for value in [-size, size] where value >= low && value <= high {
        ticks.append((place(value), (value < 0 ? "−" : "+") + Figures.plain(size)))
      }
    }
    let room = 0.06 * (place(high) - place(low))
    return PlotAxis(
      low: place(low) - room, high: place(high) + room, isLog: false,
      ticks: ticks.sorted { $0.value < $1.value })
  }
}

/// The parts under each other on one sheet.
private struct DifferenceSheet {
  let parts: [DifferencePart]
  let baseline: String
  let report: Report

  func data(remarks: [String]) -> PlotData {
    let rows = parts.map(\.comparisons.count).reduce(0, +)
    let pitch = min(30.0, max(15, 700 / Double(rows)))
    let size = min(12, max(PlotSheet.letters, pitch * 0.62))
    var sheet = PlotSheet()
    sheet.top = 42
    sheet.legend(
      "",
      [
        ("better", 7, "blue"), ("worse", 13, "red"),
        ("not told apart (p by Holm at least 0.05)", 6, "gray"),
        (
          PlotText.fit(
            "dashed line: \(GnuplotText.shown(baseline)), the baseline", room: 320, size: 11), 0,
          "gray"
        ),
      ])
    let all = parts.flatMap(\.comparisons)
    let names = PlotText.widest(all.map { GnuplotText.shown($0.record.label) }, size: size)
    let room = min(max(names, 40) + 4, 260)
    let values = PlotText.widest(all.map(\.cell), size: PlotSheet.letters) + 16
    sheet.left = PlotSheet.margin + room + 12
    sheet.right = PlotSheet.width - PlotSheet.margin - min(values, 250)
    var boxes: [PlotSheet.Box] = []
    var y = sheet.top
    for part in parts {
      let better = part.lowerIsBetter ? "less is better" : "more is better"
      let scale = part.turn == nil ? "" : "; even steps around 0, factors beyond"
      sheet.add(
        PlotSheet.Note(
          text: PlotText.fit(
            "\(part.title): difference in \(part.unit), 95 % interval (\(better)\(scale))",
            room: PlotSheet.width - 2 * PlotSheet.margin, size: 11), x: PlotSheet.margin,
          y: y + 2, size: 11))
      y += 16
      let bottom = y + pitch * Double(max(part.comparisons.count, 2))
      boxes.append(PlotSheet.Box(left: sheet.left, top: y, right: sheet.right, bottom: bottom))
      let step = (bottom - y) / Double(part.comparisons.count)
      let labels = PlotText.fit(
        names: part.comparisons.map(\.record.label), room: room, size: size)
      for (index, one) in part.comparisons.enumerated() {
        let middle = y + (Double(index) + 0.5) * step
        sheet.add(
          PlotSheet.Note(
            text: labels[index], x: sheet.left - 9, y: middle, side: .right, size: size))
        sheet.add(
          PlotSheet.Note(
            text: PlotText.fit(one.cell, room: 244, size: PlotSheet.letters), x: sheet.right + 10,
            y: middle))
      }
      y = bottom + 34
    }
    sheet.top = boxes.first?.top ?? sheet.top
    sheet.bottom = y - 34
    sheet.foot = 52
    return PlotData(
      sheet, table: table, variables: variables(boxes), rows: rows, words: words, remarks: remarks)
  }

  private var table: String {
    let blocks = parts.map { part in
      part.comparisons.enumerated().map { index, one in
        let ends = DifferencePart.ends(one)
        let (symbol, colour) =
          !one.isClear ? (6, 0x5c6670) : one.isBetter ? (7, 0x0072b2) : (13, 0xd55e00)
        return [
          "\(index)", "\(part.place(one.difference.value))", "\(part.place(ends.lower))",
          "\(part.place(ends.upper))", "\(colour)", "\(symbol)", "\(one.difference.value)",
          "\(ends.lower)", "\(ends.upper)", PlotData.cell(one.record.label),
        ].joined(separator: "\t") + "\n"
      }.joined()
    }
    return "# row\tplace\tits ends\t\tcolour\tsymbol\tdifference\tlower\tupper\tlabel\n"
      + blocks.joined(separator: "\n\n")
  }

  private func variables(_ boxes: [PlotSheet.Box]) -> [(name: String, value: String)] {
    let count = "[\(parts.count)]"
    let axes = parts.map(\.axis)
    func list(_ values: [Double]) -> String {
      "[" + values.map { "\($0)" }.joined(separator: ", ") + "]"
    }
    return [
      ("panels", "\(parts.count)"), ("panel_size", "11"),
      ("array panel_left\(count)", list(boxes.map(\.left))),
      ("array panel_right\(count)", list(boxes.map(\.right))),
      ("array panel_top\(count)", list(boxes.map(\.top))),
      ("array panel_bottom\(count)", list(boxes.map(\.bottom))),
      (
        "array panel_rows\(count)",
        "[" + parts.map { "\($0.comparisons.count)" }.joined(separator: ", ") + "]"
      ),
      ("array panel_low\(count)", list(axes.map(\.low))),
      ("array panel_high\(count)", list(axes.map(\.high))),
      (
        "array panel_ticks\(count)",
        "[" + axes.map { PlotData.string($0.tics()) }.joined(separator: ", ") + "]"
      ),
    ]
  }

  private var words: String {
    "The baseline is \(baseline). "
      + parts.map { part in
        "\(part.title), difference and 95 % interval: "
          + PlotWords.list(
            part.comparisons.map {
              "\(GnuplotText.spoken($0.record.label)) \($0.cell)"
                + ($0.cell == $0.verdict ? "" : ", \($0.verdict)")
            })
      }.joined(separator: " ")
  }
}
