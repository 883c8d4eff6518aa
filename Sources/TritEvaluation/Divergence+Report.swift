extension DivergenceStatistics {
  /// Tokens below which llama-perplexity prints no statistics.
  public static let leastTokens = 100

  /// The statistics in llama-perplexity's wording and number formats, so that scripts which read
  /// its output read ours. Fewer than 100 tokens give one line that says so.
  public var report: String {
    guard scoredTokens >= Self.leastTokens else {
      return "\(scoredTokens) scored tokens: divergence statistics need at least "
        + "\(Self.leastTokens)\n"
    }
    let compared = comparison
    var lines = ["====== Perplexity statistics ======"]
    func perplexityLine(_ label: String, _ estimate: Estimate) {
      lines.append(
        Self.padded(label, 30) + ": " + Decimals.text(estimate.value, 6, width: 10) + " ± "
          + Decimals.text(estimate.error, 6, width: 10))
    }
    perplexityLine("Mean PPL(Q)", variantPerplexity)
    perplexityLine("Mean PPL(base)", basePerplexity)
    lines.append(
      Self.padded("Cor(ln(PPL(Q)), ln(PPL(base)))", 30) + ": "
        + Decimals.text(100 * compared.correlation, 2, width: 6) + "%")
    perplexityLine("Mean ln(PPL(Q)/PPL(base))", compared.logRatio)
    perplexityLine("Mean PPL(Q)/PPL(base)", compared.ratio)
    perplexityLine("Mean PPL(Q)-PPL(base)", compared.difference)

    lines += ["", "====== KL divergence statistics ======"]
    let mean = meanDivergence
    lines.append(
      "Mean    KLD: " + Decimals.text(mean.value, 6, width: 10) + " ± "
        + Decimals.text(mean.error, 6, width: 10))
    for (label, fraction) in Self.divergenceQuantiles {
      lines.append("\(label) KLD: " + Decimals.text(divergence(quantile: fraction), 6, width: 10))
    }

    lines += ["", "====== Token probability statistics ======"]
    func percentLine(_ label: String, _ estimate: Estimate) {
      lines.append(
        "\(label): " + Decimals.text(100 * estimate.value, 3, width: 6) + " ± "
          + Decimals.text(100 * estimate.error, 3, width: 5) + " %")
    }
    percentLine("Mean    Δp", meanProbabilityChange)
    for (label, fraction) in Self.probabilityQuantiles {
      lines.append(
        "\(label) Δp: "
          + Decimals.text(100 * probabilityChange(quantile: fraction), 3, width: 6) + "%")
    }
    percentLine("RMS Δp    ", rmsProbabilityChange)
    percentLine("Same top p", sameTopShare)
    return lines.joined(separator: "\n") + "\n"
  }

  /// The quantiles of the KLD that the report lists, greatest first; labels are 7 wide.
  public static let divergenceQuantiles: [(label: String, fraction: Double)] = [
    ("Maximum", 1), ("99.9%  ", 0.999), ("99.0%  ", 0.99), ("95.0%  ", 0.95), ("90.0%  ", 0.9),
    ("Median ", 0.5), ("10.0%  ", 0.1), (" 5.0%  ", 0.05), (" 1.0%  ", 0.01), ("Minimum", 0),
  ]

  /// The quantiles of Δp that the report lists, greatest first; labels are 7 wide.
  public static let probabilityQuantiles: [(label: String, fraction: Double)] = [
    ("Maximum", 1), ("99.9%  ", 0.999), ("99.0%  ", 0.99), ("95.0%  ", 0.95), ("90.0%  ", 0.9),
    ("75.0%  ", 0.75), ("Median ", 0.5), ("25.0%  ", 0.25), ("10.0%  ", 0.1), (" 5.0%  ", 0.05),
    (" 1.0%  ", 0.01), (" 0.1%  ", 0.001), ("Minimum", 0),
  ]

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
