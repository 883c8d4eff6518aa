import Foundation
import Testing
import TritLab

@Suite struct EvaluationStatisticsTests {
  // numpy.quantile's default on [1, 2, 4, 8].
  @Test(arguments: [(0, 1), (0.25, 1.75), (0.5, 3), (0.9, 6.8), (0.999, 7.988), (1, 8)])
  func quantilesInterpolateLinearly(fraction: Double, expected: Double) {
    #expect(
      agrees(OrderStatistics.quantile(fraction, ofSorted: [1, 2, 4, 8]), expected, digits: 12))
  }

  @Test func quantilesOfTinySamples() {
    #expect(OrderStatistics.quantile(0.3, ofSorted: [5]) == 5)
    #expect(OrderStatistics.quantile(0.3, ofSorted: []).isNaN)
  }

  @Test func sampleStatisticsDivideByNMinusOne() throws {
    let statistics = try #require(SampleStatistics([4, 2, 9, 1]))
    #expect(statistics.minimum == 1 && statistics.maximum == 9 && statistics.median == 3)
    #expect(statistics.mean == 4)
    // numpy.std([4, 2, 9, 1], ddof=1)
    #expect(agrees(statistics.standardDeviation, 3.559026084010437, digits: 12))
    #expect(SampleStatistics([7])?.standardDeviation == 0)
    #expect(SampleStatistics([]) == nil)
  }

  @Test func speedHasLlamaBenchsFields() throws {
    let speed = SpeedResult(
      promptTokens: 0, generatedTokens: 128, nanoseconds: [1_000_000_000, 2_000_000_000])
    #expect(speed.label == "tg128" && speed.rates == [128, 64])
    #expect(speed.rateText == "96.00 ± 45.25")
    let data = try JSONEncoder().encode(speed)
    let object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(
      object.keys.sorted() == [
        "avg_ns", "avg_ts", "n_gen", "n_prompt", "samples_ns", "samples_ts", "stddev_ns",
        "stddev_ts",
      ])
    #expect(object["avg_ns"] as? Int == 1_500_000_000)
    #expect(object["stddev_ns"] as? Int == 707_106_781)
    #expect(try JSONDecoder().decode(SpeedResult.self, from: data) == speed)
    let both = SpeedResult(promptTokens: 512, generatedTokens: 16, nanoseconds: [5])
    #expect(both.label == "pp512+tg16")
    #expect(SpeedResult(promptTokens: 512, generatedTokens: 0, nanoseconds: [0]).samples == [1])
  }

  @Test func generationsAreComparedTokenByToken() {
    let compared = GenerationComparison(variant: [1, 2, 3, 9, 5], reference: [1, 2, 3, 4, 5, 6])
    #expect(compared.agreeingPrefix == 3 && compared.agreeingPositions == 4)
    #expect(!compared.isIdentical && compared.agreeingShare == 0.5)
    #expect(GenerationComparison(variant: [], reference: []).isIdentical)
    #expect(GenerationComparison(variant: [1], reference: [1, 2]).isIdentical == false)
  }
}

@Suite struct WeightStatisticsTests {
  private let original = Matrix<Float>(rows: 2, columns: 3, [0.5, -1, 0.1, 2, 0, -3])

  // numpy on the same six weights.
  @Test func ternaryWeightsByHand() throws {
    let ternary = TernaryMatrix(
      rows: 2, columns: 3, trits: AlignedBuffer<Int8>([1, -1, 0, 1, 0, -1]), scales: [1, 2],
      granularity: .row)
    let statistics = try WeightStatistics(
      name: "blk.0.attn_q", original: original.view, quantized: .ternary(ternary), packedBytes: 3)
    // Errors: -0.5, 0, 0.1, 0, 0, -1.
    #expect(agrees(statistics.meanSquaredError, 1.26 / 6))
    #expect(agrees(statistics.signalToNoise, 10.537489803982838))
    // w·ŵ = 0.5 + 1 + 4 + 6, |w|² = 14.26, |ŵ|² = 10.
    #expect(agrees(statistics.cosine, 11.5 / (14.26 * 10).squareRoot()))
    #expect(statistics.zeroShare == 2.0 / 6)
    #expect(agrees(statistics.entropy ?? 0, 1.584962500721156))
    #expect(statistics.bitsPerWeight == 4 && statistics.count == 6 && statistics.bytes == 3)
    #expect(statistics.levels == [-1: 2, 0: 2, 1: 2])
  }

  @Test func integersInGroupsAgreeWithTheirDequantizedForm() throws {
    var random = SeededRandom(seed: 4)
    let wide = Matrix<Float>(rows: 5, columns: 70)
    for index in 0..<350 { wide.storage[index] = Float(random.uniform() * 2 - 1) }
    let integer = IntegerMatrix(
      rows: 5, columns: 70, bits: 4,
      values: AlignedBuffer<Int8>((0..<350).map { _ in Int8(random.below(15) - 7) }),
      scales: (0..<15).map { _ in Float(random.uniform()) }, granularity: .group(32))
    let quantized = QuantizedWeights.integer(integer)
    let direct = try WeightStatistics(
      name: "x", original: wide.view, quantized: quantized, packedBytes: 100)
    let dense = try WeightStatistics(
      name: "x", original: wide.view, quantized: .dense(quantized.dequantized()),
      packedBytes: 100)
    #expect(direct.meanSquaredError == dense.meanSquaredError)
    #expect(direct.cosine == dense.cosine && direct.zeros == dense.zeros)
    #expect(dense.entropy == nil && (direct.entropy ?? 0) > 3)
  }

  @Test func layersAddUp() throws {
    let exact = try WeightStatistics(
      name: "a", original: original.view, quantized: .dense(original), packedBytes: 24)
    #expect(exact.meanSquaredError == 0 && exact.signalToNoise == .infinity)
    let zero = TernaryMatrix(
      rows: 2, columns: 3, trits: AlignedBuffer<Int8>(count: 6), scales: [1])
    let lost = try WeightStatistics(
      name: "b", original: original.view, quantized: .ternary(zero), packedBytes: 2)
    #expect(lost.entropy == 0 && lost.cosine.isNaN && lost.zeroShare == 1)
    let total = WeightStatistics(name: "total", total: [exact, lost])
    #expect(total.count == 12 && total.bytes == 26)
    #expect(agrees(total.signalToNoise, 3.010299956639812))
    #expect(agrees(total.meanSquaredError, 14.26 / 12))
  }

  @Test func anotherShapeIsAnErrorThatNamesTheLayer() {
    #expect {
      try WeightStatistics(
        name: "blk.1.ffn_up", original: original.view,
        quantized: .dense(Matrix(rows: 3, columns: 2)), packedBytes: 0)
    } throws: { ($0 as? LabError)?.place == "blk.1.ffn_up" }
  }
}
