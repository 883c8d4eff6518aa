import Testing
import TritLab

@Suite struct DivergenceTests {
  private let reference = BigramModel.hashed()
  private let variant = BigramModel.hashed(weight: 0.5)
  private let method = PerplexityProtocol.llamaCpp(context: 16)

  private func measured(
    _ variant: BigramModel, bufferBytes: Int = 1 << 30
  ) throws -> DivergenceStatistics {
    var measurement = DivergenceMeasurement()
    measurement.bufferBytes = bufferBytes
    return try measurement.measure(
      variant: variant, reference: reference,
      windows: method.windows(of: goldenTokens(320), bos: 0), method: method)
  }

  private func expectEstimate(
    _ got: Estimate, _ value: Double, _ error: Double,
    at location: SourceLocation = #_sourceLocation
  ) {
    #expect(agrees(got.value, value), sourceLocation: location)
    #expect(agrees(got.error, error), sourceLocation: location)
  }

  // Every number of llama-perplexity's list, computed by numpy in double precision.
  @Test func statisticsAreNumpys() throws {
    let result = try measured(variant)
    #expect(result.scoredTokens == 140)
    expectEstimate(result.variantPerplexity, 25.186193580656226, 2.678577805374855)
    expectEstimate(result.basePerplexity, 21.98141083775671, 1.8105302750131675)
    #expect(agrees(result.comparison.correlation, 0.9189373974318801))
    expectEstimate(result.comparison.logRatio, 0.13609883633958741, 0.04467033216375731)
    expectEstimate(result.comparison.ratio, 1.1457951341956074, 0.05118304923613467)
    expectEstimate(result.comparison.difference, 3.2047827428995177, 1.240869212165521)
    expectEstimate(result.meanDivergence, 0.17094170931115898, 0.005411092099903552)
    expectEstimate(result.meanProbabilityChange, 0.008667154044358354, 0.004018674359771334)
    expectEstimate(result.rmsProbabilityChange, 0.048165692365027296, 0.004390496859223069)
    expectEstimate(result.sameTopShare, 0.5714285714285714, 0.041974466303519295)
    let divergences = DivergenceStatistics.divergenceQuantiles.map {
      result.divergence(quantile: $0.fraction)
    }
    let wantedDivergences = [
      0.26934123407501476, 0.26934123407501476, 0.26934123407501476, 0.26934123407501476,
      0.2628747734446436, 0.18294065074127225, 0.07485224301612584, 0.06654671578592262,
      0.06654671578592262, 0.06654671578592262,
    ]
    #expect(zip(divergences, wantedDivergences).allSatisfy { agrees($0, $1) })
    let changes = DivergenceStatistics.probabilityQuantiles.map {
      result.probabilityChange(quantile: $0.fraction)
    }
    let wantedChanges = [
      0.14564696495079626, 0.14564696495079626, 0.14564696495079626, 0.13949633063264744,
      0.07369083559482398, 0.017659101964505763, -0.0009418603927910281, -0.011386611737407648,
      -0.020285194128311923, -0.0664047445597867, -0.09695176694248481, -0.09695176694248481,
      -0.09695176694248481,
    ]
    #expect(zip(changes, wantedChanges).allSatisfy { agrees($0, $1, digits: 5) })
  }

  @Test func theReportHasLlamaPerplexitysLines() throws {
    let lines = try measured(variant).report.split(
      separator: "\n", omittingEmptySubsequences: false
    ).map(String.init)
    for line in [
      "====== Perplexity statistics ======",
      "Mean PPL(Q)                   :  25.186194 ±   2.678578",
      "Mean PPL(base)                :  21.981411 ±   1.810530",
      "Cor(ln(PPL(Q)), ln(PPL(base))):  91.89%",
      "Mean ln(PPL(Q)/PPL(base))     :   0.136099 ±   0.044670",
      "Mean    KLD:   0.170942 ±   0.005411",
      "99.9%   KLD:   0.269341",
      " 5.0%   KLD:   0.066547",
      "Median  KLD:   0.182941",
      "Mean    Δp:  0.867 ± 0.402 %",
      "Maximum Δp: 14.565%",
      " 0.1%   Δp: -9.695%",
      "RMS Δp    :  4.817 ± 0.439 %",
      "Same top p: 57.143 ± 4.197 %",
    ] { #expect(lines.contains(line), "\(line)") }
    #expect(lines.count == 39)
  }

  @Test func smallBuffersGiveTheSameStatistics() throws {
    let whole = try measured(variant)
    for bytes in [0, 64, 3 * 64 + 5] {
      let parts = try measured(variant, bufferBytes: bytes)
      #expect(parts.divergences == whole.divergences)
      #expect(parts.positions == whole.positions)
      #expect(parts.variantNLL == whole.variantNLL)
    }
  }

  @Test func aModelDoesNotDivergeFromItself() throws {
    let result = try measured(reference)
    #expect(result.divergences.allSatisfy { $0 == 0 })
    #expect(result.meanDivergence == Estimate(0, 0))
    #expect(result.sameTopShare == Estimate(1, 0))
    #expect(result.rmsProbabilityChange == Estimate(0, 0))
    #expect(result.comparison.ratio == Estimate(1, 0))
  }

  // Two tokens, p = (1/2, 1/2) against q = (1/4, 3/4): KL = ½ ln 2 + ½ ln ⅔.
  @Test func aDivergenceByHand() throws {
    func model(_ logits: [Float]) -> BigramModel { BigramModel([logits, logits]) }
    let ln3 = Float(1.0986122886681098)
    let result = try DivergenceMeasurement().measure(
      variant: model([0, ln3]), reference: model([2, 2]),
      windows: [ScoringWindow(tokens: [0, 1, 0], firstScored: 0)], method: .contiguous(context: 3))
    for value in result.divergences { #expect(agrees(value, 0.14384103622589042)) }
    #expect(agrees(result.probabilityChanges[0], 0.25))
    #expect(agrees(result.probabilityChanges[1], -0.25))
    // Equal logits: the first of them is the top, as everywhere in the lab.
    #expect(result.sameTop == [false, false])
    #expect(result.report.contains("need at least 100"))
  }

  @Test func theFloorLeavesOutWhatTheFileOfLlamaPerplexityCannotHold() throws {
    func model(_ logits: [Float]) -> BigramModel { BigramModel([logits, logits]) }
    let windows = [ScoringWindow(tokens: [0, 0], firstScored: 0)]
    let base = model([0, -20])
    let other = model([0, -40])
    var measurement = DivergenceMeasurement()
    let cut = try measurement.measure(
      variant: other, reference: base, windows: windows, method: .contiguous(context: 2))
    measurement.logProbabilityFloor = nil
    let full = try measurement.measure(
      variant: other, reference: base, windows: windows, method: .contiguous(context: 2))
    // e^-20 (20 - …) enters only without the floor.
    #expect(agrees(full.divergences[0] - cut.divergences[0], 20 * 2.061153622438558e-9))
  }

  @Test func divergenceByPositionCoversTheScoredHalf() throws {
    let buckets = try measured(variant).byPosition(buckets: 16)
    #expect(buckets.map(\.position) == [8, 9, 10, 11, 12, 13, 14])
    #expect(buckets.allSatisfy { $0.count == 20 && $0.mean.value > 0 })
  }

  @Test func differentVocabulariesAreAnError() throws {
    #expect {
      try DivergenceMeasurement().measure(
        variant: BigramModel.hashed(vocabulary: 15), reference: reference,
        windows: method.windows(of: goldenTokens(320), bos: 0), method: method)
    } throws: { ($0 as? LabError)?.expected == "16 logits, as the reference has" }
  }

  @Test func nanInTheVariantIsAnErrorEvenBesideTheTarget() throws {
    var table = reference.table
    table[1][9] = .nan
    #expect {
      try DivergenceMeasurement().measure(
        variant: BigramModel(table), reference: reference,
        windows: [ScoringWindow(tokens: [1, 2], firstScored: 0)], method: .contiguous(context: 2))
    } throws: { ($0 as? LabError)?.place == "chunk 1, position 0" }
  }
}
