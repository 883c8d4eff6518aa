internal import Foundation
internal import TritCore

/// Perplexity against bytes of weights.
enum SizeVersusPerplexityFigure: Figure {
  static let key = "size-vs-perplexity"
  static let summary = "perplexity against the bytes of the linear weights"
  static let needs = ["perplexity", "weights"]

  static func data(_ report: Report) -> PlotData? {
    ScatterChart(
      key: "model.linear_bytes", scale: 1 / 1_048_576, title: "Linear weights in memory (MiB)",
      unit: "MiB"
    ).data(report)
  }
}

/// Perplexity against bits a weight.
enum QualityVersusBitsFigure: Figure {
  static let key = "quality-vs-bits"
  static let summary = "perplexity against bits a weight (codes and scales)"
  static let needs = ["perplexity", "weights"]

  static func data(_ report: Report) -> PlotData? {
    ScatterChart(
      key: "weights.code_bits_per_weight",
      title: "Bits a weight, codes and scales (1.58 = log2 3: a trit)", unit: "bits a weight",
      ticks: [
        (1, "1"), (log2(3), "1.58"), (2, "2"), (3, "3"), (4, "4"), (8, "8"), (16, "16"), (32, "32"),
      ], isAlwaysLog: true
    ).data(report)
  }
}

/// Perplexity against the speed of new tokens.
enum SpeedVersusPerplexityFigure: Figure {
  static let key = "speed-vs-perplexity"
  static let summary = "perplexity against the speed of new tokens"
  static let needs = ["perplexity", "speed"]

  static func data(_ report: Report) -> PlotData? {
    ScatterChart(
      key: "speed.decode.tokens_per_second", lessIsBetter: false,
      title: "Decode speed, tokens a second (faster is at the right)", unit: "tokens a second"
    ).data(report)
  }
}
