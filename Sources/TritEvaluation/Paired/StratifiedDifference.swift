import TritCore

/// The same questions of one task as two runs answered them.
public struct AnsweredStratum: Sendable {
  /// Whether the variant was right, question by question.
  public let variant: [Bool]
  /// Whether the baseline was.
  public let baseline: [Bool]

  /// One entry a question in both.
  public init(variant: [Bool], baseline: [Bool]) {
    self.variant = variant
    self.baseline = baseline
  }
}

extension PairedDifference {
  /// Compares means over tasks: each task counts as one, or by its number of questions where
  /// `isWeighted`.
  ///
  /// The tasks are fixed and the questions within them drawn, so that with weights `w_t` (1/T, or
  /// n_t/N) the difference is `Σ w_t D_t` and its error `√Σ w_t² se_t²`, `se_t` being that of a mean
  /// of paired differences (stratified sampling: Cochran, Sampling Techniques, 3rd ed. 1977, eqs.
  /// 5.1 and 5.7; for equal weights `√Σ se_t² / T`, lm-evaluation-harness's
  /// `unweighted_mean_stderr`). Interval and p are Student's with the degrees of freedom of
  /// Satterthwaite ("An approximate distribution of estimates of variance components", Biometrics
  /// Bulletin 2, 1946). Below `smallCount` questions the BCa interval stands beside it, drawn within
  /// each task. A task with one question has no error, and so the mean has none. Throws `badData`
  /// where there are no tasks, or one without questions or with other numbers of them.
  public init(
    strata: [AnsweredStratum], isWeighted: Bool, bootstrapDraws: Int = resamples
  ) throws {
    let parts = try strata.map {
      try PairedDifference(variant: $0.variant, baseline: $0.baseline)
    }
    guard !parts.isEmpty else {
      throw LabError(
        .badData, "there is nothing to compare in pairs", expected: "one task or more", got: "none")
    }
    let counts = strata.map { Double($0.variant.count) }
    let total = counts.reduce(0, +)
    let weights = counts.map { isWeighted ? $0 / total : 1 / Double(parts.count) }
    let raw = zip(weights, parts).map { $0 * $1.value / 100 }.reduce(0, +)
    let errors = parts.compactMap(\.rawError)
    let variances = zip(weights, errors).map { $0 * $0 * $1 * $1 }
    let variance = variances.reduce(0, +)
    let isKnown = errors.count == parts.count
    var half = 0.0
    var p: Double? = raw == 0 ? 1 : 0
    if variance > 0 {
      let below = zip(variances, counts).map { $0 * $0 / ($1 - 1) }.reduce(0, +)
      let student = StudentDistribution(degrees: variance * variance / below)
      half = student.critical(0.05) * variance.squareRoot()
      p = student.beyond(raw / variance.squareRoot())
    }
    let values = strata.map { stratum in
      zip(stratum.variant, stratum.baseline).map { ($0 ? 1.0 : 0) - ($1 ? 1 : 0) }
    }
    let isSmall = Int(total) < Self.smallCount && variance > 0
    let drawn =
      isKnown && isSmall
      ? Bootstrap.interval(
        strata: values, weights: weights, resamples: bootstrapDraws, seed: Self.seed) : nil
    self.init(
      scale: .points, value: 100 * raw, rawError: isKnown ? variance.squareRoot() : nil,
      interval: isKnown ? Interval(100 * (raw - half), 100 * (raw + half)) : nil,
      bootstrap: drawn.map { Interval(100 * $0.lower, 100 * $0.upper) }, p: isKnown ? p : nil,
      units: Int(total), clusters: Int(total), method: isKnown ? .tasks : .none,
      flips: Flips(
        variant: strata.flatMap(\.variant), baseline: strata.flatMap(\.baseline)),
      isIdentical: parts.allSatisfy(\.isIdentical))
  }
}

extension Bootstrap {
  /// The 95 % BCa interval of `Σ w_t mean(x_t)`, drawn within each stratum: acceleration by the
  /// jackknife over all strata, each centred in itself (Davison & Hinkley, Bootstrap Methods and
  /// their Application, 1997, eq. 5.26 with the empirical influence values of several samples,
  /// §3.2.1). nil where the draws have no spread.
  static func interval(
    strata: [[Double]], weights: [Double], resamples: Int, seed: UInt64
  ) -> Interval? {
    var random = SeededRandom(seed: seed)
    var draws = (0..<max(resamples, 0)).map { _ in
      var value = 0.0
      for (stratum, weight) in zip(strata, weights) {
        var sum = 0.0
        for _ in stratum { sum += stratum[random.below(stratum.count)] }
        value += weight * sum / Double(stratum.count)
      }
      return value
    }
    draws.sort()
    // Draws are sums of a few fractions: what differs in the last bit alone is one value.
    let mean = zip(strata, weights).map { $1 * Moments.mean($0) }.reduce(0, +)
    guard let first = draws.first, let last = draws.last, last - first > 1e-12 else { return nil }
    let below = draws.count { $0 < mean - 1e-12 }
    let equal = draws.count { abs($0 - mean) <= 1e-12 }
    let share = (Double(below) + Double(equal) / 2) / Double(draws.count)
    var squares = 0.0
    var cubes = 0.0
    for (stratum, weight) in zip(strata, weights) {
      let own = Moments.mean(stratum)
      for value in stratum {
        // What the mean over all loses with one unit: proportional to its influence.
        let influence = weight * (value - own) / Double(stratum.count)
        squares += influence * influence
        cubes += influence * influence * influence
      }
    }
    let acceleration = squares > 0 ? cubes / (6 * squares * squares.squareRoot()) : 0
    let bias = NormalDistribution.quantile(share)
    func end(_ p: Double) -> Double {
      let z = bias + NormalDistribution.quantile(p)
      let place = NormalDistribution.cumulative(bias + z / (1 - acceleration * z))
      return OrderStatistics.quantile(place, ofSorted: draws)
    }
    guard bias.isFinite, acceleration.isFinite else { return Interval(first, last) }
    return Interval(end(0.025), end(0.975))
  }
}
