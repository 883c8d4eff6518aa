import Foundation
import Testing
import TritLab

import TritExperiments

/// Samples beside the records, differences in pairs, and what is told of them.
@Suite struct EvidenceTests {
  static let text = """
    name: pairs
    sweep: {cache: [f32, f16, int8]}
    measure:
      perplexity: {data: t.txt}
      tasks: {}

    """

  private func run(
    _ folder: String, text: String = text, set: [String] = ["model=m"], force: Bool = false,
    backend: FakeBackend = FakeBackend(), observer: (RunEvent) -> Void = { _ in }
  ) throws -> RunOutcome {
    backend.hasSamples = true
    let file = folder + "/x.yaml"
    try AtomicFile.write(text, to: file)
    return try ExperimentRunner.run(
      file: file,
      options: RunOptions(set: set, force: force, outputDirectory: folder + "/runs", threads: 2),
      backend: backend, environment: [:], observer: observer)
  }

  private func rows(_ outcome: RunOutcome) throws -> [[String]] {
    try String(contentsOfFile: outcome.directory + "/differences.csv", encoding: .utf8)
      .split(separator: "\n").map {
        $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      }
  }

  @Test func everyRecordKeepsItsSamples() throws {
    try withTemporaryFolder { folder in
      let outcome = try run(folder)
      for record in outcome.records {
        let place = try #require(record.samples)
        let tables = try SampleFile.read(outcome.directory + "/" + place)
        #expect(Set(tables.keys) == ["perplexity", "tasks"])
        #expect(tables["perplexity"]?.unit == "window")
        #expect(tables["perplexity"]?.columns["loss"]?.count == FakeSession.windows)
        #expect(tables["tasks"]?.columns["right"]?.allSatisfy { $0 == 0 || $0 == 1 } == true)
      }
      // The file is a plain safetensors file of float32.
      let file = try SafetensorsFile(
        path: outcome.directory + "/" + (try #require(outcome.records[0].samples)))
      #expect(file.tensors.allSatisfy { $0.type == .f32 && $0.shape.count == 1 })
    }
  }

  @Test func differencesAreThoseOfTheSamples() throws {
    try withTemporaryFolder { folder in
      let outcome = try run(folder)
      let table = try rows(outcome)
      let head = try #require(table.first)
      func cell(_ row: [String], _ name: String) throws -> String {
        row[try #require(head.firstIndex(of: name))]
      }
      let perplexity = try table.dropFirst().filter { try cell($0, "quantity") == "perplexity" }
      #expect(perplexity.count == 3)
      for (row, record) in zip(perplexity, outcome.records.dropFirst()) {
        let own = try SampleFile.read(outcome.directory + "/" + (try #require(record.samples)))
        let base = try SampleFile.read(
          outcome.directory + "/" + (try #require(outcome.records[0].samples)))
        let expected = try PairedDifference(
          variant: try #require(own["perplexity"]?.columns["loss"]),
          baseline: try #require(base["perplexity"]?.columns["loss"]),
          weights: base["perplexity"]?.columns["tokens"], scale: .percentOfRatio)
        #expect(try cell(row, "value") == "\(expected.value)")
        #expect(try cell(row, "lower") == "\(expected.lower)")
        #expect(try cell(row, "baseline") == "reference")
        #expect(try cell(row, "unit") == "%")
      }
      #expect(outcome.summary.contains("## Differences to reference"))
      #expect(outcome.summary.contains("with 80 % power"))
      #expect(outcome.summary.contains("corrected by Holm"))
      #expect(outcome.brief.columns.contains { $0.title == "vs reference" })
    }
  }

  @Test func theBaselineCanBeAVariant() throws {
    try withTemporaryFolder { folder in
      let outcome = try run(folder, text: Self.text + "baseline: f16\n")
      #expect(outcome.summary.contains("## Differences to f16"))
      let variants = try Set(rows(outcome).dropFirst().map { $0[0] })
      #expect(variants == ["reference", "f32", "int8"])
    }
    let wrong = problems(
      "name: x\nmodel: m\nbaseline: f61\nsweep: {cache: [f16, f32]}\nmeasure: {weights: {}}")
    #expect(wrong.first?.place?.contains("x.yaml:3") == true)
    #expect(wrong.first?.advice?.contains("f16") == true)
  }

  @Test func withoutAReferenceTheFirstVariantIsTheBaseline() throws {
    try withTemporaryFolder { folder in
      let outcome = try run(folder, text: Self.text + "reference: none\n")
      #expect(outcome.summary.contains("## Differences to f32"))
    }
  }

  @Test func aRecordThatIsTakenOverBringsItsSamples() throws {
    try withTemporaryFolder { folder in
      let first = try run(folder)
      let again = try run(folder, text: Self.text + "baseline: f16\n")
      #expect(again.reused == 4 && again.directory != first.directory)
      for record in again.records {
        let place = try #require(record.samples)
        #expect(!place.hasPrefix("/"))
        _ = try SampleFile.read(again.directory + "/" + place)
      }
      // Without its samples it is measured again.
      try FileManager.default.removeItem(atPath: first.directory + "/samples")
      try FileManager.default.removeItem(atPath: again.directory + "/samples")
      let third = try run(folder, text: Self.text + "baseline: int8\n")
      #expect(third.reused == 0)
    }
  }

  @Test func samplesOfOtherUnitsMakeNoPairs() throws {
    let quantity = try #require(PerplexityMeasure.quantities.first)
    func table(_ content: String, _ loss: [Double]) -> SampleTable {
      SampleTable(
        unit: "window", content: content,
        columns: ["loss": loss, "tokens": loss.map { _ in 4 }])
    }
    #expect(throws: LabError.self) {
      try quantity.difference(table("a", [1, 2]), table("b", [1, 2]))
    }
    #expect(throws: LabError.self) {
      try quantity.difference(table("a", [1, 2]), table("a", [1, 2, 3]))
    }
    #expect(try quantity.difference(table("a", [1, 2]), table("a", [1, 2])).isIdentical)
  }

  @Test func whatCannotAnswerIsSaidBeforeItRuns() throws {
    try withTemporaryFolder { folder in
      var notes: [String] = []
      func note(_ event: RunEvent) {
        if case .note(let text) = event { notes.append(text) }
      }
      _ = try run(folder, set: ["model=m", "measure.perplexity.chunks=1"], observer: note)
      #expect(notes.contains { $0.contains("one window has no spread") })
      notes = []
      _ = try run(folder, text: Self.text + "detect: {perplexity: 1.0e-4}\n", observer: note)
      #expect(notes.contains { $0.contains("detect asks for 1.0e-4 % in perplexity") })
      notes = []
      _ = try run(folder, text: Self.text + "detect: {perplexity: 50}\n", observer: note)
      #expect(!notes.contains { $0.contains("detect asks") })
    }
    // A run over other windows says nothing about these.
    try withTemporaryFolder { folder in
      var notes: [String] = []
      func note(_ event: RunEvent) {
        if case .note(let text) = event { notes.append(text) }
      }
      let text = Self.text + "detect: {perplexity: 1.0e-4}\n"
      _ = try run(folder, text: text, observer: note)
      notes = []
      _ = try run(folder, text: text, force: true, observer: note)
      #expect(notes.filter { $0.contains("detect asks") }.count == 1)
      notes = []
      _ = try run(
        folder, text: text, set: ["model=m", "measure.perplexity.chunks=7"], observer: note)
      #expect(!notes.contains { $0.contains("by an earlier run") })
      notes = []
      _ = try run(
        folder, text: text.replacingOccurrences(of: "int8", with: "bf16"), observer: note)
      #expect(notes.contains { $0.contains("by an earlier run") }, "\(notes)")
    }
    // A difference in what is not measured would be seen by nobody.
    #expect(
      problems("name: x\nmodel: m\ndetect: {tasks: 1}\nmeasure: {weights: {}}").contains {
        $0.description.contains("nothing that is measured tells it")
      })
    for bad in ["detect: {perplexity: 0}", "detect: {speed: 1}", "detect: 3"] {
      #expect(!problems("name: x\nmodel: m\n\(bad)\nmeasure: {weights: {}}").isEmpty, "\(bad)")
    }
  }

  @Test(arguments: [
    [UInt8](), Array("no safetensors".utf8), [255, 255, 255, 255, 255, 255, 255, 127, 0],
  ])
  func hostileSampleFilesAreRefused(_ bytes: [UInt8]) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/s.safetensors"
      try AtomicFile.write(bytes, to: path)
      #expect(throws: LabError.self) { try SampleFile.read(path) }
      // A report goes on without, and says so.
      let outcome = try run(folder)
      let place = outcome.directory + "/" + (try #require(outcome.records[2].samples))
      try FileManager.default.removeItem(atPath: place)
      try AtomicFile.write(bytes, to: place)
      try AtomicFile.write(
        "name: again\nrecords: \(outcome.directory)/results.jsonl\n", to: folder + "/y.yaml")
      let again = try ExperimentRunner.run(
        file: folder + "/y.yaml", options: RunOptions(outputDirectory: folder + "/runs"),
        backend: FakeBackend(), environment: [:])
      #expect(again.summary.contains("f16: "))
      #expect(try rows(again).dropFirst().allSatisfy { $0[0] != "f16" })
    }
  }

  /// Two trainings of one length, each with two seeds, are not one with four; and where nothing but
  /// the figures tells them apart, no spread is told.
  @Test func trainingsThatDifferAreNotSeedsOfOne() throws {
    try withTemporaryFolder { folder in
      let outcome = try run(
        folder,
        text: "name: seeds\nreference: none\nsweep: {cache: [f16, int8], seed: [1, 2]}\n"
          + "measure: {perplexity: {data: t.txt}}\n")
      let log = try String(contentsOfFile: outcome.directory + "/results.jsonl", encoding: .utf8)
      func summary(_ name: String, isNamed: Bool) throws -> String {
        let lines = log.split(separator: "\n").map { line -> String in
          let seed = line.contains("\"seed\":\"1\"") ? "1" : "2"
          let training = line.contains("\"cache\":\"int8\"") ? "slow" : "fast"
          return line.replacingOccurrences(of: "\"cache\":\"int8\"", with: "\"cache\":\"f16\"")
            .replacingOccurrences(of: "\"seed\":\"2\"", with: "\"seed\":\"1\"")
            .replacingOccurrences(
              of: "\"metrics\":{", with: "\"metrics\":{\"model.training_seed\":\(seed),"
            )
            .replacingOccurrences(
              of: "\"model\":\"m\"", with: "\"model\":\"\(isNamed ? "\(training)-\(seed)" : "m")\"")
        }
        try AtomicFile.write(lines.joined(separator: "\n") + "\n", to: folder + "/\(name).jsonl")
        try AtomicFile.write(
          "name: \(name)\nrecords: \(folder)/\(name).jsonl\n", to: folder + "/\(name).yaml")
        return try ExperimentRunner.run(
          file: folder + "/\(name).yaml", options: RunOptions(outputDirectory: folder + "/runs"),
          backend: FakeBackend(), environment: [:]
        ).summary
      }
      let named = try summary("named", isNamed: true)
      #expect(
        named.split(separator: "\n").count { $0.contains("| Perplexity | 2 |") } == 2, "\(named)")
      #expect(try !summary("unnamed", isNamed: false).contains("## Across seeds"))
    }
  }

  /// What a figure changes from seed to seed is told apart from what it would change on another text.
  @Test func seedsHaveATableOfTheirOwn() throws {
    try withTemporaryFolder { folder in
      let outcome = try run(
        folder,
        text: "name: seeds\nsweep: {cache: [f16, int8], seed: [1, 2, 3]}\n"
          + "measure: {perplexity: {data: t.txt}}\n")
      #expect(outcome.summary.contains("## Across seeds"))
      for cache in ["f16", "int8"] {
        #expect(outcome.summary.contains("| \(cache) | Perplexity | 3 |"))
      }
      // Where a file says nothing of figures, the spread is drawn.
      #expect(outcome.files.contains("plots/seeds.tsv"))
      let table = try String(
        contentsOfFile: outcome.directory + "/plots/seeds.tsv", encoding: .utf8)
      // Two rows, and behind them the three seeds of each.
      #expect(table.split(separator: "\n").count == 1 + 2 + 6)
      #expect(try !run(folder).summary.contains("## Across seeds"))
    }
  }

  @Test func aPlaceOutsideTheRunIsNotRead() throws {
    try withTemporaryFolder { folder in
      var record = try run(folder).records[0]
      for place in ["../x", "/etc/passwd", "samples/../../x", "other/x.safetensors"] {
        record.samples = place
        #expect(SampleFile.path(of: record, in: folder) == nil)
      }
    }
  }
}

@Suite struct RunComparisonTests {
  private func run(_ folder: String, name: String, caches: String, bias: Double = 0) throws
    -> String
  {
    let backend = FakeBackend()
    backend.hasSamples = true
    backend.bias = bias
    backend.modelDigest = "m\(bias)"
    let file = folder + "/\(name).yaml"
    try AtomicFile.write(
      "name: \(name)\nsweep: {cache: [\(caches)]}\nmeasure: {perplexity: {data: t.txt}, tasks: {}}\n",
      to: file)
    return try ExperimentRunner.run(
      file: file,
      options: RunOptions(set: ["model=m"], outputDirectory: folder + "/runs", threads: 2),
      backend: backend, environment: [:]
    ).directory
  }

  private func compare(_ operands: [String], baseline: String? = nil) throws -> [String] {
    let pairs = try RunComparison(operands, baseline: baseline).pairs
    return pairs.map { "\($0.variant.record.label)/\($0.baseline.record.label)" }
  }

  @Test func operandsAreRunsAndVariants() throws {
    try withTemporaryFolder { folder in
      let a = try run(folder, name: "a", caches: "f32, f16")
      let b = try run(folder, name: "b", caches: "f16, int8", bias: 0.02)
      #expect(try compare([a]) == ["f32/reference", "f16/reference"])
      #expect(try compare([a], baseline: "f16") == ["reference/f16", "f32/f16"])
      #expect(try compare(["\(a):f16"]) == ["f16/reference"])
      // The folder of the experiment stands for its newest run, the file for its folder.
      #expect(try compare([folder + "/runs/a"]) == ["f32/reference", "f16/reference"])
      #expect(try compare([a + "/results.jsonl"]) == ["f32/reference", "f16/reference"])
      // Two runs: the same labels.
      #expect(try compare([a, b]) == ["reference/reference", "f16/f16"])
      #expect(try compare(["\(a):f16", "\(b):int8"]) == ["int8/f16"])
      #expect(try compare(["\(a):f16", b]) == ["reference/f16", "f16/f16", "int8/f16"])
      for bad in [[a + "x"], ["\(a):f17"], [folder + "/none", a]] {
        #expect(throws: LabError.self) { try compare(bad) }
      }
    }
  }

  private func left(_ operands: [String], baseline: String? = nil) throws -> [String] {
    let found = try RunComparison(operands, baseline: baseline)
    return found.missing.map(\.label) + found.unmatched.map { "+" + $0.label }
  }

  /// What one side has and the other lacks is told, and of whom.
  @Test func whatIsMissingIsTold() throws {
    try withTemporaryFolder { folder in
      let a = try run(folder, name: "a", caches: "f32, f16")
      let b = try run(folder, name: "b", caches: "f16, int8", bias: 0.02)
      #expect(try left([a, b]) == ["f32", "+int8"])
      #expect(try left([a, "\(b):f16"]) == [])
      #expect(try left([a]) == [])
      // The baseline that an option names is the first run's, and the variant is compared with it.
      #expect(
        try compare(["\(a):f32", b], baseline: "f16")
          == ["f32/f16", "reference/f16", "f16/f16", "int8/f16"])
      // One that failed has no figures.
      let log = b + "/results.jsonl"
      let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").map {
        $0.contains("\"label\":\"f16\"")
          ? $0.replacingOccurrences(of: "\"status\":\"finished\"", with: "\"status\":\"failed\"")
          : String($0)
      }
      try AtomicFile.write(lines.joined(separator: "\n") + "\n", to: log)
      #expect(try left([a, b]) == ["f32", "f16", "+int8"])
      #expect(try left([b]) == ["f16"])
      let error = #expect(throws: LabError.self) { try compare([a, "\(b):f16"]) }
      #expect(error?.kind == .badData && error?.got == "one that is failed")
    }
  }

  @Test func runsHaveNamesThatTellThemApart() {
    #expect(
      RunComparison.shortNames(["r/a/1", "r/b/1", "r/b/2"], ["x", "y", "z"])
        == ["a/1", "b/1", "b/2"])
    #expect(RunComparison.shortNames(["r/a", "r/a"], ["x", "y"]) == ["a", "a"])
    #expect(
      RunComparison.shortNames(["", "r/b"], ["o/x.safetensors", "y"]) == ["x.safetensors", "b"])
  }

  @Test func aQuantityThatVanishedIsTold() throws {
    try withTemporaryFolder { folder in
      let a = try run(folder, name: "a", caches: "f16")
      let found = try RunComparison(["\(a):f16", a], baseline: nil)
      #expect(found.vanished(PerplexityMeasure.quantities).isEmpty)
      var pairs = found.pairs
      pairs[0].variant.tables["perplexity"] = nil
      let lost = RunComparison.vanished(PerplexityMeasure.quantities, of: pairs)
      #expect(lost.count == 1 && lost[0].text.contains("perplexity was not measured"))
    }
  }

  @Test func whatIsWorseIsFound() throws {
    try withTemporaryFolder { folder in
      let a = try run(folder, name: "a", caches: "f16")
      let b = try run(folder, name: "b", caches: "f16", bias: 0.02)
      let evidence = PairedEvidence(
        try RunComparison([a, b], baseline: nil).pairs,
        quantities: PerplexityMeasure.quantities)
      let list = try #require(evidence.byQuantity.first?.list)
      #expect(list.count == 2)
      for one in list {
        // Every window is 0.02 nats worse: 2.02 %.
        #expect(abs(one.difference.value - 100 * (exp(0.02) - 1)) < 1e-3)
        #expect(one.verdict == "worse" && one.loss > 2)
      }
    }
  }

  private func table(_ loss: [Double], documents: [Double]?) -> SampleTable {
    var table = SampleTable(
      unit: "window", content: "c",
      columns: ["loss": loss, "tokens": Array(repeating: 8, count: loss.count)])
    table.columns["document"] = documents
    return table
  }

  /// Windows of one document are one draw: the interval is that of sums over documents. Of fewer
  /// than ten documents nobody speaks for others, and windows are drawn.
  @Test func windowsOfOneDocumentAreOneDraw() throws {
    let quantity = try #require(PerplexityMeasure.quantities.first)
    var random = SeededRandom(seed: 5)
    for documents in [9, 10, 12] {
      let owners = (0..<4 * documents).map { $0 / 4 }
      // Windows of a document share what they are worth.
      let shares = (0..<documents).map { _ in Double.random(in: 0..<0.1, using: &random) }
      let base = owners.map { _ in Double.random(in: 2..<3, using: &random) }
      let loss = zip(base, owners).map { $0 + shares[$1] }
      let numbers = owners.map { Double($0) }
      let told = try quantity.difference(
        table(loss, documents: numbers), table(base, documents: numbers))
      let byDocument = try PairedDifference(
        variant: loss, baseline: base, clusters: owners, scale: .percentOfRatio)
      let byWindow = try PairedDifference(variant: loss, baseline: base, scale: .percentOfRatio)
      #expect(told.interval == (documents < 10 ? byWindow : byDocument).interval)
      #expect(told.clusters == (documents < 10 ? 36 : documents))
      #expect(byDocument.upper - byDocument.lower > 1.5 * (byWindow.upper - byWindow.lower))
      // Samples of an older program do not say: windows, as they were.
      let old = try quantity.difference(
        table(loss, documents: nil), table(base, documents: nil))
      #expect(old.interval == byWindow.interval)
    }
  }

  @Test func groupsThatAreNoneAreDamage() throws {
    for value in [Double.nan, .infinity, 1e300, 0.5] {
      let numbers = [0, value]
      let outcomes = SampleTable(
        unit: "question", content: "c", columns: ["right": [0, 1], "group": numbers])
      for (quantity, table) in [
        (PerplexityMeasure.quantities[0], table([1, 2], documents: numbers)),
        (TasksMeasure.quantities[0], outcomes),
      ] {
        let error = #expect(throws: LabError.self) { try quantity.difference(table, table) }
        #expect(error?.kind == .badData && error?.got == "\(value)")
      }
    }
  }
}
