internal import Foundation
internal import TritCore
internal import TritEvaluation

/// How much a figure changes from seed to seed, a row for the variants that differ in nothing else:
/// every seed, their mean and standard deviation, and the error of the text below it.
enum SeedsFigure: Figure {
  static let key = "seeds"
  static let summary = "spread over seeds, beside the error of the text"
  static let needs: [String] = []

  /// The variants of one row.
  private struct Group {
    let records: [RunRecord]
    let values: [Double]
    let statistics: SampleStatistics
    /// The mean error of the text; nil where nobody knows it.
    let error: Double?
  }

  static func data(_ report: Report) -> PlotData? {
    let groups = report.seedGroups
    let told = Report.seeded.filter { figure in
      groups.contains { make($0, figure) != nil }
    }
    guard let figure = told.first else { return nil }
    let found = groups.compactMap { make($0, figure) }
    func group(_ record: RunRecord) -> Group? {
      found.first { $0.records[0].index == record.index && $0.records[0].id == record.id }
    }
    let isLess = figure.key != "tasks.accuracy"
    func text(_ group: Group) -> String {
      "\(Figures.plain(group.statistics.mean)), SD "
        + Figures.twoDigits(group.statistics.standardDeviation)
    }
    var chart = RowChart(
      found.map { $0.records[0] }, report, each: 40, least: 18,
      names: { record in group(record).map { report.seedLabel($0.records) } ?? record.label },
      rank: { (group($0)?.statistics.mean ?? 0) * (isLess ? 1 : -1) })
    let drawn = chart.rows.compactMap { group($0.record) }
    let axis = PlotAxis(
      drawn.flatMap { group in
        let (mean, deviation) = (group.statistics.mean, group.statistics.standardDeviation)
        let error = group.error ?? 0
        return group.values + [mean - deviation, mean + deviation, mean - error, mean + error]
      })
    var sheet = chart.sheet(shown: drawn.map(text))
    sheet.legend(
      "",
      [
        ("a seed", 6, "blue"), ("mean, ± one standard deviation of the seeds", 7, "black"),
        ("± error of the text, mean of the seeds'", 5, "orange"),
      ])
    chart.finish(&sheet, x: "\(figure.title) (\(isLess ? "less" : "more") is better)")
    let rows = chart.rows.compactMap { row -> [String]? in
      guard let group = group(row.record) else { return nil }
      let (mean, deviation) = (group.statistics.mean, group.statistics.standardDeviation)
      let error = group.error ?? .nan
      return [
        "\(row.slot)", "\(mean)", "\(axis.inside(mean - deviation))",
        "\(axis.inside(mean + deviation))", "\(axis.inside(mean - error))",
        "\(axis.inside(mean + error))", chart.cell(row), text(group),
      ]
    }
    let seeds = chart.rows.flatMap { row in
      (group(row.record)?.values ?? []).map { ["\(row.slot)", "\($0)"] }
    }
    let hasSpread = drawn.contains { $0.statistics.standardDeviation > 0 }
    let others = told.dropFirst().map { $0.title.lowercased() }
    return PlotData(
      sheet,
      table: PlotData.table(
        ["row", "mean", "SD low", "SD high", "text low", "text high", "label", "shown"], rows)
        + "\n\n" + seeds.map { $0.joined(separator: "\t") + "\n" }.joined(),
      variables: PlotData.axis(axis) + chart.variables, rows: chart.slots,
      words: "\(figure.title). "
        + PlotWords.list(
          chart.rows.compactMap { row in
            group(row.record).map { group in
              "\(GnuplotText.spoken(row.label)): \(group.values.count) seeds, mean \(text(group))"
                + (group.error.map { ", error of the text \(Figures.twoDigits($0))" } ?? "")
            }
          }),
      remarks: (hasSpread
        ? [] : ["every seed gives the same figure: nothing that was measured depends on it"])
        + (others.isEmpty
          ? [] : ["also in the table 'Across seeds': " + others.joined(separator: ", ")])
        + chart.leftOut)
  }

  private static func make(
    _ records: [RunRecord], _ figure: (key: String, title: String, error: String)
  ) -> Group? {
    let values = records.compactMap { PlotData.finite($0.metrics[figure.key]) }
    guard values.count > 1, let statistics = SampleStatistics(values) else { return nil }
    let errors = records.compactMap { Report.error($0, figure.error) }
    return Group(
      records: records, values: values, statistics: statistics,
      error: errors.isEmpty ? nil : errors.reduce(0, +) / Double(errors.count))
  }
}
