public import TritCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What a difference is told in.
public enum DifferenceScale: Sendable, Hashable, Codable {
  /// Of logarithms, as a change of what they are logarithms of, in percent: losses in nats become
  /// perplexity.
  case percentOfRatio
  /// Of shares, in percentage points.
  case points
  /// As it is, in this unit.
  case plain(unit: String)

  /// The unit.
  public var unit: String {
    switch self {
    case .percentOfRatio: "%"
    case .points: "points"
    case .plain(let unit): unit
    }
  }

  /// A raw difference in the unit.
  public func told(_ raw: Double) -> Double {
    switch self {
    case .percentOfRatio: 100 * expm1(raw)
    case .points: 100 * raw
    case .plain: raw
    }
  }

  /// What `told` gives this.
  public func raw(_ told: Double) -> Double {
    switch self {
    case .percentOfRatio: log1p(told / 100)
    case .points: told / 100
    case .plain: told
    }
  }

  /// How fast `told` grows at `raw`: what makes a small error of one an error of the other.
  func slope(_ raw: Double) -> Double {
    switch self {
    case .percentOfRatio: 100 * exp(raw)
    case .points: 100
    case .plain: 1
    }
  }
}

/// Where a value may lie.
public struct Interval: Sendable, Hashable, Codable {
  /// The lower end.
  public var lower: Double
  /// The upper end.
  public var upper: Double

  /// Both ends.
  public init(_ lower: Double, _ upper: Double) {
    self.lower = lower
    self.upper = upper
  }

  /// Whether 0 lies outside.
  public var excludesZero: Bool { lower > 0 || upper < 0 }
}

/// What a variant answers differently from a baseline, question by question.
public struct Flips: Sendable, Hashable, Codable {
  /// Right in the baseline, wrong in the variant.
  public var rightToWrong: Int
  /// Wrong in the baseline, right in the variant.
  public var wrongToRight: Int
  /// All questions.
  public var count: Int
  /// Right in both.
  public var bothRight: Int

  /// Counts answers; both lists have one entry a question.
  public init(variant: [Bool], baseline: [Bool]) {
    precondition(variant.count == baseline.count, "paired answers")
    count = variant.count
    let pairs = zip(variant, baseline)
    rightToWrong = pairs.count { !$0 && $1 }
    wrongToRight = pairs.count { $0 && !$1 }
    bothRight = pairs.count { $0 && $1 }
  }

  /// The share of all questions that flipped, either way.
  public var share: Double { Double(rightToWrong + wrongToRight) / Double(max(count, 1)) }
  /// Flips to right less flips to wrong, as a share of all: the difference of the two accuracies.
  public var signedShare: Double { Double(wrongToRight - rightToWrong) / Double(max(count, 1)) }
  /// McNemar's exact two-sided p: whether flips to wrong and to right are equally likely (McNemar,
  /// "Note on the sampling error of the difference between correlated proportions", Psychometrika
  /// 12, 1947; exact by the binomial distribution).
  public var pValue: Double { SignTest.pValue(rightToWrong, wrongToRight) }

  /// Where the difference of the two accuracies may lie, as a share, with 95 %: Newcombe, "Improved
  /// confidence intervals for the difference between binomial proportions based on paired data",
  /// Statistics in Medicine 17 (1998), method 10: Wilson's intervals of both, put together with
  /// their correlation. nil without questions.
  public var interval: Interval? {
    let right = bothRight + wrongToRight
    let base = bothRight + rightToWrong
    guard let a = ShareInterval(right, of: count), let b = ShareInterval(base, of: count) else {
      return nil
    }
    let n = Double(count)
    let (p, q) = (Double(right) / n, Double(base) / n)
    let phi = correlation
    func half(_ x: Double, _ y: Double) -> Double {
      max(0, x * x - 2 * phi * x * y + y * y).squareRoot()
    }
    return Interval(
      p - q - half(p - a.lower, b.upper - q), p - q + half(a.upper - p, q - b.lower))
  }

  /// Newcombe's φ with his correction for continuity, 0 where a margin is empty.
  private var correlation: Double {
    let (e, f, g) = (Double(bothRight), Double(wrongToRight), Double(rightToWrong))
    let n = Double(count)
    let h = n - e - f - g
    let margins = (e + f) * (g + h) * (e + g) * (f + h)
    guard margins > 0 else { return 0 }
    let excess = e * h - f * g
    let corrected = excess > n / 2 ? excess - n / 2 : min(excess, 0)
    return corrected / margins.squareRoot()
  }
}

/// The difference between two runs over the same units (windows of a text, questions), with its own
/// error: what is hard for both cancels.
public struct PairedDifference: Sendable, Hashable, Codable {
  /// How the interval and the p were made.
  public enum Method: String, Sendable, Codable {
    /// Student's t over clusters of units, which are a sample of all that there could be.
    case clusters
    /// Newcombe's interval and McNemar's exact test over questions.
    case questions
    /// Student's t over the questions of several tasks, each task a stratum.
    case tasks
    /// One cluster: no error is known.
    case none
  }

  /// What it is told in.
  public let scale: DifferenceScale
  /// Variant less baseline, in the unit of `scale`.
  public let value: Double
  /// One standard error in the unit; nil for one cluster.
  public private(set) var error: Double?
  /// Where the difference may lie with 95 %, in the unit; nil for one cluster.
  public private(set) var interval: Interval?
  /// The same by bootstrap (BCa), where clusters are fewer than `smallCount`; nil else.
  public let bootstrap: Interval?
  /// Two-sided: how often runs without a difference would differ so much; nil for one cluster.
  public private(set) var p: Double?
  /// Units that were compared.
  public let units: Int
  /// Clusters that they form.
  public let clusters: Int
  /// How interval and p were made.
  public private(set) var method: Method
  /// For questions, who flipped.
  public private(set) var flips: Flips?
  /// Whether not one unit differs.
  public let isIdentical: Bool
  /// The standard error before it was told in the unit.
  public let rawError: Double?

  /// Below so many clusters the bootstrap's interval stands beside the other.
  public static let smallCount = 100
  /// Resamples of the bootstrap.
  public static let resamples = 10_000
  /// Seed of its draws.
  public static let seed: UInt64 = 1

  /// The lower end of the interval; not a number where there is none.
  public var lower: Double { interval?.lower ?? .nan }
  /// The upper end of the interval; not a number where there is none.
  public var upper: Double { interval?.upper ?? .nan }

  /// Compares means over units, each with its weight (scored tokens; 1 where nil). Units of one
  /// entry of `clusters` (a document) are one draw; nil lets each unit be one.
  ///
  /// The difference is `D = Σ w (a − b) / Σ w`, a ratio of sums over clusters, and its error
  /// `√(K / (K − 1) Σ (S_k − D W_k)²) / W` as in `WindowSpread`; interval and p are Student's with
  /// K − 1 degrees. `bootstrapDraws` are the resamples of `bootstrap`. Throws `badData` where the
  /// runs have other units, or none.
  public init(
    variant: [Double], baseline: [Double], weights: [Double]? = nil, clusters: [Int]? = nil,
    scale: DifferenceScale, bootstrapDraws: Int = resamples
  ) throws {
    let weights = weights ?? Array(repeating: 1, count: variant.count)
    let owners = clusters ?? Array(variant.indices)
    try Self.check(variant, baseline, weights, owners)
    let sums = ClusterSums(
      values: zip(variant, baseline).map { $0 - $1 }, weights: weights, owners: owners)
    let raw = sums.mean
    let rawError = sums.error
    self.scale = scale
    self.rawError = rawError
    value = scale.told(raw)
    error = rawError.map { scale.slope(raw) * $0 }
    units = variant.count
    self.clusters = sums.count
    flips = nil
    isIdentical = variant == baseline
    guard let rawError else {
      (interval, bootstrap, p, method) = (nil, nil, nil, .none)
      return
    }
    method = .clusters
    let student = StudentDistribution(degrees: Double(sums.count - 1))
    let half = student.critical(0.05) * rawError
    interval = Interval(scale.told(raw - half), scale.told(raw + half))
    // Differences that are all equal have no spread: none at all is no difference, any other is a
    // sure one.
    p = rawError > 0 ? student.beyond(raw / rawError) : raw == 0 ? 1 : 0
    bootstrap =
      sums.count < Self.smallCount && rawError > 0
      ? Bootstrap.interval(sums, resamples: bootstrapDraws, seed: Self.seed).map {
        Interval(scale.told($0.lower), scale.told($0.upper))
      } : nil
  }

  /// Compares answers. Where questions stand in `clusters` (of one document, say) of more than one,
  /// the interval is that of clusters; p is McNemar's where they do not. Throws `badData` where the
  /// runs have other questions, or none.
  public init(variant: [Bool], baseline: [Bool], clusters: [Int]? = nil) throws {
    let numbers = [variant, baseline].map { $0.map { $0 ? 1.0 : 0 } }
    let owners = clusters ?? Array(variant.indices)
    try Self.check(
      numbers[0], numbers[1], Array(repeating: 1, count: variant.count), owners)
    let counted = Flips(variant: variant, baseline: baseline)
    if Set(owners).count < owners.count {
      var clustered = try PairedDifference(
        variant: numbers[0], baseline: numbers[1], clusters: owners, scale: .points)
      clustered.flips = counted
      // No two shares are further apart, whatever Student's t over a few documents says.
      func within(_ interval: Interval) -> Interval {
        Interval(max(interval.lower, -100), min(interval.upper, 100))
      }
      clustered.interval = clustered.interval.map(within)
      self.init(clustered)
      return
    }
    var plain = try PairedDifference(
      variant: numbers[0], baseline: numbers[1], scale: .points)
    plain.interval = counted.interval.map { Interval(100 * $0.lower, 100 * $0.upper) }
    plain.p = counted.pValue
    plain.method = .questions
    plain.flips = counted
    self.init(plain)
  }

  private init(_ other: PairedDifference) { self = other }

  /// A difference whose figures are known; `rawError` in the unit before it is told.
  init(
    scale: DifferenceScale, value: Double, rawError: Double?, interval: Interval?,
    bootstrap: Interval?, p: Double?, units: Int, clusters: Int, method: Method, flips: Flips?,
    isIdentical: Bool
  ) {
    self.scale = scale
    self.value = value
    self.rawError = rawError
    error = rawError.map { scale.slope(scale.raw(value)) * $0 }
    self.interval = interval
    self.bootstrap = bootstrap
    self.p = p
    self.units = units
    self.clusters = clusters
    self.method = method
    self.flips = flips
    self.isIdentical = isIdentical
  }

  private static func check(
    _ variant: [Double], _ baseline: [Double], _ weights: [Double], _ owners: [Int]
  ) throws {
    guard variant.count == baseline.count, weights.count == variant.count,
      owners.count == variant.count
    else {
      throw LabError(
        .badData, "two runs over other units cannot be compared in pairs",
        expected: "\(baseline.count), as many as the baseline has", got: "\(variant.count)",
        advice: "run both on the same text or questions with the same settings")
    }
    guard !variant.isEmpty else {
      throw LabError(
        .badData, "there is nothing to compare in pairs",
        expected: "at least one unit", got: "none")
    }
    for (whose, values) in [("the variant", variant), ("the baseline", baseline)] {
      guard let place = values.firstIndex(where: { !$0.isFinite }) else { continue }
      throw LabError(
        .badData, "\(whose) has a value that is no finite number",
        at: "unit \(place) of \(values.count)", expected: "a finite value for each unit",
        got: "\(values[place])",
        advice: "a model that gives no finite loss is broken there: look at its text and logits")
    }
    guard weights.allSatisfy({ $0 >= 0 && $0.isFinite }), weights.reduce(0, +) > 0 else {
      throw LabError(
        .badData, "the weights of units make no mean",
        expected: "weights from 0 on, some of them above 0",
        got: "\(weights.first { !($0 >= 0 && $0.isFinite) } ?? 0)")
    }
  }
}
