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
        && ($0.metrics["model.parameters"] ?? 0) > 0
    }
    var order: [String] = []
    var groups: [String: [RunRecord]] = [:]
    for record in records {
      let form = record.facts["weights"] ?? "models"
      if groups[form] == nil { order.append(form) }
      groups[form, default: []].append(record)
    }
    guard !order.isEmpty else { return nil }
    let blocks = order.map { form in
      let points = (groups[form] ?? []).sorted {
        ($0.metrics["model.parameters"] ?? 0) < ($1.metrics["model.parameters"] ?? 0)
      }
      return "# \(PlotData.cell(form))\n"
        + points.map { record in
          let value = record.metrics["perplexity.value"] ?? 0
          let error = Report.error(record, "perplexity.error") ?? 0
          let size = (record.metrics["model.parameters"] ?? 0) / 1e6
          return
            "\(size)\t\(value)\t\(error)\t\(PlotData.cell(record.label))\t\(Figures.fixed(value, 3))\n"
        }.joined()
    }
    let values = records.map { $0.metrics["perplexity.value"] ?? 0 }
    let errors = records.map { Report.error($0, "perplexity.error") ?? 0 }
    let lines = [report.floor?.perplexity].compactMap(PlotData.finite)
    let sizes = records.map { ($0.metrics["model.parameters"] ?? 0) / 1e6 }
    let isLog = PlotData.isWide(values, factor: 8)
    let words = ["dense": "full precision", "ternary": "ternary (trained so)"]
    return PlotData(
      table: "# million parameters\tperplexity\terror\tlabel\tshown\n"
        + blocks.joined(separator: "\n\n"),
      variables: [
        ("array label[\(order.count)]", PlotData.strings(order.map { words[$0] ?? $0 })),
        ("lowest", PlotData.floor(report)), ("logarithmic", isLog ? "1" : "0"),
        ("smallest", "\((sizes.min() ?? 1) / 1.4)"), ("largest", "\((sizes.max() ?? 1) * 1.4)"),
        ("sizes", PlotData.string(sizeTicks(sizes))),
      ] + PlotData.axis(PlotData.bounds(values, errors) + lines, isLog: isLog), rows: order.count,
      height: 440)
  }

  /// The sizes that occur, as ticks of a logarithmic axis.
  private static func sizeTicks(_ sizes: [Double]) -> String {
    let distinct = Set(sizes.map { ($0 * 100).rounded() / 100 }).sorted()
    return "(" + distinct.map { "'\(Figures.plain($0)) M' \($0)" }.joined(separator: ", ") + ")"
  }
}
