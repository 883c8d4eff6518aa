public import TritCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Always the most likely token; the smallest id on a tie. Draws nothing.
public struct Greedy: Sampler {
  /// The registered name.
  public let name = "greedy"
  /// The best.
  public let behaviour = SamplerBehaviour.best

  /// Takes no parameters.
  public init() {}

  /// The best candidate.
  public mutating func sample(
    _ candidates: borrowing [Candidate], random: inout SeededRandom
  ) -> Int32 {
    CandidateSelection.best(candidates).token
  }
}

/// Draws a token with the probability that the softmax of the logits gives it.
///
/// Inverse of the cumulative distribution in the order of the candidates, in double precision; one
/// random number a token.
public struct Multinomial: Sampler {
  /// The registered name.
  public let name = "multinomial"
  /// Proportional to the softmax.
  public let behaviour = SamplerBehaviour.proportional
  private var cumulative: [Double] = []

  /// Takes no parameters.
  public init() {}

  /// Draws one candidate; those at −∞ are never drawn.
  public mutating func sample(
    _ candidates: borrowing [Candidate], random: inout SeededRandom
  ) -> Int32 {
    let best = CandidateSelection.best(candidates)
    cumulative.removeAll(keepingCapacity: true)
    var total = 0.0
    for index in 0..<candidates.count {
      total += exp(Double(candidates[index].logit) - Double(best.logit))
      cumulative.append(total)
    }
    // The first candidate whose cumulative weight is above the target has weight above zero itself.
    let target = random.uniform() * total
    var low = 0
    var high = cumulative.count
    while low < high {
      let middle = (low + high) / 2
      if cumulative[middle] > target { high = middle } else { low = middle + 1 }
    }
    return low < candidates.count ? candidates[low].token : best.token
  }
}
