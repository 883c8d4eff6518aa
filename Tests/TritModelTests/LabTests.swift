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
        .quantizer, .activations, .packing,
      ])
  }

  /// A selection is what was chosen: the standard and what is left to the model compare equal to
  /// nothing.
  @Test func selectionsAreEqualHoweverTheyWereMade() {
    var selection = StageSelection()
    selection.kernel = StageChoice("auto")
    selection.quantizer = StageChoice("model")
    selection.choose(StageChoice("f32"), for: .cache, in: .stages)
    #expect(selection == StageSelection() && selection.choices.isEmpty)
    selection.choose(StageChoice("i2_s"), for: .kernel, in: .stages)
    #expect(selection.kernel == StageChoice("i2_s") && selection != StageSelection())
    #expect(StageSelection.reference.choices.count == 4)
  }

  /// The key of a kind is a flag and a key of files: it must be free there.
  @Test func aKeyThatMeansSomethingElseIsRefused() throws {
    func error(_ key: String, flags: [String] = []) -> LabError? {
      var lab = Lab.standard
      let registry = Registry<Int>(
        StageKind<Int>(key, stage: "rope", scope: .model, flags: flags))
      let count = lab.kinds.count
      do {
        try lab.install(registry)
      } catch {
        #expect(lab.kinds.count == count, "\(key)")
        return error as? LabError
      }
      #expect(lab.kinds.count == count + 1, "\(key)")
      return nil
    }
    for key in ["threads", "seed", "file", "model", "layers", "sweep", "base"] {
      let found = try #require(error(key), "\(key)")
      #expect(found.kind == .usage && found.code == .duplicateName, "\(found)")
      #expect(found.what.contains(key), "\(found)")
    }
    for flag in ["-m", "--json", "-ctk", "--quantizer"] {
      #expect(error("rope", flags: [flag])?.what.contains("'\(flag)'") == true, "\(flag)")
    }
    for key in ["", "Rope", "-rope", "ro pe", String(repeating: "a", count: 33)] {
      #expect(error(key)?.code == .badName, "\(key)")
    }
    #expect(error("rope") == nil && error("rope-2", flags: ["-rp"]) == nil)
    var lab = Lab.standard
    try lab.install(Registry<any LinearKernel>.standard)
    try lab.install(Registry<any Sampler>.standard)
    #expect(lab.kinds.count == Lab.standard.kinds.count)
    // A kind that comes with its first implementation is asked the same.
    let threads = StageKind<Int>("threads", stage: "threads", scope: .model)
    let refused = try #require(throws: LabError.self) {
      try lab.add(threads, StageDescriptor("two", summary: "2", source: "a test")) { _ in 2 }
    }
    #expect(refused.code == .duplicateName && lab.kind(threads.key) == nil)
  }

  /// What is the standard is a matter of the lab that is given, for selections and for engines.
  @Test func standardsAreThoseOfTheLab() throws {
    var lab = Lab.stages
    var caches = Registry<any KVCacheKind>(
      StageKind<any KVCacheKind>(
        "cache", stage: "KV cache", scope: .model, standard: StageChoice("mine")))
    caches.register(StageDescriptor("mine", summary: "f16", source: "a test")) { _ in
      try Lab.stages.make(.cache, StageChoice("f16"))
    }
    caches.register(StageDescriptor("f32", summary: "f32", source: "a test")) { _ in
      try Lab.stages.make(.cache, StageChoice("f32"))
    }
    try lab.install(caches)
    var selection = StageSelection()
    selection.choose(StageChoice("mine"), for: .cache, in: lab)
    #expect(selection.choices.isEmpty)
    let folder = try TemporaryFolder("standards")
    let checkpoint = try Checkpoint(path: TinyCheckpoint.write(.bitnetPacked, in: folder))
    let options = EngineOptions(threads: 1, maxContext: 8)
    let engine = try Engine(
      checkpoint: checkpoint, selection: selection, lab: lab, options: options)
    #expect(engine.selection.cache == StageChoice("mine"))
    selection.choose(StageChoice("f32"), for: .cache, in: lab)
    #expect(selection.choices == [.cache: StageChoice("f32")])
    selection.choose(StageChoice("f32"), for: .cache, in: .stages)
    #expect(selection.choices.isEmpty)
  }

  /// `auto` and a packing's bare name choose among what is registered when they are made, not when
  /// the lab was.
  @Test func autoRacesWhatWasAddedLater() throws {
    var lab = Lab.stages
    let before = try #require(try lab.make(.kernel, StageChoice("auto")) as? AutoKernel)
    #expect(!before.candidateNames.contains("guest"))
    try lab.add(.kernel, Self.guest()) { _ in Guest(name: "guest") }
    let after = try #require(try lab.make(.kernel, StageChoice("auto")) as? AutoKernel)
    #expect(after.candidateNames.contains("guest"))
    #expect(lab.isDerived(.kernel, "auto") && !lab.isDerived(.kernel, "guest"))
    // One that has facts of its own can stay out of the race, and one that loses something always
    // does.
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
