internal import Foundation
internal import TritCore
internal import TritEvaluation
internal import TritKernels
internal import TritModel

/// The variant's kernel on matrices of given shapes and batches of 1 to some hundred tokens, held
/// against what the machine can multiply and read.
///
/// Source of the picture: Williams, Waterman, Patterson, "Roofline", CACM 52 (2009), doi
/// 10.1145/1498765.1498785, with tokens for the intensity: every token more is one more use of each
/// weight that is read.
public struct RooflineMeasure: Measure {
  /// The key of the section.
  public static let key = "roofline"
  /// What is measured.
  public static let summary = "The variant's kernel against what the machine can read and multiply."
  /// Where the definition comes from.
  public static let source = "Williams, Waterman, Patterson 2009, doi 10.1145/1498765.1498785"
  /// The settings of the section.
  public static let fields = [
    MeasureField(
      "tokens", "Tokens multiplied together.", .integers(1...4096),
      standard: .integers([1, 2, 4, 8, 16, 32, 64, 128, 256, 512])),
    MeasureField(
      "shapes", "Shapes of matrices; the model's own where nothing is said.",
      .words(
        expected: "ROWSxCOLUMNS, each 1…131072, as 6912x2560", pattern: "^[0-9]+x[0-9]+$",
        isLegal: { shape($0) != nil })),
    MeasureField(
      "milliseconds", "How long each point is measured.", .integer(1...10_000),
      standard: .integer(60)),
    MeasureField(
      "zero_percent", "Percent of the activations that are 0.", .integer(0...99),
      standard: .integer(0)),
  ]
  /// Its columns in the table of results.
  public static let columns = [
    ReportColumn(
      "First batch, of the roof", key: "roofline.first.share_of_roof", group: .energy,
      meaning:
        "The smallest batch (as a rule one token) on the first shape: its speed as a share of what "
        + "reading the weights or the multiply-add peak allow, whichever is less."
    ) { value, _ in Figures.percent(value) },
    ReportColumn(
      "Last batch, of the roof", key: "roofline.last.share_of_roof", group: .energy,
      meaning: "The same for the largest batch that was measured."
    ) { value, _ in Figures.percent(value) },
    ReportColumn(
      "Bits a weight", key: "roofline.bits_per_weight", group: .energy,
      meaning: "Bits that one multiply reads for a weight: what the slanted roof depends on."
    ) { value, _ in Figures.fixed(value, 2) },
  ]

  /// Tokens that are multiplied together, rising.
  public let tokens: [Int]
  /// `[rows, columns]` of the matrices; empty for the layer shapes of the model.
  public let shapes: [[Int]]
  /// Seconds that each point is measured.
  public let seconds: Double
  /// How many percent of the activations are 0 (for `sparse_rows`: of the outputs not wanted).
  /// Speeds still count all weights, so that a kernel that skips zeros may pass the roofs.
  public let zeroPercent: Int

  /// Reads settings that have been checked.
  public init(_ settings: MeasureSettings) {
    tokens = Array(Set(settings.integers("tokens"))).sorted()
    seconds = Double(settings.integer("milliseconds")) / 1000
    zeroPercent = settings.integer("zero_percent")
    shapes = settings.texts("shapes").compactMap(Self.shape)
  }

  /// `[rows, columns]` of `6912x2560`.
  private static func shape(_ text: String) -> [Int]? {
    let sides = text.split(separator: "x", omittingEmptySubsequences: false).compactMap { Int($0) }
    let isLegal = sides.count == 2 && sides.allSatisfy((1...(1 << 17)).contains)
    return isLegal ? sides : nil
  }

  /// The machine for itself: it measures time.
  public var needs: MeasureNeeds {
    var needs = MeasureNeeds()
    needs.needsMachine = true
    return needs
  }

  /// Measures one variant.
  public func run(_ run: MeasureRun) throws -> Measured {
    let engine = run.engine
    var shapes = self.shapes.map { WeightShape($0[0], $0[1]) }
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
      "zero_percent": Double(zeroPercent),
    ]
    var facts: [String: String] = [:]
    var load = MachineLoad()
    let most = Double(shapes.count * tokens.count)
    for (index, shape) in shapes.enumerated() {
      try Interruption.check()
      guard let trial = try trial(run, shape, zeros: Double(zeroPercent) / 100) else { continue }
      facts["roofline kernel"] = trial.kernel
      let peak = trial.arithmetic == .int8 ? integer : float
      var slowest = 0.0
      // A reference kernel on a large batch would take minutes to say nothing new.
      for (place, count) in tokens.enumerated() where slowest < 0.5 {
        try Interruption.check()
        let (speed, given) = MachineLoad.during {
          trial.time(tokens: count, seconds: seconds)
        }
        load = load + given
        slowest = speed.seconds
        // What the two roofs allow: all weights read once, all products made, but for what is
        // skipped.
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
        run.progress(Double(index * tokens.count + place + 1) / most)
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

  /// What the engine runs on a layer of `shape`, or on its first layer where it has none of that
  /// shape: the same kind of weights, form of activations and kernel; `auto` picks for the shape.
  /// nil for a model without layers.
  private func trial(_ run: MeasureRun, _ shape: WeightShape, zeros: Double) throws -> KernelTrial?
  {
    let engine = run.engine
    let own = engine.layers.first { $0.rows == shape.rows && $0.columns == shape.columns }
    guard let layer = own ?? engine.layers.first else { return nil }
    let choice = try StageChoice(parsing: layer.kernelChoice)
    var kernel = try run.lab[.kernel].make(choice)
    // What was picked for this very shape runs; another shape is raced anew.
    if kernel is AutoKernel, own != nil,
      let picked = try? run.lab[.kernel].make(StageChoice(layer.kernel))
    {
      kernel = picked
    }
    return try KernelTrial(
      kernel, shape: shape, kind: layer.weights, granularity: layer.granularity ?? .tensor,
      form: layer.activationForm, streaming: PeakMeter.memoryBytes, threads: engine.threads,
      zeros: zeros)
  }
}
