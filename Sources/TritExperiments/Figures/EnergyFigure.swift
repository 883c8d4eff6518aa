internal import Foundation
internal import TritCore

/// Arithmetic energy of a token by part: stacked bars, two a variant.
enum EnergyFigure: Figure {
  static let key = "energy"
  static let summary = "arithmetic energy of a token, by part"
  static let needs = ["energy"]

  /// The parts from the left, and their colours.
  private static let parts = [
    ("linear", "linear layers", "blue"), ("attention", "attention", "orange"),
    ("other", "norms and the rest", "green"), ("head", "output head", "purple"),
  ]

  static func data(_ report: Report) -> PlotData? {
    let records = report.rows.filter {
      PlotData.finite($0.metrics["energy.total.7nm_picojoules"]) != nil
    }
    guard !records.isEmpty else { return nil }
    func part(_ record: RunRecord, _ name: String, _ node: String) -> Double {
      (PlotData.finite(record.metrics["energy.\(name).\(node)_picojoules"]) ?? 0) * 1e-6
    }
    func total(_ record: RunRecord, _ node: String) -> Double {
      parts.map { part(record, $0.0, node) }.reduce(0, +)
    }
    // Two bars each where there is room; the newer node alone where there are many.
    let nodes = records.count <= 24 ? ["45nm", "7nm"] : ["7nm"]
    var chart = RowChart(
      records, report, each: Double(34 * nodes.count), least: nodes.count == 2 ? 26 : 15
    ) { total($0, "7nm") }
    let drawn = chart.rows.map(\.record)
    func text(_ record: RunRecord, _ node: String) -> String {
      let value = Figures.plain(total(record, node))
      return nodes.count == 1 ? value : "\(value) at \(node == "7nm" ? "7 nm" : "45 nm")"
    }
    let axis = PlotAxis(drawn.flatMap { record in nodes.map { total(record, $0) } }, fromZero: true)
    var sheet = chart.sheet(shown: drawn.flatMap { record in nodes.map { text(record, $0) } })
    sheet.legend(title: "from the left:", entries: parts)
    chart.finish(
      &sheet,
      x: "µJ a token\(nodes.count == 1 ? " at 7 nm" : ""): adders and multipliers alone, no memory")
    let half = nodes.count == 1 ? 0.38 : 0.19
    var rows: [[String]] = []
    for row in chart.rows {
      for (index, node) in nodes.enumerated() {
        let place = Double(row.slot) + (nodes.count == 1 ? 0 : index == 0 ? -half : half)
        rows.append(
          ["\(place)"] + parts.map { "\(part(row.record, $0.0, node))" }
            + [
              chart.cell(row), "\(total(row.record, node))",
              text(row.record, node), "\(row.slot)",
            ])
      }
    }
    return PlotData(
      sheet,
      table: PlotData.table(
        ["row", "linear", "attention", "other", "head", "label", "total", "shown", "variant"], rows),
      variables: [("half", "\(half)")] + PlotData.axis(axis) + chart.variables, rows: chart.slots,
      words: PlotWords.list(
        drawn.map { record in
          "\(GnuplotText.spoken(record.label)): "
            + nodes.map { "\(Figures.plain(total(record, $0))) µJ at \($0)" }
            .joined(separator: ", ")
        }), remarks: chart.leftOut)
  }
}

extension PlotSheet {
  /// A legend of colours: filled squares.
  mutating func legend(title: String, entries: [(String, text: String, ink: String)]) {
    legend(title, entries.map { ($0.text, 5, $0.ink) })
  }
}
