internal import Foundation
internal import TritCore

/// Divergence along the context.
enum DivergenceByPositionFigure: Figure {
  static let key = "kl-by-position"
  static let summary = "KL divergence from the reference along the context"
  static let needs = ["divergence"]
  static let needsReference = true

  static func data(_ report: Report) -> PlotData? {
    var curves: [CurveChart.Curve] = []
    for record in report.variants {
      guard let columns = record.series["divergence.by_position"]?.columns,
        let x = columns["position"], let y = columns["kld"]
      else { continue }
      let points = x.indices.compactMap { index -> CurveChart.Point? in
        guard index < y.count, x[index].isFinite, y[index].isFinite else { return nil }
        // The larger of the errors over tokens and over windows.
        let error =
          ["error", "window_error"].compactMap { name in
            columns[name].flatMap {
              $0.indices.contains(index) ? PlotData.finite($0[index]) : nil
            }
          }.max() ?? 0
        return CurveChart.Point(
          x: x[index], y: y[index], lower: y[index] - error, upper: y[index] + error)
      }
      if !points.isEmpty {
        curves.append(
          CurveChart.Curve(label: record.label, points: points, record: record))
      }
    }
    guard !curves.isEmpty else { return nil }
    let above = curves.flatMap { $0.points.map(\.y) }.filter { $0 > 0 }
    let isLog = PlotData.isWide(above, factor: 8)
    var remarks: [String] = []
    if isLog {
      // A logarithmic axis has no zero: predictions equal to the reference's have no curve.
      let equal = curves.filter { curve in curve.points.allSatisfy { $0.y <= 0 } }
      if !equal.isEmpty {
        remarks.append(
          "0 everywhere, which this axis does not have: "
            + equal.map(\.label).joined(separator: ", "))
      }
      let gaps = curves.filter { curve in
        curve.points.contains { $0.y > 0 } && curve.points.contains { $0.y <= 0 }
      }
      if !gaps.isEmpty {
        remarks.append(
          "0 at some positions, which this axis does not have: "
            + gaps.map(\.label).joined(separator: ", "))
      }
      curves = curves.compactMap { curve in
        var curve = curve
        curve.points.removeAll { $0.y <= 0 }
        return curve.points.isEmpty ? nil : curve
      }
    }
    let all = curves.flatMap(\.points)
    let y = PlotAxis(
      isLog
        ? all.map(\.y) + all.map(\.upper)
        : all.flatMap { [max($0.lower, 0), $0.upper, $0.y] }, isLog: isLog, fromZero: !isLog)
    let x = PlotAxis(all.map(\.x), room: 0.03)
    let words = curves.map { curve in
      let ends = [curve.points.first, curve.points.last].compactMap { $0 }
      return "\(GnuplotText.spoken(curve.label)): "
        + ends.map { "\(Figures.plain($0.y)) at position \(Figures.plain($0.x))" }
        .joined(separator: ", ")
    }
    return CurveChart(curves, x: x, y: y, report: report).data(
      x: "Position in the context (tokens)",
      y: "KL divergence (nats a token), ± one standard error",
      header: "position\tKL divergence\terror\tlower\tupper", words: PlotWords.list(words),
      remarks: remarks)
  }
}
