import Testing
import TritLab

import TritExperiments

@Suite struct DecoderTests {
  static let head = "name: t\nmeasure: {weights: {}}\n"

  @Test func allProblemsAreToldAtOnceWithPlacesAndSuggestions() throws {
    let text = """
      name: t
      desciption: x
      base: {quantizer: absmeen, kernel: auto, threads: many}
      sweep: {kernal: [auto]}
      variants:
        - {name: a, quantizer: {name: absmean, grup: 64}}
        - {name: a, quantizer: {name: absmean, granularity: cube}}
        - {quantizer: none}
      measure:
        generate: {prompts: [12, ""], tokens: 0}
        speed: {repetitions: 1.5}
      plots: [throughput, perplexity-by-varient, kl-by-position]
      """
    let list = problems(text)
    func find(_ place: String, _ what: String) -> LabError? {
      list.first { $0.place == "x.yaml:\(place)" && $0.what.contains(what) }
    }
    #expect(find("2:1", "desciption: unknown key")?.advice == "did you mean 'description'?")
    #expect(find("3:19", "base.quantizer: unknown")?.advice == "did you mean 'absmean'?")
    #expect(find("3:51", "base.threads: wrong type")?.got == "string \"many\"")
    #expect(find("4:9", "sweep.kernal: unknown key")?.advice == "did you mean 'kernel'?")
    #expect(find("6:42", "variants[0].quantizer.grup")?.advice == "did you mean 'group'?")
    #expect(
      find("7:55", "variants[1].quantizer.granularity: bad value")?.expected
        == "tensor | row | group")
    #expect(
      find("7:12", "variants[1].name: the name 'a' stands twice")?.got?.contains("6:12") == true)
    #expect(find("8:5", "variants[2].name: missing") != nil)
    #expect(find("10:24", "measure.generate.prompts[0]: wrong type")?.got == "integer 12")
    #expect(find("10:28", "measure.generate.prompts[1]: the prompt is empty") != nil)
    #expect(find("10:41", "measure.generate.tokens: bad value")?.got == "0")
    #expect(find("11:24", "measure.speed.repetitions: wrong type")?.got == "number 1.5")
    #expect(find("12:21", "plots[1]")?.advice == "did you mean 'perplexity-by-variant'?")
    #expect(find("12:44", "plots[2]: 'kl-by-position' draws what is not measured") != nil)
    #expect(list.count == 14, "\(list.map(\.description).joined(separator: "\n"))")
    #expect(LabErrors(list).exitCode == 65)
  }

  struct BadCase: Sendable, CustomTestStringConvertible {
    var text: String
    var contains: String
    var testDescription: String { contains }
  }

  @Test(arguments: [
    BadCase(text: "[]", contains: "wrong type"),
    BadCase(text: "name: t", contains: "measure: missing"),
    BadCase(text: "name: '!!'\nmeasure: {weights: {}}", contains: "name: bad value"),
    BadCase(text: "name: t\nmeasure: {}", contains: "measures nothing"),
    BadCase(text: "name: t\nmeasure: {weights: false}", contains: "measures nothing"),
    BadCase(text: "name: t\nmeasure: {divergence: {}}", contains: "divergence.data: missing"),
    BadCase(text: "name: t\nmeasure: {perplexity: {}}", contains: "perplexity.data: missing"),
    BadCase(
      text: "name: t\nmeasure: {perplexity: {data: x, stride: 4}}", contains: "has a stride"),
    BadCase(
      text: "name: t\nmeasure: {perplexity: {data: x, protocol: llamacpp}}",
      contains: "unknown name 'llamacpp'"),
    BadCase(text: head + "reference: fp32", contains: "reference: unknown name 'fp32'"),
    BadCase(text: head + "sweep: {kernel: auto}", contains: "sweep.kernel: wrong type"),
    BadCase(text: head + "sweep: {kernel: []}", contains: "sweep.kernel: the list is empty"),
    BadCase(text: head + "base: {kernel: [auto]}", contains: "base.kernel: wrong type"),
    BadCase(text: head + "base: {quantizer: {group: 4}}", contains: "base.quantizer.name"),
    BadCase(
      text: head + "base: {quantizer: 'absmean:group'}", contains: "cannot read the parameter"),
    BadCase(text: head + "base: {quantizer: {name: model, x: 1}}", contains: "takes no parameters"),
    BadCase(text: head + "base: {layers: {blk.0.attn_qq: {}}}", contains: "no layer can match"),
    BadCase(text: head + "base: {layers: {'*': {cache: f16}}}", contains: "unknown key"),
    BadCase(text: head + "base: {sampler: gredy}", contains: "unknown sampler 'gredy'"),
    BadCase(text: head + "base: {sampler: {topp: 0.9}}", contains: "base.sampler.topp: unknown"),
    BadCase(text: head + "base: {sampler: {top-p: 7}}", contains: "base.sampler.top-p: bad value"),
    BadCase(text: head + "threads: 0", contains: "threads: bad value"),
    BadCase(text: head + "threads: 99999999999999999999", contains: "threads: wrong type"),
    BadCase(
      text: "name: t\nreference: none\nmeasure: {divergence: {data: x}}",
      contains: "compares with the reference"),
  ]) func badFilesSayWhatIsWrong(bad: BadCase) {
    let list = problems(bad.text)
    #expect(
      list.contains { $0.what.contains(bad.contains) && $0.place?.hasPrefix("x.yaml:") == true },
      "\(list)")
  }

  @Test func theThreeFormsOfAStageAreOne() throws {
    let forms = [
      "absmean:granularity=row", "{name: absmean, granularity: row}",
      "{name: b1.58, granularity: row}",
    ]
    let choices = try forms.map {
      try decode(Self.head + "base: {quantizer: \($0)}").base.stages[.quantizer]
    }
    #expect(choices[0]?.description == "absmean:granularity=row")
    #expect(choices.allSatisfy { $0 == choices[0] })
  }

  @Test func samplersAreChainsInTheOrderWritten() throws {
    let file = try decode(
      Self.head + "base: {sampler: {top-k: 40, temp: 0.5, repetition-penalty: {penalty: 1.2}}}")
    let sampler = try #require(file.base.sampler)
    #expect(sampler.processors.map(\.name) == ["top-k", "temperature", "repetition-penalty"])
    #expect(sampler.processors[0].parameters["k"] == .integer(40))
    #expect(sampler.sampler.name == "multinomial")
    #expect(try decode(Self.head + "base: {sampler: {temperature: 0}}").base.sampler == .greedy)
  }

  @Test func pathsInAFileAreRelativeToItAndOthersToTheWorkingFolder() throws {
    let root = try YAMLReader.read(
      "name: t\nmodel: models/a\nmeasure: {perplexity: {data: ../t.txt}}", name: "dir/x.yaml")
    let file = try ExperimentFile.decode(
      root, path: "dir/x.yaml", overrides: [], lab: .standard)
    #expect(file.model?.path == "dir/models/a")
    #expect(file.model?.text == "models/a")
    #expect(file.measure.first(PerplexityMeasure.self)?.data.path == "dir/../t.txt")
    let set = try ExperimentFile.decode(
      root, path: "dir/x.yaml", overrides: ["model=m"], lab: .standard)
    #expect(set.model?.path == "m")
    let builtin = try ExperimentFile.decode(
      root, path: "dir/x.yaml", overrides: ["model=builtin:storyteller"], lab: .standard)
    #expect(builtin.model?.path == "builtin:storyteller")
  }

  // MARK: --set

  @Test func overridesReplaceCreateAndReachIntoLists() throws {
    let text =
      "name: t\nbase: {quantizer: absmean}\nvariants: [{name: a}, {name: b, threads: 1}]\n"
      + "measure: {weights: {}, speed: {tokens: 9}}\n"
    let file = try decode(
      text,
      set: [
        "measure.speed.tokens=3", "variants[1].threads=2", "base.quantizer.granularity=row",
        "sweep.cache=[f16, f32]", #"base.layers."blk.0.*".quantizer=none"#, "seed=7",
      ])
    #expect(file.measure.first(SpeedMeasure.self)?.tokens == 3)
    #expect(file.variants[1].settings.threads == 2)
    #expect(file.base.stages[.quantizer]?.description == "absmean:granularity=row")
    #expect(file.sweep.first?.values.count == 2)
    #expect(file.base.layers.first?.pattern == "blk.0.*")
    #expect(file.seed == 7)
  }

  /// Every key is a call within a call: 20,000 of them ended the process.
  @Test func aPathAsDeepAsNoFileIsAnError() {
    let path = "a" + String(repeating: ".a", count: 50_000)
    let found = problems("name: t\nmeasure: {weights: {}}", set: [path + "=1"])
    #expect(found.count == 1 && found[0].got == "50001 keys" && found[0].kind == .usage)
    #expect(found[0].description.utf8.count < 400)
  }

  @Test func aBadOverrideIsNamedByItsPath() {
    let list = problems(
      Self.head,
      set: ["base.quantizer=absmen", "measure.sped={}", "variants[2].name=x", "noequals"])
    #expect(list.contains { $0.place == "--set base.quantizer" && $0.advice != nil })
    #expect(list.contains { $0.place == "--set measure.sped" && $0.what.contains("unknown key") })
    #expect(list.contains { $0.place == "--set variants[2].name" && $0.kind == .usage })
    #expect(list.contains { $0.place == "--set" && $0.got == "noequals" })
    #expect(problems(Self.head, set: ["base=[1"]).first?.place == "--set base")
    #expect(problems(Self.head, set: ["a..b=1"]).first?.what.contains("empty key") == true)
  }

  /// `Lab.install` refuses the keys of files, which it knows by a list of its own.
  @Test func theLabKnowsTheKeys() {
    let lab = Lab.standard
    let stages = Set(lab.kinds(in: .layer, .model).map(\.key.rawValue))
    let keys = Set(ExperimentDecoder.keys + ExperimentDecoder.settingKeys(of: lab)).subtracting(
      stages)
    #expect(keys == Lab.fileKeys)
  }

  /// A parameter that has no effect beside another is refused where it stands.
  @Test(arguments: [
    ("quantizer: {name: absmean, granularity: row, group: 64}", "quantizer.group"),
    ("quantizer: {name: int4, granularity: tensor, group: 32}", "quantizer.group"),
    ("head: {name: auto, k: 5}", "head.k"), ("head: \"auto:loss=none,k=5\"", "head.k"),
  ])
  func aParameterWithoutEffectIsRefused(text: String, path: String) throws {
    let problems = problems("name: t\nmeasure: {weights: {}}\nbase: {\(text)}")
    #expect(problems.count == 1)
    #expect(problems.first?.description.contains("has no effect beside") == true, "\(problems)")
    #expect(problems.first?.description.contains(path) == true, "\(problems)")
  }

  @Test(arguments: [
    "quantizer: {name: absmean, group: 64}", "quantizer: {name: int4, granularity: row}",
    "quantizer: {name: absmean, granularity: group, group: 64}",
    "quantizer: {name: twn, granularity: row, group: 0}", "head: \"auto:loss=tail,k=5\"",
    "head: \"auto:loss=int8,k=5\"",
  ])
  func aParameterWithAnEffectIsNot(text: String) throws {
    #expect(problems("name: t\nmeasure: {weights: {}}\nbase: {\(text)}").isEmpty)
  }
}
