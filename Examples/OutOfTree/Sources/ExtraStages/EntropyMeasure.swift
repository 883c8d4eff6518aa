import Foundation
import TritLab

/// How unsure a model is while it writes: the entropy of each next token of a greedy text, H = −Σ p
/// log₂ p in bits.
public struct EntropyMeasure: Measure {
  /// The section of `measure`.
  public static let key = "entropy"
  /// What it is.
  public static let summary = "Entropy of each next token while the model writes, in bits."
  /// The formula.
  public static let source = "Shannon 1948, H = −Σ p log₂ p"
  /// A prompt, and how much is written.
  public static let fields = [
    MeasureField(
      "prompt", "What the text begins with.", .text, standard: .text("Once upon a time")),
    MeasureField("tokens", "Tokens that are written.", .integer(1...512), standard: .integer(32)),
  ]
  /// The mean.
  public static let columns = [
    ReportColumn(
      "Entropy, bits", key: "entropy.mean", group: .quality,
      meaning: "How unsure the model is of the next token: 0 is certain, 10 is one of 1,024.")
  ]
  let prompt: String
  let tokens: Int

  /// Reads settings.
  public init(_ settings: MeasureSettings) {
    prompt = settings.text("prompt")
    tokens = settings.integer("tokens")
  }

  /// The text has to fit the cache.
  public func check(context: Int) throws {
    guard tokens < context else {
      throw LabError(
        .badData, "measure.entropy.tokens: the text does not fit the context",
        expected: "fewer than \(context) tokens", got: "\(tokens)")
    }
  }

  /// `mean`, and the curve `steps`.
  public func run(_ run: MeasureRun) throws -> Measured {
    let engine = run.engine
    engine.reset()
    var logits = try engine.prefill(
      engine.tokenizer.encode(prompt, addSpecial: true, parseSpecial: false))
    var entropies: [Double] = []
    for step in 0..<tokens {
      var p = Array(logits)
      VectorMath.softmax(&p, count: p.count)
      entropies.append(p.reduce(0.0) { $1 > 0 ? $0 - Double($1) * log2(Double($1)) : $0 })
      run.progress(Double(step + 1) / Double(tokens))
      let next = logits.indices.max { logits[$0] < logits[$1] } ?? 0
      if step + 1 < tokens { logits = try engine.decode(next) }
    }
    let steps = Series(columns: [
      "step": entropies.indices.map { Double($0 + 1) }, "entropy": entropies,
    ])
    return Measured(
      metrics: ["mean": entropies.reduce(0, +) / Double(tokens)], series: ["steps": steps])
  }
}
