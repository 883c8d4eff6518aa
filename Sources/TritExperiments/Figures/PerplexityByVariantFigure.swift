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
    let ends = PlotData.bounds(drawn.map(value), drawn.map(error))
    let lines = PlotLines(report, beside: ends, isLog: isLog)
    let axis = PlotAxis(ends + lines.shown.map(\.value), isLog: isLog)
    var sheet = chart.sheet(shown: drawn.map(text))
    sheet.legend("", lines.off.map { ($0, 0, "gray") })
    sheet.names(over: lines.shown.map { (sheet.x($0.value, axis), $0.text, $0.ink) })
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
      variables: lines.variables + PlotData.axis(axis) + chart.variables,
      rows: chart.slots,
      words: PlotLines.words(report)
        + PlotWords.list(drawn.map { "\(GnuplotText.spoken($0.label)): \(text($0))" }),
      remarks: PlotWords.undrawn(report.variants, "perplexity.value", "perplexity")
        + chart.leftOut)
  }
}

/// Perplexities that are drawn as lines: the reference's and the floor. One that is so far from the
/// variants that an axis with it would hide their differences is told in words.
struct PlotLines {
  /// Those on the axis.
  let shown: [(value: Double, text: String, ink: String)]
  /// Those beyond it, as words.
  let off: [String]
  /// The share of an axis that the variants must have at least.
  private static let share = 0.12

  /// `ends` are those of the variants' error bars.
  init(_ report: Report, beside ends: [Double], isLog: Bool) {
    let all = Self.named(report)
    func place(_ value: Double) -> Double { isLog ? log(max(value, 1e-300)) : value }
    let places = ends.filter { $0.isFinite && (!isLog || $0 > 0) }.map(place)
    guard let low = places.min(), let high = places.max(), high > low else {
      (shown, off) = (all, [])
      return
    }
    func isNear(_ value: Double) -> Bool {
      let whole = max(high, place(value)) - min(low, place(value))
      return high - low >= Self.share * whole
    }
    shown = all.filter { isNear($0.value) }
    off = all.filter { !isNear($0.value) }.map {
      "\(place($0.value) < low ? "below" : "above") the axis: \($0.text)"
    }
  }

  /// `reference` and `lowest`; NaN where there is none, or none on the axis.
  var variables: [(name: String, value: String)] {
    func value(_ ink: String) -> String {
      shown.first { $0.ink == ink }.map { "\($0.value)" } ?? "NaN"
    }
    return [("reference", value("gray")), ("lowest", value("red"))]
  }

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

  /// The lines as sentences.
  static func words(_ report: Report) -> String {
    named(report).map { "\($0.text.prefix(1).uppercased() + $0.text.dropFirst()). " }.joined()
  }
}
