import Foundation
import TritLab

/// Lines about kernels in the manner of the BLIS test suite.
struct KernelTable {
  /// Whether lines are JSON.
  let json: Bool
  /// Whether cases are compared, not only timed: a residual and a verdict in place of bytes a
  /// second.
  let isCheck: Bool
  /// Colours.
  let style: Style

  /// One measured case.
  struct Row {
    let trial: KernelTrial
    let speed: KernelTrial.Speed
    let roof: (name: String, share: Double)
    /// nil where nothing was compared.
    let residual: KernelTrial.Residual?
    let isFine: Bool?
    /// What others took of the machine meanwhile; nil where nothing did.
    var disturbance: String?
  }

  /// Titles.
  func head() throws {
    guard !json else { return }
    try Terminal.line(
      style.faint(
        line(["kernel", "shape", "tokens", "Gop/s", "GB/s", "of the roof", "residual", ""])))
  }

  /// One case.
  func row(_ row: Row) throws {
    if json { return try Terminal.line(JSONWriter.text(document(row))) }
    let residual = row.residual.map { String(format: "%.1e", $0.relative) } ?? ""
    let verdict =
      row.isFine.map { $0 ? "PASS" : style.red("FAIL") } ?? (row.disturbance == nil ? "" : "(!)")
    if let disturbance = row.disturbance {
      Terminal.note("(!) \(row.trial.kernel), \(row.speed.tokens) tokens: \(disturbance)")
    }
    try Terminal.line(
      line([
        Self.name(row.trial), row.trial.shape.description, "\(row.speed.tokens)",
        String(format: "%.1f", row.speed.operationsPerSecond * 1e-9),
        String(format: "%.1f", row.speed.bytesPerSecond * 1e-9),
        String(format: "%.1f %% ", 100 * row.roof.share) + row.roof.name, residual, verdict,
      ]))
  }

  /// The kernel, and how many columns share a scale.
  private static func name(_ trial: KernelTrial) -> String {
    guard case .group(let size) = trial.granularity else { return trial.kernel }
    return "\(trial.kernel) g\(size)"
  }

  /// A shape that a kernel does not take: the reason is part of the answer.
  func refusal(_ kernel: String, _ shape: WeightShape, _ error: LabError) throws {
    if json {
      return try Terminal.line(
        JSONWriter.text(
          .object([
            ("kernel", .string(kernel)), ("rows", JSONValue(shape.rows)),
            ("columns", JSONValue(shape.columns)), ("refused", .string(error.what)),
          ])))
    }
    try Terminal.line(
      line([kernel, shape.description, "", "", "", "", "", ""])
        + style.faint("not taken: \(error.what)"))
  }

  /// The cells that are shown, within 80 columns.
  private func line(_ cells: [String]) -> String {
    let widths = isCheck ? [24, 10, 6, 7, 0, 13, 8, 4] : [24, 11, 6, 8, 7, 13, 0, 3]
    return zip(cells, widths).enumerated().filter { $1.1 > 0 }.map { index, pair in
      TextLayout.padded(pair.0, pair.1, right: index >= 2)
    }.joined(separator: " ")
  }

  private func document(_ row: Row) -> JSONValue {
    var fields: [(key: String, value: JSONValue)] = [
      ("kernel", .string(row.trial.kernel)), ("rows", JSONValue(row.trial.shape.rows)),
      ("columns", JSONValue(row.trial.shape.columns)), ("tokens", JSONValue(row.speed.tokens)),
      ("seconds", JSONValue(row.speed.seconds)),
      ("median_seconds", JSONValue(row.speed.medianSeconds)),
      ("ops_per_second", JSONValue(row.speed.operationsPerSecond)),
      ("bytes_per_second", JSONValue(row.speed.bytesPerSecond)),
      ("roof", .string(row.roof.name)), ("roof_share", JSONValue(row.roof.share)),
    ]
    if case .group(let size) = row.trial.granularity {
      fields.insert(("group", JSONValue(size)), at: 3)
    }
    if let residual = row.residual { fields.append(("residual", JSONValue(residual.relative))) }
    if let isFine = row.isFine { fields.append(("pass", .bool(isFine))) }
    if row.isFine == nil {
      fields.append(("disturbed", JSONValue(row.disturbance.map { JSONValue.string($0) })))
    }
    return .object(fields)
  }
}
