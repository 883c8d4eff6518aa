#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Standard errors from the spread between windows of text.
///
/// llama-perplexity's error of a mean takes tokens as independent. They are not: a hard passage is
/// hard for many tokens in a row. The windows are a sample of clusters, and the mean over all
/// tokens is a ratio of two sums over windows, so its error is
/// `√(K / (K − 1) · Σ (S_k − m n_k)²) / N`, where window k has n_k tokens whose values sum to S_k,
/// m is the mean and N = Σ n_k (Cochran, Sampling Techniques, 3rd ed. 1977, eq. 6.13 with K windows
/// drawn from many). With windows of equal size this is the standard error of the windows' means.
enum WindowSpread {
  /// The standard error of the mean of `samples`, cut into windows of `counts` in order; nil for
  /// fewer than two windows, which have no spread.
  static func error(_ samples: [Double], counts: [Int]) -> Double? {
    let counts = counts.filter { $0 > 0 }
    precondition(counts.reduce(0, +) == samples.count, "windows hold all samples")
    guard counts.count > 1 else { return nil }
    let mean = Moments.mean(samples)
    var start = 0
    var squares = 0.0
    for count in counts {
      var deviation = 0.0
      for index in start..<start + count { deviation += samples[index] - mean }
      squares += deviation * deviation
      start += count
    }
    let windows = Double(counts.count)
    return (squares * windows / (windows - 1)).squareRoot() / Double(samples.count)
  }
}

extension PerplexityResult {
  /// The standard error of the mean nll by the spread between windows, nats; nil for fewer than two
  /// windows.
  public var meanNLLWindowError: Double? { WindowSpread.error(nll, counts: chunkCounts) }

  /// The standard error of the perplexity by the spread between windows; nil for fewer than two
  /// windows.
  public var perplexityWindowError: Double? {
    meanNLLWindowError.map { perplexity.value * $0 }
  }

  /// The mean nll that the loop of Hugging Face's documentation ("Perplexity of fixed-length
  /// models") gives for the same windows, nats; nil for other protocols than `strided`.
  ///
  /// That loop takes each window's mean over its targets and weights it by their number *less one*,
  /// for the label shift. The shift costs a target only where the window's own first token is among
  /// them: in the first window, and in all where the stride is the context. Every other window
  /// counts one token too little, and one with a single target not at all. Here every token counts
  /// once.
  public var documentedLoopNLL: Double? {
    guard case .strided(let context, let stride) = method else { return nil }
    var start = 0
    var sum = 0.0
    var weights = 0
    for (index, count) in chunkCounts.enumerated() where count > 0 {
      let weight = firstChunk + index == 0 || stride == context ? count : count - 1
      sum += Moments.mean(Array(nll[start..<start + count])) * Double(weight)
      weights += weight
      start += count
    }
    return weights > 0 ? sum / Double(weights) : nil
  }
}

/// Standard errors of a comparison by the spread between windows, each in the unit of its value.
public struct DivergenceWindowErrors: Sendable, Hashable {
  /// Number of windows.
  public let windows: Int
  /// Of PPL(Q).
  public let variantPerplexity: Double
  /// Of PPL(base).
  public let basePerplexity: Double
  /// Of ln PPL(Q) − ln PPL(base): the windows' differences, so that what is hard for both cancels.
  public let logRatio: Double
  /// Of PPL(Q) / PPL(base).
  public let ratio: Double
  /// Of PPL(Q) − PPL(base).
  public let difference: Double
  /// Of the mean KLD, nats.
  public let meanDivergence: Double
  /// Of the mean Δp, as a share.
  public let meanProbabilityChange: Double
  /// Of the RMS Δp, as a share.
  public let rmsProbabilityChange: Double
  /// Of the share of same top tokens.
  public let sameTopShare: Double
}

extension DivergenceStatistics {
  /// The errors by the spread between windows; nil for fewer than two windows.
  public var windowErrors: DivergenceWindowErrors? {
    func error(_ samples: [Double]) -> Double? {
      WindowSpread.error(samples, counts: chunkCounts)
    }
    let ratios = zip(variantNLL, baseNLL).map { $0 - $1 }
    let (a, b) = (variantPerplexity.value, basePerplexity.value)
    guard let variant = error(variantNLL), let base = error(baseNLL), let ratio = error(ratios),
      // To first order the difference of the perplexities is the mean of these, but for a constant.
      let difference = error(zip(variantNLL, baseNLL).map { a * $0 - b * $1 }),
      let divergence = error(divergences), let change = error(probabilityChanges),
      let squares = error(probabilityChanges.map { $0 * $0 }),
      let sameTop = error(sameTop.map { $0 ? 1 : 0 })
    else { return nil }
    let rms = rmsProbabilityChange.value
    return DivergenceWindowErrors(
      windows: chunkCounts.count(where: { $0 > 0 }), variantPerplexity: a * variant,
      basePerplexity: b * base, logRatio: ratio, ratio: comparison.ratio.value * ratio,
      difference: difference, meanDivergence: divergence, meanProbabilityChange: change,
      rmsProbabilityChange: rms > 0 ? 0.5 / rms * squares : 0, sameTopShare: sameTop)
  }

  /// Where the share of same top tokens may lie, tokens taken as independent; nil without tokens.
  public var sameTopInterval: ShareInterval? {
    ShareInterval(sameTop.count { $0 }, of: sameTop.count)
  }

  /// The errors by windows in the manner of `report`, which follows llama-perplexity and takes
  /// tokens as independent; a sentence where there is one window. Empty where `report` has no
  /// statistics.
  public var windowReport: String {
    guard scoredTokens >= Self.leastTokens else { return "" }
    var lines = ["====== The same errors over windows ======"]
    if let errors = windowErrors {
      lines += Self.windowLines(errors)
    } else {
      lines.append("one window has no spread: there is no error over windows")
    }
    if let interval = sameTopInterval {
      lines.append(
        "Same top p, \(ShareInterval.name): " + Decimals.text(100 * interval.lower, 3) + " … "
          + Decimals.text(100 * interval.upper, 3) + " %")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func windowLines(_ errors: DivergenceWindowErrors) -> [String] {
    var lines = [
      "\(errors.windows) windows; tokens of one are not independent, as ± above assumes"
    ]
    for (label, error, unit) in [
      ("Mean PPL(Q)", errors.variantPerplexity, 1),
      ("Mean PPL(base)", errors.basePerplexity, 1),
      ("Mean ln(PPL(Q)/PPL(base))", errors.logRatio, 1),
      ("Mean PPL(Q)/PPL(base)", errors.ratio, 1),
      ("Mean PPL(Q)-PPL(base)", errors.difference, 1),
      ("Mean KLD", errors.meanDivergence, 1),
      ("Mean Δp, %", errors.meanProbabilityChange, 100),
      ("RMS Δp, %", errors.rmsProbabilityChange, 100),
      ("Same top p, %", errors.sameTopShare, 100),
    ] as [(String, Double, Double)] {
      let gap = String(repeating: " ", count: max(0, 30 - label.count))
      lines.append("\(label)\(gap): ± " + Decimals.text(unit * error, 6, width: 10))
    }
    return lines
  }
}
