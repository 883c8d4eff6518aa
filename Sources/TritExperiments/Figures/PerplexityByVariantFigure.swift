internal import Foundation
internal import TritCore

/// Perplexity with its error, a row for each variant.
enum PerplexityByVariantFigure: Figure {
  static let key = "perplexity-by-variant"
  static let summary = "perplexity of each variant, with its error"
  static let needs = ["perplexity"]

  static func data(_ report: Report) -> PlotData? {
    let records = report.variants.filter { PlotData.finite($0.metrics["perplexity.value"]) != nil }
    guard !records.isEmpty else { return nil }
    let values = records.map { $0.metrics["perplexity.value"] ?? 0 }
    let errors = records.map { Report.error($0, "perplexity.error") ?? 0 }
    let reference = PlotData.finite(report.reference?.metrics["perplexity.value"])
    let rows = records.indices.map { index in
      [
        "\(index)", "\(values[index])", "\(errors[index])", PlotData.cell(records[index].label),
        Figures.text(values[index], error: errors[index]),
      ]
    }
    return PlotData(
      table: PlotData.table(["row", "perplexity", "error", "label", "shown"], rows),
      variables: [
        ("reference", reference.map { "\($0)" } ?? "NaN"),
        ("lowest", PlotData.floor(report)),
        ("logarithmic", PlotData.isWide(values, factor: 8) ? "1" : "0"),
      ]
        + PlotData.axis(
          PlotData.bounds(values, errors) + PlotData.lines(report),
          isLog: PlotData.isWide(values, factor: 8)),
      rows: rows.count, height: PlotData.rowHeight(rows.count, each: 40) + 20)
  }
}
