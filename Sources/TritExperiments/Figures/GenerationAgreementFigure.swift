internal import Foundation
internal import TritCore

/// How long each variant writes the same text as the reference.
enum GenerationAgreementFigure: Figure {
  static let key = "generation-agreement"
  static let summary = "tokens until the text leaves the reference's"
  static let needs = ["generate"]
  static let needsReference = true

  static func data(_ report: Report) -> PlotData? {
    let records = report.variants.filter { $0.metrics["generate.agreement.tokens"] != nil }
    guard !records.isEmpty else { return nil }
    let rows = records.enumerated().map { index, record in
      let value = record.metrics["generate.agreement.tokens"] ?? 0
      return ["\(index)", "\(value)", PlotData.cell(record.label), Figures.plain(value)]
    }
    let longest = report.rows.flatMap(\.texts).map(\.tokens.count).max() ?? 1
    return PlotData(
      table: PlotData.table(["row", "tokens", "label", "shown"], rows),
      variables: [("longest_text", "\(max(longest, 1)).0")], rows: rows.count,
      height: PlotData.rowHeight(rows.count))
  }
}
