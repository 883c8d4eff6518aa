import TritCore
public import TritModel

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// How a variant's predictions differ from a reference's, token by token over the same windows:
/// what llama-perplexity's `--kl-divergence` prints, from exact logits instead of its 16-bit file.
public struct DivergenceStatistics: Sendable {
  /// How the text was cut.
  public let method: PerplexityProtocol
  /// `−ln p` of each scored token under the variant, nats.
  public let variantNLL: [Double]
  /// `−ln p` of each scored token under the reference, nats.
  public let baseNLL: [Double]
  /// `KL(reference ‖ variant)` at each scored position, nats.
  public let divergences: [Double]
  /// `p(variant) − p(reference)` of each scored token, −1…1.
  public let probabilityChanges: [Double]
  /// Whether both have the same most likely token, at each scored position.
  public let sameTop: [Bool]
  /// Whether the variant's most likely token is the text's, at each scored position.
  public let variantRight: [Bool]
  /// Whether the reference's is.
  public let baseRight: [Bool]
  /// For each scored token the position in its window that predicted it.
  public let positions: [Int32]
  /// Scored tokens of each window, in order.
  public let chunkCounts: [Int]
  /// The parts of the comparison that need all tokens in order, computed once.
  private let sortedDivergences: [Double]
  private let sortedChanges: [Double]

  /// Collects what was measured; all lists have one entry a scored token. `chunkCounts` are the
  /// scored tokens of each window; nil is one window.
  public init(
    method: PerplexityProtocol, variantNLL: [Double], baseNLL: [Double], divergences: [Double],
    probabilityChanges: [Double], sameTop: [Bool], variantRight: [Bool], baseRight: [Bool],
    positions: [Int32], chunkCounts: [Int]? = nil
  ) {
    let counts = Set([
      variantNLL.count, baseNLL.count, divergences.count, probabilityChanges.count, sameTop.count,
      variantRight.count, baseRight.count, positions.count,
    ])
    precondition(counts.count == 1, "divergence: one entry a scored token in every list")
    let windows = chunkCounts ?? [divergences.count]
    precondition(
      windows.reduce(0, +) == divergences.count, "divergence: counts add up to the scored tokens")
    self.chunkCounts = windows
    self.method = method
    self.variantNLL = variantNLL
    self.baseNLL = baseNLL
    self.divergences = divergences
    self.probabilityChanges = probabilityChanges
    self.sameTop = sameTop
    self.variantRight = variantRight
    self.baseRight = baseRight
    self.positions = positions
    sortedDivergences = divergences.sorted()
    sortedChanges = probabilityChanges.sorted()
  }

  /// Number of scored tokens.
  public var scoredTokens: Int { divergences.count }
  /// Mean PPL(Q).
  public var variantPerplexity: Estimate { Self.perplexity(variantNLL) }
  /// Mean PPL(base).
  public var basePerplexity: Estimate { Self.perplexity(baseNLL) }
  /// Cor(ln PPL(Q), ln PPL(base)), mean ln ratio, ratio and difference.
  public var comparison: PerplexityComparison {
    PerplexityComparison(variant: variantNLL, base: baseNLL)
  }
  /// Mean KLD in nats.
  public var meanDivergence: Estimate { Moments.estimate(divergences) }
  /// The KLD at `fraction` (0 is the minimum, 0.5 the median, 1 the maximum), nats.
  public func divergence(quantile fraction: Double) -> Double {
    OrderStatistics.quantile(fraction, ofSorted: sortedDivergences)
  }
  /// Mean Δp, as a share (0.01 is 1 %).
  public var meanProbabilityChange: Estimate { Moments.estimate(probabilityChanges) }
  /// The Δp at `fraction` (0 is the minimum, 1 the maximum), as a share.
  public func probabilityChange(quantile fraction: Double) -> Double {
    OrderStatistics.quantile(fraction, ofSorted: sortedChanges)
  }
  /// RMS Δp, `sqrt(E[Δp²])`, as a share; its error by the delta method.
  public var rmsProbabilityChange: Estimate {
    let squares = Moments.estimate(probabilityChanges.map { $0 * $0 })
    let root = squares.value.squareRoot()
    return Estimate(root, root > 0 ? 0.5 / root * squares.error : 0)
  }
  /// Same top p: the share of positions with the same most likely token; error
  /// `sqrt(p (1 − p) / (n − 1))`, llama-perplexity's, which is 0 where all or none agree: see
  /// `sameTopInterval`.
  public var sameTopShare: Estimate {
    let share = Double(sameTop.count { $0 }) / Double(sameTop.count)
    guard sameTop.count > 1 else { return Estimate(share, .nan) }
    return Estimate(share, (share * (1 - share) / Double(sameTop.count - 1)).squareRoot())
  }

  /// Mean KLD by position in the window, in `buckets` groups of equal width; empty ones are left
  /// out.
  public func byPosition(buckets: Int) -> [PositionBucket] {
    PositionBucket.group(
      divergences, positions, windows: chunkCounts, context: method.context, buckets: buckets)
  }

  private static func perplexity(_ nll: [Double]) -> Estimate {
    let mean = Moments.estimate(nll)
    return Estimate(exp(mean.value), exp(mean.value) * mean.error)
  }
}

/// Measures `DivergenceStatistics` with both models in one process.
public struct DivergenceMeasurement {
  /// Bytes for the reference's logits that are kept at a time. A window that needs more is run in
  /// parts, each of which computes the positions before it again.
  public var bufferBytes = 1 << 30
  /// Tokens with `ln p(reference)` at or below this do not enter a KLD; −16 as in llama-perplexity,
  /// whose file cannot hold less. nil lets all enter.
  public var logProbabilityFloor: Double? = -16

  /// A measurement with llama-perplexity's conventions.
  public init() {}

  /// Compares `variant` with `reference` on `text`, cut as `method` says, at most `limit` windows.
  ///
  /// Throws `badData` where vocabularies differ, logits are not finite or the text is too short, a
  /// usage error where the context is longer than a model's, and `interrupted` on Ctrl-C.
  public func measure(
    variant: any LanguageModel, reference: any LanguageModel, text: String,
    method: PerplexityProtocol, limit: Int? = nil, parseSpecial: Bool = false,
    progress: ProgressReporter? = nil
  ) throws -> DivergenceStatistics {
    let windows = try method.windows(
      of: text, tokenizer: reference.tokenizer, limit: limit, parseSpecial: parseSpecial)
    return try measure(
      variant: variant, reference: reference, windows: windows, method: method, progress: progress)
  }

  /// Compares `variant` with the log-probabilities in `file` over the windows that stand there, at
  /// most `limit` of them, with llama-perplexity's own formulas. Throws `badData` where the
  /// vocabularies differ.
  public func measure(
    variant: any LanguageModel, reference file: LogitsFile, limit: Int? = nil,
    progress: ProgressReporter? = nil
  ) throws -> DivergenceStatistics {
    try measure(
      variant: variant, reference: file, selection: WindowSelection(first: limit),
      progress: progress)
  }

  /// The same over the windows of `file` that `selection` asks for. Throws `badData` also where a
  /// part begins behind the last.
  public func measure(
    variant: any LanguageModel, reference file: LogitsFile, selection: WindowSelection,
    progress: ProgressReporter? = nil
  ) throws -> DivergenceStatistics {
    let count = min(file.chunks.count, selection.needed ?? .max)
    let range = try selection.range(of: count)
    let windows = Array(file.windows(variant.tokenizer)[range])
    guard variant.vocabularySize == file.vocabularySize else {
      throw LabError(
        .badData, "the file of logits is of another vocabulary", at: file.path,
        expected: "\(variant.vocabularySize) logits, as the model has",
        got: "\(file.vocabularySize)")
    }
    try Perplexity.checkFit(variant, windows)
    var collector = DivergenceCollector(
      rows: LogitsFile.scored(file.context).count, vocabulary: file.vocabularySize,
      floor: logProbabilityFloor)
    var meter = ProgressMeter(task: "divergence", total: windows.count, report: progress)
    for (index, window) in windows.enumerated() {
      let part = LogitsFile.scored(file.context)
      let chunk = range.lowerBound + index
      try collector.hold(part, of: file, chunk: chunk)
      try collector.compare(part, of: variant, tokens: window.tokens, place: "chunk \(chunk + 1)")
      collector.endWindow()
      meter.advance(value: collector.meanDivergence)
    }
    return collector.statistics(.llamaCpp(context: file.context))
  }

  /// Compares `variant` with `reference` on the windows of `text` that `selection` asks for.
  public func measure(
    variant: any LanguageModel, reference: any LanguageModel, text: String,
    method: PerplexityProtocol, selection: WindowSelection, parseSpecial: Bool = false,
    progress: ProgressReporter? = nil
  ) throws -> (statistics: DivergenceStatistics, first: Int, total: Int) {
    let (windows, first, total) = try method.windows(
      of: text, tokenizer: reference.tokenizer, selection: selection, parseSpecial: parseSpecial)
    let statistics = try measure(
      variant: variant, reference: reference, windows: windows, method: method, firstChunk: first,
      progress: progress)
    return (statistics, first, total)
  }

  /// Compares `variant` with `reference` over `windows` that `method` made; `firstChunk` is the
  /// number of the first among the windows of the text.
  public func measure(
    variant: any LanguageModel, reference: any LanguageModel, windows: [ScoringWindow],
    method: PerplexityProtocol, firstChunk: Int = 0, progress: ProgressReporter? = nil
  ) throws -> DivergenceStatistics {
    let vocabulary = reference.vocabularySize
    guard variant.vocabularySize == vocabulary else {
      throw LabError(
        .badData, "models with different vocabularies cannot be compared position by position",
        expected: "\(vocabulary) logits, as the reference has", got: "\(variant.vocabularySize)")
    }
    try Perplexity.checkFit(reference, windows)
    try Perplexity.checkFit(variant, windows)
    let row = max(1, vocabulary * MemoryLayout<Float>.stride)
    let longest = windows.map(\.scored).max() ?? 0
    let rowsHeld = max(1, min(longest, bufferBytes / row))
    var collector = DivergenceCollector(
      rows: rowsHeld, vocabulary: vocabulary, floor: logProbabilityFloor)
    var meter = ProgressMeter(task: "divergence", total: windows.count, report: progress)
    for (index, window) in windows.enumerated() {
      var first = window.firstScored
      let end = window.tokens.count - 1
      while first < end {
        let part = first..<min(first + rowsHeld, end)
        // One token beyond the part: the target of its last position.
        let tokens = Array(window.tokens[...part.upperBound])
        let place = "chunk \(firstChunk + index + 1)"
        try collector.hold(part, of: reference, tokens: tokens)
        try collector.compare(part, of: variant, tokens: tokens, place: place)
        first = part.upperBound
      }
      collector.endWindow()
      meter.advance(value: collector.meanDivergence)
    }
    return collector.statistics(method)
  }
}

/// Holds the reference's logits of part of a window, and compares the variant's with them.
private struct DivergenceCollector {
  private let held: Matrix<Float>
  private let basePowers: AlignedBuffer<Float>
  private let variantPowers: AlignedBuffer<Float>
  private let floor: Double
  private var variantNLL: [Double] = []
  private var baseNLL: [Double] = []
  private var divergences: [Double] = []
  private var changes: [Double] = []
  private var sameTop: [Bool] = []
  private var variantRight: [Bool] = []
  private var baseRight: [Bool] = []
  private var positions: [Int32] = []
  private var counts: [Int] = []
  private var divergenceSum = 0.0
  /// Whether the rows that are held are log-probabilities already.
  private var holdsLogProbabilities = false

  init(rows: Int, vocabulary: Int, floor: Double?) {
    held = Matrix(rows: rows, columns: vocabulary)
    basePowers = AlignedBuffer(count: vocabulary)
    variantPowers = AlignedBuffer(count: vocabulary)
    self.floor = floor ?? -.infinity
  }

  var meanDivergence: Double { divergenceSum / Double(max(1, divergences.count)) }

  func hold(_ part: Range<Int>, of model: any LanguageModel, tokens: [Int]) throws {
    try Interruption.check()
    var next = part.lowerBound
    try model.forEachLogits(of: tokens, from: part.lowerBound) { position, logits in
      guard part.contains(position), let base = logits.baseAddress else { return }
      (held.storage.base + (position - part.lowerBound) * held.columns)
        .update(from: base, count: held.columns)
      next = position + 1
    }
    guard next == part.upperBound else { throw Self.wrongCount(part, next) }
  }

  mutating func hold(_ part: Range<Int>, of file: LogitsFile, chunk: Int) throws {
    try Interruption.check()
    holdsLogProbabilities = true
    for position in part {
      let row = held.storage.base + (position - part.lowerBound) * held.columns
      try file.read(
        chunk: chunk, position: position,
        to: UnsafeMutableBufferPointer(start: row, count: held.columns))
    }
  }

  mutating func compare(
    _ part: Range<Int>, of model: any LanguageModel, tokens: [Int], place: String
  ) throws {
    var next = part.lowerBound
    try model.forEachLogits(of: tokens, from: part.lowerBound) { position, logits in
      guard part.contains(position) else { return }
      try Interruption.check()
      let base = held.view.row(position - part.lowerBound)
      try add(
        base: base, variant: logits, target: tokens[position + 1],
        place: "\(place), position \(position)")
      positions.append(Int32(truncatingIfNeeded: position))
      next = position + 1
    }
    guard next == part.upperBound else { throw Self.wrongCount(part, next) }
  }

  private mutating func add(
    base: UnsafeBufferPointer<Float>, variant: UnsafeBufferPointer<Float>, target: Int,
    place: String
  ) throws {
    let p =
      holdsLogProbabilities
      ? LogSoftmax(logProbabilities: base, powers: basePowers.base)
      : LogSoftmax(base, powers: basePowers.base)
    let q = LogSoftmax(variant, powers: variantPowers.base)
    let a = q.nll(variant[target])
    let b = p.nll(base[target])
    for value in [a, b] where !value.isFinite { throw Perplexity.notFinite(place, value) }
    // KL = Σ p (ln p − ln q) = Σ p (x − y) + const, with x and y the shifted logits.
    let offset = q.logSum - p.logSum
    let scale = exp(-p.logSum)
    let cut = floor + p.logSum
    let powers = basePowers.base
    var divergence = 0.0
    var topBase = 0
    var topVariant = 0
    for token in 0..<base.count {
      if base[token] > base[topBase] { topBase = token }
      if variant[token] > variant[topVariant] { topVariant = token }
      let x = Double(base[token]) - Double(p.shift)
      guard x > cut, powers[token] > 0 else { continue }
      let y = Double(variant[token]) - Double(q.shift)
      divergence += Double(powers[token]) * scale * (x - y + offset)
    }
    guard divergence.isFinite else { throw Perplexity.notFinite(place, divergence) }
    variantNLL.append(a)
    baseNLL.append(b)
    divergences.append(divergence)
    divergenceSum += divergence
    changes.append(exp(-a) - exp(-b))
    sameTop.append(topBase == topVariant)
    variantRight.append(topVariant == target)
    baseRight.append(topBase == target)
  }

  mutating func endWindow() { counts.append(divergences.count - counts.reduce(0, +)) }

  func statistics(_ method: PerplexityProtocol) -> DivergenceStatistics {
    DivergenceStatistics(
      method: method, variantNLL: variantNLL, baseNLL: baseNLL, divergences: divergences,
      probabilityChanges: changes, sameTop: sameTop,
      variantRight: variantRight, baseRight: baseRight, positions: positions, chunkCounts: counts)
  }

  private static func wrongCount(_ part: Range<Int>, _ next: Int) -> LabError {
    LabError(
      .internalError, "a model gave logits for the wrong positions",
      expected: "\(part)", got: "the last was \(next - 1)")
  }
}
