#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Keeps the `k` best candidates.
///
/// Source: Fan et al. 2018 (arXiv:1805.04833); ties at the edge go to smaller token ids.
public struct TopK: LogitsProcessor {
  /// The registered name.
  public let name = "top-k"
  /// How many stay; 0 keeps all.
  public let k: Int

  /// Keeps `k` candidates, or all for 0.
  public init(_ k: Int) { self.k = max(0, k) }

  /// What is kept is sorted, best first: a draw of a seed depends on nothing but the kept
  /// candidates, and not on the logits below them, which a screened head leaves inexact.
  public mutating func process(_ candidates: inout [Candidate], history: borrowing TokenHistory) {
    guard k > 0, k < candidates.count else { return }
    candidates.withUnsafeMutableBufferPointer { CandidateSelection.sortBest(k, of: $0) }
    candidates.removeLast(candidates.count - k)
  }
}

/// Keeps the smallest set of best candidates whose probabilities sum to at least `p` (nucleus
/// sampling).
///
/// Source: Holtzman et al. 2020 (arXiv:1904.09751), equation 2. The best candidate always stays.
public struct TopP: LogitsProcessor {
  /// The registered name.
  public let name = "top-p"
  /// The probability to keep; 1 keeps all.
  public let p: Double

  /// Keeps probability `p`.
  public init(_ p: Double) { self.p = p }

  /// Sorts only as many of the best as are needed, in steps; what is kept is sorted, best first.
  public mutating func process(_ candidates: inout [Candidate], history: borrowing TokenHistory) {
    guard p < 1 else { return }
    let top = CandidateSelection.best(candidates).logit
    guard top > -.infinity else { return }
    var total = 0.0
    for candidate in candidates { total += weight(candidate, top) }
    var sorted = 0
    var sum = 0.0
    let kept = candidates.withUnsafeMutableBufferPointer { all in
      while sorted < all.count {
        let step = min(max(64, sorted * 3), all.count - sorted)
        let rest = UnsafeMutableBufferPointer(rebasing: all[sorted...])
        CandidateSelection.sortBest(step, of: rest)
        for index in sorted..<(sorted + step) {
          sum += weight(all[index], top)
          if sum >= p * total { return index + 1 }
        }
        sorted += step
      }
      return all.count
    }
    candidates.removeLast(candidates.count - kept)
  }

  private func weight(_ candidate: Candidate, _ top: Float) -> Double {
    exp(Double(candidate.logit) - Double(top))
  }
}

/// Keeps candidates at least `p` times as likely as the best.
///
/// Source: Nguyen et al. 2024 (arXiv:2407.01082): p(x) ≥ p · max p, here as logit ≥ top + ln p.
public struct MinP: LogitsProcessor {
  /// The registered name.
  public let name = "min-p"
  /// The share of the best candidate's probability; 0 keeps all.
  public let p: Double

  /// Keeps candidates of at least `p` times the best probability.
  public init(_ p: Double) { self.p = p }

  /// Keeps the order of what stays.
  public mutating func process(_ candidates: inout [Candidate], history: borrowing TokenHistory) {
    guard p > 0 else { return }
    let top = CandidateSelection.best(candidates).logit
    guard top > -.infinity else { return }
    let least = Double(top) + log(p)
    var kept = 0
    for index in candidates.indices where Double(candidates[index].logit) >= least {
      candidates[kept] = candidates[index]
      kept += 1
    }
    candidates.removeLast(candidates.count - kept)
  }
}

/// Keeps the candidates whose surprise is nearest to the expected surprise, until they hold
/// probability `p` (locally typical sampling).
///
/// With H = −Σ p ln p, candidates are taken by |−ln p(x) − H|, smallest first, until the sum of
/// their probabilities exceeds `p`; ties go to the likelier, then to the smaller id. Unlike the
/// others it may drop the most likely candidate. Source: Meister et al. 2023 (arXiv:2202.00666).
public struct Typical: LogitsProcessor {
  /// The registered name.
  public let name = "typical"
  /// The probability to keep; 1 keeps all.
  public let p: Double
  /// Distance from the entropy in place of the logit, so that the shared sort orders by it.
  private var distances: [Candidate] = []

  /// Keeps probability `p`.
  public init(_ p: Double) { self.p = p }

  /// Leaves the kept candidates in order of typicality.
  public mutating func process(_ candidates: inout [Candidate], history: borrowing TokenHistory) {
    guard p < 1, candidates.count > 1 else { return }
    let top = CandidateSelection.best(candidates).logit
    guard top > -.infinity else { return }
    candidates.withUnsafeMutableBufferPointer { CandidateSelection.sort($0) }
    var total = 0.0
    var weighted = 0.0
    for candidate in candidates where candidate.logit > -.infinity {
      let difference = Double(candidate.logit) - Double(top)
      total += exp(difference)
      weighted += exp(difference) * difference
    }
    // ln p = difference − ln total, so H = ln total − Σ p · difference.
    let logTotal = log(total)
    let entropy = logTotal - weighted / total
    distances.removeAll(keepingCapacity: true)
    for (rank, candidate) in candidates.enumerated() {
      let surprise = logTotal - (Double(candidate.logit) - Double(top))
      distances.append(Candidate(token: Int32(rank), logit: -Float(abs(surprise - entropy))))
    }
    distances.withUnsafeMutableBufferPointer { CandidateSelection.sort($0) }
    var sum = 0.0
    var kept = 0
    while kept < distances.count {
      let logit = candidates[Int(distances[kept].token)].logit
      sum += exp(Double(logit) - Double(top)) / total
      kept += 1
      if sum > p { break }
    }
    gather(kept, &candidates)
  }

  /// Puts the candidates whose ranks lead `distances` in front, and drops the rest.
  private mutating func gather(_ kept: Int, _ candidates: inout [Candidate]) {
    for index in 0..<kept { distances[index] = candidates[Int(distances[index].token)] }
    for index in 0..<kept { candidates[index] = distances[index] }
    candidates.removeLast(candidates.count - kept)
  }
}
