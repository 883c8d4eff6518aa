internal import Foundation
internal import TritCore

/// Perplexity with its error, a row for each variant, the best on top.
enum PerplexityByVariantFigure: Figure {
  static let key = "perplexity-by-variant"
  static let summary = "perplexity of each variant, with its error"
  static let needs = ["perplexity"]

  static func data(_ report: Report) -> PlotData? {
    let records = report.variants.filter { PlotData.finite($0.metrics["perplexity.value"]) != nil }
    guard !records.isEmpty else { return nil }
    func value(_ record: RunRecord) -> Double { record.metrics["perplexity.value"] ?? 0 }
    func error(_ record: RunRecord) -> Double { Report.error(record, "perplexity.error") ?? 0 }
    func text(_ record: RunRecord) -> String {
      Figures.text(value(record), error: error(record))
    }
    var chart = RowChart(records, report, each: 34, rank: value)
    let drawn = chart.rows.map(\.record)
    let isLog = PlotData.isWide(drawn.map(value), factor: 8)
    let axis = PlotAxis(
      PlotData.bounds(drawn.map(value), drawn.map(error)) + PlotData.lines(report), isLog: isLog)
    var sheet = chart.sheet(shown: drawn.map(text))
    sheet.names(over: PlotLines.named(report).map { (sheet.x($0.value, axis), $0.text, $0.ink) })
    chart.finish(&sheet, x: "Perplexity, ± one standard error (lower is better)")
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
        ["row", "perplexity", "error", "label", "shown", "lower", "upper"], rows),
      variables: PlotLines.variables(report) + PlotData.axis(axis) + chart.variables,
      rows: chart.slots,
      words: PlotLines.words(report)
        + PlotWords.list(drawn.map { "\(GnuplotText.shown($0.label)): \(text($0))" }),
      remarks: PlotWords.undrawn(report.variants, "perplexity.value", "perplexity")
        + chart.leftOut)
  }
}

/// Perplexities that are drawn as lines: the reference's and the floor.
enum PlotLines {
  /// Value, name and ink of each.
  static func named(_ report: Report) -> [(value: Double, text: String, ink: String)] {
    var lines: [(Double, String, String)] = []
    if let value = PlotData.finite(report.reference?.metrics["perplexity.value"]) {
      lines.append((value, "reference \(Figures.plain(value))", "gray"))
    }
    if let floor = PlotData.finite(report.floor?.perplexity) {
      lines.append((floor, "floor \(Figures.fixed(floor, 3)): entropy of the source", "red"))
    }
    return lines
  }

  /// `reference` and `lowest`; NaN where there is none.
  static func variables(_ report: Report) -> [(name: String, value: String)] {
    let reference = PlotData.finite(report.reference?.metrics["perplexity.value"])
    return [
      ("reference", reference.map { "\($0)" } ?? "NaN"), ("lowest", PlotData.floor(report)),
    ]
  }

  /// The lines as sentences.
  static func words(_ report: Report) -> String {
    named(report).map { "\($0.text). " }.joined()
  }
}
