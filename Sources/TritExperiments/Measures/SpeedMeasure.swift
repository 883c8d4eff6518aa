internal import TritCore
internal import TritModel

/// Tokens a second of prefill and decode.
public struct SpeedMeasure: Measure {
  /// The key of the section.
  public static let key = "speed"
  /// What is measured.
  public static let summary = "Tokens a second."
  /// The settings of the section.
  public static let fields = [
    MeasureField(
      "prompt", "Tokens of the prompt.", .integer(1...1_048_576), standard: .integer(128)),
    MeasureField(
      "tokens", "Tokens that are generated.", .integer(1...1_048_576), standard: .integer(64)),
    MeasureField(
      "repetitions", "Rounds in which both are measured, each variant once in every round.",
      .integer(1...1000), standard: .integer(5)),
    MeasureField(
      "roofs", "Whether the machine's roofs are measured beside.", .flag, standard: .flag(false)),
  ]
  /// Its columns in the table of results.
  public static let columns = [
    ReportColumn(
      "Prefill, tokens/s", key: "speed.prefill.tokens_per_second",
      error: "speed.prefill.tokens_per_second_mad", group: .speed,
      meaning:
        "How fast a prompt is read; median ± median absolute deviation over rounds, each of which "
        + "measures every variant once. (!): others used the machine, see the warnings."
    ) { Figures.text($0, error: $1) },
    ReportColumn(
      "Decode, tokens/s", key: "speed.decode.tokens_per_second",
      error: "speed.decode.tokens_per_second_mad", group: .speed,
      meaning: "How fast new tokens come, one after the other; median ± median absolute deviation."
    ) { Figures.text($0, error: $1) },
  ]

  /// Tokens of the prompt.
  public let prompt: Int
  /// Tokens that are generated.
  public let tokens: Int
  /// Times that both are measured; the median is reported.
  public let repetitions: Int
  /// Whether the machine's roofs are measured beside them.
  public let roofs: Bool

  /// Reads settings that have been checked.
  public init(_ settings: MeasureSettings) {
    prompt = settings.integer("prompt")
    tokens = settings.integer("tokens")
    repetitions = settings.integer("repetitions")
    roofs = settings.flag("roofs")
  }

  /// The machine for itself: it measures time.
  public var needs: MeasureNeeds {
    var needs = MeasureNeeds()
    needs.needsMachine = true
    return needs
  }

  /// Throws what cannot work with a cache of `context` positions.
  public func check(context: Int) throws {
    guard prompt + tokens > context else { return }
    throw LabError(
      .badData, "measure.speed: prompt and tokens do not fit the context of the model",
      expected: "prompt + tokens at most \(context)", got: "\(prompt + tokens)",
      advice: "lower them, or raise 'context' at the top of the file")
  }

  /// Alone: rounds of one.
  public func run(_ run: MeasureRun) throws -> Measured {
    guard let measured = try rounds([run.session], progress: run.progress).first else {
      throw LabError(.internalError, "a speed measurement gave nothing")
    }
    return measured
  }

  /// How it was measured, for readers of the report.
  public func provenance(_ records: [RunRecord]) -> [(key: String, value: String)] {
    [("speed", "prompt of \(prompt), then \(tokens) tokens, \(repetitions) rounds")]
  }
}
