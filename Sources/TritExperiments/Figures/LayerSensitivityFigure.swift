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
    guard !records.isEmpty else { return nil }
    func value(_ record: RunRecord) -> Double { record.metrics[key] ?? 0 }
    func error(_ record: RunRecord) -> Double {
      Report.error(record, "divergence.kld.error") ?? 0
    }
    func text(_ record: RunRecord) -> String {
      Figures.text(value(record), error: error(record))
    }
    var chart = RowChart(records, report, each: 32) { -value($0) }
    let drawn = chart.rows.map(\.record)
    let isLog = PlotData.isWide(drawn.map(value), factor: 100)
    // Bars begin at zero; on a logarithmic axis, which has none, there are points.
    let ends = PlotData.bounds(drawn.map(value), drawn.map(error))
    let axis = PlotAxis(
      isLog ? drawn.map(value) + ends.filter { $0 > 0 } : ends.map { max($0, 0) }, isLog: isLog,
      fromZero: true)
    var sheet = chart.sheet(shown: drawn.map(text))
    chart.finish(&sheet, x: "KL divergence from the reference (nats a token), ± one standard error")
    let rows = chart.rows.map { row in
      let (value, error) = (value(row.record), error(row.record))
      return [
        "\(row.slot)", "\(value)", "\(error)", chart.cell(row), text(row.record),
        "\(axis.inside(value - error))", "\(axis.inside(value + error))",
      ]
    }
    return PlotData(
      sheet,
      table: PlotData.table(
        ["row", "KL divergence", "error", "label", "shown", "lower", "upper"], rows),
      variables: PlotData.axis(axis) + chart.variables, rows: chart.slots,
      words: "The largest is on top. "
        + PlotWords.list(drawn.map { "\(GnuplotText.spoken($0.label)): \(text($0))" }),
      remarks: PlotWords.undrawn(report.variants, key, "KL divergence") + chart.leftOut)
  }
}
