import Testing
import TritLab

@Suite struct WeightQuantizerTests {
  private static let registry = Registry<any WeightQuantizer>.standard
  static let names = registry.names
  static let granularities = ["granularity=tensor", "granularity=row", "group=32", "group=1"]

  private func quantize(_ choice: String, _ rows: [[Float]]) throws -> QuantizedWeights {
    let weights = Matrix<Float>(rows: rows.count, columns: rows[0].count, rows.flatMap { $0 })
    return try withExtendedLifetime(weights) {
      try Self.registry.make(StageChoice(parsing: choice)).quantize(weights.view)
    }
  }

  private func ternary(_ choice: String, _ rows: [[Float]]) throws -> ([Int8], [Float]) {
    guard case .ternary(let matrix) = try quantize(choice, rows) else {
      throw LabError(.failure, "\(choice) did not give ternary weights")
    }
    return (Array(matrix.trits.buffer), matrix.scales)
  }

  private func integer(_ choice: String, _ rows: [[Float]]) throws -> ([Int8], [Float]) {
    guard case .integer(let matrix) = try quantize(choice, rows) else {
      throw LabError(.failure, "\(choice) did not give integers")
    }
    return (Array(matrix.values.buffer), matrix.scales)
  }

  @Test(arguments: names) func lawsHold(name: String) throws {
    let quantizer = try Self.registry.make(StageChoice(name))
    #expect(quantizer.name == name)
    #expect(checkWeightQuantizer(quantizer).isEmpty)
  }

  @Test(arguments: names.filter { $0 != "none" }, granularities)
  func lawsHoldAtEveryGranularity(name: String, granularity: String) throws {
    let quantizer = try Self.registry.make(StageChoice(parsing: "\(name):\(granularity)"))
    #expect(checkWeightQuantizer(quantizer, seed: 7).isEmpty)
  }

  @Test func theCheckerFindsAQuantizerThatLies() {
    struct Shouting: WeightQuantizer {
      let name = "shouting"
      let isIdempotent = true
      func quantize(_ weights: MatrixView<Float>) throws -> QuantizedWeights {
        let result = Matrix<Float>(rows: weights.rows, columns: weights.columns)
        for index in 0..<(weights.rows * weights.columns) {
          result.storage[index] = 2 * weights.base[index] + 1
        }
        return .dense(result)
      }
    }
    let laws = Set(checkWeightQuantizer(Shouting()).map(\.law))
    #expect(laws.contains("zeros dequantize to zeros"))
    #expect(laws.contains("quantizing the dequantized result changes nothing"))
    #expect(laws.contains { $0.contains("stride") })
    #expect(laws.contains { $0.contains("badData") })
  }

  @Test func absmeanRoundsTiesToEvenAndClips() throws {
    // γ = 0.5, s = 2: W·s = 1, −1, 0.5 (to 0), 1.5 (to 2, clipped), and its negatives.
    let (trits, scales) = try ternary(
      "absmean", [[0.5, -0.5, 0.25, 0.75], [-0.5, 0.5, -0.25, -0.75]])
    #expect(trits == [1, -1, 0, 1, -1, 1, 0, -1])
    #expect(scales == [0.5])
  }

  @Test func absmeanBoundsTinyMeans() throws {
    let (trits, scales) = try ternary("absmean", [[1e-7, -1e-7, 0, 2e-5]])
    #expect(trits == [0, 0, 0, 1])
    #expect(scales == [1 / (1 / max(Float((2e-5 + 2e-7) / 4), 1e-5))])
  }

  @Test func leastSquaresKeepsTheCodesAndAveragesWhatIsKept() throws {
    let (trits, scales) = try ternary("absmean-ls", [[0.5, -0.5, 0.25, 0.75]])
    #expect(trits == [1, -1, 0, 1])
    #expect(abs(scales[0] - 1.75 / 3) < 1e-7)
  }

  @Test func absmedianTakesTheLowerMedian() throws {
    // Magnitudes 1, 2, 3, 100: the lower median is 2; 1/2 is a tie and goes to 0.
    let (trits, scales) = try ternary("absmedian", [[3, -100, 1, 2]])
    #expect(trits == [1, -1, 0, 1])
    #expect(scales == [2])
  }

  @Test func absmaxIsDecidedByOneOutlier() throws {
    let (trits, scales) = try ternary("absmax", [[0.1, -0.2, 8, 4.1, -4]])
    #expect(trits == [0, 0, 1, 1, 0])
    #expect(scales == [8])
  }

  @Test func signIsCentredOnTheMean() throws {
    // Mean 0.5: 0.5 itself is not above it.
    let (trits, scales) = try ternary("sign", [[1, 0.5, 0.25, 0.25]])
    #expect(trits == [1, -1, -1, -1])
    #expect(scales == [0.5])
  }

  @Test func twnKeepsWhatIsAboveItsThreshold() throws {
    // mean|W| = 1, Δ = 0.75: 0.75 is dropped; α = (1.25 + 1.25 + 0.8 + …)/n of the kept.
    let (trits, scales) = try ternary("twn", [[1.25, -1.25, 0.75, 0.75]])
    #expect(trits == [1, -1, 0, 0])
    #expect(scales == [1.25])
    #expect(try ternary("twn:threshold=0.5", [[1.25, -1.25, 0.75, 0.75]]).0 == [1, -1, 1, 1])
  }

  @Test func lloydIsTheBestOfAllSubsets() throws {
    var random = SeededRandom(seed: 5)
    for count in 1...10 {
      let weights = (0..<count).map { _ in
        Float(random.uniform() * 2 - 1).rounded(.toNearestOrEven) + Float(random.below(5)) / 4
      }
      let result = try quantize("lloyd", [weights]).dequantized()
      let reached = weights.indices.reduce(0.0) {
        let difference = Double(weights[$1] - result[0, $1])
        return $0 + difference * difference
      }
      var best = Double.infinity
      for subset in 0..<(1 << count) {
        let kept = weights.indices.filter { subset >> $0 & 1 == 1 }
        let scale =
          kept.isEmpty ? 0 : kept.reduce(0.0) { $0 + Double(abs(weights[$1])) } / Double(kept.count)
        let error = weights.indices.reduce(0.0) {
          let distance = Double(abs(weights[$1])) - (subset >> $1 & 1 == 1 ? scale : 0)
          return $0 + distance * distance
        }
        best = min(best, error)
      }
      #expect(abs(reached - best) < 1e-6, "\(weights)")
    }
  }

  @Test func integersAreSymmetricByDefault() throws {
    let (values, scales) = try integer("int8", [[1.27, -1.27, 0.004, 0.016], [0, 0, 0, 0]])
    #expect(values == [127, -127, 0, 2, 0, 0, 0, 0])
    #expect(abs(scales[0] - 0.01) < 1e-8 && scales[1] == 0)
    #expect(try integer("int4", [[7, -7, 2.5, 3.5]]).0 == [7, -7, 2, 4])
    #expect(try integer("int2:range=symmetric", [[1, -1, 0.4, -0.6]]).0 == [1, -1, 0, -1])
  }

  /// max / 127 and max / 7 are rounded up at the end of the range: 127 times the first is beyond
  /// it.
  @Test(arguments: ["int8", "int4", "int8:range=full"])
  func theLargestFloatStaysFinite(text: String) throws {
    let most = Float.greatestFiniteMagnitude
    let values = try quantize(text, [[most, -most, most / 3, 0]]).dequantized()
    for (value, weight) in zip(values.storage.buffer, [most, -most]) {
      #expect(value.isFinite && abs(value - weight) <= most / 64, "\(value)")
    }
  }

  @Test func fullRangeCodesTheExtremeExactly() throws {
    // The extreme 2 is coded −2 with scale −1; −2 would need +2 and is clipped to +1.
    let (values, scales) = try integer("int2", [[2, -2, 1, -1, 0.4]])
    #expect(values == [-2, 1, -1, 1, 0])
    #expect(scales == [-1])
  }

  @Test func groupsAreIndependentAndTheLastMayBeShort() throws {
    let row: [Float] = [1, 1, 1, 1, 8, 8, 8, 8, 3, 3]
    let (trits, scales) = try ternary("absmean:group=4", [row, row.map { -$0 }])
    #expect(trits == Array(repeating: 1, count: 10) + Array(repeating: -1, count: 10))
    #expect(scales == [1, 8, 3, 1, 8, 3])
    #expect(try ternary("absmean:granularity=row", [row, row]).1.count == 2)
    #expect(try ternary("absmean:granularity=group", [row]).1.count == 1)
  }

  @Test func noneKeepsEveryBit() throws {
    guard
      case .dense(let matrix) = try quantize("none", [[0.1, -0], [.leastNonzeroMagnitude, 3]])
    else {
      Issue.record("none did not give dense weights")
      return
    }
    #expect(
      matrix.storage.buffer.map(\.bitPattern)
        == [0.1, -0, .leastNonzeroMagnitude, 3].map { (x: Float) in x.bitPattern })
  }

  @Test func badParametersAreErrors() {
    #expect(throws: LabError.self) {
      try Self.registry.make(StageChoice(parsing: "absmean:group=-1"))
    }
    #expect(throws: LabError.self) {
      try Self.registry.make(StageChoice(parsing: "twn:threshold=1"))
    }
    #expect {
      try Self.registry.make(StageChoice("absmeen"))
    } throws: { ($0 as? LabError)?.advice == "did you mean 'absmean'?" }
  }
}
