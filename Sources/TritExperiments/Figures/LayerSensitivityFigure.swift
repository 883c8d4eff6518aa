internal import Foundation
internal import TritCore

/// Divergence caused by each variant, sorted: which layer hurts most.
enum LayerSensitivityFigure: Figure {
  static let key = "layer-sensitivity"
  static let summary = "KL divergence that each variant causes"
  static let needs = ["divergence"]
  static let needsReference = true

  static func data(_ report: Report) -> PlotData? {
    let key = "divergence.kld.mean"
    let records = report.variants.filter { PlotData.finite($0.metrics[key]) != nil }
      .sorted { ($0.metrics[key] ?? 0) > ($1.metrics[key] ?? 0) }
    guard !records.isEmpty else { return nil }
    let values = records.map { $0.metrics[key] ?? 0 }
    let isLog = PlotData.isWide(values, factor: 100)
    let rows = records.indices.map { index in
      let error = Report.error(records[index], "divergence.kld.error") ?? 0
      return [
        "\(index)", "\(values[index])", "\(isLog ? min(error, 0.9 * values[index]) : error)",
        PlotData.cell(records[index].label), Figures.text(values[index], error: error),
      ]
    }
    return PlotData(
      table: PlotData.table(["row", "KL divergence", "error", "label", "shown"], rows),
      variables: [("logarithmic", isLog ? "1" : "0")], rows: rows.count,
      height: PlotData.rowHeight(rows.count, each: isLog ? 40 : 30))
  }
}
