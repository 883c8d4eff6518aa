import TritLab

/// The curves of `EntropyMeasure`, one a variant.
public enum EntropyFigure: Figure {
  /// The name under `plots`.
  public static let key = "entropy-by-step"
  /// The title.
  public static let summary = "entropy of the next token while the model writes"
  /// The section that it draws.
  public static let needs = ["entropy"]
  /// The file of gnuplot beside this one.
  public static var template: String? {
    String(decoding: PackageResources.entropy_by_step_gp, as: UTF8.self)
  }

  /// A block for each variant, two empty lines between.
  public static func data(_ report: Report) -> PlotData? {
    let curves = report.rows.compactMap { record -> (label: String, lines: String)? in
      guard let columns = record.series["entropy.steps"]?.columns, let x = columns["step"],
        let y = columns["entropy"]
      else { return nil }
      return (record.label, zip(x, y).map { "\($0)\t\($1)\n" }.joined())
    }
    guard !curves.isEmpty else { return nil }
    return PlotData(
      table: "# step\tentropy\n" + curves.map(\.lines).joined(separator: "\n\n"),
      variables: [("array label[\(curves.count)]", PlotData.strings(curves.map(\.label)))],
      rows: curves.count, height: 440)
  }
}
