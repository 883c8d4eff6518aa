import TritCore
public import TritModel
import TritTokenization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What a perplexity run measured.
public struct PerplexityResult: Sendable {
  /// How the text was cut and scored.
  public let method: PerplexityProtocol
  /// `−ln p` of every scored token in nats, in the order of the text.
  public let nll: [Double]
  /// For each scored token the position in its window that predicted it.
  public let positions: [Int32]
  /// Scored tokens of each window.
  public let chunkCounts: [Int]
  /// UTF-8 bytes of the scored tokens. A control token that the text itself writes (the end of a
  /// built-in story) counts as none; nil where another token stands for no bytes, so that the text
  /// is not known.
  public let scoredBytes: Int?
  /// Wall time of the model and the scoring, in seconds.
  public let seconds: Double
  /// The number of the first window among those of the text, from 0: more where a part was run.
  public let firstChunk: Int

  /// Collects a run; the counts add up to the tokens.
  public init(
    method: PerplexityProtocol, nll: [Double], positions: [Int32], chunkCounts: [Int],
    scoredBytes: Int?, seconds: Double, firstChunk: Int = 0
  ) {
    precondition(
      chunkCounts.reduce(0, +) == nll.count && positions.count == nll.count,
      "perplexity: counts must add up to the scored tokens")
    self.method = method
    self.nll = nll
    self.positions = positions
    self.chunkCounts = chunkCounts
    self.scoredBytes = scoredBytes
    self.seconds = seconds
    self.firstChunk = firstChunk
  }

  /// Number of scored tokens.
  public var scoredTokens: Int { nll.count }
  /// Number of windows.
  public var chunks: Int { chunkCounts.count }
  /// Mean `−ln p` in nats a token, and its standard error over tokens (llama-perplexity's formula,
  /// which takes them as independent: see `meanNLLWindowError`).
  public var meanNLL: Estimate { Moments.estimate(nll) }
  /// `exp(mean nll)`; the error is that times the error of the mean over tokens (delta method). The
  /// error over windows, as a rule the larger one, is `perplexityWindowError`.
  public var perplexity: Estimate {
    let mean = meanNLL
    let value = exp(mean.value)
    return Estimate(value, value * mean.error)
  }

  /// Mean `−ln p` of each window.
  public var chunkMeans: [Double] { WindowMeans.of(nll, counts: chunkCounts) }

  /// What lm-evaluation-harness tells of a text (`wikitext`): perplexity a word and a byte of `text`
  /// and bits a byte; nil for other protocols than `lm-eval`. All windows of `text` must have been
  /// run.
  public func harnessFigures(of text: String) -> (word: Double, byte: Double, bits: Double)? {
    let bytes = text.utf8.count
    guard case .rolling = method, bytes > 0 else { return nil }
    let sum = nll.reduce(0, +)
    return (
      exp(sum / Double(PythonText.fieldCount(text))), exp(sum / Double(bytes)),
      sum / Double(bytes) / log(2)
    )
  }

  /// Perplexity after each window, over all tokens so far: what llama-perplexity prints as it goes.
  public var runningPerplexity: [Double] {
    var start = 0
    var sum = 0.0
    return chunkCounts.map { count in
      for index in start..<start + count { sum += nll[index] }
      start += count
      return exp(sum / Double(start))
    }
  }

  /// The standard error of the perplexity from the spread between windows (`WindowSpread`). Tokens
  /// of one window are correlated, so this is the more honest figure where windows are many; NaN
  /// for fewer than two.
  public var chunkStandardError: Double { perplexityWindowError ?? .nan }

  /// Bits a UTF-8 byte of the scored text: the figure that can be compared across tokenizers.
  /// Control tokens of the text are paid for by its bytes: on the built-in stories, by the story
  /// that they end.
  public var bitsPerByte: Double? {
    guard let scoredBytes, scoredBytes > 0 else { return nil }
    return nll.reduce(0, +) / Double(scoredBytes) / log(2)
  }

  /// llama-perplexity's last line: `Final estimate: PPL = 5.5745 +/- 0.48765`.
  public var finalLine: String {
    let estimate = perplexity
    return "Final estimate: PPL = \(Decimals.text(estimate.value, 4))"
      + " +/- \(Decimals.text(estimate.error.isNaN ? 0 : estimate.error, 5))"
  }

  /// llama-perplexity's running line: `[1]4.1234,[2]5.0000,…`; a part begins with the number of its
  /// first window.
  public var runningLine: String {
    runningPerplexity.enumerated().map {
      "[\(firstChunk + $0.offset + 1)]\(Decimals.text($0.element, 4)),"
    }
    .joined()
  }

  /// Mean `−ln p` by position in the window, in `buckets` groups of equal width over `0..<context`;
  /// empty groups are left out. `position` is the middle of the group.
  public func byPosition(buckets: Int) -> [PositionBucket] {
    PositionBucket.group(
      nll, positions, windows: chunkCounts, context: method.context, buckets: buckets)
  }
}

/// The mean of something over a range of positions in a window.
public struct PositionBucket: Sendable, Hashable, Codable {
  /// Middle of the range.
  public let position: Double
  /// Mean over the tokens that fall into it, and its standard error (NaN for one token).
  public let mean: Estimate
  /// The standard error of the mean by the spread between windows; nil for fewer than two.
  public let windowError: Double?
  /// Number of tokens.
  public let count: Int

  /// Groups `samples` by position; `windows` are the samples of each window, in order.
  static func group(
    _ samples: [Double], _ positions: [Int32], windows: [Int], context: Int, buckets: Int
  ) -> [PositionBucket] {
    precondition(buckets >= 1, "at least one bucket")
    let width = max(1, context / buckets + (context.isMultiple(of: buckets) ? 0 : 1))
    var groups: [Int: (values: [Double], windows: [Int])] = [:]
    var start = 0
    for count in windows {
      var sizes: [Int: Int] = [:]
      for index in start..<start + count {
        let key = Int(positions[index]) / width
        groups[key, default: ([], [])].values.append(samples[index])
        sizes[key, default: 0] += 1
      }
      for (key, size) in sizes { groups[key]?.windows.append(size) }
      start += count
    }
    return groups.sorted { $0.key < $1.key }.map { key, group in
      PositionBucket(
        position: Double(key * width) + Double(width - 1) / 2,
        mean: Moments.estimate(group.values),
        windowError: WindowSpread.error(group.values, counts: group.windows),
        count: group.values.count)
    }
  }
}

/// Two runs over the same tokens, compared token by token: far tighter than the difference of two
/// independent errors, since both find the same tokens hard.
public struct PerplexityComparison: Sendable, Hashable {
  /// `mean nll(variant) − mean nll(base)` in nats a token; equals `ln(PPL(variant) / PPL(base))`.
  public let logRatio: Estimate
  /// `PPL(variant) / PPL(base)`.
  public let ratio: Estimate
  /// `PPL(variant) − PPL(base)`.
  public let difference: Estimate
  /// Pearson correlation of the two nll, −1…1.
  public let correlation: Double

  /// Compares nll token by token. Throws `badData` where the runs did not score the same tokens.
  public init(variant: PerplexityResult, base: PerplexityResult) throws {
    guard variant.method == base.method, variant.chunkCounts == base.chunkCounts else {
      throw LabError(
        .badData, "two perplexity runs of different protocols or texts cannot be compared",
        expected: "\(base.method.label), \(base.scoredTokens) tokens",
        got: "\(variant.method.label), \(variant.scoredTokens) tokens",
        advice: "run both on the same data with the same protocol and context")
    }
    self.init(variant: variant.nll, base: base.nll)
  }

  /// Compares paired nll in nats; the formulas are llama-perplexity's.
  init(variant: [Double], base: [Double]) {
    let a = Moments.estimate(variant)
    let b = Moments.estimate(base)
    let covariance = Moments.covariance(variant, base)
    let logValue = a.value - b.value
    // The difference of nearly equal runs can come out a rounding below zero.
    let logError = max(0, a.error * a.error + b.error * b.error - 2 * covariance).squareRoot()
    logRatio = Estimate(logValue, logError)
    ratio = Estimate(exp(logValue), exp(logValue) * logError)
    let pplA = exp(a.value)
    let pplB = exp(b.value)
    let unitA = pplA * a.error
    let unitB = pplB * b.error
    difference = Estimate(
      pplA - pplB,
      max(0, unitA * unitA + unitB * unitB - 2 * pplA * pplB * covariance).squareRoot())
    correlation = covariance / (a.error * b.error)
  }
}

/// Perplexity of a model on a text.
public enum Perplexity {
  /// Runs `model` over `text` as `method` says, at most `limit` windows, and scores it.
  ///
  /// Throws `badData` where the text is too short or the logits are not finite, a usage error where
  /// the context is longer than the model's, and `interrupted` on Ctrl-C.
  public static func measure(
    _ model: any LanguageModel, text: String, method: PerplexityProtocol, limit: Int? = nil,
    parseSpecial: Bool = false,
    progress: ProgressReporter? = nil
  ) throws -> PerplexityResult {
    let windows = try method.windows(
      of: text, tokenizer: model.tokenizer, limit: limit, parseSpecial: parseSpecial)
    return try measure(
      model, windows: windows, method: method, parseSpecial: parseSpecial, progress: progress)
  }

  /// Runs `model` over the windows of `text` that `selection` asks for.
  public static func measure(
    _ model: any LanguageModel, text: String, method: PerplexityProtocol,
    selection: WindowSelection, parseSpecial: Bool = false, progress: ProgressReporter? = nil
  ) throws -> (result: PerplexityResult, total: Int) {
    let (windows, first, total) = try method.windows(
      of: text, tokenizer: model.tokenizer, selection: selection, parseSpecial: parseSpecial)
    let result = try measure(
      model, windows: windows, method: method, parseSpecial: parseSpecial, firstChunk: first,
      progress: progress)
    return (result, total)
  }

  /// Runs `model` over `windows` that `method` made, of a text that writes control tokens where
  /// `parseSpecial` is true; `firstChunk` is the number of the first among the windows of the text.
  public static func measure(
    _ model: any LanguageModel, windows: [ScoringWindow], method: PerplexityProtocol,
    parseSpecial: Bool = false, firstChunk: Int = 0, progress: ProgressReporter? = nil
  ) throws -> PerplexityResult {
    var isRolling = false
    if case .rolling = method { isRolling = true }
    try checkFit(model, windows, readsLast: !isRolling)
    let start = ContinuousClock.now
    let powers = AlignedBuffer<Float>(count: model.vocabularySize)
    var nll: [Double] = []
    var positions: [Int32] = []
    var counts: [Int] = []
    var bytes: Int? = 0
    var meter = ProgressMeter(task: "perplexity", total: windows.count, report: progress)
    var sum = 0.0
    for (index, window) in windows.enumerated() {
      try Interruption.check()
      let before = nll.count
      // The last position predicts a token that lies outside the window: where there is no room for
      // that token (`lm-eval`), it need not be read.
      let read =
        window.tokens.count > model.contextLength
        ? Array(window.tokens.dropLast()) : window.tokens
      try model.forEachLogits(of: read, from: window.firstScored) { position, logits in
        guard position + 1 < window.tokens.count else { return }
        try Interruption.check()
        let target = window.tokens[position + 1]
        let value = LogSoftmax(logits, powers: powers.base).nll(logits[target])
        guard value.isFinite else {
          throw notFinite("chunk \(firstChunk + index + 1), position \(position)", value)
        }
        nll.append(value)
        positions.append(Int32(truncatingIfNeeded: position))
        sum += value
      }
      counts.append(nll.count - before)
      guard nll.count - before == window.scored else {
        throw LabError(
          .internalError, "a model gave logits for the wrong number of positions",
          expected: "\(window.scored)", got: "\(nll.count - before)")
      }
      for token in window.tokens[(window.firstScored + 1)...] {
        let size = try model.tokenizer.bytes(of: token, skipSpecial: true).count
        let isWritten =
          try size > 0
          || parseSpecial && !model.tokenizer.bytes(of: token, skipSpecial: false).isEmpty
        bytes = isWritten ? bytes.map { $0 + size } : nil
      }
      meter.advance(value: exp(sum / Double(nll.count)))
    }
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return PerplexityResult(
      method: method, nll: nll, positions: positions, chunkCounts: counts, scoredBytes: bytes,
      seconds: Double(seconds) + Double(attoseconds) * 1e-18, firstChunk: firstChunk)
  }

  static func notFinite(_ place: String, _ value: Double) -> LabError {
    LabError(
      .badData, "the model's logits give no finite probability", at: place, got: "nll \(value)",
      advice: "look for NaN or infinite weights: trit inspect, or try the f32 reference stages")
  }

  /// Checks that windows and tokens fit the model before anything runs.
  static func checkFit(
    _ model: any LanguageModel, _ windows: [ScoringWindow], readsLast: Bool = true
  ) throws {
    for window in windows {
      let count = window.tokens.count - (readsLast ? 0 : 1)
      guard count <= model.contextLength else {
        throw LabError(
          .usage, "the context is longer than the model takes",
          expected: "at most \(model.contextLength) tokens", got: "\(count)",
          advice: "use a smaller context (-c)")
      }
      guard window.firstScored >= 0, window.scored > 0 else {
        throw LabError(
          .badData, "a window has no token to score", got: "\(window.tokens.count) tokens")
      }
      if let bad = window.tokens.first(where: { $0 < 0 || $0 >= model.vocabularySize }) {
        throw LabError(
          .badData, "the tokenizer gives an id that the model has no logit for",
          expected: "0..<\(model.vocabularySize)", got: "\(bad)",
          advice: "check that tokenizer and model belong together")
      }
    }
  }
}
