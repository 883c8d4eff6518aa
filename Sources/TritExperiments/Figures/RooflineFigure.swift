internal import Foundation
internal import TritCore

/// Gop/s against tokens, a curve a variant, on the first shape, with the roofs of reading and
/// multiplying.
enum RooflineFigure: Figure {
  static let key = "roofline"
  static let summary = "each kernel against what the machine can read and multiply"
  static let needs = ["roofline"]

  /// What the machine can do, as far as it was seen.
  private struct Roofs {
    var integer = 0.0, float = 0.0, reading = 0.0
    var bits: [(bits: Double, isFloat: Bool)] = []
    var zeros = 0.0
  }

  static func data(_ report: Report) -> PlotData? {
    var curves: [CurveChart.Curve] = []
    var roofs = Roofs()
    var shape: String?
    for record in report.rows {
      guard let points = record.series["roofline.points"], let names = points.labels,
        let tokens = points.columns["tokens"], let speed = points.columns["operations_per_second"]
      else { continue }
      shape = shape ?? names.first
      let chosen = names.indices.filter {
        names[$0] == shape && tokens.indices.contains($0) && speed.indices.contains($0)
          && tokens[$0] > 0 && speed[$0] > 0 && speed[$0].isFinite
      }
      guard !chosen.isEmpty else { continue }
      // A roof is the best that was seen: neighbours on the machine only take away.
      roofs.integer = max(roofs.integer, record.metrics["roofline.int8_peak"] ?? 0)
      roofs.float = max(roofs.float, record.metrics["roofline.fp32_peak"] ?? 0)
      roofs.reading = max(roofs.reading, record.metrics["roofline.read_bytes_per_second"] ?? 0)
      roofs.zeros = record.metrics["roofline.zero_percent"] ?? 0
      roofs.bits.append(
        (record.metrics["roofline.bits_per_weight"] ?? 2, record.metrics["roofline.is_float"] == 1))
      curves.append(
        CurveChart.Curve(
          label: record.facts["roofline kernel"] ?? record.label,
          points: chosen.map { index in
            let gops = speed[index] * 1e-9
            return CurveChart.Point(x: tokens[index], y: gops, lower: gops, upper: gops)
          }, record: record))
    }
    guard !curves.isEmpty, roofs.reading > 0 else { return nil }
    return figure(report, curves, roofs, shape ?? "")
  }

  private static func figure(
    _ report: Report, _ curves: [CurveChart.Curve], _ roofs: Roofs, _ shape: String
  ) -> PlotData {
    // One slanted roof for the leanest integer kernel and one for float32.
    let lean = roofs.bits.filter { !$0.isFloat }.map(\.bits).min()
    let wide = roofs.bits.filter(\.isFloat).map(\.bits).min()
    let peaks = (integer: roofs.integer * 1e-9, float: roofs.float * 1e-9)
    func slope(_ bits: Double?) -> Double {
      bits.map { roofs.reading * 16 / max($0, 1e-3) * 1e-9 } ?? 0
    }
    let points = curves.flatMap(\.points)
    let most = max(points.map(\.x).max() ?? 2, 2)
    let least = points.map(\.x).min() ?? 1
    let x = PlotAxis(
      low: least * 0.9, high: most * 1.12, isLog: true, ticks: tokenTicks(least, most))
    var heights = points.map(\.y)
    var lines: [CurveChart.Line] = []
    if lean != nil {
      heights.append(peaks.integer)
      lines.append(
        CurveChart.Line(
          text:
            "roof at \(Figures.plain(lean ?? 0)) bits: int8 peak \(Figures.plain(peaks.integer.rounded())) Gop/s",
          y: min(slope(lean) * x.high, peaks.integer), ink: "black"))
    }
    if wide != nil {
      heights.append(peaks.float)
      lines.append(
        CurveChart.Line(
          text: "roof at 32 bits: fp32 peak \(Figures.plain(peaks.float.rounded())) Gop/s",
          y: min(slope(wide) * x.high, peaks.float), ink: "gray"))
    }
    let y = PlotAxis(heights.filter { $0 > 0 }, isLog: true, room: 0.1)
    let zeros = roofs.zeros > 0 ? ", \(Int(roofs.zeros)) % of the inputs 0" : ""
    return CurveChart(curves, x: x, y: y, report: report).data(
      x: "Tokens multiplied together (matrix \(shape.replacing("x", with: " × "))\(zeros))",
      y: "Gop/s (one op is a multiplication or an addition)",
      header: "tokens\tGop/s\terror\tlower\tupper", lines: lines, height: 420,
      variables: [
        ("int8_peak", lean == nil ? "0" : "\(peaks.integer)"),
        ("fp32_peak", wide == nil ? "0" : "\(peaks.float)"),
        ("lean_slope", "\(slope(lean))"), ("wide_slope", "\(slope(wide))"),
      ],
      words: lines.map { $0.text + ". " }.joined()
        + PlotWords.list(
          curves.map { curve in
            let ends = [curve.points.first, curve.points.last].compactMap { $0 }
            return "\(GnuplotText.spoken(curve.label)): "
              + ends.map { "\(Figures.plain($0.y)) Gop/s at \(Figures.plain($0.x)) tokens" }
              .joined(separator: ", ")
          }))
  }

  /// Powers of two from `least` to `most`, as many as have room.
  private static func tokenTicks(_ least: Double, _ most: Double) -> [(value: Double, text: String)]
  {
    let powers = (0...40).map { pow(2, Double($0)) }.filter {
      $0 >= least * 0.95 && $0 <= most * 1.05
    }
    let stride = max(1, (powers.count + 10) / 11)
    return powers.enumerated().filter { $0.offset % stride == 0 }
      .map { ($0.element, Figures.plain($0.element)) }
  }
}
