import Testing
import TritLab

/// Differences of means over tasks. Expected figures: numpy 2.4 and scipy 1.17 (`t.ppf`, `t.sf`,
/// `stats.bootstrap` of three samples with `method="BCa"`, 200,000 resamples) on the same answers.
@Suite struct StratifiedDifferenceTests {
  private static let answers = [
    ("000000101011", "000000110001"), ("01101100001010100010", "01101100101010000111"),
    ("111010000010101100001001101011", "111110100011101000101100101111"),
  ]
  static let strata = answers.map { variant, baseline in
    AnsweredStratum(variant: variant.map { $0 == "1" }, baseline: baseline.map { $0 == "1" })
  }

  @Test func aMeanOverTasksIsThatOfStrata() throws {
    let equal = try PairedDifference(strata: Self.strata, isWeighted: false)
    #expect(agrees(equal.value, -5, digits: 12))
    #expect(agrees(equal.error ?? 0, 6.722956944916987, digits: 12))
    #expect(agrees(equal.lower, -18.699176491041158, digits: 9))
    #expect(agrees(equal.upper, 8.699176491041161, digits: 9))
    #expect(agrees(equal.p ?? 0, 0.462521649425371, digits: 9))
    #expect(equal.method == .tasks && equal.units == 62)
    let weighted = try PairedDifference(strata: Self.strata, isWeighted: true)
    #expect(agrees(weighted.value, -8.064516129032258, digits: 12))
    #expect(agrees(weighted.error ?? 0, 6.227134262728524, digits: 12))
    #expect(agrees(weighted.lower, -20.528715375481678, digits: 9))
    #expect(agrees(weighted.upper, 4.399683117417164, digits: 9))
    #expect(agrees(weighted.p ?? 0, 0.20041609912309555, digits: 9))
    // The bootstrap's steps are those of the answers, a point or two.
    for (own, lower, upper) in [
      (equal, -17.777777777777775, 7.777777777777778),
      (weighted, -19.35483870967742, 4.838709677419355),
    ] {
      let drawn = try #require(own.bootstrap)
      #expect(abs(drawn.lower - lower) < 1.7 && abs(drawn.upper - upper) < 1.7)
    }
  }

  /// The error of the harness for a mean over tasks, `unweighted_mean_stderr`, of the tasks' own.
  @Test func theErrorIsMadeOfThoseOfTheTasks() throws {
    let single = try Self.strata.map {
      try PairedDifference(variant: $0.variant, baseline: $0.baseline)
    }
    let sum = single.reduce(0) { $0 + ($1.error ?? .nan) * ($1.error ?? .nan) }
    let all = try PairedDifference(strata: Self.strata, isWeighted: false)
    #expect(agrees(all.error ?? 0, sum.squareRoot() / 3, digits: 12))
    #expect(all.flips?.rightToWrong == single.reduce(0) { $0 + ($1.flips?.rightToWrong ?? 0) })
    #expect(all.flips?.wrongToRight == single.reduce(0) { $0 + ($1.flips?.wrongToRight ?? 0) })
  }

  @Test func whatHasNoSpreadHasNoError() throws {
    let one = AnsweredStratum(variant: [true], baseline: [false])
    let told = try PairedDifference(strata: Self.strata + [one], isWeighted: false)
    #expect(told.error == nil && told.interval == nil && told.p == nil && told.method == .none)
    #expect(agrees(told.value, (-5.0 * 3 + 100) / 4, digits: 12))
    let same = AnsweredStratum(variant: [true, false, true], baseline: [true, false, true])
    let none = try PairedDifference(strata: [same, same], isWeighted: true)
    #expect(none.isIdentical && none.p == 1 && none.value == 0 && none.bootstrap == nil)
    // One task alone is itself.
    let alone = try PairedDifference(strata: [Self.strata[1]], isWeighted: false)
    let plain = try PairedDifference(
      variant: Self.strata[1].variant, baseline: Self.strata[1].baseline)
    #expect(alone.value == plain.value)
    #expect(agrees(alone.error ?? 0, plain.error ?? 1, digits: 12))
    #expect(throws: LabError.self) { try PairedDifference(strata: [], isWeighted: false) }
    #expect(throws: LabError.self) {
      try PairedDifference(
        strata: [AnsweredStratum(variant: [true], baseline: [])], isWeighted: false)
    }
  }
}
