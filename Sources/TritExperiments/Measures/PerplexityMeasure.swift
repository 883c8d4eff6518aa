internal import Foundation
internal import TritCore
public import TritEvaluation
internal import TritModel

/// Perplexity of a text by a named protocol.
public struct PerplexityMeasure: WindowedMeasure {
  /// The protocols; the first is the default.
  static let protocols = PerplexityProtocol.descriptions.map(\.name)
  /// Tokens of a window. Of the protocol `llama.cpp`, 3 are the fewest whose second half predicts
  /// one.
  static let windowLengths = 2...16_777_216
  static let halfWindows = 3...16_777_216

  /// The key of the section.
  public static let key = "perplexity"
  /// What is measured.
  public static let summary = "Perplexity of a text."
  /// Where the definition comes from.
  public static let source =
    "llama.cpp's llama-perplexity; Hugging Face, 'Perplexity of fixed-length models'"
  /// The settings of the section.
  public static let fields = [
    MeasureField(
      "data", "A text file, a folder, JSONL, or a known name such as wikitext-2-raw/test.", .data,
      .required(
        expected: "a text file, a folder, or the name of a data set",
        advice: "as in data: data/little-stories.txt, or wikitext-2-raw/test")),
    MeasureField("field", "The field to read of each line of a JSONL file.", .text),
    MeasureField("context", "Tokens a window.", .integer(windowLengths)),
    MeasureField(
      "chunks", "Windows, at most; or a part of them, a:b, from 0 and without b.",
      .windows(1...windowLengths.upperBound)),
    MeasureField(
      "protocol", "How windows are cut and scored.", .word(protocols.map { ($0, "") }),
      standard: .text(protocols[0])),
    MeasureField("stride", "Tokens between windows.", .integer(1...windowLengths.upperBound)),
    MeasureField(
      "keep", "Losses that are kept beside the figures.",
      .word([("windows", "the mean of each window"), ("tokens", "that of each token too")]),
      standard: .text("windows")),
  ]
  /// The mean loss of each window.
  public static let quantities = [
    PairedQuantity(
      key: key, title: "Perplexity", section: key, column: "loss", metric: "perplexity.value",
      form: .mean(weights: "tokens", .percentOfRatio, group: "document"), lowerIsBetter: true)
  ]
  /// Its columns in the table of results.
  public static let columns = [
    ReportColumn(
      "Perplexity", key: "perplexity.value", error: "perplexity.error", group: .quality,
      meaning:
        "How surprised the model is by the text: the number of equally likely tokens that it "
        + "hesitates between. Lower is better; ± is the larger of two standard errors, as the next column "
        + "tells them."
    ) { Figures.text($0, error: $1) },
    ReportColumn(
      "± tokens / windows", key: "perplexity.error", error: "perplexity.window_error",
      group: .quality,
      meaning:
        "Two standard errors of the perplexity: one that takes tokens as independent, as llama-perplexity "
        + "does, and one by the spread between windows of text, which does not (none for one window)."
    ) { Figures.plain($0) + " / " + ($1.map { Figures.plain($0) } ?? "–") },
    ReportColumn(
      "Bits a byte", key: "perplexity.bits_per_byte", group: .quality,
      meaning:
        "The same surprise in bits a byte of the text: what can be compared where models cut "
        + "the text into other tokens."
    ) { value, _ in
      Figures.fixed(value, 4)
    } isShown: { records in
      // Where tokens differ, figures a token cannot be compared.
      Set(records.compactMap { $0.metrics["perplexity.tokens"] }).count > 1
    },
    ReportColumn(
      "Above the floor", key: "perplexity.above_floor", error: "perplexity.above_floor_error",
      group: .quality,
      meaning:
        "Nats a token by which the model is more surprised than the source of the text itself, "
        + "whose entropy is known; ± as for the perplexity."
    ) { Figures.text($0, error: $1) },
  ]

  /// A text file, a folder, JSONL, or the name of a known data set.
  public let data: PathReference
  /// The field to read of each line of a JSONL file.
  public let field: String?
  /// Tokens a window; nil is the protocol's default, no longer than the model allows.
  public let context: Int?
  /// `llama.cpp`, `strided`, `contiguous` or `lm-eval`.
  public let protocolName: String
  /// Tokens between windows, for `strided`.
  public let stride: Int?
  /// The windows that are measured.
  public let windows: WindowSelection
  /// Whether the loss of every token is kept.
  public let keepsTokens: Bool

  /// Reads settings that have been checked.
  public init(_ settings: MeasureSettings) throws {
    guard let place = settings.place("data") else {
      throw settings.fault("missing", at: "data", expected: "a text")
    }
    data = place
    field = settings.textIfGiven("field")
    context = settings.integerIfGiven("context")
    protocolName = settings.text("protocol")
    stride = settings.integerIfGiven("stride")
    windows = settings.windows("chunks")
    keepsTokens = settings.text("keep") == "tokens"
    if protocolName == Self.protocols[0] { try Self.checkWindow(settings) }
    guard let stride else { return }
    guard protocolName == "strided" else {
      throw settings.fault(
        "only the protocol 'strided' has a stride", at: "stride", got: "protocol \(protocolName)",
        advice: "drop it, or set protocol: strided")
    }
    guard context.map({ stride <= $0 }) ?? true else {
      throw settings.fault(
        "bad value", at: "stride", expected: "at most the context, \(context ?? 0)",
        got: "\(stride)")
    }
  }

  /// Throws for windows whose second half predicts nothing.
  static func checkWindow(_ settings: MeasureSettings) throws {
    guard let context = settings.integerIfGiven("context"), !halfWindows.contains(context) else {
      return
    }
    throw settings.fault(
      "bad value", at: "context",
      expected: "a whole number, \(halfWindows.lowerBound)…\(halfWindows.upperBound)",
      got: "\(context)")
  }

  /// What has to be there before anything runs.
  public var needs: MeasureNeeds {
    var needs = MeasureNeeds()
    needs.text = (data, field)
    return needs
  }

  /// Throws what cannot work with a cache of `context` positions.
  public func check(context available: Int) throws {
    try Self.checkWindow(context, fits: available, key: Self.key)
  }

  /// Throws for windows that are longer than the KV cache.
  static func checkWindow(_ tokens: Int?, fits context: Int, key: String) throws {
    guard let tokens, tokens > context else { return }
    throw LabError(
      .badData, "measure.\(key).context: a window does not fit the context of the model",
      expected: "at most \(context)", got: "\(tokens)",
      advice: "lower it, or raise 'context' at the top of the file")
  }

  /// Measures one variant.
  public func run(_ run: MeasureRun) throws -> Measured {
    let method = try PerplexityProtocol(
      name: protocolName, context: context, stride: stride, longest: run.longestWindow)
    let text = try run.text()
    let cut = try method.windows(
      of: text, tokenizer: run.engine.tokenizer, selection: windows)
    let result = try Perplexity.measure(
      run.engine, windows: cut.windows, method: method, parseSpecial: text.writesControlTokens,
      firstChunk: cut.first
    ) { run.progress($0.fraction) }
    let units = WindowUnits(cut)
    var metrics = Self.metrics(result)
    if let floor = try text.floor(by: run.engine.tokenizer) {
      metrics["floor"] = exp(floor)
      metrics["floor_nll"] = floor
      metrics["floor_bits_per_byte"] = text.floorBitsPerByte
      Self.compareWithFloor(&metrics)
    }
    // Of a part nobody knows the text.
    if !windows.isPart, windows.upper == nil, let told = result.harnessFigures(of: text.text) {
      metrics["word"] = told.word
      metrics["byte"] = told.byte
      metrics["bits_per_byte"] = told.bits
    }
    var measured = Measured(
      metrics: metrics, facts: run.warnings(Self.key, context: method.context),
      samples: Self.samples(result, units, keepsTokens: keepsTokens))
    if windows.isPart {
      measured.part = WindowPart(
        windows, first: result.firstChunk, count: result.chunks, total: cut.total,
        columns: units.adding(to: [
          "loss": result.nll, "position": result.positions.map { Double($0) },
          "window_tokens": result.chunkCounts.map { Double($0) },
          // Bytes of each part; none where they are not known.
          "bytes": result.scoredBytes.map { [Double($0)] } ?? [.nan],
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
    try columns.check(tokens: ["loss", "position"], windows: counts)
    let bytes = try columns.values("bytes")
    let method = try PerplexityProtocol(
      name: protocolName, context: parts.first?["context"].flatMap { Int(exactly: $0) },
      stride: stride)
    let result = PerplexityResult(
      method: method, nll: try columns.values("loss"), positions: try columns.integers("position"),
      chunkCounts: counts,
      scoredBytes: bytes.contains { $0.isNaN } ? nil : Int(exactly: bytes.reduce(0, +)),
      seconds: parts.reduce(0) { $0 + ($1["seconds"] ?? 0) })
    var metrics = Self.metrics(result)
    for key in ["floor", "floor_nll", "floor_bits_per_byte"] { metrics[key] = parts.first?[key] }
    Self.compareWithFloor(&metrics)
    return Measured(
      metrics: metrics,
      samples: Self.samples(result, try WindowUnits(columns), keepsTokens: keepsTokens))
  }

  /// What each window gave, and each token where `keepsTokens`.
  static func samples(
    _ result: PerplexityResult, _ units: WindowUnits, keepsTokens: Bool
  ) -> SampleTable {
    var table = units.table([
      "loss": result.chunkMeans, "tokens": result.chunkCounts.map { Double($0) },
    ])
    if keepsTokens { table.columns["token_loss"] = result.nll }
    return table
  }

  private static func metrics(_ result: PerplexityResult) -> [String: Double] {
    var metrics: [String: Double] = [
      "value": result.perplexity.value, "error": result.perplexity.error,
      "nll": result.meanNLL.value, "nll_error": result.meanNLL.error,
      "tokens": Double(result.scoredTokens), "chunks": Double(result.chunks),
      "context": Double(result.method.context), "seconds": result.seconds,
    ]
    if let bits = result.bitsPerByte { metrics["bits_per_byte"] = bits }
    metrics["nll_window_error"] = result.meanNLLWindowError ?? .nan
    metrics["window_error"] = result.perplexityWindowError ?? .nan
    if let loop = result.documentedLoopNLL { metrics["documented_loop_nll"] = loop }
    return metrics
  }

  /// How far the model is above the text's source, where that is known.
  private static func compareWithFloor(_ metrics: inout [String: Double]) {
    guard let floor = metrics["floor_nll"], let nll = metrics["nll"] else { return }
    metrics["above_floor"] = nll - floor
    metrics["above_floor_error"] = metrics["nll_error"]
    metrics["above_floor_window_error"] = metrics["nll_window_error"]
  }

  /// How it was measured, for readers of the report.
  public func provenance(_ records: [RunRecord]) -> [(key: String, value: String)] {
    guard let record = records.first(where: { $0.metrics["perplexity.tokens"] != nil }) else {
      return []
    }
    let tokens = Figures.fixed(record.metrics["perplexity.tokens"] ?? 0, 0)
    let context = Figures.fixed(record.metrics["perplexity.context"] ?? 0, 0)
    return [("perplexity", "protocol \(protocolName), context \(context), \(tokens) tokens scored")]
  }
}
