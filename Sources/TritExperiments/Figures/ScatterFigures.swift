internal import Foundation
internal import TritCore

/// Perplexity against a figure of size: a point a variant.
enum Scatter {
  /// The data; nil where no record has both figures. Sizes are multiplied with `scale`.
  static func data(_ report: Report, _ key: String, scale: Double) -> PlotData? {
    let records = report.variants.filter {
      PlotData.finite($0.metrics["perplexity.value"]) != nil
        && PlotData.finite($0.metrics[key]) != nil
    }
    guard !records.isEmpty else { return nil }
    let values = records.map { $0.metrics["perplexity.value"] ?? 0 }
    let sizes = records.map { ($0.metrics[key] ?? 0) * scale }
    let errors = records.map { Report.error($0, "perplexity.error") ?? 0 }
    // Names of points in the right half stand to the left of them, so that none is cut off.
    let middle = ((sizes.min() ?? 0) + (sizes.max() ?? 0)) / 2
    let rows = records.indices.map { index in
      let label = PlotData.cell(records[index].label)
      let isRight = sizes[index] > middle
      return [
        "\(sizes[index])", "\(values[index])", "\(errors[index])", isRight ? " " : label,
        isRight ? label : " ",
      ]
    }
    let reference = PlotData.finite(report.reference?.metrics["perplexity.value"])
    let isLog = PlotData.isWide(values, factor: 8)
    let direct =
      records.count <= 4 && !PlotData.collide(sizes, isLog ? values.map { log($0) } : values)
    return PlotData(
      table: PlotData.table(
        ["x", "perplexity", "error", "label at the right", "label at the left"], rows),
      variables: [
        ("array label[\(records.count)]", PlotData.strings(records.map(\.label))),
        ("reference", reference.map { "\($0)" } ?? "NaN"), ("lowest", PlotData.floor(report)),
        ("logarithmic", isLog ? "1" : "0"), ("direct", direct ? "1" : "0"),
      ] + PlotData.axis(PlotData.bounds(values, errors) + PlotData.lines(report), isLog: isLog),
      rows: rows.count, height: 440)
  }
}

/// Perplexity against bytes of weights.
enum SizeVersusPerplexityFigure: Figure {
  static let key = "size-vs-perplexity"
  static let summary = "perplexity against the bytes of the linear weights"
  static let needs = ["perplexity", "weights"]

  static func data(_ report: Report) -> PlotData? {
    Scatter.data(report, "model.linear_bytes", scale: 1 / 1048576.0)
  }
}

/// Perplexity against bits a weight.
enum QualityVersusBitsFigure: Figure {
  static let key = "quality-vs-bits"
  static let summary = "perplexity against bits a weight (codes and scales)"
  static let needs = ["perplexity", "weights"]

  static func data(_ report: Report) -> PlotData? {
    Scatter.data(report, "weights.code_bits_per_weight", scale: 1)
  }
}
