internal import TritCore
public import TritEvaluation
internal import TritModel

/// Kullback-Leibler divergence from the reference and what goes with it, as llama-perplexity
/// reports.
public struct DivergenceMeasure: WindowedMeasure {
  /// The key of the section.
  public static let key = "divergence"
  /// What is measured.
  public static let summary = "KL divergence from the reference, and what goes with it."
  /// Where the definition comes from.
  public static let source = "llama.cpp, llama-perplexity --kl-divergence"
  /// The settings of the section.
  public static let fields = [
    MeasureField(
      "data", "A text file, a folder, JSONL, or a known name such as wikitext-2-raw/test.", .data,
      .section(PerplexityMeasure.key, unless: nil)),
    MeasureField(
      "field", "The field to read of each line of a JSONL file.", .text,
      .section(PerplexityMeasure.key, unless: "data")),
    MeasureField(
      "context", "Tokens a window.", .integer(PerplexityMeasure.windowLengths),
      .section(PerplexityMeasure.key, unless: nil)),
    MeasureField(
      "chunks", "Windows, at most; or a part of them, a:b, from 0 and without b.",
      .windows(1...PerplexityMeasure.windowLengths.upperBound),
      .section(PerplexityMeasure.key, unless: nil)),
  ]
  /// The mean divergence of each window: compared where the baseline is a variant too.
  public static let quantities = [
    PairedQuantity(
      key: key, title: "KL divergence", section: key, column: "kld",
      metric: "divergence.kld.mean",
      form: .mean(weights: "tokens", .plain(unit: "nats"), group: "document"),
      lowerIsBetter: true)
  ]
  /// Its columns in the table of results.
  public static let columns = [
    ReportColumn(
      "KL divergence", key: "divergence.kld.mean", error: "divergence.kld.error", group: .quality,
      meaning:
        "How far the predicted probabilities are from the reference's, in nats a token; 0 is "
        + "the same. ± is the larger of two standard errors: tokens taken as independent, or the spread "
        + "between windows."
    ) { Figures.text($0, error: $1) },
    ReportColumn(
      "Same top token", key: "divergence.same_top.share", error: "divergence.same_top.error",
      group: .quality, isShare: true,
      meaning:
        "How often the likeliest next token is the reference's, with its 95 % Wilson interval."
    ) { Figures.percent($0, error: $1) },
    ReportColumn(
      "Flips", key: "divergence.flips.share", group: .quality,
      meaning:
        "How often the likeliest next token is another than the reference's. KL divergence and flips measure "
        + "the volume of change, not its direction: a model can change much and be as good."
    ) { value, _ in Figures.percent(value) },
    ReportColumn(
      "Signed flips", key: "divergence.flips.signed", group: .quality,
      meaning:
        "Positions where the likeliest token became the text's own, less those where it no longer is, as a "
        + "share of all: the direction. Above 0 the variant predicts the text better than the reference."
    ) { value, _ in Figures.signed(100 * value, digits: 2) + " %" },
  ]

  /// The text; the perplexity section's where the file says nothing.
  public let data: PathReference
  /// The field to read of each line of a JSONL file.
  public let field: String?
  /// Tokens a window; nil as in `PerplexityMeasure`.
  public let context: Int?
  /// The windows that are measured.
  public let windows: WindowSelection

  /// Reads settings that have been checked.
  public init(_ settings: MeasureSettings) throws {
    guard let place = settings.place("data") else {
      throw settings.fault(
        "missing", at: "data",
        expected: "a text here, or in measure.perplexity.data, which is then used")
    }
    try PerplexityMeasure.checkWindow(settings)
    data = place
    field = settings.textIfGiven("field")
    context = settings.integerIfGiven("context")
    windows = settings.windows("chunks")
  }

  /// What has to be there before anything runs.
  public var needs: MeasureNeeds {
    var needs = MeasureNeeds()
    needs.text = (data, field)
    needs.comparesWithReference = true
    needs.requiresReference = true
    return needs
  }

  /// Throws what cannot work with a cache of `context` positions.
  public func check(context available: Int) throws {
    try PerplexityMeasure.checkWindow(context, fits: available, key: Self.key)
  }

  /// Measures one variant.
  public func run(_ run: MeasureRun) throws -> Measured {
    let reference = try run.reference()
    let method = try PerplexityProtocol(
      name: PerplexityMeasure.protocols[0], context: context,
      longest: min(run.longestWindow, reference.longestWindow))
    let text = try run.text()
    let cut = try method.windows(
      of: text, tokenizer: reference.model.tokenizer, selection: windows)
    let result = try DivergenceMeasurement().measure(
      variant: run.engine, reference: reference.model, windows: cut.windows, method: method,
      firstChunk: cut.first
    ) { run.progress($0.fraction) }
    let units = WindowUnits(cut)
    var measured = Self.measured(result, units, context: method.context)
    measured.facts = run.warnings(Self.key, context: method.context)
    if windows.isPart {
      measured.part = WindowPart(
        windows, first: cut.first, count: result.chunkCounts.count, total: cut.total,
        columns: units.adding(to: [
          "loss": result.variantNLL, "base_loss": result.baseNLL, "kld": result.divergences,
          "delta_p": result.probabilityChanges,
          "same_top": result.sameTop.map { $0 ? 1 : 0 },
          "right": result.variantRight.map { $0 ? 1 : 0 },
          "base_right": result.baseRight.map { $0 ? 1 : 0 },
          "position": result.positions.map { Double($0) },
          "window_tokens": result.chunkCounts.map { Double($0) },
        ]))
    }
    return measured
  }

  /// The figures of all parts.
  public func joined(
    _ columns: [String: [Double]], parts: [[String: Double]]
  ) throws -> Measured {
    let columns = PartColumns(columns: columns, section: Self.key)
    let counts: [Int] = try columns.integers("window_tokens")
    try columns.check(
      tokens: [
        "loss", "base_loss", "kld", "delta_p", "same_top", "right", "base_right", "position",
      ], windows: counts)
    let context = parts.first?["context"].flatMap { Int(exactly: $0) }
    let method = try PerplexityProtocol(name: PerplexityMeasure.protocols[0], context: context)
    let result = DivergenceStatistics(
      method: method, variantNLL: try columns.values("loss"),
      baseNLL: try columns.values("base_loss"), divergences: try columns.values("kld"),
      probabilityChanges: try columns.values("delta_p"),
      sameTop: try columns.values("same_top").map { $0 != 0 },
      variantRight: try columns.values("right").map { $0 != 0 },
      baseRight: try columns.values("base_right").map { $0 != 0 },
      positions: try columns.integers("position"), chunkCounts: counts)
    return Self.measured(
      result, try WindowUnits(columns), context: method.context)
  }

  private static func measured(
    _ result: DivergenceStatistics, _ units: WindowUnits, context: Int
  ) -> Measured {
    let buckets = result.byPosition(buckets: 32)
    let series = Series(columns: [
      "position": buckets.map(\.position), "kld": buckets.map(\.mean.value),
      "error": buckets.map(\.mean.error),
      "window_error": buckets.map { $0.windowError ?? .nan },
      "tokens": buckets.map { Double($0.count) },
    ])
    return Measured(
      metrics: metrics(result, context: context), series: ["by_position": series],
      samples: samples(result, units))
  }

  /// What each window gave.
  static func samples(_ result: DivergenceStatistics, _ units: WindowUnits) -> SampleTable {
    units.table(columns(of: result))
  }

  /// Means of each window.
  private static func columns(of result: DivergenceStatistics) -> [String: [Double]] {
    func means(_ values: [Double]) -> [Double] {
      WindowMeans.of(values, counts: result.chunkCounts)
    }
    let pairs = zip(result.variantRight, result.baseRight)
    return [
      "kld": means(result.divergences), "loss": means(result.variantNLL),
      "base_loss": means(result.baseNLL), "same_top": means(result.sameTop.map { $0 ? 1 : 0 }),
      "right_to_wrong": means(pairs.map { !$0 && $1 ? 1 : 0 }),
      "wrong_to_right": means(pairs.map { $0 && !$1 ? 1 : 0 }),
      "tokens": result.chunkCounts.map { Double($0) },
    ]
  }

  private static func metrics(_ result: DivergenceStatistics, context: Int) -> [String: Double] {
    var metrics: [String: Double] = [
      "kld.mean": result.meanDivergence.value, "kld.error": result.meanDivergence.error,
      "same_top.share": result.sameTopShare.value, "same_top.error": result.sameTopShare.error,
      "delta_p.mean": result.meanProbabilityChange.value,
      "delta_p.rms": result.rmsProbabilityChange.value,
      "delta_p.rms_error": result.rmsProbabilityChange.error,
      "log_ppl_ratio.value": result.comparison.logRatio.value,
      "log_ppl_ratio.error": result.comparison.logRatio.error,
      "tokens": Double(result.scoredTokens), "context": Double(context),
    ]
    for (name, fraction) in [
      ("median", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1), ("p01", 0.01), ("min", 0),
    ] {
      metrics["kld.\(name)"] = result.divergence(quantile: fraction)
    }
    metrics["delta_p.error"] = result.meanProbabilityChange.error
    metrics["chunks"] = Double(result.chunkCounts.count)
    let flips = Flips(variant: result.variantRight, baseline: result.baseRight)
    metrics["flips.share"] = 1 - result.sameTopShare.value
    metrics["flips.right_to_wrong"] = Double(flips.rightToWrong) / Double(max(flips.count, 1))
    metrics["flips.wrong_to_right"] = Double(flips.wrongToRight) / Double(max(flips.count, 1))
    metrics["flips.signed"] = flips.signedShare
    if let interval = result.sameTopInterval {
      metrics["same_top.share_lower"] = interval.lower
      metrics["same_top.share_upper"] = interval.upper
    }
    let errors = result.windowErrors
    metrics["kld.window_error"] = errors?.meanDivergence ?? .nan
    metrics["same_top.window_error"] = errors?.sameTopShare ?? .nan
    metrics["delta_p.window_error"] = errors?.meanProbabilityChange ?? .nan
    metrics["delta_p.rms_window_error"] = errors?.rmsProbabilityChange ?? .nan
    metrics["log_ppl_ratio.window_error"] = errors?.logRatio ?? .nan
    return metrics
  }
}
