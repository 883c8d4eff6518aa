public import TritCore
public import TritSampling
import TritTokenization

/// What to generate.
public struct GenerationOptions: Sendable {
  /// How the next token is chosen.
  public var sampling: SamplingOptions
  /// A chain in an order of its own; wins over `sampling` (its seed still counts).
  public var stages: [StageChoice]
  /// Tokens to generate at most; negative: until the context is full.
  public var maxTokens: Int
  /// Whether to go on after an end-of-generation token.
  public var ignoresEnd: Bool

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
  /// Decode steps that ran.
  public var decodeSteps = 0

  /// Prompt tokens a second.
  public var promptTokensPerSecond: Double {
    promptSeconds > 0 ? Double(prompt.count) / promptSeconds : 0
  }
  /// Decode steps a second.
  public var decodeTokensPerSecond: Double {
    decodeSeconds > 0 ? Double(decodeSteps) / decodeSeconds : 0
  }
}

extension Engine {
  /// Continues `prompt` from an empty cache: the same tokens for the same seed, whatever the number of
  /// threads (lossless kernels). `onToken` sees each token as it is drawn and returns whether to go on.
  ///
  /// Throws as `prefill` does, for bad options, and for NaN logits.
  public func generate(
    prompt: [Int], options: GenerationOptions = GenerationOptions(),
    onToken: (Int) throws -> Bool = { _ in true }
  ) throws -> GenerationResult {
    reset()
    guard prompt.count <= contextLength else {
      throw LabError(
        .badData, "the prompt does not fit the context",
        expected: "at most \(contextLength) tokens",
        got: "\(prompt.count)", advice: "shorten the prompt or raise the context with -c")
    }
    var chain =
      options.stages.isEmpty
      ? try SamplerChain(options.sampling, vocabulary: vocabularySize)
      : try SamplerChain(
        stages: options.stages, seed: options.sampling.seed, vocabulary: vocabularySize)
    let room = contextLength - prompt.count + 1
    let limit = options.maxTokens < 0 ? room : min(options.maxTokens, room)
    var history = TokenHistory(
      prompt.map { Int32(truncatingIfNeeded: $0) }, reserving: prompt.count + limit)
    var result = GenerationResult(prompt: prompt)
    result.tokens.reserveCapacity(limit)
    let ends = options.ignoresEnd ? [] : tokenizer.endOfGeneration.union(configuration.eosTokens)
    let start = MonotonicClock.nanoseconds()
    var logits = try prefill(prompt)
    result.promptSeconds = Double(MonotonicClock.nanoseconds() - start) * 1e-9
    while true {
      if result.tokens.count >= limit {
        result.finish = options.maxTokens < 0 || limit < options.maxTokens ? .context : .length
        return result
      }
      try Interruption.check()
      let token = Int(try chain.next(logits: logits, history: history))
      if ends.contains(token) {
        result.finish = .endOfGeneration
        return result
      }
      history.append(Int32(truncatingIfNeeded: token))
      result.tokens.append(token)
      guard try onToken(token) else {
        result.finish = .stopped
        return result
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
    let prompt = try tokenizer.encode(text, addSpecial: true, parseSpecial: parseSpecial)
    var decoder = StreamingDecoder(tokenizer, atStart: text.isEmpty)
    var output = ""
    let result = try generate(prompt: prompt, options: options) { token in
      let piece = try decoder.append(token)
      output += piece
      if !piece.isEmpty { try onText(piece) }
      return true
    }
    let tail = decoder.finish()
    if !tail.isEmpty { try onText(tail) }
    return (output + tail, result)
  }
}
