internal import Foundation
internal import TritCore
internal import TritEvaluation
internal import TritKernels
internal import TritModel

/// The variant's kernel on matrices of given shapes and batches of 1 to some hundred tokens, held against
/// what the machine can multiply and read.
///
/// Source of the picture: Williams, Waterman, Patterson, "Roofline", CACM 52 (2009), doi
/// 10.1145/1498765.1498785, with tokens for the intensity: every token more is one more use of each
/// weight that is read.
public struct RooflineMeasure: Sendable, Hashable {
  /// Tokens that are multiplied together, rising.
  public var tokens: [Int]
  /// `[rows, columns]` of the matrices; empty for the layer shapes of the model.
  public var shapes: [[Int]]
  /// Seconds that each point is measured.
  public var seconds: Double
  /// How many percent of the activations are 0 (for `sparse_rows`: of the outputs not wanted). Speeds still count
  /// all weights, so that a kernel that skips zeros may pass the roofs.
  public var zeroPercent: Int
}

extension ExperimentDecoder {
  static let rooflineKeys = ["tokens", "shapes", "milliseconds", "zero_percent"]
  static let rooflineTokens = 1...4096
  static let rooflineZeros = 0...99

  /// The section `measure.roofline`.
  func roofline(_ fields: Fields) -> RooflineMeasure {
    var tokens = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
    if let node = fields["tokens"] {
      let path = fields.keyPath("tokens")
      if let list = node.elements, !list.isEmpty {
        tokens = list.enumerated().compactMap {
          problems.integer($1, "\(path)[\($0)]", Self.rooflineTokens)
        }
      } else {
        problems.wrongType(node, path, expected: "a list of numbers, as [1, 8, 64, 512]")
      }
    }
    var shapes: [[Int]] = []
    if let node = fields["shapes"] {
      let path = fields.keyPath("shapes")
      let example = "a list of ROWSxCOLUMNS, as [6912x2560]"
      if let list = node.elements, !list.isEmpty {
        for (index, item) in list.enumerated() {
          guard let text = problems.text(item, "\(path)[\(index)]", expected: example) else {
            continue
          }
          let sides = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
          guard sides.count == 2, let rows = sides[0], let columns = sides[1],
            (1...(1 << 17)).contains(rows), (1...(1 << 17)).contains(columns)
          else {
            problems.add(
              "bad shape", "\(path)[\(index)]", at: item.position,
              expected: "ROWSxCOLUMNS, each 1…131072, as 6912x2560", got: text)
            continue
          }
          shapes.append([rows, columns])
        }
      } else {
        problems.wrongType(node, path, expected: example)
      }
    }
    let seconds = Double(fields.integer("milliseconds", 1...10_000) ?? 60) / 1000
    return RooflineMeasure(
      tokens: Array(Set(tokens)).sorted(), shapes: shapes, seconds: seconds,
      zeroPercent: fields.integer("zero_percent", Self.rooflineZeros) ?? 0)
  }
}

extension LabSession {
  func roofline(_ measure: RooflineMeasure, progress: (Double) -> Void) throws -> Measured {
    var shapes = measure.shapes.map { WeightShape($0[0], $0[1]) }
    if shapes.isEmpty {
      for layer in engine.layers {
        let shape = WeightShape(layer.rows, layer.columns)
        if !shapes.contains(shape) { shapes.append(shape) }
      }
    }
    let meter = PeakMeter(threads: engine.threads)
    let integer = meter.integerPeak(seconds: 0.05) ?? 0
    let float = meter.floatPeak(seconds: 0.05) ?? 0
    let reading = meter.read(bytes: PeakMeter.memoryBytes, seconds: 0.2).bytesPerSecond
    var labels: [String] = []
    var columns: [String: [Double]] = [:]
    func note(_ key: String, _ value: Double) { columns[key, default: []].append(value) }
    var metrics: [String: Double] = [
      "int8_peak": integer, "fp32_peak": float, "read_bytes_per_second": reading,
      "zero_percent": Double(measure.zeroPercent),
    ]
    var facts: [String: String] = [:]
    var load = MachineLoad()
    let most = Double(shapes.count * measure.tokens.count)
    for (index, shape) in shapes.enumerated() {
      try Interruption.check()
      guard let trial = try trial(shape, zeros: Double(measure.zeroPercent) / 100) else { continue }
      facts["roofline kernel"] = trial.kernel
      let peak = trial.arithmetic == .int8 ? integer : float
      var slowest = 0.0
      // A reference kernel on a large batch would take minutes to say nothing new.
      for (place, count) in measure.tokens.enumerated() where slowest < 0.5 {
        try Interruption.check()
        let (speed, given) = MachineLoad.during {
          trial.time(tokens: count, seconds: measure.seconds)
        }
        load = load + given
        slowest = speed.seconds
        // What the two roofs allow: all weights read once, all products made, but for what is skipped.
        let operations = speed.operationsPerSecond * speed.seconds * speed.madeShare
        let bound = max(speed.bytesRead / reading, peak > 0 ? operations / peak : 0)
        let share = bound / speed.seconds
        labels.append("\(shape.rows)x\(shape.columns)")
        note("tokens", Double(count))
        note("operations_per_second", speed.operationsPerSecond)
        note("bytes_per_second", speed.bytesPerSecond)
        note("share_of_roof", share)
        let bits = 8 * Double(trial.weightBytes) / Double(shape.rows * shape.columns)
        note("bits_per_weight", bits)
        if index == 0 {
          metrics["bits_per_weight"] = bits
          if place == 0 { metrics["first.share_of_roof"] = share }
          metrics["last.share_of_roof"] = share
          metrics["last.tokens"] = Double(count)
          metrics["is_float"] = trial.arithmetic == .int8 ? 0 : 1
        }
        progress(Double(index * measure.tokens.count + place + 1) / most)
      }
    }
    let disturbance = SpeedDisturbance(load, rates: [])
    metrics["disturbed"] = disturbance.text == nil ? 0 : 1
    if let text = disturbance.text {
      facts[Warnings.key("roofline")] = "others used the machine: \(text)"
    }
    return Measured(
      metrics: metrics, series: ["points": Series(labels: labels, columns: columns)], facts: facts)
  }
}

extension LabSession {
  /// What the engine runs on a layer of `shape`, or on its first layer where it has none of that shape: the same
  /// kind of weights, form of activations and kernel; `auto` picks for the shape. nil for a model without layers.
  private func trial(_ shape: WeightShape, zeros: Double) throws -> KernelTrial? {
    let own = engine.layers.first { $0.rows == shape.rows && $0.columns == shape.columns }
    guard let layer = own ?? engine.layers.first else { return nil }
    let choice = try StageChoice(parsing: layer.kernelChoice)
    var kernel = try lab[.kernel].make(choice)
    // What was picked for this very shape runs; another shape is raced anew.
    if kernel is AutoKernel, own != nil,
      let picked = try? lab[.kernel].make(StageChoice(layer.kernel))
    {
      kernel = picked
    }
    return try KernelTrial(
      kernel, shape: shape, kind: layer.weights, granularity: layer.granularity ?? .tensor,
      form: layer.activationForm, streaming: PeakMeter.memoryBytes, threads: engine.threads,
      zeros: zeros)
  }
}

extension Report {
  static let roofline = [
    ReportColumn(
      title: "First batch, of the roof", key: "roofline.first.share_of_roof", errorKey: nil,
      format: { value, _ in Figures.percent(value) },
      meaning:
        "The smallest batch (as a rule one token) on the first shape: its speed as a share of what "
        + "reading the weights or the multiply-add peak allow, whichever is less."),
    ReportColumn(
      title: "Last batch, of the roof", key: "roofline.last.share_of_roof", errorKey: nil,
      format: { value, _ in Figures.percent(value) },
      meaning: "The same for the largest batch that was measured."),
    ReportColumn(
      title: "Bits a weight", key: "roofline.bits_per_weight", errorKey: nil,
      format: { value, _ in Figures.fixed(value, 2) },
      meaning: "Bits that one multiply reads for a weight: what the slanted roof depends on."),
  ]
}

extension PlotData {
  /// Gop/s against tokens, a curve a variant, on the first shape.
  static func roofline(_ report: Report) -> PlotData? {
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
      blocks.append("# \(cell(labels[labels.count - 1]))\n" + lines.joined())
    }
    guard !blocks.isEmpty, reading > 0 else { return nil }
    // One slanted roof for the leanest integer kernel and one for float32.
    let lean = roofs.filter { !$0.isFloat }.map(\.bits).min()
    let wide = roofs.filter(\.isFloat).map(\.bits).min()
    func slope(_ bits: Double?) -> String { bits.map { "\(reading * 16 / $0 * 1e-9)" } ?? "0" }
    return PlotData(
      table: "# tokens\tGop/s\n" + blocks.joined(separator: "\n\n"),
      variables: [
        ("array label[\(labels.count)]", strings(labels)),
        (
          "shape",
          string(
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
