internal import Foundation
internal import TritCore

/// Divergence along the context.
enum DivergenceByPositionFigure: Figure {
  static let key = "kl-by-position"
  static let summary = "KL divergence from the reference along the context"
  static let needs = ["divergence"]
  static let needsReference = true

  static func data(_ report: Report) -> PlotData? {
    let records = report.variants.filter { $0.series["divergence.by_position"] != nil }
    var curves: [(label: String, points: [(Double, Double, Double)])] = []
    for record in records {
      guard let columns = record.series["divergence.by_position"]?.columns,
        let x = columns["position"], let y = columns["kld"]
      else { continue }
      // The larger of the errors over tokens and over windows.
      let errors = x.indices.map { index in
        ["error", "window_error"].compactMap { name in
          columns[name].flatMap { $0.indices.contains(index) ? PlotData.finite($0[index]) : nil }
        }.max() ?? 0
      }
      let points = x.indices.compactMap { index -> (Double, Double, Double)? in
        guard index < y.count, y[index].isFinite, y[index] > 0 else { return nil }
        // On a logarithmic axis the lower end of the bar must stay above zero.
        return (x[index], y[index], min(errors[index], 0.9 * y[index]))
      }
      if !points.isEmpty { curves.append((record.label, points)) }
    }
    guard !curves.isEmpty else { return nil }
    let blocks = curves.map { curve in
      "# \(PlotData.cell(curve.label))\n"
        + curve.points.map { "\($0.0)\t\($0.1)\t\($0.2)\n" }.joined()
    }
    let all = curves.flatMap { $0.points.map(\.1) }
    let isLog = PlotData.isWide(all, factor: 8)
    let ends = curves.map { $0.points.last?.1 ?? 0 }
    return PlotData(
      table: "# position\tKL divergence\terror\n" + blocks.joined(separator: "\n\n"),
      variables: [
        ("array label[\(curves.count)]", PlotData.strings(curves.map(\.label))),
        (
          "array end_y[\(curves.count)]",
          PlotData.numbers(PlotData.spreadOut(ends, within: all, isLog: isLog))
        ),
        ("end_x", "\(curves.flatMap { $0.points.map(\.0) }.max() ?? 0)"),
        ("longest", "\(curves.map { GnuplotText.shown($0.label).count }.max() ?? 0)"),
        ("logarithmic", isLog ? "1" : "0"), ("direct", curves.count <= 4 ? "1" : "0"),
      ], rows: curves.count, height: 440)
  }
}
