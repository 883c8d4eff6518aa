internal import Foundation
internal import TritCore

/// Share of multiple-choice questions answered rightly, a row for each variant: all questions with
/// their interval, every kind as a mark.
enum TaskAccuracyFigure: Figure {
  static let key = "task-accuracy"
  static let summary = "accuracy on multiple-choice questions, of all and by kind"
  static let needs = ["tasks"]

  /// More kinds than these have one sign for all: nobody tells sixty apart.
  private static let mostKinds = 7
  /// Symbols and colours of the kinds.
  private static let signs = [
    (4, "blue"), (6, "orange"), (8, "green"), (12, "red"), (10, "purple"), (14, "sky"),
    (2, "yellow"),
  ]

  static func data(_ report: Report) -> PlotData? {
    let records = report.rows.filter { PlotData.finite($0.metrics["tasks.accuracy"]) != nil }
    guard !records.isEmpty, let kinds = report.taskKinds else { return nil }
    func value(_ record: RunRecord) -> Double { record.metrics["tasks.accuracy"] ?? 0 }
    func interval(_ record: RunRecord) -> (lower: Double, upper: Double) {
      Report.interval(record, "tasks.accuracy") ?? (value(record), value(record))
    }
    func text(_ record: RunRecord) -> String { Figures.share(value(record), interval(record)) }
    var chart = RowChart(records, report, each: 40, least: 16) { -value($0) }
    let drawn = chart.rows.map(\.record)
    let axis = PlotAxis(
      low: 0, high: 102, isLog: false,
      ticks: stride(from: 0.0, through: 100, by: 20).map { ($0, Figures.plain($0)) })
    let chance =
      report.rows.compactMap { PlotData.finite($0.metrics["tasks.chance"]) }.first ?? .nan
    var sheet = chart.sheet(shown: drawn.map(text))
    let isFew = kinds.labels.count <= mostKinds
    var legend = [(text: "all questions, 95 % Wilson interval", point: 7, ink: "black")]
    if kinds.labels.count > 1 {
      legend +=
        isFew
        ? zip(kinds.labels, signs).map { (GnuplotText.shown($0), $1.0, $1.1) }
        : [("each of \(kinds.labels.count) kinds", 4, "pale")]
    }
    sheet.legend("", legend)
    if chance.isFinite {
      sheet.names(
        over: [(sheet.x(100 * chance, axis), "guessing \(Figures.share(chance))", "gray")])
    }
    chart.finish(&sheet, x: "Questions answered rightly, %")
    let rows = chart.rows.map { row in
      let record = row.record
      let series = record.series["tasks.kinds"]
      let marks = kinds.labels.map { kind -> String in
        let place = series?.labels?.firstIndex(of: kind)
        let share = place.flatMap { place in series.flatMap { Report.value($0, "accuracy", place) }
        }
        return share.map { "\(100 * $0)" } ?? "NaN"
      }
      // Bars are asymmetrical: an interval leans to the middle.
      return [
        "\(row.slot)", "\(100 * value(record))", "\(100 * interval(record).lower)",
        "\(100 * interval(record).upper)", chart.cell(row), text(record),
      ] + marks
    }
    /// ` (by kind: who 33.3 %, place 50.0 %)`.
    func byKind(_ record: RunRecord) -> String {
      let series = record.series["tasks.kinds"]
      let found = kinds.labels.compactMap { kind -> String? in
        series?.labels?.firstIndex(of: kind).flatMap { place in
          series.flatMap { Report.value($0, "accuracy", place) }
        }.map { "\(GnuplotText.shown(kind)) \(Figures.share($0))" }
      }
      return found.isEmpty ? "" : " (by kind: \(found.joined(separator: ", ")))"
    }
    let count = kinds.labels.count
    let chosen = kinds.labels.indices.map { isFew ? signs[$0] : (4, "pale") }
    return PlotData(
      sheet,
      table: PlotData.table(
        ["row", "accuracy", "lower", "upper", "label", "shown"] + kinds.labels.map(PlotData.cell),
        rows),
      variables: [
        ("chance", "\(100 * chance)"), ("kinds", count > 1 ? "\(count)" : "0"),
        ("array kind[\(count)]", PlotData.strings(kinds.labels)),
        ("array kind_sign[\(count)]", "[" + chosen.map { "\($0.0)" }.joined(separator: ", ") + "]"),
        (
          "array kind_ink[\(count)]", "[" + chosen.map { "'\($0.1)'" }.joined(separator: ", ") + "]"
        ),
      ].filter { count > 0 || !$0.0.hasPrefix("array") } + PlotData.axis(axis) + chart.variables,
      rows: chart.slots,
      words: (chance.isFinite ? "Guessing: \(Figures.share(chance)). " : "")
        + PlotWords.list(
          drawn.map { record in
            let kinds = kinds.labels.count > 1 && isFew ? byKind(record) : ""
            return "\(GnuplotText.spoken(record.label)): \(text(record))\(kinds)"
          }),
      remarks: PlotWords.undrawn(report.rows, "tasks.accuracy", "accuracy") + chart.leftOut)
  }
}
