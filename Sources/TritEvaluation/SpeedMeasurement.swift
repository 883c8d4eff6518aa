import TritCore
public import TritModel

/// Times prompt processing and generation as llama-bench does: made-up tokens, no tokenization, no
/// sampling, an empty cache before every repetition, one repetition beforehand that does not count.
public struct SpeedMeasurement: Sendable, Hashable {
  /// Prompt tokens a repetition; 0 for pure generation.
  public var promptTokens: Int
  /// Tokens generated a repetition; 0 for pure prompt processing.
  public var generatedTokens: Int
  /// Positions that are in the cache already; running them is not timed.
  public var depth: Int
  /// Repetitions that count.
  public var repetitions: Int
  /// Whether one repetition runs beforehand.
  public var warmsUp: Bool

  /// llama-bench's defaults: nothing in the cache, five repetitions after a warm-up.
  public init(
    promptTokens: Int, generatedTokens: Int, depth: Int = 0, repetitions: Int = 5,
    warmsUp: Bool = true
  ) {
    self.promptTokens = promptTokens
    self.generatedTokens = generatedTokens
    self.depth = depth
    self.repetitions = repetitions
    self.warmsUp = warmsUp
  }

  /// Positions that the measurement needs.
  public var positions: Int { depth + promptTokens + generatedTokens }

  /// Runs the repetitions on `engine`, which is reset. `progress` hears of every one.
  ///
  /// Throws a usage error for sizes that measure nothing or do not fit the context, and `interrupted`.
  public func measure(_ engine: Engine, progress: ProgressReporter? = nil) throws -> SpeedResult {
    guard promptTokens >= 0, generatedTokens >= 0, depth >= 0, repetitions >= 1,
      promptTokens > 0 || generatedTokens > 0
    else {
      throw LabError(
        .usage, "there is nothing to time",
        expected: "a prompt or tokens to generate, and at least one repetition",
        got: "prompt \(promptTokens), generated \(generatedTokens), repetitions \(repetitions)")
    }
    guard positions <= engine.contextLength else {
      throw LabError(
        .usage, "the test does not fit the context", expected: "at most \(engine.contextLength)",
        got: "\(depth) + \(promptTokens) + \(generatedTokens) positions",
        advice: "raise the context with -c or time fewer tokens")
    }
    // The same tokens every time: a repetition differs from the next by nothing but noise.
    var random = SeededRandom(seed: 1)
    let tokens = (0..<positions).map { _ in random.below(engine.vocabularySize) }
    var meter = ProgressMeter(task: "speed", total: repetitions, report: progress)
    if warmsUp {
      // One token shows the decode path to caches and branch predictors; more would only take time.
      try prepare(engine, tokens)
      _ = try time(engine, tokens, generated: min(generatedTokens, 1))
    }
    var samples: [UInt64] = []
    for _ in 0..<repetitions {
      try prepare(engine, tokens)
      samples.append(try time(engine, tokens, generated: generatedTokens))
      meter.advance(
        value: 1e9 * Double(promptTokens + generatedTokens) / Double(max(samples.last ?? 1, 1)))
    }
    return SpeedResult(
      promptTokens: promptTokens, generatedTokens: generatedTokens, nanoseconds: samples)
  }

  /// Bytes that one generated token reads: all weights and the head once, and the keys and values of the
  /// positions before it, halfway through the run.
  public func bytesPerGeneratedToken(_ engine: Engine) -> Int {
    let middle = depth + promptTokens + generatedTokens / 2
    return engine.weightBytes + engine.cacheBytesPerPosition * middle
  }

  private func prepare(_ engine: Engine, _ tokens: [Int]) throws {
    try Interruption.check()
    engine.reset()
    if depth > 0 { try engine.prefill(Array(tokens[..<depth])) }
  }

  private func time(_ engine: Engine, _ tokens: [Int], generated: Int) throws -> UInt64 {
    let prompt = Array(tokens[depth..<depth + promptTokens])
    let start = MonotonicClock.nanoseconds()
    if !prompt.isEmpty { try engine.prefill(prompt) }
    for index in 0..<generated {
      try Interruption.check()
      try engine.decode(tokens[depth + promptTokens + index])
    }
    return MonotonicClock.nanoseconds() - start
  }
}
