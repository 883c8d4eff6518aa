internal import TritCore
internal import TritEvaluation
internal import TritModel

/// Arithmetic energy of a token by the model of the BitNet papers, and joules measured where the processor
/// shows them.
public struct EnergyMeasure: Sendable, Hashable {
  /// Positions that attention looks at in the counted token.
  public var context: Int
  /// Tokens that are decoded between two readings of the counters; 0 measures nothing.
  public var tokens: Int
  /// The format of what is float: `fp16` or `fp32`.
  public var float: String
  /// The adder of integer products: `int8` as the papers count, `int32` as kernels do.
  public var accumulator: String
}

extension ExperimentDecoder {
  static let energyKeys = ["context", "tokens", "float", "accumulator"]
  static let energyFloats = ["fp16", "fp32"]
  static let energyAccumulators = ["int8", "int32"]

  /// The section `measure.energy`.
  func energy(_ fields: Fields) -> EnergyMeasure {
    EnergyMeasure(
      context: fields.integer("context", 1...Self.tokenRange.upperBound) ?? 256,
      tokens: fields.integer("tokens", 0...Self.tokenRange.upperBound) ?? 64,
      float: fields.word("float", Self.energyFloats) ?? "fp16",
      accumulator: fields.word("accumulator", Self.energyAccumulators) ?? "int8")
  }
}

extension LabSession {
  func energy(_ measure: EnergyMeasure, progress: (Double) -> Void) throws -> Measured {
    let operations = TokenOperations(
      engine.configuration, layers: engine.layers, context: measure.context,
      hasSubNorms: checkpoint.hasSubNorms, float: .init(rawValue: measure.float) ?? .fp16,
      accumulator: .init(rawValue: measure.accumulator) ?? .int8)
    var metrics = [
      "additions": operations.total.totalAdditions,
      "multiplications": operations.total.totalMultiplications,
    ]
    var columns: [String: [Double]] = ["additions": [], "multiplications": []]
    for part in TokenOperations.Part.allCases {
      let count = operations.parts[part] ?? OperationCount()
      columns["additions"]?.append(count.totalAdditions)
      columns["multiplications"]?.append(count.totalMultiplications)
      for node in OperationEnergy.Node.allCases {
        let energy = count.picojoules(node)
        metrics["\(part.rawValue).\(node.rawValue)_picojoules"] = energy
        columns["picojoules_\(node.rawValue)", default: []].append(energy)
      }
    }
    for node in OperationEnergy.Node.allCases {
      metrics["total.\(node.rawValue)_picojoules"] = operations.total.picojoules(node)
    }
    var result = Measured(
      metrics: metrics,
      series: [
        "parts": Series(labels: TokenOperations.Part.allCases.map(\.rawValue), columns: columns)
      ])
    try measureJoules(measure, into: &result, progress: progress)
    return result
  }

  /// Joules a decoded token, where there are counters; else the reason why not, as a fact.
  private func measureJoules(
    _ measure: EnergyMeasure, into result: inout Measured, progress: (Double) -> Void
  ) throws {
    guard measure.tokens > 0 else { return }
    let counter: EnergyCounter
    do {
      counter = try EnergyCounter()
    } catch let error as LabError where error.kind == .missingInput {
      result.facts["measured energy"] = "none: \(error.what)"
      return
    }
    let count = min(measure.tokens, engine.contextLength)
    var random = SeededRandom(seed: 1)
    let tokens = (0..<count).map { _ in random.below(engine.vocabularySize) }
    // Counters move about every millisecond: a second makes that a thousandth.
    let begin = MonotonicClock.seconds()
    let start = counter.read()
    var decoded = 0
    repeat {
      try Interruption.check()
      engine.reset()
      for token in tokens { try engine.decode(token) }
      decoded += count
      progress(min((MonotonicClock.seconds() - begin), 1))
    } while MonotonicClock.seconds() - begin < 1
    let joules = counter.joules(from: start, to: counter.read())
    let seconds = MonotonicClock.seconds() - begin
    engine.reset()
    result.metrics["measured.joules_per_token"] = joules / Double(decoded)
    result.metrics["measured.watts"] = joules / seconds
    result.facts["measured energy"] = "RAPL, whole package, idle power included"
  }
}

extension Report {
  static let energy = [
    ReportColumn(
      title: "Matmuls, µJ/token (7 nm)", key: "energy.linear.7nm_picojoules", errorKey: nil,
      format: { value, _ in Figures.plain(value * 1e-6) },
      meaning: energyMeaning("the linear layers' additions and multiplications")),
    ReportColumn(
      title: "All arithmetic, µJ/token (7 nm)", key: "energy.total.7nm_picojoules", errorKey: nil,
      format: { value, _ in Figures.plain(value * 1e-6) },
      meaning: energyMeaning(
        "the same with attention, norms and output head, which are float in every variant")),
    ReportColumn(
      title: "All arithmetic, µJ/token (45 nm)", key: "energy.total.45nm_picojoules", errorKey: nil,
      format: { value, _ in Figures.plain(value * 1e-6) },
      meaning: "The same at 45 nm."),
    ReportColumn(
      title: "Measured, mJ/token", key: "energy.measured.joules_per_token", errorKey: nil,
      format: { value, _ in Figures.plain(value * 1e3) },
      meaning: "What the processor's counters (RAPL) say of its whole package while tokens were "
        + "decoded, idle power included."),
  ]

  /// What was counted and what was measured.
  var energyProvenance: [(key: String, value: String)] {
    guard let energy = plan.file.measure.energy else { return [] }
    var list = [
      (
        key: "arithmetic energy",
        value: "\(energy.context) positions of context, float as \(energy.float), integer sums in "
          + "\(energy.accumulator)"
      )
    ]
    if let fact = rows.compactMap({ $0.facts["measured energy"] }).first {
      list.append((key: "measured energy", value: fact))
    }
    return list
  }

  private static func energyMeaning(_ what: String) -> String {
    "Energy of \(what), counted from shapes and multiplied with published picojoules an operation "
      + "(Horowitz 2014, Jouppi et al. 2021): adders and multipliers alone, no memory."
  }
}

extension PlotData {
  /// Stacked bars by part, two a variant: 45 nm and 7 nm.
  static func energy(_ report: Report) -> PlotData? {
    let records = report.rows.filter { $0.metrics["energy.total.7nm_picojoules"] != nil }
    guard !records.isEmpty else { return nil }
    var lines: [String] = []
    for record in records {
      for node in ["45nm", "7nm"] {
        let parts = ["linear", "attention", "other", "head"].map {
          (record.metrics["energy.\($0).\(node)_picojoules"] ?? 0) * 1e-6
        }
        let label = "\(cell(record.label)), \(node == "7nm" ? "7 nm" : "45 nm")"
        let total = parts.reduce(0, +)
        lines.append(
          (["\(lines.count)"] + parts.map { "\($0)" } + [label, "\(total)", Figures.plain(total)])
            .joined(separator: "\t"))
      }
    }
    let header = "# row\tlinear\tattention\tother\thead\tlabel\ttotal\tshown\n"
    return PlotData(
      table: header + lines.map { $0 + "\n" }.joined(), variables: [], rows: lines.count,
      height: 170 + 34 * max(lines.count, 2))
  }
}
