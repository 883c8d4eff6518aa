internal import Foundation
internal import TritCore

/// Gop/s against tokens, a curve a variant, on the first shape, with the roofs of reading and
/// multiplying.
enum RooflineFigure: Figure {
  static let key = "roofline"
  static let summary = "each kernel against what the machine can read and multiply"
  static let needs = ["roofline"]

  static func data(_ report: Report) -> PlotData? {
    var blocks: [String] = []
    var labels: [String] = []
    var roofs: [(bits: Double, isFloat: Bool)] = []
    var shape: String?
    var (integer, float, reading) = (0.0, 0.0, 0.0)
    var (low, high, fastest, zeros) = (Double.infinity, 0.0, 0.0, 0.0)
    for record in report.rows {
      guard let points = record.series["roofline.points"], let names = points.labels,
        let tokens = points.columns["tokens"], let speed = points.columns["operations_per_second"]
      else { continue }
      shape = shape ?? names.first
      let chosen = names.indices.filter { names[$0] == shape }
      guard !chosen.isEmpty else { continue }
      // A roof is the best that was seen: neighbours on the machine only take away.
      integer = max(integer, record.metrics["roofline.int8_peak"] ?? 0)
      float = max(float, record.metrics["roofline.fp32_peak"] ?? 0)
      reading = max(reading, record.metrics["roofline.read_bytes_per_second"] ?? 0)
      roofs.append(
        (record.metrics["roofline.bits_per_weight"] ?? 2, record.metrics["roofline.is_float"] == 1))
      labels.append(record.facts["roofline kernel"] ?? record.label)
      let lines = chosen.map { "\(tokens[$0])\t\(speed[$0] * 1e-9)\n" }
      low = min(low, chosen.map { speed[$0] * 1e-9 }.min() ?? low)
      fastest = max(fastest, chosen.map { speed[$0] * 1e-9 }.max() ?? 0)
      zeros = record.metrics["roofline.zero_percent"] ?? 0
      high = max(high, chosen.map { tokens[$0] }.max() ?? high)
      blocks.append("# \(PlotData.cell(labels[labels.count - 1]))\n" + lines.joined())
    }
    guard !blocks.isEmpty, reading > 0 else { return nil }
    // One slanted roof for the leanest integer kernel and one for float32.
    let lean = roofs.filter { !$0.isFloat }.map(\.bits).min()
    let wide = roofs.filter(\.isFloat).map(\.bits).min()
    func slope(_ bits: Double?) -> String { bits.map { "\(reading * 16 / $0 * 1e-9)" } ?? "0" }
    return PlotData(
      table: "# tokens\tGop/s\n" + blocks.joined(separator: "\n\n"),
      variables: [
        ("array label[\(labels.count)]", PlotData.strings(labels)),
        (
          "shape",
          PlotData.string(
            (shape ?? "").replacing("x", with: " × ")
              + (zeros > 0 ? ", \(Int(zeros)) % of the inputs 0" : ""))
        ),
        ("int8_peak", lean == nil ? "0" : "\(integer * 1e-9)"),
        ("fp32_peak", wide == nil ? "0" : "\(float * 1e-9)"),
        ("lean_slope", slope(lean)), ("lean_bits", "\(lean ?? 0)"), ("wide_slope", slope(wide)),
        ("lowest", "\(max(low, 1e-3))"), ("highest", "\(fastest)"),
        ("most_tokens", "\(max(high, 2))"),
      ], rows: labels.count, height: 560)
  }
}
