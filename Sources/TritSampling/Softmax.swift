#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Probabilities of candidates, in double precision.
enum Softmax {
  /// exp(logit − top), normalised, in the order of `candidates`, which are not all at −∞.
  static func probabilities(_ candidates: borrowing [Candidate]) -> [Double] {
    let top = Double(CandidateSelection.best(candidates).logit)
    var weights: [Double] = []
    weights.reserveCapacity(candidates.count)
    var total = 0.0
    for index in 0..<candidates.count {
      let weight = exp(Double(candidates[index].logit) - top)
      weights.append(weight)
      total += weight
    }
    return weights.map { $0 / total }
  }
}
