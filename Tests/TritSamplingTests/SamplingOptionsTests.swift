import Testing
import TritLab

@Suite struct SamplingOptionsTests {
  @Test func defaultsMatchTheirDescriptors() throws {
    let options = SamplingOptions()
    #expect(options.problems().isEmpty)
    for descriptor in SamplingOptions.parameters {
      #expect(options.value(of: descriptor.name) == descriptor.defaultValue, "\(descriptor.name)")
    }
    #expect(try SamplingOptions([:]) == options)
  }

  @Test("how many logits decide a token: all, once anything comes before top-k")
  func deciding() {
    #expect(SamplingOptions().decidingLogits == 40)
    var options = SamplingOptions(temperature: 0.8, topK: 7, topP: 0.9)
    #expect(options.decidingLogits == 7)
    options.topK = 0
    #expect(options.decidingLogits == nil)
    options = SamplingOptions(temperature: 0)
    #expect(options.decidingLogits == 1)
    options.repeatPenalty = 1.1
    #expect(options.decidingLogits == nil)
    options = SamplingOptions()
    options.logitBias = [LogitBias.Entry(token: 3, bias: 1.5)]
    #expect(options.decidingLogits == nil)
    options = SamplingOptions(temperature: 1, topK: 0, topP: 1, minP: 0)
    #expect(options.decidingLogits == nil)
  }

  @Test func readsValuesByName() throws {
    let options = try SamplingOptions([
      "temp": .integer(1), "top-p": .real(0.9), "top-k": .integer(0), "repeat-last-n": .integer(-1),
      "min-p": .integer(0), "typical": .real(0.7), "repeat-penalty": .real(1.2),
      "presence-penalty": .real(-0.5), "frequency-penalty": .integer(1), "seed": .integer(42),
    ])
    #expect(options.temperature == 1 && options.topP == 0.9 && options.topK == 0)
    #expect(options.repeatLastN == -1 && options.minP == 0 && options.typical == 0.7)
    #expect(options.repeatPenalty == 1.2 && options.presencePenalty == -0.5)
    #expect(options.frequencyPenalty == 1 && options.seed == 42)
  }

  @Test func allProblemsAreReportedAtOnce() {
    #expect {
      try SamplingOptions([
        "top_p": .real(0.9), "temperature": .real(-1), "top-k": .real(1.5), "min-p": .real(2),
      ])
    } throws: { error in
      let problems = (error as? LabErrors)?.problems ?? []
      return problems.count == 4
        && problems.contains { $0.advice == "did you mean 'top-p'?" }
        && problems.contains { $0.what.contains("'temperature'") && $0.got == "-1.0" }
    }
  }

  @Test func numbersOutOfRangeAreErrors() {
    let keys: [WritableKeyPath<SamplingOptions, Double>] = [
      \.temperature, \.topP, \.minP, \.typical, \.repeatPenalty,
    ]
    for key in keys {
      for value in [-0.1, .nan, .infinity] {
        var options = SamplingOptions()
        options[keyPath: key] = value
        #expect(options.problems().count == 1, "\(value)")
      }
    }
  }

  @Test func zeroIsNoProbabilityAndNoPenalty() {
    var options = SamplingOptions()
    options.topP = 0
    options.typical = 0
    options.repeatPenalty = 0
    #expect(options.problems().count == 3)
    #expect(throws: LabErrors.self) { try SamplerChain(options) }
  }

  @Test func biasesAreChecked() {
    var options = SamplingOptions()
    options.logitBias = [
      .init(token: -1, bias: 0), .init(token: 1, bias: .nan), .init(token: 2, bias: .infinity),
      .init(token: 3, bias: -.infinity),
    ]
    #expect(options.problems().count == 3)
  }
}
