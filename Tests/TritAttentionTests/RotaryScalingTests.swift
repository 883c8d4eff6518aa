import Testing
import TritAttention
import TritLab

/// Frequencies and factors of transformers' `ROPE_INIT_FUNCTIONS` (5.x, run on numpy), heads of 64.
@Suite struct RotaryScalingTests {
  private static let pairs = [0, 5, 10, 15, 16, 20, 25, 31]

  private func check(
    _ scaling: RotaryScaling, base: Double, positions: Int, _ expected: [Double], factor: Double
  ) throws {
    let rotary = try RotaryEmbedding(
      headDimension: 64, base: base, scaling: scaling, maxPositions: positions)
    for (pair, value) in zip(Self.pairs, expected) {
      // Two roundings of float32 more or less.
      #expect(abs(Double(rotary.frequencies[pair]) / value - 1) < 4e-7, "pair \(pair)")
    }
    // At position 0 nothing turns: what is left is the factor of cosines.
    let row = Matrix<Float>(rows: 1, columns: 64)
    for column in 0..<64 { row[0, column] = 1 }
    rotary.apply(row.mutableView, firstPosition: 0)
    #expect(abs(Double(row[0, 3]) - factor) < 1e-6)
  }

  @Test func yarn() throws {
    try check(
      .yarn(
        factor: 4, originalContext: 1024, betaFast: 32, betaSlow: 1, attentionFactor: nil,
        truncates: true), base: 10_000, positions: 4096,
      [
        1.0, 0.23713739216327667, 0.04001274332404137, 0.005641821771860123, 0.003653846215456724,
        0.0007905694656074047, 0.00018747354624792933, 3.333803761051968e-05,
      ], factor: 1.138629436111989)
  }

  @Test func yarnWithFractionsAndAFactorOfItsOwn() throws {
    try check(
      .yarn(
        factor: 8, originalContext: 512, betaFast: 16, betaSlow: 2, attentionFactor: 1.5,
        truncates: false), base: 500_000, positions: 4096,
      [
        1.0, 0.10580851137638092, 0.0020700551103800535, 0.00026638995041139424,
        0.00017677668074611574, 3.428102354519069e-05, 4.411534519022098e-06,
        3.767322880321444e-07,
      ], factor: 1.5)
  }

  @Test func longrope() throws {
    let long = (0..<32).map { 1 + 0.25 * Float($0) }
    let short = (0..<32).map { 1 + 0.01 * Float($0) }
    let factor = RotaryScaling.longropeAttention(factor: 8, originalContext: 512)
    let scaling = RotaryScaling.longrope(
      short: short, long: long, originalContext: 512, attentionFactor: factor)
    try check(
      scaling, base: 10_000, positions: 4096,
      [
        1.0, 0.1053943932056427, 0.016066893935203552, 0.0028074136935174465,
        0.0020000000949949026, 0.0005270463298074901, 0.00010343367466703057,
        1.5240245375025552e-05,
      ], factor: 1.1547005383792515)
    // Within the first context the short factors hold.
    let near = try RotaryEmbedding(headDimension: 64, scaling: scaling, maxPositions: 512)
    let plain = try RotaryEmbedding(headDimension: 64, maxPositions: 512)
    #expect(near.frequencies[31] == plain.frequencies[31] / short[31])
    #expect(throws: LabError.self) {
      try RotaryEmbedding(
        headDimension: 64,
        scaling: .longrope(
          short: [1], long: long, originalContext: 512, attentionFactor: 1), maxPositions: 64)
    }
  }
}
