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

  /// Runs the repetitions on `engine` alone, which is reset; `rounds` compares several. `progress`
  /// hears of every one.
  ///
  /// Throws a usage error for sizes that measure nothing or do not fit the context, and
  /// `interrupted`.
  public func measure(_ engine: Engine, progress: ProgressReporter? = nil) throws -> SpeedResult {
    guard let run = try rounds([engine], progress: progress).first else {
      throw LabError(.internalError, "a speed measurement gave nothing")
    }
    return run.result
  }

  /// Bytes that one generated token reads: all weights and the head once, and the keys and values
  /// of the positions before it, halfway through the run.
  public func bytesPerGeneratedToken(_ engine: Engine) -> Int {
    let middle = depth + promptTokens + generatedTokens / 2
    return engine.weightBytes + engine.cacheBytesPerPosition * middle
  }

  func prepare(_ engine: Engine, _ tokens: [Int]) throws {
    try Interruption.check()
    engine.reset()
    if depth > 0 { try engine.prefill(Array(tokens[..<depth])) }
  }

  func time(_ engine: Engine, _ tokens: [Int], generated: Int) throws -> UInt64 {
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
