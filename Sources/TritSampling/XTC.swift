public import TritCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Leaves out the most likely tokens now and then ("exclude top choices"): of those whose
/// probability reaches the threshold, only the least likely stays.
///
/// Source: p-e-w, text-generation-webui pull request 6335; llama.cpp's `xtc` sampler. It draws one
/// random number a token, where it can act at all.
public struct XTC: LogitsProcessor {
  /// The registered name.
  public let name = "xtc"
  /// How often it acts; 0 never, 1 always.
  public let probability: Double
  /// The probability that a top choice has; above 0.5 there are never two.
  public let threshold: Double

  /// Acts with `probability` on tokens of at least `threshold`.
  public init(_ probability: Double, threshold: Double = 0.1) {
    self.probability = probability
    self.threshold = threshold
  }

  /// With a random number that is made of the length of the history.
  public mutating func process(_ candidates: inout [Candidate], history: borrowing TokenHistory) {
    var random = SeededRandom(seed: UInt64(history.tokens.count))
    process(&candidates, history: history, random: &random)
  }

  /// Keeps the order of what stays.
  public mutating func process(
    _ candidates: inout [Candidate], history: borrowing TokenHistory, random: inout SeededRandom
  ) {
    guard probability > 0, threshold <= 0.5, candidates.count > 1 else { return }
    guard random.uniform() <= probability else { return }
    let top = Double(CandidateSelection.best(candidates).logit)
    guard top > -.infinity else { return }
    var total = 0.0
    for candidate in candidates { total += exp(Double(candidate.logit) - top) }
    func isTop(_ candidate: Candidate) -> Bool {
      candidate.logit > -.infinity && exp(Double(candidate.logit) - top) / total >= threshold
    }
    // The least likely of the top choices stays: of equals the one that comes last in the order.
    var last: Candidate?
    var count = 0
    for candidate in candidates where isTop(candidate) {
      count += 1
      if last.map({ $0.precedes(candidate) }) ?? true { last = candidate }
    }
    guard count > 1, let last else { return }
    candidates.removeAll { isTop($0) && $0 != last }
  }
}
