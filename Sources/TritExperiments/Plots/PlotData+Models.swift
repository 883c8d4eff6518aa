internal import Foundation

// Figures that compare models: what they know, and what their size is worth.
extension PlotData {
  /// Accuracy of each variant: all questions with their error, and every kind of question as a mark.
  static func taskAccuracy(_ report: Report) -> PlotData? {
    let records = report.rows.filter { finite($0.metrics["tasks.accuracy"]) != nil }
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
        cell(record.label), Figures.share(value, interval),
      ] + marks
    }
    let chance = report.rows.compactMap { finite($0.metrics["tasks.chance"]) }.first ?? .nan
    return PlotData(
      table: table(
        ["row", "accuracy", "lower", "upper", "label", "shown"] + kinds.labels.map(cell), rows),
      variables: [
        ("chance", "\(100 * chance)"), ("kinds", "\(kinds.labels.count)"),
        ("array kind[\(kinds.labels.count)]", strings(kinds.labels)),
      ], rows: rows.count, height: rowHeight(rows.count, each: 46) + 50)
  }

  /// Perplexity against parameters: a curve for every form of weights.
  static func scaling(_ report: Report) -> PlotData? {
    let records = report.variants.filter {
      finite($0.metrics["perplexity.value"]) != nil && ($0.metrics["model.parameters"] ?? 0) > 0
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
      return "# \(cell(form))\n"
        + points.map { record in
          let value = record.metrics["perplexity.value"] ?? 0
          let error = Report.error(record, "perplexity.error") ?? 0
          let size = (record.metrics["model.parameters"] ?? 0) / 1e6
          return "\(size)\t\(value)\t\(error)\t\(cell(record.label))\t\(Figures.fixed(value, 3))\n"
        }.joined()
    }
    let values = records.map { $0.metrics["perplexity.value"] ?? 0 }
    let errors = records.map { Report.error($0, "perplexity.error") ?? 0 }
    let lines = [report.floor?.perplexity].compactMap(finite)
    let sizes = records.map { ($0.metrics["model.parameters"] ?? 0) / 1e6 }
    let isLog = isWide(values, factor: 8)
    let words = ["dense": "full precision", "ternary": "ternary (trained so)"]
    return PlotData(
      table: "# million parameters\tperplexity\terror\tlabel\tshown\n"
        + blocks.joined(separator: "\n\n"),
      variables: [
        ("array label[\(order.count)]", strings(order.map { words[$0] ?? $0 })),
        ("lowest", floor(report)), ("logarithmic", isLog ? "1" : "0"),
        ("smallest", "\((sizes.min() ?? 1) / 1.4)"), ("largest", "\((sizes.max() ?? 1) * 1.4)"),
        ("sizes", string(sizeTicks(sizes))),
      ] + axis(bounds(values, errors) + lines, isLog: isLog), rows: order.count, height: 440)
  }

  /// The sizes that occur, as ticks of a logarithmic axis.
  private static func sizeTicks(_ sizes: [Double]) -> String {
    let distinct = Set(sizes.map { ($0 * 100).rounded() / 100 }).sorted()
    return "(" + distinct.map { "'\(Figures.plain($0)) M' \($0)" }.joined(separator: ", ") + ")"
  }
}
