import Foundation
import Testing
import TritLab
import _TritTestSupport

import TritExperiments

/// What a plan accepts and what an engine accepts is one set: every pairing is tried both ways on a
/// tiny model, whose shapes every kernel takes.
@Suite struct PairingTests {
  private let folder: TemporaryFolder
  private let checkpoint: Checkpoint
  private static let lab = Lab.standard

  init() throws {
    folder = try TemporaryFolder("pairing")
    checkpoint = try Checkpoint(path: TinyCheckpoint.write(.llamaDense, in: folder))
  }

  /// One kernel of every packing, and those that are of their own: instruction sets of a packing
  /// take the same.
  private static let kernels: [String] = lab[.kernel].available().map(\.name)
    .filter { !$0.contains("/") && $0 != "auto" }
  private static let weights = lab[.quantizer].names + ["twn:granularity=group,group=64"]

  /// The plan's complaint about a variant, nil where it has none.
  private func verdict(_ settings: String) -> String? {
    let list = problems(
      "name: t\nreference: none\nmeasure: {weights: {}}\nvariants: [{name: v, \(settings)}]")
    return list.isEmpty ? nil : list.map(\.description).joined(separator: "\n")
  }

  /// The engine's complaint; an engine that is made runs two tokens.
  private func complaint(_ selection: StageSelection) -> String? {
    do {
      let engine = try Engine(
        checkpoint: checkpoint, selection: selection,
        options: EngineOptions(threads: 1, maxContext: 4))
      let logits = try engine.prefill([5, 6])
      return logits.allSatisfy(\.isFinite) ? nil : "logits are not finite"
    } catch {
      return "\(error)"
    }
  }

  @Test(arguments: kernels)
  func planAndEngineAgreeOnKernelQuantizerAndActivations(kernel: String) throws {
    for weights in Self.weights {
      for activations in Self.lab[.activations].names {
        let plan = verdict(
          "kernel: \(kernel), quantizer: \"\(weights)\", activations: \(activations)")
        let engine = complaint(
          StageSelection(
            quantizer: try StageChoice(parsing: weights), activations: StageChoice(activations),
            kernel: StageChoice(kernel)))
        #expect(
          (plan == nil) == (engine == nil),
          """
          \(kernel), \(weights), \(activations): plan \(plan ?? "accepts"); \
          engine \(engine ?? "accepts")
          """)
      }
    }
  }

  @Test func dequantizeTakesInt8AndFloatActivations() throws {
    #expect(verdict("kernel: dequantize, quantizer: absmean, activations: int8") == nil)
    #expect(verdict("kernel: dequantize, quantizer: absmean, activations: none") == nil)
    #expect(verdict("kernel: openblas, quantizer: absmean, activations: int8") != nil)
  }

  @Test(arguments: lab[.head].available().map(\.name))
  func planAndEngineAgreeOnHeadCacheAndAttention(head: String) throws {
    for cache in Self.lab[.cache].available().map(\.name) {
      for attention in Self.lab[.attention].available().map(\.name) {
        let plan = verdict("head: \(head), cache: \(cache), attention: \(attention)")
        let engine = complaint(
          StageSelection(
            quantizer: StageChoice("absmean"), kernel: StageChoice("reference"),
            attention: StageChoice(attention), cache: StageChoice(cache), head: StageChoice(head)))
        #expect(plan == nil && engine == nil, "\(head), \(cache), \(attention)")
      }
    }
  }

  /// A parameter in its range may still be impossible: what only the stage itself knows is asked of
  /// it.
  @Test func whatAStageItselfRefusesIsFoundInThePlan() throws {
    let bad = "\"hadamard-int4:block=96\""
    let list = problems(
      "name: t\nmeasure: {weights: {}}\nvariants: [{name: v, activations: \(bad)}]")
    #expect(list.contains { $0.description.contains("power of two") })
    let layer = problems(
      "name: t\nmeasure: {weights: {}}\nbase: {layers: {\"blk.0.*\": {activations: \(bad)}}}")
    #expect(layer.contains { $0.description.contains("layers.\"blk.0.*\".activations") })
    #expect(
      complaint(StageSelection(activations: try StageChoice(parsing: "hadamard-int4:block=96")))
        != nil)
  }

  /// Overrides that meet on a layer add up, later ones over earlier ones, in the plan as in the
  /// engine.
  @Test(arguments: [
    // The kernel of the second goes with the activations of the first.
    ("\"*\": {activations: none, kernel: openblas}, \"blk.0.*\": {kernel: reference-f32}", true),
    ("\"*\": {activations: none}, \"blk.0.*\": {kernel: i2_s}", false),
    ("\"blk.0.*\": {kernel: openblas}", false),
    ("\"blk.0.*\": {activations: none}", true),
    ("\"blk.*.ffn_*\": {quantizer: none}, \"*.ffn_down\": {kernel: i2_s}", false),
    ("\"blk.*.ffn_*\": {quantizer: none}, \"*.attn_q\": {kernel: i2_s}", true),
    ("\"*\": {quantizer: none, activations: none, kernel: openblas}", true),
  ])
  func overridesThatMeet(layers: String, isLegal: Bool) throws {
    let text = "kernel: int8, quantizer: absmean, activations: int8, layers: {\(layers)}"
    #expect((verdict(text) == nil) == isLegal, "\(verdict(text) ?? "accepted")")
    let file = try decode(
      "name: t\nreference: none\nmeasure: {weights: {}}\nbase: {\(text)}")
    #expect((complaint(file.base.selection()) == nil) == isLegal)
  }

  /// A packing that cannot hold what the quantizer gives, or gives what the kernel does not take,
  /// is found before a model is read.
  @Test(arguments: [
    ("quantizer: absmean, packing: tq2_0, kernel: i2_s", true),
    ("quantizer: int4, packing: int4, kernel: int4", true),
    ("quantizer: int4, packing: i2_s", false),
    ("quantizer: none, packing: base3", false),
    ("quantizer: absmean, packing: int8, kernel: i2_s", false),
    ("quantizer: absmean, packing: int8, kernel: int8", true),
    ("quantizer: absmean, packing: model, kernel: i2_s", true),
  ])
  func packings(text: String, isLegal: Bool) throws {
    #expect((verdict(text) == nil) == isLegal, "\(verdict(text) ?? "accepted")")
  }

  /// `model` over another choice gives a layer back to the checkpoint.
  @Test func theWordModelOfALayerIsTheCheckpointsOwn() throws {
    let file = try decode(
      "name: t\nmeasure: {weights: {}}\n"
        + "base: {quantizer: absmean, layers: {\"blk.0.*\": {quantizer: model}}}")
    let engine = try Engine(checkpoint: checkpoint, selection: file.base.selection())
    #expect(engine.layers.first { $0.name == "blk.0.attn_q" }?.form == "float32 weights")
    #expect(engine.layers.first { $0.name == "blk.1.attn_q" }?.form.hasPrefix("ternary") == true)
  }
}

/// Stages that someone else registers run in experiments.
@Suite struct RegisteredStageTests {
  /// How far penalties look back has one name in files, `last-n`, as `--repeat-last-n` has it.
  @Test func penaltiesLookBackLastN() throws {
    let head = "name: t\nmeasure: {weights: {}}\nbase: {sampler: {repetition-penalty: "
    let file = try decode(head + "{penalty: 1.1, last-n: 64}}}")
    #expect(
      file.base.sampler?.processors.first?.description
        == "repetition-penalty:last-n=64,penalty=1.1")
    let list = problems(head + "{penalty: 1.1, window: 64}}}")
    #expect(list.first?.description.contains("last-n") == true)
  }

  private struct Fixed: Sampler {
    let name = "fixed"
    let behaviour = SamplerBehaviour.other
    let token: Int32
    mutating func sample(
      _ candidates: borrowing [Candidate], random: inout SeededRandom
    ) -> Int32 { token }
  }

  private struct OnlySeven: LogitsProcessor {
    let name = "only-seven"
    mutating func process(_ candidates: inout [Candidate], history: borrowing TokenHistory) {
      candidates = [Candidate(token: 7, logit: 0)]
    }
  }

  @Test func samplersAndProcessorsOfOthersAreRunAndRecorded() throws {
    var lab = Lab.standard
    try lab.add(
      .sampler,
      StageDescriptor(
        "fixed", summary: "one token", source: "test",
        parameters: [
          ParameterDescriptor("token", "what is drawn", .integer(0...100), default: .integer(7))
        ])
    ) { Fixed(token: Int32($0.integer("token"))) }
    try lab.add(
      .processor,
      StageDescriptor("only-seven", summary: "7 alone", source: "test")
    ) { _ in OnlySeven() }
    try withTemporaryFolder { folder in
      let models = try TemporaryFolder("model")
      let model = try TinyCheckpoint.write(.bitnetPacked, in: models)
      try AtomicFile.write(
        """
        name: t
        model: \(model)
        reference: none
        sweep:
          sampler:
            - fixed
            - "fixed:token=9"
            - {only-seven: true}
            - {top-k: 3, sampler: {name: fixed, token: 8}}
        measure:
          generate: {prompts: [Once], tokens: 4, stop: false}
        """, to: folder + "/x.yaml")
      let outcome = try ExperimentRunner.run(
        file: folder + "/x.yaml",
        options: RunOptions(outputDirectory: folder + "/runs", threads: 1),
        lab: lab, observer: { _ in })
      #expect(outcome.exitCode == 0)
      #expect(
        outcome.records.map(\.texts[0].tokens)
          == [7, 9, 7, 8].map { Array(repeating: $0, count: 4) })
      // The lab's own do not know them, and say so with the place.
      let error = #expect(throws: LabErrors.self) {
        try ExperimentPlan(path: folder + "/x.yaml")
      }
      #expect(error?.description.contains("unknown sampler 'fixed'") == true)
      let schema = ExperimentSchema.json(lab: lab)
      #expect(schema.contains("\"fixed\"") && schema.contains("only-seven"))
    }
  }
}
