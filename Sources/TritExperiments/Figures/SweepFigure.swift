internal import Foundation
internal import TritCore

/// The variants of a sweep by its axes: one goes from left to right, one is colours, what is left
/// makes panels.
enum SweepFigure: Figure {
  static let key = "sweep"
  static let summary = "the variants of a sweep, by its axes"
  static let needs: [String] = []

  static func data(_ report: Report) -> PlotData? {
    let axes = VariantAxes(report)
    guard let metric = SweepMetric.of(report.variants), let across = across(axes) else {
      return nil
    }
    let records = report.variants.filter {
      metric.value($0) != nil && axes.place($0, across) != nil
    }
    guard records.count > 1 else { return nil }
    let axis = axes.axes[across]
    // Names have room at the left, not below.
    if axis.numbers == nil {
      return SweepRows(report: report, axes: axes, metric: metric, across: across, records: records)
        .data()
    }
    // Lines join the variants that differ along this axis alone.
    var order: [String] = []
    var lines: [String: [RunRecord]] = [:]
    for record in records {
      let rest = axes.label(record, without: [across])
      // One line is what the axis' title says.
      let label = axes.axes.count == 1 ? "" : rest
      if lines[label] == nil { order.append(label) }
      lines[label, default: []].append(record)
    }
    func x(_ record: RunRecord) -> Double { axes.number(record, across) ?? 0 }
    let curves: [CurveChart.Curve] = order.map { label in
      let sorted = (lines[label] ?? []).sorted { x($0) < x($1) }
      return CurveChart.Curve(
        label: label,
        points: sorted.compactMap { record in
          guard let y = metric.value(record), let ends = metric.ends(record) else { return nil }
          return CurveChart.Point(x: x(record), y: y, lower: ends.lower, upper: ends.upper)
        }, record: sorted.first)
    }
    let points = curves.flatMap(\.points)
    let xAxis = xAxis(axis, points.map(\.x), panels: curves.count > CurveChart.most)
    let isLog = PlotData.isWide(points.map(\.y), factor: 8)
    let yAxis = PlotAxis(
      isLog
        ? points.flatMap { [$0.y, $0.lower, $0.upper] }.filter { $0 > 0 }
        : points.flatMap { [$0.lower, $0.upper] }, isLog: isLog)
    return CurveChart(curves, x: xAxis, y: yAxis, report: report, across: across).data(
      x: axis.title, y: metric.title, header: "\(axis.title)\t\(metric.name)\terror\tlower\tupper",
      variables: [("by_rows", "0")],
      words: "\(metric.name) by \(axes.axes.map(\.title).joined(separator: ", ")). "
        + PlotWords.list(
          records.map {
            "\(GnuplotText.spoken($0.label)): \(Figures.plain(metric.value($0) ?? .nan))"
          }), remarks: PlotWords.undrawn(report.variants, metric.key, metric.name))
  }

  /// The axis from left to right: one of numbers, that with the most values; else that with the
  /// most values. Seeds are numbers without an order: only where there is nothing else.
  private static func across(_ axes: VariantAxes) -> Int? {
    let ordered = axes.axes.indices.filter { axes.axes[$0].key != "seed" }
    let all = ordered.isEmpty ? Array(axes.axes.indices) : ordered
    let numeric = all.filter { axes.axes[$0].numbers != nil }
    return (numeric.isEmpty ? all : numeric)
      .max { axes.axes[$0].values.count < axes.axes[$1].values.count }
  }

  /// Numbers on their scale, logarithmic where they spread.
  private static func xAxis(_ axis: VariantAxes.Axis, _ places: [Double], panels: Bool) -> PlotAxis
  {
    let isLog = PlotData.isWide(places, factor: 9)
    let plain = PlotAxis(places, isLog: isLog, room: 0.08, most: panels ? 3 : 7)
    // Few values are the ticks themselves.
    let values = Set(places).sorted()
    guard (2...8).contains(values.count) else { return plain }
    let own = PlotAxis(
      low: plain.low, high: plain.high, isLog: plain.isLog,
      ticks: values.map { ($0, Figures.plain($0)) })
    // Those that stand together have no room each.
    return own.thinned(across: 400, size: PlotSheet.letters).ticks.count == values.count
      ? own : plain
  }
}
