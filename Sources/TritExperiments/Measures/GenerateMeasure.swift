internal import TritCore
internal import TritEvaluation
internal import TritModel
internal import TritSampling

/// Text generated from prompts, compared with what the reference writes.
public struct GenerateMeasure: Measure {
  /// The key of the section.
  public static let key = "generate"
  /// What is measured.
  public static let summary = "Text, and how long it is the reference's."
  /// The settings of the section.
  public static let fields = [
    MeasureField(
      "prompts", "The prompts, each continued on its own.", .prompts,
      .required(
        expected: "a list of prompts: [Once upon a time, {text: The cat}]", advice: nil)),
    MeasureField("tokens", "New tokens, at most.", .integer(1...1_048_576), standard: .integer(64)),
    MeasureField(
      "sampler", "How tokens are drawn where the variant says nothing else.", .sampler,
      standard: .sampler(.greedy)),
    MeasureField(
      "seed", "Seed of the draw, the same for every variant.", .integer(0...(1 << 53)),
      .seedOfExperiment),
    MeasureField("stop", "Whether an end token ends the text.", .flag, standard: .flag(true)),
    MeasureField(
      "until", "Texts that end the text where they appear; they are no part of it.",
      .words(expected: "a text that is not empty", pattern: "^[\\s\\S]+$", isLegal: { !$0.isEmpty })
    ),
    MeasureField(
      "chat", "Whether each prompt is a user's message, put into the model's chat template.", .flag,
      standard: .flag(false)),
    MeasureField("system", "The system message in front of each, with `chat`.", .text),
  ]
  /// Its columns in the table of results.
  public static let columns = [
    ReportColumn(
      "Agreeing tokens", key: "generate.agreement.tokens", group: .quality,
      meaning: "How many tokens the text is the reference's before it goes its own way, mean over "
        + "prompts."
    ) { value, _ in Figures.plain(value) },
    ReportColumn(
      "Decode, tokens/s", key: "generate.decode.tokens_per_second", group: .speed,
      meaning: "How fast the text was written: one sample, no error known."
    ) { value, _ in
      Figures.plain(value)
    } isShown: { records in
      !records.contains { $0.metrics["speed.decode.tokens_per_second"] != nil }
    },
  ]

  /// The prompts.
  public let prompts: [String]
  /// New tokens, at most.
  public let tokens: Int
  /// How tokens are drawn where the variant says nothing else.
  public let sampler: SamplerSettings
  /// The seed of the draw.
  public let seed: UInt64
  /// Whether an end-of-text token ends the text early.
  public let stopsAtEnd: Bool
  /// Texts that end a text.
  public let until: [String]
  /// Whether prompts are messages of a user.
  public let isChat: Bool
  /// The system message in front of each; nil for none.
  public let system: String?

  /// Reads settings that have been checked.
  public init(_ settings: MeasureSettings) throws {
    prompts = settings.texts("prompts")
    tokens = settings.integer("tokens")
    sampler = settings.sampler("sampler") ?? .greedy
    seed = UInt64(max(0, settings.integer("seed")))
    stopsAtEnd = settings.flag("stop")
    until = settings.texts("until")
    isChat = settings.flag("chat")
    system = settings.textIfGiven("system")
    if system != nil, !isChat {
      throw settings.fault(
        "has no effect without chat", at: "system", expected: "chat: true beside it",
        advice: "add chat: true, or leave it out")
    }
  }

  /// What has to be there before anything runs.
  public var needs: MeasureNeeds {
    var needs = MeasureNeeds()
    needs.comparesWithReference = true
    needs.sampler = sampler
    return needs
  }

  /// Throws where a chat is asked for and the model has no template, or one that refuses a prompt.
  func check(_ checkpoint: Checkpoint) throws {
    guard isChat else { return }
    let format = try ChatFormat(path: checkpoint.path)
    for prompt in prompts { _ = try format.prompt(ChatConversation(system: system, user: prompt)) }
  }

  /// Measures one variant.
  public func run(_ run: MeasureRun) throws -> Measured {
    let sampler = run.sampler ?? sampler
    var options = GenerationOptions(
      sampling: .greedy, stages: sampler.processors + [sampler.sampler], maxTokens: tokens,
      ignoresEnd: !stopsAtEnd)
    options.sampling.seed = seed
    options.stops = until
    let engine = run.engine
    let format = isChat ? try ChatFormat(path: run.checkpoint.path) : nil
    var texts: [GeneratedText] = []
    var results: [GenerationResult] = []
    var load = MachineLoad()
    engine.resetTimes()
    for (index, prompt) in prompts.enumerated() {
      run.progress(Double(index) / Double(prompts.count))
      let asked = try format?.prompt(ChatConversation(system: system, user: prompt))
      let ((text, result), given) = try MachineLoad.during {
        try asked.map { try engine.generate(chat: $0, options: options) }
          ?? engine.generate(text: prompt, options: options)
      }
      load = load + given
      results.append(result)
      texts.append(
        GeneratedText(
          prompt: prompt, text: text, tokens: result.tokens, finish: result.finish.rawValue,
          agreement: nil, promptTokens: result.prompt.count))
    }
    var measured = Self.compared(texts, with: run.referenceTexts)
    measured.metrics.merge(Self.speeds(results)) { $1 }
    measured.metrics["wait_share"] = load.waitShare
    if let notes = format?.notes, !notes.isEmpty {
      measured.facts["chat template"] = notes.joined(separator: "; ")
    }
    for (stage, seconds) in engine.times.seconds where seconds > 0 {
      measured.metrics["time.\(stage)_seconds"] = seconds
    }
    if let share = load.waitShare, share > SpeedDisturbance.Limit.waiting {
      measured.facts[Warnings.key(Self.key)] =
        "others used the machine: threads waited for a core \(Figures.percent(share)) of the time, speeds "
        + "of the texts are too low"
    }
    return measured
  }

  private static func speeds(_ results: [GenerationResult]) -> [String: Double] {
    var metrics = ["tokens": Double(results.reduce(0) { $0 + $1.tokens.count })]
    let prompted = results.reduce(0.0) { $0 + $1.promptSeconds }
    let decoded = results.reduce(0.0) { $0 + $1.decodeSeconds }
    let steps = results.reduce(0) { $0 + $1.decodeSteps }
    if prompted > 0 {
      metrics["prefill.tokens_per_second"] =
        Double(results.reduce(0) { $0 + $1.prompt.count }) / prompted
    }
    if decoded > 0, steps > 0 { metrics["decode.tokens_per_second"] = Double(steps) / decoded }
    return metrics
  }

  /// Texts with how long each is the reference's, and the mean of that.
  package static func compared(
    _ texts: [GeneratedText], with reference: [GeneratedText]?
  ) -> Measured {
    var measured = Measured(metrics: [:], texts: texts)
    guard let reference, reference.count == texts.count, !texts.isEmpty else { return measured }
    var total = 0
    for index in texts.indices {
      let agreement = zip(texts[index].tokens, reference[index].tokens).prefix { $0 == $1 }.count
      measured.texts[index].agreement = agreement
      total += agreement
    }
    measured.metrics["agreement.tokens"] = Double(total) / Double(texts.count)
    let longest = zip(texts, reference).reduce(0) { $0 + max($1.0.tokens.count, $1.1.tokens.count) }
    measured.metrics["agreement.share"] = longest == 0 ? 1 : Double(total) / Double(longest)
    return measured
  }
}
