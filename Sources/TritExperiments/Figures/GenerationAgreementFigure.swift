internal import Foundation
internal import TritCore

/// How long each variant writes the same text as the reference, the longest on top.
enum GenerationAgreementFigure: Figure {
  static let key = "generation-agreement"
  static let summary = "tokens until the text leaves the reference's"
  static let needs = ["generate"]
  static let needsReference = true

  static func data(_ report: Report) -> PlotData? {
    let key = "generate.agreement.tokens"
    let records = report.variants.filter { PlotData.finite($0.metrics[key]) != nil }
    guard !records.isEmpty else { return nil }
    func value(_ record: RunRecord) -> Double { record.metrics[key] ?? 0 }
    var chart = RowChart(records, report, each: 32) { -value($0) }
    let drawn = chart.rows.map(\.record)
    let longest = Double(max(report.rows.flatMap(\.texts).map(\.tokens.count).max() ?? 1, 1))
    let axis = PlotAxis(drawn.map(value) + [longest], fromZero: true)
    var sheet = chart.sheet(shown: drawn.map { Figures.plain(value($0)) })
    let asked = "the longest text: \(Figures.plain(longest)) tokens"
    sheet.names(over: [(sheet.x(longest, axis), asked, "gray")])
    chart.finish(
      &sheet, x: "Tokens that agree with the reference from the beginning, mean over prompts")
    let rows = chart.rows.map { row in
      [
        "\(row.slot)", "\(value(row.record))", chart.cell(row), Figures.plain(value(row.record)),
      ]
    }
    return PlotData(
      sheet, table: PlotData.table(["row", "tokens", "label", "shown"], rows),
      variables: [("longest_text", "\(longest)")] + PlotData.axis(axis) + chart.variables,
      rows: chart.slots,
      words: asked + ". "
        + PlotWords.list(
          drawn.map { "\(GnuplotText.spoken($0.label)): \(Figures.plain(value($0)))" }),
      remarks: PlotWords.undrawn(report.variants, key, "agreement") + chart.leftOut)
  }
}
