public import TritCore
public import TritSampling
import TritTokenization

/// What to generate.
public struct GenerationOptions: Sendable {
  /// How the next token is chosen.
  public var sampling: SamplingOptions
  /// A chain in an order of its own, by names that the engine's lab knows; wins over `sampling`
  /// (its seed still counts).
  public var stages: [StageChoice]
  /// Tokens to generate at most; negative: until the context is full.
  public var maxTokens: Int
  /// Whether to go on after an end-of-generation token.
  public var ignoresEnd: Bool
  /// Texts that end a generation where they appear; none of them is part of what it gives.
  public var stops: [String] = []
  /// Whether the tokenizer's template, usually BOS in front, is applied to a prompt that is text.
  public var addsSpecial = true

  /// 128 tokens with llama.cpp's sampling defaults.
  public init(
    sampling: SamplingOptions = SamplingOptions(), stages: [StageChoice] = [], maxTokens: Int = 128,
    ignoresEnd: Bool = false
  ) {
    self.sampling = sampling
    self.stages = stages
    self.maxTokens = maxTokens
    self.ignoresEnd = ignoresEnd
  }

  /// The chain that draws the tokens, its stages looked up in `lab`. Throws a usage error for a
  /// name or a value that they do not know. `breakers` are the token sequences at which repetitions
  /// end (`dryBreakers`).
  public func chain(
    vocabulary: Int = 0, lab: Lab = .stages, breakers: [[Int32]] = []
  ) throws -> SamplerChain {
    guard !stages.isEmpty else {
      return try SamplerChain(
        sampling, vocabulary: vocabulary, breakers: breakers, processors: lab[.processor],
        samplers: lab[.sampler])
    }
    return try SamplerChain(
      stages: stages, seed: sampling.seed, vocabulary: vocabulary, breakers: breakers,
      processors: lab[.processor], samplers: lab[.sampler])
  }
}

/// What a generation gave.
public struct GenerationResult: Sendable {
  /// Why it ended.
  public enum Finish: String, Sendable {
    /// `maxTokens` were drawn.
    case length
    /// An end-of-generation token was drawn.
    case endOfGeneration = "end"
    /// The context is full.
    case context
    /// The caller had enough.
    case stopped
    /// A stop text appeared.
    case stopText = "stop"
  }

  /// The prompt.
  public var prompt: [Int]
  /// The tokens drawn, an end-of-generation token not included.
  public var tokens: [Int] = []
  /// Why it ended.
  public var finish = Finish.length
  /// Seconds from the prompt's first token to the logits after its last.
  public var promptSeconds = 0.0
  /// Seconds in decode steps, sampling not included.
  public var decodeSeconds = 0.0
  /// Decode steps that ran: the token drawn last is not run, unless an end token came after it.
  public var decodeSteps = 0
  /// Seconds from the logits after the prompt to the end: all draws, all decode steps, and what the
  /// caller does with each token.
  public var generationSeconds = 0.0

  /// Prompt tokens a second.
  public var promptTokensPerSecond: Double {
    promptSeconds > 0 ? Double(prompt.count) / promptSeconds : 0
  }
  /// Tokens drawn a second, as llama.cpp's server counts (`predicted_per_second`): `tokens` over
  /// `generationSeconds`. The first token comes from the prompt's logits, so that one token more
  /// than steps is in it; `decodeTokensPerSecond` is the speed of the steps. nil where no time
  /// passed.
  public var generatedTokensPerSecond: Double? {
    generationSeconds > 0 && !tokens.isEmpty ? Double(tokens.count) / generationSeconds : nil
  }
  /// Decode steps a second.
  public var decodeTokensPerSecond: Double {
    decodeSeconds > 0 ? Double(decodeSteps) / decodeSeconds : 0
  }
}

extension Engine {
  /// Continues `prompt` from an empty cache: the same tokens for the same seed, whatever the number
  /// of threads (lossless kernels). `onToken` sees each token as it is drawn and returns whether to
  /// go on.
  ///
  /// Throws as `prefill` does, for bad options, and for NaN logits.
  public func generate(
    prompt: [Int], options: GenerationOptions = GenerationOptions(),
    onToken: (Int) throws -> Bool = { _ in true }
  ) throws -> GenerationResult {
    var chain = try chain(options)
    return try generate(
      prompt: prompt, keeping: 0, options: options, chain: &chain, onToken: onToken)
  }

  /// The chain of `options` for this model, with what its tokenizer makes of sequence breakers.
  func chain(_ options: GenerationOptions) throws -> SamplerChain {
    let chain = try options.chain(vocabulary: vocabularySize, lab: lab)
    guard chain.usesBreakers else { return chain }
    return try options.chain(
      vocabulary: vocabularySize, lab: lab,
      breakers: try SequenceBreakers.sequences(options.sampling.dryBreakers, tokenizer))
  }

  /// The same with a chain that goes on, and without running the first `kept` tokens again: the
  /// cache holds them, since the run before had the same ones there.
  func generate(
    prompt: [Int], keeping kept: Int, options: GenerationOptions, chain: inout SamplerChain,
    onToken: (Int) throws -> Bool
  ) throws -> GenerationResult {
    if kept == 0 { reset() }
    guard prompt.count <= contextLength else {
      throw LabError(
        .badData, "the prompt does not fit the context",
        expected: "at most \(contextLength) tokens",
        got: "\(prompt.count)", advice: "shorten the prompt or raise the context with -c")
    }
    let room = contextLength - prompt.count + 1
    let limit = options.maxTokens < 0 ? room : min(options.maxTokens, room)
    var history = TokenHistory(
      prompt.map { Int32(truncatingIfNeeded: $0) }, reserving: prompt.count + limit)
    var result = GenerationResult(prompt: prompt)
    result.tokens.reserveCapacity(limit)
    let ends = options.ignoresEnd ? [] : tokenizer.endOfGeneration.union(configuration.eosTokens)
    let start = MonotonicClock.nanoseconds()
    let kept = min(kept, prompt.count - 1)
    let copy = kept > 0 ? AlignedBuffer<Float>(count: vocabularySize) : nil
    var logits: UnsafeBufferPointer<Float>
    if let copy {
      try forEachLogits(of: prompt, from: prompt.count - 1, keeping: kept) { _, values in
        _ = copy.mutableBuffer.update(from: values)
      }
      logits = copy.buffer
    } else {
      logits = try prefill(prompt)
    }
    defer { withExtendedLifetime(copy) {} }
    let prompted = MonotonicClock.nanoseconds()
    result.promptSeconds = Double(prompted - start) * 1e-9
    func ended(_ finish: GenerationResult.Finish) -> GenerationResult {
      result.finish = finish
      result.generationSeconds = Double(MonotonicClock.nanoseconds() - prompted) * 1e-9
      return result
    }
    while true {
      if result.tokens.count >= limit {
        return ended(options.maxTokens < 0 || limit < options.maxTokens ? .context : .length)
      }
      try Interruption.check()
      let token = Int(try chain.next(logits: logits, history: history))
      if ends.contains(token) {
        return ended(.endOfGeneration)
      }
      history.append(Int32(truncatingIfNeeded: token))
      result.tokens.append(token)
      guard try onToken(token) else {
        return ended(.stopped)
      }
      if result.tokens.count >= limit { continue }
      let before = MonotonicClock.nanoseconds()
      logits = try decode(token)
      result.decodeSeconds += Double(MonotonicClock.nanoseconds() - before) * 1e-9
      result.decodeSteps += 1
    }
  }

  /// Encodes `text` and continues it; `onText` sees the text as it grows, whole characters only.
  public func generate(
    text: String, options: GenerationOptions = GenerationOptions(), parseSpecial: Bool = false,
    onText: (String) throws -> Void = { _ in }
  ) throws -> (text: String, result: GenerationResult) {
    let prompt = try tokenizer.encode(
      text, addSpecial: options.addsSpecial, parseSpecial: parseSpecial)
    var chain = try chain(options)
    return try generate(
      prompt: prompt, keeping: 0, options: options, chain: &chain, atStart: text.isEmpty,
      onText: onText)
  }

  /// Answers a prompt that a chat template has made (`ChatFormat.prompt`): control tokens are read
  /// as such, and there is one BOS in front at most.
  public func generate(
    chat prompt: String, options: GenerationOptions = GenerationOptions(),
    onText: (String) throws -> Void = { _ in }
  ) throws -> (text: String, result: GenerationResult) {
    var chain = try chain(options)
    return try generate(
      prompt: try ChatFormat.tokens(prompt, tokenizer), keeping: 0, options: options, chain: &chain,
      atStart: false, onText: onText)
  }

  /// Continues tokens and hands out text, up to a stop text.
  func generate(
    prompt: [Int], keeping kept: Int, options: GenerationOptions, chain: inout SamplerChain,
    atStart: Bool, onText: (String) throws -> Void
  ) throws -> (text: String, result: GenerationResult) {
    var decoder = StreamingDecoder(tokenizer, atStart: atStart)
    var stops = StopTexts(options.stops)
    var output = ""
    func show(_ piece: String) throws {
      output += piece
      if !piece.isEmpty { try onText(piece) }
    }
    var result = try generate(prompt: prompt, keeping: kept, options: options, chain: &chain) {
      try show(stops.append(try decoder.append($0)))
      return !stops.isOver
    }
    try show(stops.append(decoder.finish()) + stops.finish())
    if stops.isOver { result.finish = .stopText }
    return (output, result)
  }
}
