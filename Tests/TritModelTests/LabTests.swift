import Testing
import TritLab
import _TritTestSupport

/// The one list: what is added to a lab is found by everything that chooses.
@Suite struct LabTests {
  /// The reference under another name, as somebody else's kernel.
  private struct Guest: LinearKernel {
    let name: String
    let accepts = ActivationForm.int8
    func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
      try ReferenceKernel().prepare(weights)
    }
  }

  private static func guest(_ name: String = "guest", _ facts: KernelFacts? = nil)
    -> StageDescriptor
  {
    StageDescriptor(
      name, summary: "somebody's", source: "test", kernel: facts,
      origin: .plugin(path: "guest.c", digest: String(repeating: "cd", count: 32)))
  }

  @Test func everyKindIsListedOnceWithItsStandard() throws {
    let kinds = Lab.standard.kinds
    #expect(Set(kinds.map(\.key)).count == kinds.count)
    #expect(
      kinds.map(\.key.rawValue) == [
        "quantizer", "activations", "packing", "kernel", "attention", "cache", "head", "processor",
        "sampler", "measure", "figure",
      ])
    for kind in kinds {
      #expect(!kind.descriptors.isEmpty, "\(kind.key)")
      if let standard = kind.standard { try Lab.standard.attempt(kind.key, standard) }
      #expect(Set(kind.descriptors.map(\.name)).count == kind.descriptors.count)
    }
    #expect(
      Lab.standard.kinds(in: .layer).filter(\.isLeftToModels).map(\.key) == [
        .quantizer, .activations,
      ])
  }

  /// A selection is what was chosen: the standard and what is left to the model compare equal to nothing.
  @Test func selectionsAreEqualHoweverTheyWereMade() {
    var selection = StageSelection()
    selection.kernel = StageChoice("auto")
    selection.quantizer = StageChoice("model")
    selection.choose(StageChoice("f32"), for: .cache)
    #expect(selection == StageSelection() && selection.choices.isEmpty)
    selection.choose(StageChoice("i2_s"), for: .kernel)
    #expect(selection.kernel == StageChoice("i2_s") && selection != StageSelection())
    #expect(StageSelection.reference.choices.count == 4)
  }

  /// `auto` and a packing's bare name choose among what is registered when they are made, not when the lab was.
  @Test func autoRacesWhatWasAddedLater() throws {
    var lab = Lab.stages
    let before = try #require(try lab.make(.kernel, StageChoice("auto")) as? AutoKernel)
    #expect(!before.candidateNames.contains("guest"))
    try lab.add(.kernel, Self.guest()) { _ in Guest(name: "guest") }
    let after = try #require(try lab.make(.kernel, StageChoice("auto")) as? AutoKernel)
    #expect(after.candidateNames.contains("guest"))
    #expect(lab.isDerived(.kernel, "auto") && !lab.isDerived(.kernel, "guest"))
    // One that has facts of its own can stay out of the race, and one that loses something always does.
    try lab.add(.kernel, Self.guest("shy", KernelFacts(isCandidate: false))) { _ in
      Guest(name: "shy")
    }
    try lab.add(
      .kernel, StageDescriptor("lossy", summary: "x", source: "x", exactness: .lossy("much"))
    ) { _ in Guest(name: "lossy") }
    let last = try #require(try lab.make(.kernel, StageChoice("auto")) as? AutoKernel)
    #expect(last.candidateNames.contains("guest"))
    #expect(!last.candidateNames.contains("shy") && !last.candidateNames.contains("lossy"))
  }

  @Test func aNewPackingHasItsBareName() throws {
    var lab = Lab.stages
    #expect(lab[.kernel].descriptor("mine") == nil)
    try lab.add(.kernel, Self.guest("mine/plain", KernelFacts(packing: "mine"))) { _ in
      Guest(name: "mine/plain")
    }
    #expect(lab[.kernel].descriptor("mine")?.summary.contains("here mine/plain") == true)
    #expect(try lab.make(.kernel, StageChoice("mine")).name == "mine")
    // A kernel with the name of its packing stands for it.
    try lab.add(.kernel, Self.guest("own", KernelFacts(packing: "own"))) { _ in Guest(name: "own") }
    #expect(lab[.kernel].descriptor("own")?.summary == "somebody's")
    let taken = #expect(throws: LabError.self) {
      try lab.add(.kernel, Self.guest("mine")) { _ in Guest(name: "mine") }
    }
    #expect(taken?.code == .duplicateName)
  }

  @Test(arguments: [
    "", "model", "a b", "a:b", "a,b", "a=b", "é", String(repeating: "x", count: 65),
  ])
  func aNameThatCannotStandInAFlagIsRefused(name: String) throws {
    var lab = Lab.stages
    let error = #expect(throws: LabError.self) {
      try lab.add(.kernel, Self.guest(name)) { _ in Guest(name: name) }
    }
    #expect(error?.code == .badName)
  }

  @Test func aGuestRunsInAnEngine() throws {
    let folder = try TemporaryFolder("lab")
    let checkpoint = try Checkpoint(path: TinyCheckpoint.write(.bitnetPacked, in: folder))
    var lab = Lab.stages
    try lab.add(.kernel, Self.guest()) { _ in Guest(name: "guest") }
    func logits(_ kernel: String) throws -> [Float] {
      let engine = try Engine(
        checkpoint: checkpoint, selection: StageSelection(kernel: StageChoice(kernel)), lab: lab)
      return Array(try engine.prefill([1, 2, 3]))
    }
    #expect(try logits("guest") == logits("reference"))
    #expect(lab.guests.map(\.descriptor.name) == ["guest"])
    let missing = #expect(throws: LabError.self) {
      try Engine(checkpoint: checkpoint, selection: StageSelection(kernel: StageChoice("guest")))
    }
    #expect(missing?.code == .unknownName)
  }
}
