internal import Foundation
internal import TritCore

/// Prefill and decode speed.
enum ThroughputFigure: Figure {
  static let key = "throughput"
  static let summary = "prefill and decode speed of each variant"
  static let needs = ["speed"]

  static func data(_ report: Report) -> PlotData? {
    let records = report.rows.filter {
      PlotData.finite($0.metrics["speed.prefill.tokens_per_second"]) != nil
    }
    guard !records.isEmpty else { return nil }
    let rows = records.enumerated().map { index, record in
      let prefill = record.metrics["speed.prefill.tokens_per_second"] ?? 0
      let decode = record.metrics["speed.decode.tokens_per_second"] ?? 0
      return [
        "\(index)", "\(prefill)",
        "\(PlotData.finite(record.metrics["speed.prefill.tokens_per_second_mad"]) ?? 0)",
        "\(decode)",
        "\(PlotData.finite(record.metrics["speed.decode.tokens_per_second_mad"]) ?? 0)",
        PlotData.cell(record.label),
        Figures.plain(prefill.rounded()) + (record.isSpeedDisturbed ? " (!)" : ""),
        Figures.plain(decode.rounded()) + (record.isSpeedDisturbed ? " (!)" : ""),
        "\(PlotData.finite(record.metrics["speed.prefill.roof_tokens_per_second"]) ?? 0)",
        "\(PlotData.finite(record.metrics["speed.decode.roof_tokens_per_second"]) ?? 0)",
        ran(record),
      ]
    }
    return PlotData(
      table: PlotData.table(
        [
          "row", "prefill", "deviation", "decode", "deviation", "label", "shown", "shown",
          "prefill roof", "decode roof", "ran",
        ], rows),
      variables: [
        (
          "roofs",
          records.contains { $0.metrics["speed.decode.roof_tokens_per_second"] != nil } ? "1" : "0"
        ),
        ("disturbed", records.contains(where: \.isSpeedDisturbed) ? "1" : "0"),
      ], rows: rows.count, height: PlotData.rowHeight(rows.count, each: 60) + 30)
  }

  /// What ran, as the line under a variant's bars; a blank where the record does not tell.
  private static func ran(_ record: RunRecord) -> String {
    GnuplotText.cell(
      GnuplotText.shown(record.facts["speed ran with"] ?? record.ran ?? " ", limit: 112))
  }
}
