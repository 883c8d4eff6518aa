internal import Foundation
internal import TritCore

/// Prefill and decode speed, the fastest decoder on top.
enum ThroughputFigure: Figure {
  static let key = "throughput"
  static let summary = "prefill and decode speed of each variant"
  static let needs = ["speed"]

  static func data(_ report: Report) -> PlotData? {
    let names = ["prefill", "decode"]
    func known(_ record: RunRecord, _ name: String) -> Double? {
      PlotData.finite(record.metrics["speed.\(name).tokens_per_second"])
    }
    func speed(_ record: RunRecord, _ name: String, _ suffix: String = "tokens_per_second")
      -> Double
    { PlotData.finite(record.metrics["speed.\(name).\(suffix)"]) ?? 0 }
    let records = report.rows.filter { record in
      names.contains { known(record, $0) != nil }
    }
    guard !records.isEmpty else { return nil }
    func text(_ record: RunRecord, _ name: String) -> String {
      guard let value = known(record, name) else { return "–" }
      return Figures.plain(value.rounded()) + (record.isSpeedDisturbed ? " (!)" : "")
    }
    // What ran has a line under the bars where there is room for it.
    let hasRoom = records.count <= 12
    var chart = RowChart(records, report, each: hasRoom ? 62 : 40, least: hasRoom ? 48 : 17) {
      -speed($0, "decode")
    }
    let drawn = chart.rows.map(\.record)
    let hasRoofs = drawn.contains { speed($0, "decode", "roof_tokens_per_second") > 0 }
    let ends = drawn.flatMap { record in
      names.flatMap { name in
        [
          speed(record, name) + speed(record, name, "tokens_per_second_mad"),
          speed(record, name, "roof_tokens_per_second"),
        ]
      }
    }
    let axis = PlotAxis(ends, fromZero: true)
    func both(_ record: RunRecord) -> String {
      names.map { known(record, $0).map { Figures.plain($0.rounded()) } ?? "–" }
        .joined(separator: " / ")
        + (record.isSpeedDisturbed ? " (!)" : "")
    }
    var sheet = chart.sheet(
      shown: hasRoom
        ? drawn.flatMap { record in names.map { text(record, $0) } } : drawn.map(both))
    var legend = [("prefill", 5, "blue"), ("decode", 5, "orange")]
    if hasRoofs { legend.append(("red line: what the machine allows", 0, "red")) }
    if drawn.contains(where: \.isSpeedDisturbed) {
      legend.append(("(!) others used the machine", 0, "gray"))
    }
    sheet.legend("", legend.map { (text: $0.0, point: $0.1, ink: $0.2) })
    chart.finish(&sheet, x: "Tokens a second (median of rounds, ± median absolute deviation)")
    let room = PlotSheet.width - sheet.left - 30
    let rows = chart.rows.map { row in
      let record = row.record
      return [
        "\(row.slot)", "\(speed(record, "prefill"))",
        "\(speed(record, "prefill", "tokens_per_second_mad"))", "\(speed(record, "decode"))",
        "\(speed(record, "decode", "tokens_per_second_mad"))", chart.cell(row),
        text(record, "prefill"), text(record, "decode"),
        "\(speed(record, "prefill", "roof_tokens_per_second"))",
        "\(speed(record, "decode", "roof_tokens_per_second"))",
        hasRoom ? ran(record, room: room) : " ", hasRoom ? " " : both(record),
      ]
    }
    return PlotData(
      sheet,
      table: PlotData.table(
        [
          "row", "prefill", "deviation", "decode", "deviation", "label", "shown", "shown",
          "prefill roof", "decode roof", "ran", "both shown",
        ], rows),
      variables: [
        ("roofs", hasRoofs ? "1" : "0"),
        ("disturbed", drawn.contains(where: \.isSpeedDisturbed) ? "1" : "0"),
        ("apart", hasRoom ? "1" : "0"), ("half", hasRoom ? "0.16" : "0.2"),
        ("shift", hasRoom ? "0.14" : "0"),
      ] + PlotData.axis(axis) + chart.variables, rows: chart.slots,
      words: PlotWords.list(
        drawn.map { record in
          "\(GnuplotText.spoken(record.label)): "
            + names.map { "\($0) \(text(record, $0)) tokens a second" }.joined(separator: ", ")
        }),
      remarks: PlotWords.undrawn(report.rows, "speed.decode.tokens_per_second", "decode speed")
        + chart.leftOut)
  }

  /// What ran, as the line under a variant's bars; a blank where the record does not tell.
  private static func ran(_ record: RunRecord, room: Double) -> String {
    let text = GnuplotText.shown(record.facts["speed ran with"] ?? record.ran ?? " ", limit: 112)
    return GnuplotText.cell(PlotText.fit(text, room: room, size: PlotSheet.letters))
  }
}
