import Foundation
import Testing
import TritLab

import TritExperiments

/// What a record's digest is made of: everything that changes a figure, and nothing else.
@Suite struct IdentityTests {
  static let text = """
    name: a
    base: {cache: f16}
    measure:
      generate: {prompts: [Once]}
      perplexity: {data: t.txt, protocol: strided, context: 64, stride: 32}
      divergence: {context: 32}
      tasks: {}
      retrieval: {data: q.jsonl}
      weights: {}
      speed: {}
      energy: {}
      roofline: {}
    """

  /// The digests of the reference's record and of the variant's.
  private func digests(
    _ text: String = text, set: [String] = [], threads: Int? = 2,
    changing change: (FakeBackend) -> Void = { _ in }
  ) throws -> [String] {
    try withTemporaryFolder { folder in
      try AtomicFile.write(text, to: folder + "/x.yaml")
      let backend = FakeBackend()
      change(backend)
      let outcome = try ExperimentRunner.run(
        file: folder + "/x.yaml",
        options: RunOptions(
          set: ["model=m"] + set, outputDirectory: folder + "/runs", threads: threads),
        backend: backend, environment: ["PATH": ""])
      #expect(outcome.exitCode == 0)
      return outcome.records.map(\.inputs)
    }
  }

  private func digest(_ text: String = text, set: [String] = []) throws -> String {
    try digests(text, set: set)[1]
  }

  /// A change of every setting of every section, by section and stored property.
  static let settings: [(key: String, set: [String])] = [
    ("generate.prompts", ["measure.generate.prompts=[Twice]"]),
    ("generate.tokens", ["measure.generate.tokens=65"]),
    ("generate.sampler", ["measure.generate.sampler={temperature: 0.8}"]),
    ("generate.seed", ["measure.generate.seed=8"]),
    ("generate.stop", ["measure.generate.stop=false"]),
    ("generate.until", ["measure.generate.until=[x]"]),
    ("generate.chat", ["measure.generate.chat=true"]),
    ("generate.system", ["measure.generate={prompts: [Once], chat: true, system: S}"]),
    ("perplexity.context", ["measure.perplexity.context=65"]),
    (
      "perplexity.protocol",
      ["measure.perplexity={data: t.txt, protocol: contiguous, context: 64}"]
    ),
    ("perplexity.stride", ["measure.perplexity.stride=31"]),
    ("perplexity.chunks", ["measure.perplexity.chunks=3"]),
    ("divergence.context", ["measure.divergence.context=33"]),
    ("divergence.chunks", ["measure.divergence.chunks=3"]),
    ("perplexity.keep", ["measure.perplexity.keep=tokens"]),
    ("tasks.limit", ["measure.tasks.limit=3"]),
    ("tasks.split", ["measure.tasks.split=lm-eval"]),
    ("tasks.tasks", ["measure.tasks.tasks=[piqa]"]),
    ("tasks.num_fewshot", ["measure.tasks.tasks=[piqa]", "measure.tasks.num_fewshot=2"]),
    ("tasks.fewshot_seed", ["measure.tasks.tasks=[piqa]", "measure.tasks.fewshot_seed=2"]),
    ("retrieval.limit", ["measure.retrieval.limit=3"]),
    ("retrieval.instruction", ["measure.retrieval.instruction=Query"]),
    ("retrieval.pooling", ["measure.retrieval.pooling=mean"]),
    ("speed.prompt", ["measure.speed.prompt=127"]),
    ("speed.tokens", ["measure.speed.tokens=63"]),
    ("speed.repetitions", ["measure.speed.repetitions=4"]),
    ("speed.roofs", ["measure.speed.roofs=true"]),
    ("energy.context", ["measure.energy.context=255"]),
    ("energy.tokens", ["measure.energy.tokens=63"]),
    ("energy.float", ["measure.energy.float=fp32"]),
    ("energy.accumulator", ["measure.energy.accumulator=int32"]),
    ("roofline.tokens", ["measure.roofline.tokens=[1]"]),
    ("roofline.shapes", ["measure.roofline.shapes=[64x128]"]),
    ("roofline.milliseconds", ["measure.roofline.milliseconds=59"]),
    ("roofline.zero_percent", ["measure.roofline.zero_percent=50"]),
  ]

  @Test func everySettingOfEverySectionIsAnInput() throws {
    let plain = try digest()
    #expect(plain.count == 64)
    var seen: Set = [plain]
    for (key, set) in Self.settings {
      #expect(seen.insert(try digest(set: set)).inserted, "\(key) changes nothing")
    }
    // A section that is not measured is none, and each can be left out.
    for section in [
      "generate", "perplexity", "tasks", "retrieval", "weights", "speed", "energy", "roofline",
    ] {
      let set = ["measure.\(section)=false", "measure.divergence={data: t.txt, context: 32}"]
      #expect(seen.insert(try digest(set: set)).inserted, "\(section)")
    }
    #expect(seen.insert(try digest(set: ["measure.divergence=false"])).inserted)
    // The list is whole: a setting that is added must be added here.
    var known = Set(Self.settings.map(\.key))
    for measure in Lab.standard.measures {
      // Texts are inputs by what is read out of them.
      for field in measure.fields where !["data", "field"].contains(field.name) {
        let key = "\(measure.key).\(field.name)"
        #expect(known.remove(key) != nil, "\(key) is a setting that no test changes")
      }
    }
    #expect(known.isEmpty, "\(known)")
  }

  @Test func everyChoiceOfAVariantIsAnInput() throws {
    var seen: Set = [try digest()]
    for set in [
      "base.quantizer=sign", "base.activations=int4", "base.kernel=tl2", "base.attention=naive",
      "base.cache=int8", "base.head=int8", "base.i2s-layout=arm64", "i2s-layout=rows4",
      "base.sampler={temperature: 0.7}", "base.threads=3",
      "base.layers={\"blk.0.*\": {quantizer: sign}}",
      "base.layers={\"blk.1.*\": {quantizer: sign}}",
      "context=128", "seed=8",
    ] {
      #expect(seen.insert(try digest(set: [set])).inserted, "\(set)")
    }
    #expect(seen.insert(try digests(threads: 3)[1]).inserted)
    // A parameter of a stage, in whichever order they stand.
    #expect(
      seen.insert(try digest(set: ["base.quantizer={name: twn, group: 64, threshold: 0.7}"]))
        .inserted)
    let turned = try digest(set: ["base.quantizer={name: twn, threshold: 0.7, group: 64}"])
    #expect(!seen.insert(turned).inserted)
  }

  @Test func theContentOfEveryFileIsAnInput() throws {
    var seen = Set(try digests())
    #expect(seen.count == 2)
    let changes: [(String, (FakeBackend) -> Void)] = [
      ("model", { $0.modelDigest = "m2" }), ("training", { $0.training = "training_steps 7" }),
      ("text", { $0.textDigest = "d2" }),
      ("how the text is read", { $0.reading = "control tokens read, source known" }),
      ("questions", { $0.taskDigest = "q2" }),
    ]
    for (name, change) in changes {
      for digest in try digests(changing: change) {
        #expect(seen.insert(digest).inserted, "\(name)")
      }
    }
  }

  @Test func theReferenceIsAnInputOfWhatIsComparedWithIt() throws {
    let plain = try digests()
    let other = try digests(set: ["reference={cache: int8}"])
    #expect(other[0] != plain[0] && other[1] != plain[1])
    // What compares nothing does not depend on it.
    let alone = ["measure.generate=false", "measure.divergence=false"]
    let first = try digests(set: alone)
    let second = try digests(set: alone + ["reference={cache: int8}"])
    #expect(first[0] != second[0] && first[1] == second[1])
  }

  @Test func whatAnAutoThatLosesSomethingPicksIsAnInputAndRuns() throws {
    let auto = ["base.cache={name: auto, loss: int8}"]
    let half = try digests(set: auto) { $0.pick = "f16" }
    let byte = try digests(set: auto) { $0.pick = "int8" }
    #expect(half[1] != byte[1])
    // It is the same measurement as the one with the pick's own name.
    #expect(half[1] == (try digest()))
    try withTemporaryFolder { folder in
      try AtomicFile.write(Self.text, to: folder + "/x.yaml")
      let backend = FakeBackend()
      backend.pick = "int8"
      let outcome = try ExperimentRunner.run(
        file: folder + "/x.yaml",
        options: RunOptions(set: ["model=m"] + auto, outputDirectory: folder, threads: 2),
        backend: backend, environment: ["PATH": ""])
      #expect(backend.loaded.contains("auto int8"))
      #expect(outcome.records[1].params["cache"] == "auto:loss=int8")
    }
  }

  @Test func namesOrderAndFoldersAreNone() throws {
    let plain = try digest()
    for set in [
      ["name=b"], ["description=other"], ["plots=[throughput]"],
      ["measure.perplexity.data=other.txt"],
    ] {
      let found = try digests(set: set)
      #expect(found[1] == plain, "\(set)")
    }
    // The same choices as a sweep, as a variant with a name, and in another order of keys.
    let turned = """
      measure:
        roofline: {}
        speed: {}
        energy: {}
        weights: {}
        perplexity: {stride: 32, context: 64, protocol: strided, data: t.txt}
        retrieval: {data: q.jsonl}
        tasks: {}
        divergence: {context: 32}
        generate: {prompts: [Once]}
      base: {cache: f16}
      name: a
      """
    #expect(try digest(turned) == plain)
    #expect(try digest(set: ["base={}", "sweep={cache: [f16]}"]) == plain)
    #expect(try digest(set: ["base={}", "variants=[{name: x, cache: f16}]"]) == plain)
    #expect(try digests(set: ["model=elsewhere/m"])[1] == plain)
  }

  /// Every property of the two lists changes the digest; one that is added must be added here.
  @Test func everyPropertyOfTheIdentityIsInTheDigest() {
    let measure = MeasureIdentity(
      section: "perplexity", settings: "{}", text: "t", reading: "r", reference: nil)
    let plain = RunIdentity(
      program: "p", libraries: "l", processor: "c", threads: 1, context: nil, seed: 7, model: "m",
      training: "", stages: ["kernel=i2_s"], measures: [measure])
    let changes: [(String, (inout RunIdentity) -> Void)] = [
      ("layout", { $0.layout = "x" }), ("program", { $0.program = "x" }),
      ("libraries", { $0.libraries = "x" }), ("processor", { $0.processor = "x" }),
      ("threads", { $0.threads = 2 }), ("context", { $0.context = 0 }), ("seed", { $0.seed = 8 }),
      ("model", { $0.model = "x" }), ("training", { $0.training = "x" }),
      ("stages", { $0.stages = ["kernel=tl2"] }), ("origins", { $0.origins = ["kernel mine=x"] }),
      ("measures", { $0.measures = [] }),
    ]
    let parts: [(String, (inout MeasureIdentity) -> Void)] = [
      ("section", { $0.section = "x" }), ("settings", { $0.settings = "x" }),
      ("text", { $0.text = "x" }), ("reading", { $0.reading = "x" }),
      ("reference", { $0.reference = "x" }),
    ]
    var seen: Set<String> = [plain.digest]
    for (name, change) in changes {
      var other = plain
      change(&other)
      #expect(seen.insert(other.digest).inserted, "\(name)")
    }
    for (name, change) in parts {
      var other = plain
      change(&other.measures[0])
      #expect(seen.insert(other.digest).inserted, "\(name)")
    }
    func labels(_ value: Any) -> Set<String> {
      Set(Mirror(reflecting: value).children.compactMap(\.label))
    }
    #expect(labels(plain) == Set(changes.map(\.0)))
    #expect(labels(measure) == Set(parts.map(\.0)))
    // What stands in one property cannot pass for the next one.
    var moved = plain
    moved.stages = ["kernel=i2_s", "head=int8"]
    var joined = plain
    joined.stages = ["kernel=i2_s\",\"head=int8"]
    #expect(moved.digest != joined.digest)
  }

  @Test func valuesAreTextThatIsEqualWhereTheyAre() {
    #expect(InputText.of(Int?.none as Any) == "null")
    #expect(InputText.of("null") == "\"null\"")
    #expect(InputText.of(["b": 1, "a": 2]) == InputText.of(["a": 2, "b": 1]))
    #expect(InputText.of(Set([3, 1, 2])) == InputText.of(Set([2, 3, 1])))
    #expect(InputText.of([1, 2]) != InputText.of([12]))
    #expect(InputText.of(0.1 + 0.2) != InputText.of(0.3))
    let choice = StageChoice("absmean", ["group": .integer(64), "scale": .text("row")])
    #expect(InputText.of(choice) == "\"absmean:group=64,scale=row\"")
  }
}

/// Records of files that change under a run.
@Suite struct ChangedFileTests {
  private func run(
    _ folder: String, _ backend: FakeBackend, observer: (RunEvent) -> Void = { _ in }
  ) throws -> RunOutcome {
    try AtomicFile.write(
      "name: a\nsweep: {cache: [f32, f16, int8]}\nreference: none\nmeasure: {weights: {}}",
      to: folder + "/x.yaml")
    return try ExperimentRunner.run(
      file: folder + "/x.yaml",
      options: RunOptions(set: ["model=m"], outputDirectory: folder + "/runs", threads: 2),
      backend: backend, environment: ["PATH": ""], observer: observer)
  }

  @Test func figuresOfAFileThatChangedAreNotRecorded() throws {
    try withTemporaryFolder { folder in
      let backend = FakeBackend()
      backend.changesAfter = 1
      let outcome = try run(folder, backend)
      #expect(outcome.exitCode == 1)
      #expect(outcome.records.map(\.status) == [.finished, .failed, .failed])
      for record in outcome.records.dropFirst() {
        #expect(record.metrics.isEmpty && record.series.isEmpty && record.facts.isEmpty)
        #expect(record.error?.contains("changed while it was in use") == true)
      }
      // What was refused is measured the next time.
      let again = FakeBackend()
      #expect(try run(folder, again).exitCode == 0)
      #expect(again.loaded == ["auto f16", "auto int8"])
    }
  }

  /// Where nothing is measured that two variants differ in, both have a record all the same.
  @Test func variantsOfOneIdentityHaveARecordEach() throws {
    try withTemporaryFolder { folder in
      try AtomicFile.write(
        """
        name: a
        reference: none
        sweep: {sampler: [greedy, {temperature: 0.5}, {temperature: 0.9}]}
        measure: {weights: {}}
        """, to: folder + "/x.yaml")
      func run(_ backend: FakeBackend) throws -> RunOutcome {
        try ExperimentRunner.run(
          file: folder + "/x.yaml",
          options: RunOptions(set: ["model=m"], outputDirectory: folder + "/runs", threads: 2),
          backend: backend, environment: ["PATH": ""])
      }
      let stopped = FakeBackend()
      stopped.interruptAfter = 1
      let first = try run(stopped)
      #expect(first.exitCode == 130)
      let again = FakeBackend()
      let second = try run(again)
      #expect(second.exitCode == 0 && again.loaded.isEmpty)
      #expect(second.directory == first.directory)
      #expect(Set(second.records.map(\.inputs)).count == 1)
      let log = try String(contentsOfFile: second.directory + "/results.jsonl", encoding: .utf8)
      let ids = try log.split(separator: "\n").map { try JSONReader.read(String($0))["id"]?.string }
      #expect(ids == second.records.map(\.id) && Set(ids).count == 3)
    }
  }

  @Test func aReplacedFileIsTold() throws {
    try withTemporaryFolder { folder in
      let backend = FakeBackend()
      backend.replaced = ["m"]
      var notes: [String] = []
      let outcome = try run(folder, backend) {
        if case .note(let text) = $0 { notes.append(text) }
      }
      #expect(outcome.exitCode == 0)
      #expect(notes.filter { $0.contains("m was replaced during the run") }.count == 1)
    }
  }

  @Test func aRunBesideAnotherOfTheSamePlanMakesItsOwnFolder() throws {
    try withTemporaryFolder { folder in
      let backend = FakeBackend()
      backend.interruptAfter = 1
      let first = try run(folder, backend)
      // The other process still works there.
      let lock = try FolderLock(folder: first.directory, name: "run.lock", what: "run")
      var notes: [String] = []
      let second = try withExtendedLifetime(lock) {
        try run(folder, FakeBackend()) { if case .note(let text) = $0 { notes.append(text) } }
      }
      #expect(second.directory != first.directory && second.exitCode == 0)
      #expect(notes.contains { $0.contains("process \(getpid()) on") }, "\(notes)")
      #expect(second.reused == 1)
    }
  }
}
