import Testing
import TritLab

@Suite struct RotaryTests {
  /// Element 1 of every pair 0, so that a turned pair reads (cos, sin).
  private func turned(
    _ rotary: RotaryEmbedding, position: Int, x: [Float], heads: Range<Int>? = nil
  ) -> [Float] {
    let matrix = Matrix<Float>(rows: 1, columns: x.count, x)
    rotary.apply(matrix.mutableView, heads: heads, firstPosition: position)
    return withExtendedLifetime(matrix) { Array(matrix.storage.buffer) }
  }

  // numpy in float32, transformers' steps: inv_freq = 1 / base**(arange(0, d, 2)/d), llama3 blend.
  // Libraries differ by an ulp in float32 `pow`; ours is rounded correctly.
  @Test func frequenciesAreTransformersOwn() throws {
    let plain = try RotaryEmbedding(headDimension: 16, base: 500_000, maxPositions: 2)
    #expect(isClose(plain.frequencies, Golden.plain))
    let scaled = try RotaryEmbedding(
      headDimension: 16, base: 500_000,
      scaling: .llama3(
        factor: 32, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: 8192),
      maxPositions: 2)
    #expect(isClose(scaled.frequencies, Golden.llama3))
    let linear = try RotaryEmbedding(
      headDimension: 16, base: 500_000, scaling: .linear(factor: 4), maxPositions: 2)
    #expect(linear.frequencies == plain.frequencies.map { $0 / 4 })
  }

  private func isClose(_ got: [Float], _ want: [Float]) -> Bool {
    got.count == want.count && zip(got, want).allSatisfy { abs($0 - $1) <= 2 * $1.ulp }
  }

  @Test func halfSplitTurnsDistantPairs() throws {
    let rotary = try RotaryEmbedding(headDimension: 4, base: 100, maxPositions: 8)
    // Angles 3 and 3 / 10.
    let result = turned(rotary, position: 3, x: [1, 1, 0, 0])
    let expected: [Float] = [-0.9899925, 0.95533649, 0.14112001, 0.29552021]
    for (got, want) in zip(result, expected) { #expect(abs(got - want) < 1e-7) }
  }

  @Test func adjacentTurnsNeighbours() throws {
    let rotary = try RotaryEmbedding(
      headDimension: 4, base: 100, pairing: .adjacent, maxPositions: 8)
    let result = turned(rotary, position: 3, x: [1, 0, 1, 0])
    let expected: [Float] = [-0.9899925, 0.14112001, 0.95533649, 0.29552021]
    for (got, want) in zip(result, expected) { #expect(abs(got - want) < 1e-7) }
  }

  @Test func aPartialRotationLeavesTheRestOfTheHead() throws {
    let rotary = try RotaryEmbedding(
      headDimension: 6, rotaryDimension: 2, base: 100, maxPositions: 8)
    let x: [Float] = [1, 0, 7, 8, 9, 10]
    let result = turned(rotary, position: 3, x: x)
    #expect(Array(result[2...]) == [7, 8, 9, 10])
    #expect(abs(result[1] - 0.14112001) < 1e-7)
  }

  @Test func frequencyFactorsDivide() throws {
    let rotary = try RotaryEmbedding(
      headDimension: 4, base: 100, frequencyFactors: [1, 8], maxPositions: 8)
    #expect(rotary.frequencies == [1, 0.1 / 8])
  }

  @Test func rangesOfHeadsAndTokensMakeTheWhole() throws {
    let rotary = try RotaryEmbedding(headDimension: 8, maxPositions: 64)
    var random = SeededRandom(seed: 3)
    let values = (0..<5 * 24).map { _ in Float(random.uniform()) }
    let whole = Matrix<Float>(rows: 5, columns: 24, values)
    let parts = Matrix<Float>(rows: 5, columns: 24, values)
    rotary.apply(whole.mutableView, firstPosition: 40)
    for head in 0..<3 {
      for tokens in [0..<2, 2..<5] {
        rotary.apply(
          parts.mutableView, heads: head..<head + 1, tokens: tokens, firstPosition: 40)
      }
    }
    #expect(whole.storage.buffer.elementsEqual(parts.storage.buffer))
    #expect(!whole.storage.buffer.elementsEqual(values))
  }

  @Test func scoresDependOnlyOnTheDistance() throws {
    let rotary = try RotaryEmbedding(headDimension: 32, maxPositions: 600)
    var random = SeededRandom(seed: 9)
    let q = (0..<32).map { _ in Float(random.uniform() - 0.5) }
    let k = (0..<32).map { _ in Float(random.uniform() - 0.5) }
    func score(_ a: Int, _ b: Int) -> Float {
      zip(turned(rotary, position: a, x: q), turned(rotary, position: b, x: k))
        .map(*).reduce(0, +)
    }
    #expect(abs(score(17, 5) - score(512, 500)) < 1e-4)
    #expect(abs(score(17, 5) - score(17, 9)) > 1e-3)
  }

  @Test(arguments: [(7, nil, 1e4), (8, 10, 1e4), (8, 3, 1e4), (8, nil, 0.0), (8, nil, .nan)])
  func badShapesAreErrors(head: Int, rotary: Int?, base: Double) {
    #expect {
      try RotaryEmbedding(
        headDimension: head, rotaryDimension: rotary, base: base, maxPositions: 4)
    } throws: { ($0 as? LabError)?.kind == .badData }
  }

  @Test func badScalingAndFactorsAreErrors() {
    for scaling: RotaryScaling in [
      .linear(factor: 0), .linear(factor: .infinity),
      .llama3(factor: 8, lowFrequencyFactor: 4, highFrequencyFactor: 4, originalContext: 8192),
      .llama3(factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: 0),
    ] {
      #expect {
        try RotaryEmbedding(headDimension: 8, scaling: scaling, maxPositions: 4)
      } throws: { ($0 as? LabError)?.place == "rope_scaling" }
    }
    #expect {
      try RotaryEmbedding(headDimension: 8, frequencyFactors: [1, 2, 3], maxPositions: 4)
    } throws: { ($0 as? LabError)?.place == "rope_freqs.weight" }
    #expect {
      try RotaryEmbedding(headDimension: 8, maxPositions: Int.max)
    } throws: { ($0 as? LabError)?.kind == .badData }
  }
}

private enum Golden {
  static let plain: [Float] = [
    1.0, 0.19392276, 0.03760603, 0.007292665, 0.0014142134, 0.0002742482, 5.3182965e-05,
    1.0313385e-05,
  ]
  static let llama3: [Float] = [
    1.0, 0.19392276, 0.03760603, 0.007292665, 0.0004295567, 8.570256e-06, 1.6619676e-06,
    3.222933e-07,
  ]
}
