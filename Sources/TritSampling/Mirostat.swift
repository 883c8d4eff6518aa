public import TritCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Draws so that the mean surprise of the text stays near a target, by feedback: version 1, which
/// estimates Zipf's exponent and keeps the k best.
///
/// With p sorted, t_i = ln((i + 1)/i) and b_i = ln(p_i/p_{i+1}) for i = 1…m − 1, ŝ = Σ t b / Σ t²,
/// ε = ŝ − 1 and k = ((ε 2^μ) / (1 − N^−ε))^(1/ŝ) for N candidates. After a draw of surprise
/// S = −log₂ p among those kept, μ falls by η (S − τ). μ begins as 2τ.
///
/// Source: Basu et al. 2021 (arXiv:2007.14966), algorithm 1, with m = 100 as in llama.cpp. It keeps
/// μ between tokens: a chain serves one text.
public struct Mirostat: Sampler {
  /// The registered name.
  public let name = "mirostat"
  /// Its draws are from a truncated set.
  public let behaviour = SamplerBehaviour.other
  /// Target surprise, in bits.
  public let tau: Double
  /// Learning rate.
  public let eta: Double
  /// How many of the best estimate the exponent.
  public let samples: Int
  private var mu: Double
  private var feedback = MirostatDraw()

  /// Aims at `tau` bits a token.
  public init(tau: Double = 5, eta: Double = 0.1, samples: Int = 100) {
    self.tau = tau
    self.eta = eta
    self.samples = max(2, samples)
    mu = 2 * tau
  }

  /// Draws one of the k best and moves μ.
  public mutating func sample(
    _ candidates: borrowing [Candidate], random: inout SeededRandom
  ) -> Int32 {
    feedback.sort(candidates)
    let k = count(of: candidates.count)
    let (token, surprise) = feedback.draw(first: k, random: &random)
    mu -= eta * (surprise - tau)
    return token
  }

  /// How many candidates to keep.
  private func count(of all: Int) -> Int {
    var products = 0.0
    var squares = 0.0
    for index in 0..<max(0, min(samples - 1, all - 1)) {
      let (p, next) = (feedback.weights[index], feedback.weights[index + 1])
      guard next > 0 else { break }
      let t = log(Double(index + 2) / Double(index + 1))
      products += t * log(p / next)
      squares += t * t
    }
    guard squares > 0, products > 0 else { return all }
    let exponent = products / squares
    let epsilon = exponent - 1
    // At ε = 0 the quotient is its limit, 2^μ / ln N.
    let scale =
      epsilon.magnitude < 1e-9
      ? 1 / log(Double(max(2, all))) : epsilon / (1 - pow(Double(all), -epsilon))
    let k = pow(scale * exp2(mu), 1 / exponent)
    return k.isFinite ? max(1, min(Int(min(k, Double(all))), all)) : all
  }
}

/// Draws so that the mean surprise of the text stays near a target, by feedback: version 2, which
/// leaves out what is more surprising than μ.
///
/// Tokens with −log₂ p > μ are left out (never the best). After a draw of surprise S = −log₂ p among
/// those kept, μ falls by η (S − τ). μ begins as 2τ.
///
/// Source: Basu et al. 2021 (arXiv:2007.14966), the simplification of the authors' code that
/// llama.cpp calls version 2. It keeps μ between tokens: a chain serves one text.
public struct Mirostat2: Sampler {
  /// The registered name.
  public let name = "mirostat-v2"
  /// Its draws are from a truncated set.
  public let behaviour = SamplerBehaviour.other
  /// Target surprise, in bits.
  public let tau: Double
  /// Learning rate.
  public let eta: Double
  private var mu: Double
  private var feedback = MirostatDraw()

  /// Aims at `tau` bits a token.
  public init(tau: Double = 5, eta: Double = 0.1) {
    self.tau = tau
    self.eta = eta
    mu = 2 * tau
  }

  /// Draws one of those that are not too surprising and moves μ.
  public mutating func sample(
    _ candidates: borrowing [Candidate], random: inout SeededRandom
  ) -> Int32 {
    feedback.sort(candidates)
    let kept = feedback.weights.firstIndex { -log2($0) > mu } ?? candidates.count
    let (token, surprise) = feedback.draw(first: max(1, kept), random: &random)
    mu -= eta * (surprise - tau)
    return token
  }
}

/// What both versions do: probabilities in order, and a draw among the first.
struct MirostatDraw: Sendable {
  private var sorted: [Candidate] = []
  /// The probabilities of the candidates, most likely first.
  private(set) var weights: [Double] = []

  /// Sorts `candidates`, not all at −∞, and normalizes.
  mutating func sort(_ candidates: borrowing [Candidate]) {
    sorted.removeAll(keepingCapacity: true)
    for index in 0..<candidates.count { sorted.append(candidates[index]) }
    sorted.withUnsafeMutableBufferPointer { CandidateSelection.sort($0) }
    weights.removeAll(keepingCapacity: true)
    let top = Double(sorted[0].logit)
    var total = 0.0
    for candidate in sorted {
      weights.append(exp(Double(candidate.logit) - top))
      total += weights[weights.count - 1]
    }
    for index in weights.indices { weights[index] /= total }
  }

  /// One of the first `count`, by its probability among them, and −log₂ of that.
  func draw(first count: Int, random: inout SeededRandom) -> (token: Int32, surprise: Double) {
    var total = 0.0
    for index in 0..<count { total += weights[index] }
    let target = random.uniform() * total
    var sum = 0.0
    for index in 0..<count {
      sum += weights[index]
      if sum > target, weights[index] > 0 {
        return (sorted[index].token, -log2(weights[index] / total))
      }
    }
    return (sorted[0].token, -log2(weights[0] / total))
  }
}
