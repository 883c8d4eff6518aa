import Foundation
import FoundationXML
import Testing
import TritLab

import TritExperiments

@Suite struct RunnerTests {
  static let text = """
    name: A run & more
    description: Does <it> work?
    sweep: {cache: [f32, f16, int8]}
    measure:
      generate: {prompts: [Once]}
      perplexity: {data: t.txt}
      divergence: {}
      tasks: {}
      weights: {}
      speed: {}
      energy: {}
      roofline: {}
    plots: [perplexity-by-variant, size-vs-perplexity, quality-vs-bits, throughput, kl-by-position,
      layer-sensitivity, generation-agreement, task-accuracy, scaling, energy, roofline,
      speed-vs-perplexity, sweep]
    """
  /// All figures but those that one axis does not give: `FigureLayoutTests` draws them.
  static let figures = Lab.standard.figures.map(\.key).filter {
    $0 != "heat-map" && $0 != "differences" && $0 != "seeds"
  }

  private func run(
    _ folder: String, _ backend: FakeBackend, text: String = text, force: Bool = false,
    set: [String] = ["model=m"], environment: [String: String] = [:],
    observer: (RunEvent) -> Void = { _ in }
  ) throws -> RunOutcome {
    let file = folder + "/x.yaml"
    try AtomicFile.write(text, to: file)
    return try ExperimentRunner.run(
      file: file,
      options: RunOptions(set: set, force: force, outputDirectory: folder + "/runs", threads: 2),
      backend: backend, environment: environment, observer: observer)
  }

  @Test func aRunLeavesRecordsReportsAndProvenance() throws {
    try withTemporaryFolder { folder in
      let outcome = try run(folder, FakeBackend())
      #expect(outcome.exitCode == 0)
      #expect(outcome.records.map(\.label) == ["reference", "f32", "f16", "int8"])
      #expect(outcome.directory.hasPrefix(folder + "/runs/a-run-more/20"))
      for file in outcome.files {
        #expect(FileManager.default.fileExists(atPath: outcome.directory + "/" + file), "\(file)")
      }
      let lines = try String(contentsOfFile: outcome.directory + "/results.jsonl", encoding: .utf8)
        .split(separator: "\n")
      #expect(lines.count == 4)
      let json = try JSONReader.read(String(lines[1]))
      #expect(json["schema"]?.string == "trit/run/1")
      #expect(json["params"]?["cache"]?.string == "f32")
      #expect(json["metrics"]?["perplexity.value"]?.double == 10)
      #expect(json["metrics"]?["weights.sqnr_db"] == .null)
      #expect(json["undefined"]?["weights.sqnr_db"]?.string == "infinite: no weight was rounded")
      #expect(outcome.records[1].texts[0].agreement == 2)
      let environment = try JSONReader.read(
        String(contentsOfFile: outcome.directory + "/environment.json", encoding: .utf8))
      for key in ["version", "cpu", "threads", "openBLASCore", "models", "data", "seed", "kernels"]
      {
        #expect(environment[key] != nil, "\(key)")
      }
      #expect(outcome.summary.contains("| f16 |"))
      // The resolved file runs again as it is.
      let again = try ExperimentPlan(path: outcome.directory + "/experiment.yaml")
      #expect(again.variants.map(\.id) == outcome.records.dropFirst().map(\.id))
    }
  }

  @Test func whatIsUnchangedIsNotMeasuredAgain() throws {
    try withTemporaryFolder { folder in
      _ = try run(folder, FakeBackend())
      let same = FakeBackend()
      let second = try run(folder, same)
      #expect(same.loaded.isEmpty)
      #expect(second.reused == 4)
      #expect(second.records.allSatisfy { $0.reusedFrom != nil })
      let wider = FakeBackend()
      let third = try run(
        folder, wider, set: ["model=m", "variants=[{name: new, threads: 1}]"])
      #expect(third.records.count == 5)
      #expect(wider.loaded == ["auto f16", "openblas f32"])
      let changed = FakeBackend()
      changed.modelDigest = "m2"
      _ = try run(folder, changed)
      #expect(changed.loaded.count == 4)
      let other = FakeBackend()
      _ = try run(folder, other, set: ["model=m", "measure.generate.seed=8"])
      #expect(other.loaded.count == 4)
      let forced = FakeBackend()
      #expect(try run(folder, forced, force: true).reused == 0)
      #expect(forced.loaded.count == 4)
    }
  }

  @Test func anInterruptedRunGoesOnWhereItStopped() throws {
    try withTemporaryFolder { folder in
      let first = FakeBackend()
      first.interruptAfter = 2
      let outcome = try run(folder, first)
      #expect(outcome.exitCode == 130)
      #expect(outcome.records.map(\.status) == [.finished, .finished, .interrupted])
      #expect(outcome.summary.contains("Interrupted: 1 of 3"))
      let second = FakeBackend()
      var wasResumed = false
      let rest = try run(folder, second) { event in
        if case .started(_, _, let resumed) = event { wasResumed = resumed }
      }
      #expect(wasResumed && rest.directory == outcome.directory)
      #expect(rest.exitCode == 0 && rest.records.count == 4)
      #expect(Set(second.loaded) == ["auto f16", "auto int8", "openblas f32"])
      // The log is that of a run that nobody stopped: one finished record of each.
      let lines = try String(contentsOfFile: rest.directory + "/results.jsonl", encoding: .utf8)
        .split(separator: "\n")
      #expect(lines.count == 4 && lines.allSatisfy { $0.contains("\"status\":\"finished\"") })
    }
  }

  @Test func halfALineLeftByAKillIsCutOffAndMeasuredAgain() throws {
    try withTemporaryFolder { folder in
      let outcome = try run(folder, FakeBackend())
      // As a kill in the middle of a write leaves it: half the last record, no reports, not
      // finished.
      let log = outcome.directory + "/results.jsonl"
      let whole = try #require(FileManager.default.contents(atPath: log))
      try AtomicFile.write([UInt8](whole.dropLast(200)), to: log)
      let state = outcome.directory + "/state.json"
      let text = try String(contentsOfFile: state, encoding: .utf8)
      try AtomicFile.write(
        text.replacing("\"isFinished\" : true", with: "\"isFinished\" : false"), to: state)
      let second = FakeBackend()
      var notes: [String] = []
      let rest = try run(folder, second) { if case .note(let note) = $0 { notes.append(note) } }
      #expect(rest.directory == outcome.directory)
      #expect(second.loaded == ["auto int8", "openblas f32"])
      #expect(notes.contains { $0.contains("cut off") })
      let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
      #expect(lines.count == 4)
      #expect(lines.allSatisfy { (try? JSONReader.read(String($0))) != nil })
    }
  }

  @Test func aVariantThatFailsIsARecordAndTheOthersGoOn() throws {
    try withTemporaryFolder { folder in
      let backend = FakeBackend()
      backend.failingKernel = "tl1"
      let outcome = try run(
        folder, backend,
        set: ["model=m", "variants=[{name: bad, kernel: tl1}, {name: good, threads: 1}]"])
      #expect(outcome.exitCode == 1)
      #expect(outcome.records.map(\.status).filter { $0 == .failed }.count == 1)
      #expect(outcome.records[4].error?.contains("cannot take the shape") == true)
      #expect(outcome.records[5].status == .finished)
      #expect(outcome.summary.contains("What failed"))
    }
  }

  @Test func missingModelsAreToldBeforeAnythingRuns() throws {
    try withTemporaryFolder { folder in
      #expect {
        try run(folder, FakeBackend(), set: [])
      } throws: { error in
        (error as? LabError)?.kind == .missingInput
          && (error as? LabError)?.advice?.contains("TRITLAB_MODEL") == true
      }
      #expect {
        try run(folder, FakeBackend(), set: ["model=missing"])
      } throws: { ($0 as? LabError)?.place?.contains("--set model") == true }
      #expect(!FileManager.default.fileExists(atPath: folder + "/runs"))
      let outcome = try run(
        folder, FakeBackend(), set: [], environment: ["TRITLAB_MODEL": "from/environment"])
      #expect(outcome.records[0].params["model"] == "from/environment")
    }
  }

  @Test func whatCannotFitTheModelIsToldWithItsPlaceBeforeAnythingRuns() throws {
    try withTemporaryFolder { folder in
      let backend = FakeBackend()
      backend.misfit = "f16"
      do {
        _ = try run(folder, backend)
        Issue.record("no error")
      } catch let error as LabError {
        #expect(error.place == "\(folder)/x.yaml:3:22: variant 'f16': blk.0")
      }
      #expect(backend.loaded.isEmpty)
      #expect(!FileManager.default.fileExists(atPath: folder + "/runs"))
    }
  }

  @Test func halfAnImageIsNeverLeftInTheFolder() throws {
    try withTemporaryFolder { folder in
      // A gnuplot whose disk is full: it writes the beginning of an image and says that all is
      // well.
      let tools = folder + "/tools"
      try FileManager.default.createDirectory(atPath: tools, withIntermediateDirectories: true)
      try AtomicFile.write(
        "#!/bin/sh\nname=${1%.gp}\nprintf '<svg>' > $name.svg\nprintf 'x' > $name.png\n",
        to: tools + "/gnuplot")
      chmod(tools + "/gnuplot", 0o755)
      var notes: [String] = []
      let outcome = try run(folder, FakeBackend(), environment: ["PATH": tools]) {
        if case .note(let note) = $0 { notes.append(note) }
      }
      #expect(notes.count { $0.contains("half an image") } == Self.figures.count)
      let names = try FileManager.default.contentsOfDirectory(atPath: outcome.directory + "/plots")
      #expect(names.allSatisfy { $0.hasSuffix(".gp") || $0.hasSuffix(".tsv") })
      #expect(names.allSatisfy { !$0.hasPrefix(".") })
    }
  }

  @Test func aFolderThatCannotBeWrittenIsAnErrorWithItsPlace() throws {
    try withTemporaryFolder { folder in
      // A file where the folder should be: not even root can make a folder in it.
      try AtomicFile.write("x", to: folder + "/runs")
      #expect {
        try run(folder, FakeBackend())
      } throws: { ($0 as? LabError)?.kind == .cannotCreate }
      #expect(throws: LabError.self) { try ResultsLog(folder + "/runs/results.jsonl") }
      #expect(try String(contentsOfFile: folder + "/runs", encoding: .utf8) == "x")
    }
  }

  @Test func withoutGnuplotDataAndScriptsAreWrittenAndThePackageIsNamed() throws {
    try withTemporaryFolder { folder in
      var notes: [String] = []
      let outcome = try run(folder, FakeBackend(), environment: ["PATH": folder]) {
        if case .note(let note) = $0 { notes.append(note) }
      }
      #expect(outcome.exitCode == 0)
      #expect(notes.contains { $0.contains("gnuplot-nox") })
      for kind in Self.figures {
        #expect(outcome.files.contains("plots/\(kind).gp"))
        #expect(outcome.files.contains("plots/\(kind).tsv"))
        #expect(!outcome.files.contains("plots/\(kind).svg"))
      }
    }
  }

  static let gnuplot = Executable.find(
    "gnuplot", path: ProcessInfo.processInfo.environment["PATH"])

  @Test(.enabled(if: gnuplot != nil, "gnuplot is not installed"))
  func everyPlotIsDrawnAndTheReportIsOneWellFormedPage() throws {
    try withTemporaryFolder { folder in
      var notes: [String] = []
      let outcome = try run(
        folder, FakeBackend(), environment: ProcessInfo.processInfo.environment
      ) { if case .note(let note) = $0 { notes.append(note) } }
      #expect(notes == [])
      for kind in Self.figures {
        for ending in ["svg", "png", "pdf"] {
          let path = "\(outcome.directory)/plots/\(kind).\(ending)"
          #expect((FileManager.default.contents(atPath: path)?.count ?? 0) > 2000, "\(path)")
        }
      }
      let path = outcome.directory + "/report.html"
      let html = try String(contentsOfFile: path, encoding: .utf8)
      let parser = XMLParser(data: Data(html.utf8))
      #expect(parser.parse(), "\(String(describing: parser.parserError)) line \(parser.lineNumber)")
      #expect(html.components(separatedBy: "<svg").count == Self.figures.count + 1)
      for outside in ["<script", "<link", " src=", "url(http", "href=\"http", "@import"] {
        #expect(!html.contains(outside), "\(outside)")
      }
      #expect(html.contains("&lt;b&gt;&amp;"))
      let ids = html.matches(of: /\sid=["']([^"']+)["']/).map { String($0.output.1) }
      #expect(Set(ids).count == ids.count, "ids must differ on one page")
    }
  }

  @Test func theSchemaIsJSONAndKnowsEveryName() throws {
    let schema = try JSONReader.read(ExperimentSchema.json())
    #expect(schema["$schema"]?.string == "https://json-schema.org/draft/2020-12/schema")
    let keys = schema["properties"]?.object?.map(\.key)
    #expect(keys.map(Set.init) == Set(ExperimentDecoder.keys))
    let text = ExperimentSchema.json()
    for name in Lab.stages[.quantizer].names + Lab.stages[.kernel].names {
      #expect(text.contains("\"\(name)\""), "\(name)")
    }
  }

  /// Where an experiment asks what one stage changes, its reference must have all the other stages
  /// of the variants: a default that moves must not move them apart.
  @Test(arguments: ["kernels", "kv-cache", "sampling"])
  func theReferenceDiffersInNothingElse(name: String) throws {
    let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().path
    let plan = try ExperimentPlan(path: "\(checkout)/experiments/\(name).yaml")
    let reference = try #require(plan.reference).selection
    // The first variant of kv-cache is the reference's cache.
    let variant = plan.variants[0].selection
    #expect(reference.quantizer == variant.quantizer)
    #expect(reference.activations == variant.activations)
    #expect(reference.attention == variant.attention)
    #expect(reference.cache == variant.cache)
    #expect(reference.head == variant.head)
  }

  /// The experiment files that the lab ships must always decode and plan.
  @Test(arguments: [
    "quickstart", "quantizers", "kernels", "activations", "kv-cache", "sampling",
    "layer-sensitivity", "qat-vs-ptq",
  ]) func theShippedExperimentsPlan(name: String) throws {
    let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().path
    let plan = try ExperimentPlan(path: "\(checkout)/experiments/\(name).yaml")
    #expect(plan.file.name == name)
    #expect(plan.variants.count >= 3)
    for needs in plan.file.measure.sections.map(\.measure.needs) {
      if let text = needs.text { #expect(try TextDataset.load(text.place.path).byteCount > 1000) }
      if let questions = needs.questions {
        #expect(try TaskDataset.load(questions.place.path, limit: 5).tasks.count == 5)
      }
    }
  }
}
