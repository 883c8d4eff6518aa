internal import Foundation
internal import TritCore

/// Arithmetic energy of a token by part: stacked bars, two a variant.
enum EnergyFigure: Figure {
  static let key = "energy"
  static let summary = "arithmetic energy of a token, by part"
  static let needs = ["energy"]

  static func data(_ report: Report) -> PlotData? {
    let records = report.rows.filter { $0.metrics["energy.total.7nm_picojoules"] != nil }
    guard !records.isEmpty else { return nil }
    var lines: [String] = []
    for record in records {
      for node in ["45nm", "7nm"] {
        let parts = ["linear", "attention", "other", "head"].map {
          (record.metrics["energy.\($0).\(node)_picojoules"] ?? 0) * 1e-6
        }
        let label = "\(PlotData.cell(record.label)), \(node == "7nm" ? "7 nm" : "45 nm")"
        let total = parts.reduce(0, +)
        lines.append(
          (["\(lines.count)"] + parts.map { "\($0)" } + [label, "\(total)", Figures.plain(total)])
            .joined(separator: "\t"))
      }
    }
    let header = "# row\tlinear\tattention\tother\thead\tlabel\ttotal\tshown\n"
    return PlotData(
      table: header + lines.map { $0 + "\n" }.joined(), variables: [], rows: lines.count,
      height: 170 + 34 * max(lines.count, 2))
  }
}
