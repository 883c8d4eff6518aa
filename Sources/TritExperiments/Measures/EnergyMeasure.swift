internal import TritCore
internal import TritEvaluation
internal import TritModel

/// Arithmetic energy of a token by the model of the BitNet papers, and joules measured where the
/// processor shows them.
public struct EnergyMeasure: Measure {
  /// The key of the section.
  public static let key = "energy"
  /// What is measured.
  public static let summary =
    "Arithmetic energy of a token by published figures; joules where the processor shows them."
  /// Where the definition comes from.
  public static let source = "Horowitz 2014; Jouppi et al. 2021; BitNet, arXiv:2310.11453"
  /// The settings of the section.
  public static let fields = [
    MeasureField(
      "context", "Positions that attention looks at.", .integer(1...1_048_576),
      standard: .integer(256)),
    MeasureField(
      "tokens", "Tokens between two readings; 0 reads none.", .integer(0...1_048_576),
      standard: .integer(64)),
    MeasureField(
      "float", "What is float.", .word([("fp16", ""), ("fp32", "")]), standard: .text("fp16")),
    MeasureField(
      "accumulator", "The adder of integer products: as the papers count, or as kernels do.",
      .word([("int8", "as the papers count"), ("int32", "as kernels do")]),
      standard: .text("int8")),
  ]
  /// Its columns in the table of results.
  public static let columns = [
    ReportColumn(
      "Matmuls, µJ/token (7 nm)", key: "energy.linear.7nm_picojoules", group: .energy,
      meaning: meaning("the linear layers' additions and multiplications")
    ) { value, _ in Figures.plain(value * 1e-6) },
    ReportColumn(
      "All arithmetic, µJ/token (7 nm)", key: "energy.total.7nm_picojoules", group: .energy,
      meaning: meaning(
        "the same with attention, norms and output head, which are float in every variant")
    ) { value, _ in Figures.plain(value * 1e-6) },
    ReportColumn(
      "All arithmetic, µJ/token (45 nm)", key: "energy.total.45nm_picojoules", group: .energy,
      meaning: "The same at 45 nm."
    ) { value, _ in Figures.plain(value * 1e-6) },
    ReportColumn(
      "Measured, mJ/token", key: "energy.measured.joules_per_token", group: .energy,
      meaning: "What the processor's counters (RAPL) say of its whole package while tokens were "
        + "decoded, idle power included."
    ) { value, _ in Figures.plain(value * 1e3) },
  ]

  private static func meaning(_ what: String) -> String {
    "Energy of \(what), counted from shapes and multiplied with published picojoules an operation "
      + "(Horowitz 2014, Jouppi et al. 2021): adders and multipliers alone, no memory."
  }

  /// Positions that attention looks at in the counted token.
  public let context: Int
  /// Tokens that are decoded between two readings of the counters; 0 measures nothing.
  public let tokens: Int
  /// The format of what is float: `fp16` or `fp32`.
  public let float: String
  /// The adder of integer products: `int8` as the papers count, `int32` as kernels do.
  public let accumulator: String

  /// Reads settings that have been checked.
  public init(_ settings: MeasureSettings) {
    context = settings.integer("context")
    tokens = settings.integer("tokens")
    float = settings.text("float")
    accumulator = settings.text("accumulator")
  }

  /// The machine for itself, where joules are measured: the counters are those of the whole
  /// processor.
  public var needs: MeasureNeeds {
    var needs = MeasureNeeds()
    needs.needsMachine = tokens > 0
    return needs
  }

  /// Measures one variant.
  public func run(_ run: MeasureRun) throws -> Measured {
    let engine = run.engine
    let operations = TokenOperations(
      engine.plan, layers: engine.layers, context: context,
      float: .init(rawValue: float) ?? .fp16, accumulator: .init(rawValue: accumulator) ?? .int8)
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
    try measureJoules(run, into: &result)
    return result
  }

  /// Joules a decoded token, where there are counters; else the reason why not, as a fact.
  private func measureJoules(
    _ run: MeasureRun, into result: inout Measured
  ) throws {
    let engine = run.engine
    guard tokens > 0 else { return }
    let counter: EnergyCounter
    do {
      counter = try EnergyCounter()
    } catch let error as LabError where error.kind == .missingInput {
      result.facts["measured energy"] = "none: \(error.what)"
      return
    }
    let count = min(tokens, engine.contextLength)
    var random = SeededRandom(seed: 1)
    let drawn = (0..<count).map { _ in random.below(engine.vocabularySize) }
    // Counters move about every millisecond: a second makes that a thousandth.
    let begin = MonotonicClock.seconds()
    let start = counter.read()
    var decoded = 0
    repeat {
      try Interruption.check()
      engine.reset()
      for token in drawn { try engine.decode(token) }
      decoded += count
      run.progress(min((MonotonicClock.seconds() - begin), 1))
    } while MonotonicClock.seconds() - begin < 1
    let joules = counter.joules(from: start, to: counter.read())
    let seconds = MonotonicClock.seconds() - begin
    engine.reset()
    result.metrics["measured.joules_per_token"] = joules / Double(decoded)
    result.metrics["measured.watts"] = joules / seconds
    result.facts["measured energy"] = "RAPL, whole package, idle power included"
  }

  /// How it was measured, for readers of the report.
  public func provenance(_ records: [RunRecord]) -> [(key: String, value: String)] {
    var list = [
      (
        key: "arithmetic energy",
        value: "\(context) positions of context, float as \(float), integer sums in \(accumulator)"
      )
    ]
    if let fact = records.compactMap({ $0.facts["measured energy"] }).first {
      list.append((key: "measured energy", value: fact))
    }
    return list
  }
}
