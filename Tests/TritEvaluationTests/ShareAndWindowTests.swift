import Foundation
import Testing
import TritLab

@Suite struct ShareIntervalTests {
  // Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17
  // (1998), table I, method 3 (Wilson's score interval without continuity correction), four
  // decimals.
  @Test(arguments: [
    (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611),
    (1, 29, 0.0061, 0.1718),
  ]) func theIntervalIsWilsons(count: Int, total: Int, lower: Double, upper: Double) throws {
    let interval = try #require(ShareInterval(count, of: total))
    #expect(abs(interval.lower - lower) < 5e-5 && abs(interval.upper - upper) < 5e-5, "\(interval)")
    // What is right of all is what is wrong of all, turned round.
    let turned = try #require(ShareInterval(total - count, of: total))
    #expect(abs(turned.lower - (1 - interval.upper)) < 1e-12)
    #expect(abs(turned.upper - (1 - interval.lower)) < 1e-12)
  }

  @Test func noneOfTwoIsNotNothing() throws {
    // Solving |p̂ − p| = z √(p (1 − p) / n) for p̂ = 0: p = z² / (n + z²).
    let square = 1.959963984540054 * 1.959963984540054
    let none = try #require(ShareInterval(0, of: 2))
    #expect(none.lower == 0 && abs(none.upper - square / (2 + square)) < 1e-12)
    let all = try #require(ShareInterval(3, of: 3))
    #expect(all.upper == 1 && abs(all.lower - 3 / (3 + square)) < 1e-12)
    #expect(ShareInterval(0, of: 0) == nil)
  }

  /// The ends are where what was counted is `score` standard deviations from what they let expect.
  @Test(arguments: [(1, 7), (3, 9), (50, 51), (200, 400)])
  func theEndsSolveTheScoreEquation(count: Int, total: Int) throws {
    let interval = try #require(ShareInterval(count, of: total))
    let n = Double(total)
    for p in [interval.lower, interval.upper] {
      let distance = abs(Double(count) / n - p) / (p * (1 - p) / n).squareRoot()
      #expect(agrees(distance, ShareInterval.standardScore, digits: 9))
    }
  }

  @Test func aShareThatIsNoneHasNoInterval() {
    #expect(ShareInterval(share: 0.5, of: 4) == ShareInterval(2, of: 4))
    #expect(ShareInterval(share: .nan, of: 4) == nil && ShareInterval(share: 0.5, of: .nan) == nil)
    #expect(ShareInterval(share: 1.5, of: 4) == nil && ShareInterval(share: 0.5, of: 0) == nil)
  }
}

@Suite struct WindowErrorTests {
  private func result(
    _ nll: [Double], _ counts: [Int], _ method: PerplexityProtocol = .contiguous(context: 3)
  ) -> PerplexityResult {
    PerplexityResult(
      method: method, nll: nll, positions: nll.map { _ in 0 }, chunkCounts: counts,
      scoredBytes: nil, seconds: 0)
  }

  // By hand: the mean is 4, windows deviate by −6 and +6 in sum: √(2/1 · 72) / 4 = 3.
  @Test func equalWindowsGiveTheErrorOfTheirMeans() throws {
    let measured = result([0, 2, 4, 10], [2, 2])
    #expect(agrees(try #require(measured.meanNLLWindowError), 3, digits: 12))
    #expect(agrees(try #require(measured.perplexityWindowError), 3 * exp(4), digits: 12))
    #expect(measured.chunkStandardError == measured.perplexityWindowError)
    // The standard error of the windows' means 1 and 7, divided by n − 1.
    #expect(agrees(try #require(SampleStatistics([1, 7])).standardDeviation / 2.squareRoot(), 3))
  }

  // By hand: the mean is 3, windows of 1 and 2 tokens deviate by −2 and +2: √(2/1 · 8) / 3 = 4/3.
  @Test func unequalWindowsWeighAsTheirTokens() throws {
    #expect(
      agrees(try #require(result([1, 3, 5], [1, 2]).meanNLLWindowError), 4.0 / 3, digits: 12))
  }

  /// Where all tokens of a window are one value, K windows hold K independent samples, not K · m.
  @Test func repeatedTokensAreOneSample() throws {
    let values = [0.3, 1.7, 2.2, 0.9, 4.1, 3.3]
    let repeated = result(values.flatMap { [$0, $0, $0, $0] }, values.map { _ in 4 })
    let honest = result(values, values.map { _ in 1 })
    #expect(
      agrees(try #require(repeated.meanNLLWindowError), honest.meanNLL.error, digits: 12))
    let ratio = try #require(repeated.meanNLLWindowError) / repeated.meanNLL.error
    #expect(agrees(ratio, (23.0 / 5).squareRoot(), digits: 12))
  }

  @Test func oneWindowHasNoSpread() {
    #expect(result([1, 2, 3], [3]).meanNLLWindowError == nil)
    #expect(result([1, 2, 3], [3]).chunkStandardError.isNaN)
    let one = DivergenceStatistics(
      method: .contiguous(context: 3), variantNLL: [1, 2], baseNLL: [1, 1],
      divergences: [0.1, 0.2],
      probabilityChanges: [0, 0.1], sameTop: [true, false],
      variantRight: [true, false], baseRight: [true, true], positions: [0, 1])
    #expect(one.windowErrors == nil && one.chunkCounts == [2])
  }

  @Test func aComparisonHasThemToo() throws {
    let variant = [1.0, 2, 3, 6]
    let base = [1.0, 1, 2, 4]
    let changes = [0.1, 0.3, -0.2, 0.2]
    let compared = DivergenceStatistics(
      method: .contiguous(context: 3), variantNLL: variant, baseNLL: base,
      divergences: [0, 2, 4, 10], probabilityChanges: changes, sameTop: [true, false, true, true],
      variantRight: [true, false, true, true], baseRight: [true, true, true, true],
      positions: [0, 1, 0, 1], chunkCounts: [2, 2])
    let errors = try #require(compared.windowErrors)
    func error(_ samples: [Double]) throws -> Double {
      try #require(result(samples, [2, 2]).meanNLLWindowError)
    }
    #expect(errors.windows == 2)
    #expect(agrees(errors.meanDivergence, 3, digits: 12))
    // Differences 0, 1, 1, 2: sums 1 and 3, mean 1: √(2 · 2) / 4.
    #expect(agrees(errors.logRatio, 0.5, digits: 12))
    #expect(agrees(errors.ratio, exp(1) * 0.5, digits: 12))
    #expect(agrees(errors.variantPerplexity, exp(3) * (try error(variant)), digits: 12))
    #expect(agrees(errors.basePerplexity, exp(2) * (try error(base)), digits: 12))
    #expect(
      agrees(
        errors.difference, try error(zip(variant, base).map { exp(3) * $0 - exp(2) * $1 }),
        digits: 12))
    #expect(agrees(errors.meanProbabilityChange, try error(changes), digits: 12))
    // The root of the mean of squares, by the delta method: half of their error over it.
    let rms = (0.18 / 4).squareRoot()
    #expect(
      agrees(errors.rmsProbabilityChange, try error(changes.map { $0 * $0 }) / 2 / rms, digits: 9))
    #expect(agrees(errors.sameTopShare, try error([1, 0, 1, 1]), digits: 12))
    #expect(compared.sameTopInterval == ShareInterval(3, of: 4))
  }

  @Test func measurementsKnowTheirWindows() throws {
    let method = PerplexityProtocol.llamaCpp(context: 16)
    let windows = try method.windows(of: goldenTokens(320), bos: 0)
    let variant = BigramModel.hashed(weight: 0.5)
    let base = BigramModel.hashed()
    var measurement = DivergenceMeasurement()
    // Windows that are held in parts are windows all the same.
    measurement.bufferBytes = 3 * 64
    let compared = try measurement.measure(
      variant: variant, reference: base, windows: windows, method: method)
    #expect(compared.chunkCounts == Array(repeating: 7, count: 20))
    let errors = try #require(compared.windowErrors)
    let alone = try Perplexity.measure(variant, windows: windows, method: method)
    #expect(agrees(errors.variantPerplexity, try #require(alone.perplexityWindowError)))
    #expect(compared.windowReport.contains("20 windows"))
    #expect(compared.windowReport.contains("95 % Wilson interval"))
    let few = try measurement.measure(
      variant: variant, reference: base, windows: Array(windows.prefix(2)), method: method)
    #expect(few.windowReport.isEmpty)
    // One window of many tokens: no spread, but an interval for the share.
    let whole = PerplexityProtocol.contiguous(context: 300)
    let single = try measurement.measure(
      variant: variant, reference: base, windows: whole.windows(of: goldenTokens(320), bos: nil),
      method: whole)
    #expect(single.chunkCounts == [299] && single.windowReport.contains("no error over windows"))
    #expect(single.windowReport.contains("95 % Wilson interval"))
  }
}

/// The sliding window against the loop in Hugging Face's documentation, "Perplexity of fixed-length
/// models".
@Suite struct StridedWindowTests {
  private let model = BigramModel.hashed()

  private func nll(_ tokens: [Int], _ position: Int) -> Double {
    let row = model.table[tokens[position - 1]].map(Double.init)
    return log(row.reduce(0) { $0 + exp($1) }) - row[tokens[position]]
  }

  /// The documented loop, from its description: each window's loss is the mean over its last
  /// targets after the label shift, weighted by their number less one.
  private func documentedLoop(_ tokens: [Int], context: Int, stride: Int) -> Double {
    var (sum, count, previous, begin) = (0.0, 0, 0, 0)
    while true {
      let end = min(begin + context, tokens.count)
      let targets = end - previous
      // Labels of the window; those before the last `targets` are masked, the first one falls to
      // the shift.
      let scored = (begin..<end).filter { $0 >= end - targets && $0 > begin }
      let mean = scored.reduce(0) { $0 + nll(tokens, $1) } / Double(max(scored.count, 1))
      sum += mean * Double(targets - 1)
      count += targets - 1
      previous = end
      if end == tokens.count { break }
      begin += stride
    }
    return sum / Double(count)
  }

  @Test(arguments: [(16, 8), (16, 5), (16, 15), (16, 16), (10, 1), (64, 64), (7, 3)])
  func bothMeansAreTheirFormulas(context: Int, stride: Int) throws {
    let tokens = goldenTokens(61)
    let method = PerplexityProtocol.strided(context: context, stride: stride)
    let result = try Perplexity.measure(
      model, windows: method.windows(of: tokens, bos: nil), method: method)
    let loop = try #require(result.documentedLoopNLL)
    #expect(agrees(loop, documentedLoop(tokens, context: context, stride: stride), digits: 7))
    // Ours: each scored token counts once. With stride = context the first of each window is not
    // scored.
    let skipped = Set(
      stride == context ? Array(Swift.stride(from: 0, to: 61, by: context)) : [0])
    let scored = (0..<61).filter { !skipped.contains($0) }
    let mean = scored.reduce(0) { $0 + nll(tokens, $1) } / Double(scored.count)
    #expect(result.scoredTokens == scored.count)
    #expect(agrees(result.meanNLL.value, mean, digits: 7))
  }

  // By hand: eight tokens, windows of 4 every 2 score 3, 2 and 2 of them; the loop weighs them 3,
  // 1, 1.
  @Test func laterWindowsWeighOneTokenLessInTheLoop() throws {
    let result = PerplexityResult(
      method: .strided(context: 4, stride: 2), nll: [1, 1, 1, 2, 2, 6, 8],
      positions: [0, 1, 2, 1, 2, 1, 2], chunkCounts: [3, 2, 2], scoredBytes: nil, seconds: 0)
    #expect(agrees(result.meanNLL.value, 3, digits: 12))
    #expect(agrees(try #require(result.documentedLoopNLL), (3 * 1 + 2 + 7) / 5, digits: 12))
    let other = PerplexityResult(
      method: .contiguous(context: 4), nll: [1], positions: [0], chunkCounts: [1],
      scoredBytes: nil, seconds: 0)
    #expect(other.documentedLoopNLL == nil)
  }

  @Test func aShortModelShortensTheDefaultContext() throws {
    #expect(try PerplexityProtocol(name: "llama.cpp", longest: 256) == .llamaCpp(context: 256))
    #expect(try PerplexityProtocol(name: "llama.cpp", longest: 4096) == .llamaCpp(context: 512))
    #expect(
      try PerplexityProtocol(name: "strided", longest: 256) == .strided(context: 256, stride: 128))
    #expect(
      try PerplexityProtocol(name: "contiguous", longest: 1000) == .contiguous(context: 1000))
    // What was asked for is taken.
    #expect(
      try PerplexityProtocol(name: "llama.cpp", context: 512, longest: 256)
        == .llamaCpp(context: 512))
  }
}
