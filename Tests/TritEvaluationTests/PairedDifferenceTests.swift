import Foundation
import Testing
import TritCore
import TritEvaluation

/// Values of scipy 1.16 and statsmodels 0.14 where nothing else is said.
@Suite struct DistributionTests {
  private func agrees(_ a: Double, _ b: Double, _ relative: Double = 1e-12) -> Bool {
    abs(a - b) <= relative * max(abs(b), 1e-300)
  }

  @Test func normalIsThatOfScipy() {
    #expect(agrees(NormalDistribution.quantile(0.975), 1.959963984540054))
    #expect(agrees(NormalDistribution.quantile(0.8), 0.8416212335729143))
    #expect(agrees(NormalDistribution.quantile(0.001), -3.090232306167813))
    #expect(abs(NormalDistribution.quantile(0.5)) < 1e-15)
    #expect(agrees(NormalDistribution.cumulative(-1.5), 0.06680720126885807))
    #expect(NormalDistribution.quantile(0) == -.infinity)
    #expect(NormalDistribution.quantile(1) == .infinity)
  }

  @Test(arguments: [
    (1, 1.0, 0.5), (4, 2.5, 0.06676654481198814), (11, 2.2, 0.05008611098180428),
    (99, 3.3, 0.001344764746399179), (7, 0.001, 0.9992300172449988),
    (3, 40.0, 3.4380680789158506e-05),
  ])
  func studentsTailsAreThoseOfScipy(_ degrees: Int, _ t: Double, _ expected: Double) {
    let student = StudentDistribution(degrees: Double(degrees))
    #expect(agrees(student.beyond(t), expected, 1e-11))
    #expect(student.beyond(t) == student.beyond(-t))
  }

  @Test(arguments: [
    (1, 12.706204736174705), (2, 4.302652729749464), (5, 2.5705818356363155),
    (11, 2.2009851600916392), (30, 2.042272456301238), (1000, 1.9623390808264085),
  ])
  func studentsPointsAreThoseOfScipy(_ degrees: Int, _ expected: Double) {
    #expect(agrees(StudentDistribution(degrees: Double(degrees)).critical(0.05), expected, 1e-10))
  }

  @Test(arguments: [
    (1, 7, 0.0703125), (0, 5, 0.0625), (12, 2, 0.012939453125), (30, 55, 0.008836205876094518),
    (400, 480, 0.007707305043339153), (3, 3, 1), (0, 0, 1),
  ])
  func signTestIsExact(_ a: Int, _ b: Int, _ expected: Double) {
    #expect(agrees(SignTest.pValue(a, b), expected, 1e-11))
    #expect(SignTest.pValue(a, b) == SignTest.pValue(b, a))
  }

  @Test func holmIsThatOfStatsmodels() {
    let adjusted = HolmCorrection.adjusted([0.01, 0.04, 0.03, 0.005, 0.5])
    for (value, expected) in zip(adjusted, [0.04, 0.09, 0.09, 0.025, 0.5]) {
      #expect(agrees(value, expected))
    }
    // What has no p takes no place among those that have.
    let some = HolmCorrection.adjusted([.nan, 0.02])
    #expect(some[0].isNaN && some[1] == 0.02)
    #expect(HolmCorrection.adjusted([]).isEmpty)
  }
}

@Suite struct PairedDifferenceTests {
  private let variant = [
    2.31, 2.44, 1.98, 2.75, 2.12, 2.60, 2.05, 2.33, 2.41, 2.20, 2.90, 2.15,
  ]
  private let baseline = [
    2.29, 2.40, 1.99, 2.70, 2.13, 2.55, 2.03, 2.31, 2.36, 2.21, 2.71, 2.13,
  ]

  @Test func equalWeightsGiveThePairedTTest() throws {
    let found = try PairedDifference(
      variant: variant, baseline: baseline, scale: .plain(unit: "nats"))
    // scipy.stats.ttest_rel and its confidence_interval.
    #expect(abs(found.value - 0.0358333333333334) < 1e-14)
    #expect(abs(try #require(found.error) - 0.015494785698369097) < 1e-14)
    #expect(abs(try #require(found.p) - 0.04110966269247787) < 1e-12)
    #expect(abs(found.lower - 0.001729539952422865) < 1e-12)
    #expect(abs(found.upper - 0.06993712671424394) < 1e-12)
    #expect(found.units == 12 && found.clusters == 12 && !found.isIdentical)
  }

  @Test func bootstrapIsThatOfScipy() throws {
    let drawn = try #require(
      PairedDifference(variant: variant, baseline: baseline, scale: .plain(unit: "nats"))
        .bootstrap)
    // scipy.stats.bootstrap, BCa, 100,000 draws: 0.016667 … 0.083333; quantiles of 10,000 draws
    // that lie on multiples of 0.01/12 differ by a few of these.
    #expect(abs(drawn.lower - 0.016667) < 0.0018)
    #expect(abs(drawn.upper - 0.083333) < 0.0055)
    // The long tail above makes it lean there: the other interval is symmetric.
    #expect(drawn.upper - 0.0358 > 1.5 * (0.0358 - drawn.lower))
  }

  @Test func lossesAreToldAsPerplexity() throws {
    let found = try PairedDifference(
      variant: variant, baseline: baseline, scale: .percentOfRatio)
    let plain = try PairedDifference(
      variant: variant, baseline: baseline, scale: .plain(unit: "nats"))
    #expect(abs(found.value - 100 * (exp(plain.value) - 1)) < 1e-10)
    #expect(abs(found.upper - 100 * (exp(plain.upper) - 1)) < 1e-10)
    #expect(found.p == plain.p)
  }

  @Test func weightsAreThoseOfARatioOfSums() throws {
    // Two windows of 3 and 1 tokens: 0.2 and 0.6 nats worse: D = (3·0.2 + 0.6)/4 = 0.3;
    // deviations 0.6 − 0.9 and 0.6 − 0.3: √(2·(0.09 + 0.09))/4 = 0.15.
    let found = try PairedDifference(
      variant: [1.2, 2.6], baseline: [1, 2], weights: [3, 1], scale: .plain(unit: "nats"))
    #expect(abs(found.value - 0.3) < 1e-12)
    #expect(abs(try #require(found.error) - 0.15) < 1e-12)
  }

  @Test func aClusterIsOneDraw() throws {
    // Each window twice, as two windows of one document: the error stays that of the documents.
    let twice = try PairedDifference(
      variant: variant + variant, baseline: baseline + baseline,
      clusters: Array(0..<12) + Array(0..<12), scale: .plain(unit: "nats"))
    let once = try PairedDifference(
      variant: variant, baseline: baseline, scale: .plain(unit: "nats"))
    #expect(abs(try #require(twice.error) - (try #require(once.error))) < 1e-14)
    #expect(twice.clusters == 12 && twice.units == 24)
  }

  @Test func oneWindowHasNoInterval() throws {
    let found = try PairedDifference(variant: [2], baseline: [1], scale: .percentOfRatio)
    #expect(found.interval == nil && found.p == nil && found.error == nil)
    #expect(found.method == .none && abs(found.value - 171.828182845) < 1e-6)
  }

  @Test func equalRunsAreIdentical() throws {
    let found = try PairedDifference(
      variant: baseline, baseline: baseline, scale: .percentOfRatio)
    #expect(found.isIdentical && found.value == 0 && found.p == 1)
    #expect(found.interval == Interval(0, 0))
  }

  @Test func aValueThatIsNoNumberIsNamed() {
    for (variant, baseline, whose) in [
      ([1.0, .nan], [1.0, 2], "the variant"), ([1.0, 2], [.infinity, 2], "the baseline"),
    ] {
      let error = #expect(throws: LabError.self) {
        try PairedDifference(variant: variant, baseline: baseline, scale: .percentOfRatio)
      }
      #expect(error?.what == "\(whose) has a value that is no finite number")
      #expect(error?.place?.contains(variant[1].isNaN ? "unit 1" : "unit 0") == true)
    }
  }

  @Test func whatMakesNoPairsIsRefused() {
    for (a, b, w) in [
      ([1.0], [1.0, 2], nil), ([], [], nil), ([1.0, .nan], [1.0, 2], nil),
      ([1.0, 2], [1.0, 2], [0.0, 0]), ([1.0, 2], [1.0, 2], [1.0]),
    ] as [([Double], [Double], [Double]?)] {
      #expect(throws: LabError.self) {
        try PairedDifference(variant: a, baseline: b, weights: w, scale: .points)
      }
    }
  }

  /// Of intervals that hold the truth with 95 %, 4,000 samples of 12 hold it 3,800 ± 41 times
  /// (three standard deviations of the count). The bootstrap's are known to be too narrow for so
  /// few: Efron's table has 0.91 to 0.94.
  @Test func intervalsHoldTheTruthAsOftenAsTheySay() throws {
    var random = SeededRandom(seed: 7)
    func normal() -> Double { NormalDistribution.quantile(max(random.uniform(), 1e-12)) }
    var held = 0
    for _ in 0..<4000 {
      let found = try PairedDifference(
        variant: (0..<12).map { _ in 0.5 + normal() }, baseline: Array(repeating: 0, count: 12),
        clusters: Array(0..<12), scale: .plain(unit: ""), bootstrapDraws: 0)
      if found.lower <= 0.5, found.upper >= 0.5 { held += 1 }
    }
    #expect(abs(held - 3800) <= 41)
  }

  @Test func bootstrapHoldsTheTruthNearlyAsOften() throws {
    var random = SeededRandom(seed: 8)
    var held = 0
    for _ in 0..<300 {
      // A skewed distribution with the mean 1.
      let found = try PairedDifference(
        variant: (0..<40).map { _ in -log(1 - random.uniform()) },
        baseline: Array(repeating: 0, count: 40), scale: .plain(unit: ""), bootstrapDraws: 1000)
      let drawn = try #require(found.bootstrap)
      if drawn.lower <= 1, drawn.upper >= 1 { held += 1 }
    }
    // 0.91 … 0.97 of 300, three standard deviations around 0.94.
    #expect((270...295).contains(held))
  }
}

@Suite struct FlipTests {
  private func answers(_ both: Int, _ gained: Int, _ lost: Int, _ neither: Int) -> ([Bool], [Bool])
  {
    func row(_ count: Int, _ value: Bool) -> [Bool] { Array(repeating: value, count: count) }
    return (
      row(both, true) + row(gained, true) + row(lost, false) + row(neither, false),
      row(both, true) + row(gained, false) + row(lost, true) + row(neither, false)
    )
  }

  /// Fagerland, Lydersen, Laake, "Recommended tests and confidence intervals for paired binomial
  /// proportions", Statistics in Medicine 33 (2014): 1, 1, 7, 12 give −0.286 with −0.507 to −0.026
  /// by Newcombe's interval; their exact McNemar p is 0.070.
  @Test func publishedExample() throws {
    let (variant, baseline) = answers(1, 1, 7, 12)
    let flips = Flips(variant: variant, baseline: baseline)
    #expect(flips.rightToWrong == 7 && flips.wrongToRight == 1 && flips.count == 21)
    #expect(abs(flips.signedShare + 0.2857142857) < 1e-9)
    let interval = try #require(flips.interval)
    #expect(abs(interval.lower + 0.507) < 5e-4 && abs(interval.upper + 0.026) < 5e-4)
    #expect(abs(flips.pValue - 0.0703125) < 1e-12)
    let found = try PairedDifference(variant: variant, baseline: baseline)
    #expect(abs(found.value + 28.57142857) < 1e-7 && found.method == .questions)
    #expect(abs(found.lower - 100 * interval.lower) < 1e-12)
    #expect(found.flips == flips)
  }

  @Test func mcNemarIsThatOfStatsmodels() {
    let (variant, baseline) = answers(59, 6, 16, 80)
    #expect(
      abs(Flips(variant: variant, baseline: baseline).pValue - 0.052478790283203125) < 1e-13)
  }

  @Test func equalAnswersHaveAnIntervalThatIsNotEmpty() throws {
    let (variant, baseline) = answers(10, 0, 0, 10)
    let found = try PairedDifference(variant: variant, baseline: baseline)
    #expect(found.value == 0 && found.isIdentical && found.p == 1)
    #expect(found.lower < 0 && found.upper > 0)
  }

  /// Two documents: Student's t with one degree reaches beyond what shares can differ by.
  @Test func noIntervalOfSharesIsWiderThanAll() throws {
    let found = try PairedDifference(
      variant: [true, true, false], baseline: [true, false, true], clusters: [0, 0, 1])
    #expect(found.interval == Interval(-100, 100))
  }

  @Test func questionsOfOneDocumentAreOneDraw() throws {
    let (variant, baseline) = answers(5, 3, 1, 3)
    let found = try PairedDifference(
      variant: variant, baseline: baseline, clusters: (0..<12).map { $0 / 2 })
    #expect(found.method == .clusters && found.clusters == 6 && found.flips?.count == 12)
  }
}

@Suite struct DetectableDifferenceTests {
  @Test func isTheTextbooks() {
    // (1.95996 + 0.84162) standard errors: 2.80159.
    #expect(abs(DetectableDifference.standardErrors - 2.801585218112968) < 1e-12)
    let seen = DetectableDifference(rawError: 0.001, scale: .points)
    #expect(abs(seen.value - 0.2801585218) < 1e-9)
    // Half as large takes four times as many.
    #expect(abs(seen.factor(toSee: seen.value / 2) - 4) < 1e-9)
    let percent = DetectableDifference(rawError: 0.001, scale: .percentOfRatio)
    #expect(abs(percent.factor(toSee: percent.value) - 1) < 1e-9)
  }

  /// An error over few clusters is itself little known. Exact are the effects that a t test finds
  /// with 80 %, in standard errors, by numeric integration of its noncentral distribution (scipy
  /// 1.16: normal tails over a χ² density); the sums of two points of Student's t that are told lie
  /// 0.5 % around them from 6 clusters on.
  @Test(arguments: [
    (3, 5.6535, 0.06), (5, 3.7611, 0.013), (6, 3.5139, 0.007), (10, 3.1496, 0.005),
    (17, 2.9845, 0.005), (54, 2.8536, 0.005), (1000, 2.8043, 0.005),
  ])
  func fewClustersSeeLess(_ clusters: Int, _ exact: Double, _ within: Double) {
    let seen = DetectableDifference(
      rawError: 1, scale: .plain(unit: ""), clusters: clusters
    ).value
    #expect(abs(seen / exact - 1) < within)
  }

  /// With twice the power of what is seen, the factor solves t(K f)/√f = t(K)/2 (scipy's brentq);
  /// among 4 comparisons Holm's first step is at 0.05/4.
  @Test func moreClustersKnowTheirErrorBetter() {
    for (clusters, factor) in [(3, 1.8076340598728156), (10, 3.3716137310916796)] {
      let seen = DetectableDifference(
        rawError: 0.01, scale: .plain(unit: ""), clusters: clusters)
      #expect(abs(seen.factor(toSee: seen.half) - factor) < 1e-6)
    }
    for (clusters, errors) in [(3, 9.920860206434137), (54, 3.4342670579812795)] {
      let among = DetectableDifference(
        rawError: 1, scale: .plain(unit: ""), clusters: clusters, comparisons: 4)
      #expect(abs(among.rawValue / errors - 1) < 1e-9)
    }
    let many = DetectableDifference(rawError: 1, scale: .plain(unit: ""), comparisons: 4)
    #expect(abs(many.value - 3.3393267079852884) < 1e-9)
  }

  /// Ten windows find with 80 % what they say, not with the 70 % of a known error.
  @Test func tenClustersFindItToo() throws {
    var random = SeededRandom(seed: 10)
    func normal() -> Double { NormalDistribution.quantile(max(random.uniform(), 1e-12)) }
    let effect = DetectableDifference(
      rawError: 1 / 10.0.squareRoot(), scale: .plain(unit: ""), clusters: 10
    ).value
    var found = 0
    for _ in 0..<1000 {
      let one = try PairedDifference(
        variant: (0..<10).map { _ in effect + normal() }, baseline: Array(repeating: 0, count: 10),
        scale: .plain(unit: ""), bootstrapDraws: 0)
      if (one.p ?? 1) < 0.05 { found += 1 }
    }
    #expect(abs(found - 800) <= 38)
  }

  /// Of comparisons whose true difference is what can be seen with 80 %, 80 % find it.
  @Test func eightOfTenFindIt() throws {
    var random = SeededRandom(seed: 9)
    func normal() -> Double { NormalDistribution.quantile(max(random.uniform(), 1e-12)) }
    let count = 200
    let effect = DetectableDifference(
      rawError: 1 / Double(count).squareRoot(), scale: .plain(unit: "")
    ).value
    var found = 0
    for _ in 0..<1000 {
      let one = try PairedDifference(
        variant: (0..<count).map { _ in effect + normal() },
        baseline: Array(repeating: 0, count: count), scale: .plain(unit: ""))
      if (one.p ?? 1) < 0.05 { found += 1 }
    }
    // Three standard deviations of a count of 1000 at 0.8 are 38.
    #expect(abs(found - 800) <= 38)
  }
}
