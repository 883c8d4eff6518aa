import Testing
import TritLab
import _TritTestSupport

/// Always draws the token that it was told, 7 where nothing is said.
struct FixedSampler: Sampler {
  let name = "fixed"
  let behaviour = SamplerBehaviour.other
  let token: Int32
  mutating func sample(
    _ candidates: borrowing [Candidate], random: inout SeededRandom
  ) -> Int32 { token }
}

/// Keeps token 7 alone.
struct OnlySeven: LogitsProcessor {
  let name: String
  mutating func process(_ candidates: inout [Candidate], history: borrowing TokenHistory) {
    candidates = [Candidate(token: 7, logit: 0)]
  }
}

/// Leaves nothing, which no processor may.
struct Emptying: LogitsProcessor {
  let name = "emptying"
  mutating func process(_ candidates: inout [Candidate], history: borrowing TokenHistory) {
    candidates.removeAll()
  }
}

/// Samplers and processors that someone else registers are run by their names.
@Suite struct RegisteredSamplerTests {
  private let folder: TemporaryFolder
  private let checkpoint: Checkpoint

  init() throws {
    folder = try TemporaryFolder("sampler")
    checkpoint = try Checkpoint(path: TinyCheckpoint.write(.bitnetPacked, in: folder))
  }

  static func lab() throws -> Lab {
    var lab = Lab.standard
    try lab.add(
      .sampler,
      StageDescriptor(
        "fixed", summary: "one token", source: "test",
        parameters: [
          ParameterDescriptor("token", "what is drawn", .integer(0...1000), default: .integer(7))
        ])
    ) { FixedSampler(token: Int32($0.integer("token"))) }
    try lab.add(
      .processor,
      StageDescriptor("only-seven", summary: "token 7 alone", source: "test")
    ) { _ in OnlySeven(name: "only-seven") }
    try lab.add(
      .processor,
      StageDescriptor("emptying", summary: "breaks the law", source: "test")
    ) { _ in Emptying() }
    return lab
  }

  private func tokens(
    _ stages: [String], lab: Lab? = nil,
    sampling: SamplingOptions = SamplingOptions(seed: 3)
  ) throws -> [Int] {
    let engine = try Engine(checkpoint: checkpoint, lab: lab ?? Self.lab())
    return try engine.generate(
      prompt: [1, 2, 3],
      options: GenerationOptions(
        sampling: sampling, stages: stages.map { try StageChoice(parsing: $0) }, maxTokens: 5,
        ignoresEnd: true)
    ).tokens
  }

  @Test func aRegisteredSamplerIsRun() throws {
    #expect(try tokens(["fixed"]) == [7, 7, 7, 7, 7])
    #expect(try tokens(["top-k:k=3", "fixed:token=9"]) == [9, 9, 9, 9, 9])
  }

  @Test func aRegisteredProcessorIsRun() throws {
    #expect(try tokens(["only-seven"]) == [7, 7, 7, 7, 7])
    #expect(try tokens(["temperature:value=2", "only-seven", "greedy"]) == [7, 7, 7, 7, 7])
  }

  /// Two implementations of one name are refused, by name and origin; the lab is as it was.
  @Test func aNameThatIsTakenIsAnErrorThatNamesBoth() throws {
    var changed = Lab.standard
    let mine = StageDescriptor(
      "top-k", summary: "another", source: "test",
      origin: .plugin(path: "mine.swift", digest: String(repeating: "ab", count: 32)))
    let error = #expect(throws: LabError.self) {
      try changed.add(.processor, mine) { _ in OnlySeven(name: "top-k") }
    }
    #expect(error?.code == .duplicateName)
    #expect(error?.got?.contains("'top-k' from built in") == true)
    #expect(error?.got?.contains("'top-k' from mine.swift (digest abababababab)") == true)
    #expect(changed[.processor].names == Lab.standard[.processor].names)
    // An alias is a name like any other.
    let alias = StageDescriptor("mine", aliases: ["top_k"], summary: "another", source: "test")
    #expect(throws: LabError.self) {
      try changed.add(.processor, alias) { _ in OnlySeven(name: "mine") }
    }
  }

  @Test func whatIsNotRegisteredIsAnErrorThatNamesBothLists() {
    let error = #expect(throws: LabError.self) { try tokens(["onlyseven"]) }
    #expect(error?.what == "unknown stage 'onlyseven' of the sampling chain")
    #expect(error?.expected?.contains("only-seven") == true)
    #expect(error?.expected?.contains("fixed") == true)
    #expect(error?.advice == "did you mean 'only-seven'?")
    #expect(throws: LabError.self) { try tokens(["fixed"], lab: .standard) }
  }

  /// A stage that breaks its law is named; nothing traps.
  @Test func aStageThatBreaksItsLawIsNamed() {
    let empty = #expect(throws: LabError.self) { try tokens(["emptying"]) }
    #expect(empty?.what.contains("'emptying' left no candidate") == true)
    let outside = #expect(throws: LabError.self) { try tokens(["fixed:token=999"]) }
    #expect(outside?.what.contains("'fixed' drew a token that is not in the vocabulary") == true)
    #expect(outside?.got == "999")
  }

  @Test func aChainInOneLineIsReadInItsOrder() throws {
    let chain = try SamplerChain.stages(parsing: "top-k:k=40; temperature:value=0.7 ;fixed")
    #expect(chain.map(\.description) == ["top-k:k=40", "temperature:value=0.7", "fixed"])
    for text in ["", ";", "top-k;", "top-k;;greedy"] {
      #expect(throws: LabError.self) { try SamplerChain.stages(parsing: text) }
    }
  }

  @Test func howManyLogitsDecideIsAFactOfTheChain() throws {
    func deciding(_ stages: [String]) throws -> Int? {
      try GenerationOptions(stages: stages.map { try StageChoice(parsing: $0) })
        .chain(lab: Self.lab()).decidingLogits
    }
    #expect(try deciding(["top-k:k=5", "fixed"]) == 5)
    #expect(try deciding(["greedy"]) == 1)
    #expect(try deciding(["temperature:value=0.5", "top-k:k=5"]) == nil)
    // Nobody knows what a foreign sampler looks at.
    #expect(try deciding(["fixed"]) == nil)
    #expect(try deciding(["only-seven", "greedy"]) == nil)
  }
}
