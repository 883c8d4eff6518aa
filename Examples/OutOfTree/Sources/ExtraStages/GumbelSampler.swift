import Foundation
import TritLab

/// The token with the largest logit + g, g = −ln(−ln u) for a uniform u of its own: each token
/// comes out with its probability under the softmax, and no softmax is computed.
public struct GumbelSampler: Sampler {
  /// The registered name.
  public let name = "gumbel"
  /// Which `checkSampler` proves by counting.
  public let behaviour = SamplerBehaviour.proportional

  /// Takes no parameters.
  public init() {}

  /// A random number for each candidate that is not at −∞.
  public mutating func sample(
    _ candidates: borrowing [Candidate], random: inout SeededRandom
  ) -> Int32 {
    var best = -Double.infinity
    var token: Int32?
    for index in 0..<candidates.count where candidates[index].logit > -.infinity {
      let noise = -log(-log(random.uniform()))
      let value = Double(candidates[index].logit) + noise
      if value > best || token == nil { (best, token) = (value, candidates[index].token) }
    }
    return token ?? candidates[0].token
  }
}
