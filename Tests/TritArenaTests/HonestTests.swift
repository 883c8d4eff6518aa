import Testing
import TritLab

/// Honest kernels pass everything and get a score.
@Suite("Honest kernels pass") struct HonestTests {
  static let kernels = Registry<any LinearKernel>.standard.available().map(\.name).filter {
    $0.hasPrefix("i2_s/") || $0.hasPrefix("tl2/") || $0.hasPrefix("base3/") || $0 == "reference"
  }

  /// A shape that every packing takes.
  static func request(_ name: String) -> ArenaRequest {
    var request = ArenaTesting.request(name, isOutside: false)
    request.cases = ArenaSuite.cases([WeightShape(192, 768)], tokens: [1, 4])
    return request
  }

  @Test(arguments: kernels) func labKernel(name: String) throws {
    let result = try ArenaTesting.run(Self.request(name))
    try check(result, name)
    #expect(result.origin == nil)
  }

  @Test func kernelFromOutside() throws {
    let result = try ArenaTesting.run(ArenaTesting.request("honest"))
    try check(result, "honest")
    #expect(result.origin == "sha256:00")
  }

  @Test("several threads, two baselines, and weights from memory") func teams() throws {
    var request = Self.request("i2_s")
    request.threads = 2
    request.baselines = ["reference", "i2_s"]
    request.fromMemory = true
    request.runs = 2
    let result = try ArenaTesting.run(request)
    try check(result, "i2_s")
    #expect(
      result.lines.allSatisfy { $0.fromMemory && $0.rivals.map(\.kernel) == request.baselines })
    #expect(result.runs?.hasPrefix("i2_s/") == true)
  }

  private func check(_ result: ArenaResult, _ name: String) throws {
    #expect(result.kernel == name)
    #expect(result.passed, "\(result.verdicts) \(result.lines)")
    #expect(result.verdicts.map(\.check) == ArenaCheck.allCases)
    let score = try #require(result.score)
    #expect(score > 0 && score.isFinite)
    #expect(result.seedWasSecret)
    #expect(result.reason == nil)
    for line in result.lines {
      #expect(line.sumsAreExact)
      #expect(line.repetitions >= line.runs)
      #expect(line.roofShare > 0)
      #expect(line.weightBytes > 0)
    }
    #expect(try ArenaResult(json: result.json(pretty: true), at: "result") == result)
  }

  @Test("a given seed makes lines, and no score") func givenSeed() throws {
    var request = Self.request("i2_s")
    request.seed = 7
    let result = try ArenaTesting.run(request)
    #expect(result.passed)
    #expect(result.seed == "0x7")
    #expect(!result.seedWasSecret)
    #expect(result.score == nil)
    #expect(result.reason == "the seed was given, not secret")
  }

  @Test("secret seeds differ from contest to contest") func secretSeeds() throws {
    let seeds = try (0..<3).map { _ in try ArenaTesting.run(ArenaTesting.request("exit")).seed }
    #expect(Set(seeds).count == 3)
  }
}
