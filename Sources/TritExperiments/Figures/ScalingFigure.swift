internal import Foundation
internal import TritCore

/// Perplexity against parameters: models of several sizes, each form of weights a curve.
enum ScalingFigure: Figure {
  static let key = "scaling"
  static let summary = "perplexity against the size of the model"
  static let needs = ["perplexity"]

  static func data(_ report: Report) -> PlotData? {
    let records = report.variants.filter {
      PlotData.finite($0.metrics["perplexity.value"]) != nil
        && (PlotData.finite($0.metrics["model.parameters"]) ?? 0) > 0
    }
    guard !records.isEmpty else { return nil }
    var order: [String] = []
    var groups: [String: [RunRecord]] = [:]
    for record in records {
      let form = record.facts["weights"] ?? "models"
      if groups[form] == nil { order.append(form) }
      groups[form, default: []].append(record)
    }
    func size(_ record: RunRecord) -> Double { (record.metrics["model.parameters"] ?? 0) / 1e6 }
    func value(_ record: RunRecord) -> Double { record.metrics["perplexity.value"] ?? 0 }
    func text(_ record: RunRecord) -> String {
      value(record) < 1e4 ? Figures.fixed(value(record), 3) : Figures.plain(value(record))
    }
    let curves = order.map { form in
      let sorted = (groups[form] ?? []).sorted { size($0) < size($1) }
      return CurveChart.Curve(
        label: form,
        points: sorted.map { record in
          let error = Report.error(record, "perplexity.error") ?? 0
          return CurveChart.Point(
            x: size(record), y: value(record), lower: value(record) - error,
            upper: value(record) + error)
        },
        cells: sorted.map { [PlotData.cell($0.label), text($0)] })
    }
    let ends = curves.flatMap { $0.points.flatMap { [$0.lower, $0.upper] } }
    let floor = PlotData.finite(report.floor?.perplexity)
    let y = PlotAxis(
      ends + (floor.map { [$0] } ?? []), isLog: PlotData.isWide(records.map(value), factor: 8))
    let lines = floor.map {
      [
        CurveChart.Line(
          text: "floor \(Figures.fixed($0, 3)): entropy of the source", y: $0, ink: "red")
      ]
    }
    return CurveChart(curves, x: sizes(records.map(size)), y: y, report: report).data(
      x: "Parameters, embedding included", y: "Perplexity, ± one standard error (lower is better)",
      header: "million parameters\tperplexity\terror\tlabel\tshown\tlower\tupper",
      lines: lines ?? [],
      // Of a few models: more would lie in a cloud.
      values: records.count > 16 ? [] : records.map { (size($0), value($0), text($0)) },
      variables: [("lowest", PlotData.floor(report))],
      words: PlotWords.list(
        records.sorted { size($0) < size($1) }.map {
          "\(GnuplotText.spoken($0.label)), \(Figures.plain(size($0))) M: \(text($0))"
        }), remarks: PlotWords.undrawn(report.variants, "perplexity.value", "perplexity"))
  }

  /// A logarithmic axis whose ticks are sizes that occur, as many as have room.
  private static func sizes(_ sizes: [Double]) -> PlotAxis {
    let low = (sizes.min() ?? 1) / 1.4
    let high = (sizes.max() ?? 1) * 1.4
    var ticks: [(value: Double, text: String)] = []
    var last = -Double.infinity
    for size in Set(sizes.map { ($0 * 100).rounded() / 100 }).sorted() where size > 0 {
      let place = log(size / low) / log(high / low)
      guard place - last > 0.12 else { continue }
      last = place
      ticks.append((size, Figures.plain(size) + " M"))
    }
    return PlotAxis(low: low, high: high, isLog: true, ticks: ticks)
  }
}
