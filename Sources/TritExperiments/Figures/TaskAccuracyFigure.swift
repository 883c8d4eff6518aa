internal import Foundation
internal import TritCore

/// Share of questions answered rightly, a row for each variant: all questions with their
/// interval, every kind as a mark.
enum TaskAccuracyFigure: Figure {
  static let key = "task-accuracy"
  static let summary = "accuracy on multiple-choice questions, of all and by kind"
  static let needs = ["tasks"]

  static func data(_ report: Report) -> PlotData? {
    let records = report.rows.filter { PlotData.finite($0.metrics["tasks.accuracy"]) != nil }
    guard !records.isEmpty, let kinds = report.taskKinds else { return nil }
    let rows = records.enumerated().map { index, record in
      let value = record.metrics["tasks.accuracy"] ?? 0
      // Bars are asymmetrical: an interval leans to the middle.
      let interval = Report.interval(record, "tasks.accuracy") ?? (value, value)
      let series = record.series["tasks.kinds"]
      let marks = kinds.labels.map { kind -> String in
        let place = series?.labels?.firstIndex(of: kind)
        let share = place.flatMap { place in series.flatMap { Report.value($0, "accuracy", place) }
        }
        return share.map { "\(100 * $0)" } ?? "NaN"
      }
      return [
        "\(index)", "\(100 * value)", "\(100 * interval.lower)", "\(100 * interval.upper)",
        PlotData.cell(record.label), Figures.share(value, interval),
      ] + marks
    }
    let chance =
      report.rows.compactMap { PlotData.finite($0.metrics["tasks.chance"]) }.first ?? .nan
    return PlotData(
      table: PlotData.table(
        ["row", "accuracy", "lower", "upper", "label", "shown"] + kinds.labels.map(PlotData.cell),
        rows),
      variables: [
        ("chance", "\(100 * chance)"), ("kinds", "\(kinds.labels.count)"),
        ("array kind[\(kinds.labels.count)]", PlotData.strings(kinds.labels)),
      ], rows: rows.count, height: PlotData.rowHeight(rows.count, each: 46) + 50)
  }
}
