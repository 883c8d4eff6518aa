import Foundation
import Testing
import TritExperiments
import TritLab
import _TritTestSupport

/// What someone else measures and draws: one type each, named in files like those of the lab.
@Suite struct OutsideTests {
  /// The root mean square of the last logits after a prompt of `tokens` tokens.
  private struct LogitSize: Measure {
    static let key = "logit-size"
    static let summary = "Root mean square of the logits after a prompt."
    static let source = "the definition"
    static let fields = [
      MeasureField("tokens", "Tokens of the prompt.", .integer(1...8), standard: .integer(2)),
      MeasureField(
        "scale", "What is measured is multiplied with it.", .real(0...10), standard: .real(1)),
    ]
    static let columns = [
      ReportColumn("Logit size", key: "logit-size.rms", group: .quality, meaning: "How large.")
    ]
    let tokens: Int
    let scale: Double

    init(_ settings: MeasureSettings) throws {
      tokens = settings.integer("tokens")
      scale = settings.real("scale")
      if tokens == 7 { throw settings.fault("seven is too many", at: "tokens", got: "7") }
    }

    func check(context: Int) throws {
      if tokens > context { throw LabError(.badData, "measure.logit-size: too many tokens") }
    }

    func run(_ run: MeasureRun) throws -> Measured {
      run.engine.reset()
      let logits = try run.engine.prefill((0..<tokens).map { 3 + $0 })
      let sum = logits.reduce(0.0) { $0 + Double($1) * Double($1) }
      run.progress(1)
      return Measured(
        metrics: ["rms": scale * (sum / Double(logits.count)).squareRoot()],
        facts: ["logit size of": run.isReference ? "the reference" : "a variant"])
    }
  }

  /// A bar for each variant.
  private enum LogitSizeFigure: Figure {
    static let key = "logit-sizes"
    static let summary = "size of the logits"
    static let needs = ["logit-size"]
    static let template: String? = "plot data using 2:1 with points notitle\n"

    static func data(_ report: Report) -> PlotData? {
      let rows = report.variants.enumerated().map { index, record in
        ["\(index)", "\(record.metrics["logit-size.rms"] ?? .nan)", PlotData.cell(record.label)]
      }
      return PlotData(
        table: PlotData.table(["row", "size", "label"], rows), rows: rows.count,
        height: PlotData.rowHeight(rows.count))
    }
  }

  private func lab() throws -> Lab {
    var lab = Lab.standard
    try lab.add(measure: LogitSize.self, origin: .package("tests"))
    try lab.add(figure: LogitSizeFigure.self, origin: .package("tests"))
    return lab
  }

  private func write(_ folder: String, _ measure: String, plots: String = "[logit-sizes]") throws {
    let model = SharedModel.shared.path
    try AtomicFile.write(
      """
      name: outside
      model: \(model)
      sweep: {kernel: [reference, i2_s/scalar]}
      measure: \(measure)
      plots: \(plots)
      """, to: folder + "/x.yaml")
  }

  private func run(_ folder: String, lab: Lab) throws -> RunOutcome {
    try ExperimentRunner.run(
      file: folder + "/x.yaml", options: RunOptions(outputDirectory: folder + "/runs", threads: 1),
      lab: lab, observer: { _ in })
  }

  @Test func aMeasureAndAFigureOfOthersRun() throws {
    try withTemporaryFolder { folder in
      let lab = try lab()
      try write(folder, "{logit-size: {tokens: 4}}")
      let outcome = try run(folder, lab: lab)
      #expect(outcome.exitCode == 0, "\(outcome.records.map(\.error))")
      let sizes = outcome.records.map { $0.metrics["logit-size.rms"] ?? 0 }
      #expect(sizes.count == 3 && sizes[1] > 0 && sizes[1] == sizes[2])
      #expect(outcome.records[0].facts["logit size of"] == "the reference")
      #expect(outcome.records[1].params["measure.logit-size.tokens"] == "4")
      #expect(outcome.summary.contains("Logit size"))
      let table = try String(
        contentsOfFile: outcome.directory + "/plots/logit-sizes.tsv", encoding: .utf8)
      #expect(table.hasPrefix("# row\tsize\tlabel\n0\t\(sizes[1])\treference\n"))
      let script = try String(
        contentsOfFile: outcome.directory + "/plots/logit-sizes.gp", encoding: .utf8)
      #expect(script.contains("plot data using 2:1"))
      // What was measured is known the next time; another setting is another measurement.
      #expect(try run(folder, lab: lab).reused == 3)
      try write(folder, "{logit-size: {tokens: 4, scale: 2}}")
      let doubled = try run(folder, lab: lab)
      #expect(doubled.reused == 0 && doubled.records[1].metrics["logit-size.rms"] == 2 * sizes[1])
    }
  }

  @Test func itsSettingsAreCheckedAndInTheSchema() throws {
    try withTemporaryFolder { folder in
      let lab = try lab()
      for (text, expected) in [
        ("{logit-size: {tokens: 9}}", "a whole number, 1…8"),
        ("{logit-size: {tokens: 7}}", "measure.logit-size.tokens: seven is too many"),
        ("{logit-size: {token: 7}}", "did you mean 'tokens'?"),
        ("{logit-size: {scale: many}}", "a number, 0.0…10.0"),
        ("{logit-siz: {}}", "did you mean 'logit-size'?"),
      ] {
        try write(folder, text)
        let error = #expect(throws: LabErrors.self) {
          try ExperimentPlan(path: folder + "/x.yaml", lab: lab)
        }
        #expect(
          error?.description.contains(expected) == true, "\(text): \(String(describing: error))")
        #expect(error?.description.contains("x.yaml:4:") == true)
      }
      // The lab without it knows neither.
      try write(folder, "{logit-size: {}}")
      let unknown = #expect(throws: LabErrors.self) {
        try ExperimentPlan(path: folder + "/x.yaml")
      }
      #expect(unknown?.problems.count == 2)
      let schema = try JSONReader.read(ExperimentSchema.json(lab: lab), path: "schema")
      let sections = schema["properties"]?["measure"]?["properties"]
      #expect(sections?["logit-size"]?["description"]?.string == LogitSize.summary)
      #expect(ExperimentSchema.json(lab: lab).contains("logit-sizes"))
      let descriptor = try #require(lab.kind(.measure)?.descriptor("logit-size"))
      #expect(descriptor.parameters.map(\.name) == ["tokens", "scale"])
    }
  }

  @Test func aTemplateOfOnesOwnDrawsTheDataOfAFigure() throws {
    try withTemporaryFolder { folder in
      let plots = "[weights-kept, {template: my plot.gp, data: logit-sizes}]"
        .replacing("weights-kept, ", with: "")
      try AtomicFile.write("plot data using 1:2 with lines notitle\n", to: folder + "/my plot.gp")
      try write(folder, "{logit-size: {}}", plots: plots)
      let outcome = try run(folder, lab: try lab())
      #expect(outcome.exitCode == 0)
      let script = try String(
        contentsOfFile: outcome.directory + "/plots/my-plot.gp", encoding: .utf8)
      #expect(script.contains("data = \"my-plot.tsv\""))
      #expect(script.contains("plot data using 1:2 with lines"))
      #expect(outcome.files.contains("plots/my-plot.tsv"))
      for (plots, expected) in [
        ("[{template: none.gp, data: logit-sizes}]", "there is no such template"),
        ("[{template: my plot.gp}]", "the plot whose data it draws"),
        ("[{template: my plot.gp, data: logit-size}]", "did you mean 'logit-sizes'?"),
        ("[{template: my plot.gp, data: throughput}]", "draws what is not measured"),
        ("[logit-sizes, logit-sizes]", "is drawn already"),
      ] {
        try write(folder, "{logit-size: {}}", plots: plots)
        let error = #expect(throws: LabErrors.self) {
          try ExperimentPlan(path: folder + "/x.yaml", lab: try lab())
        }
        #expect(
          error?.description.contains(expected) == true, "\(plots): \(String(describing: error))")
      }
    }
  }

  @Test func aKeyThatIsTakenNamesBoth() throws {
    var lab = try lab()
    let error = #expect(throws: LabError.self) {
      try lab.add(
        measure: LogitSize.self, origin: .plugin(path: "m.swift", digest: "0123456789abcdef"))
    }
    #expect(error?.code == .duplicateName)
    #expect(error?.got?.contains("package tests") == true)
    #expect(error?.got?.contains("m.swift (digest 0123456789ab)") == true)
  }
}

/// One model for all tests of this file, which run at the same time: it is written once, before
/// anyone reads it.
private final class SharedModel: Sendable {
  static let shared = SharedModel()
  let folder: TemporaryFolder
  let path: String
  private init() {
    guard let folder = try? TemporaryFolder("outside"),
      let path = try? TinyCheckpoint.write(.bitnetPacked, in: folder)
    else { preconditionFailure("no temporary model can be made") }
    (self.folder, self.path) = (folder, path)
  }
}

/// `plugins:` of a file, with a loader that needs no compiler.
@Suite struct PluginDecodingTests {
  /// Adds the quantizer that is called as the file is.
  private func load(_ path: String, _ lab: inout Lab) throws {
    let name = String((path as NSString).lastPathComponent.prefix { $0 != "." })
    guard name != "broken" else { throw LabError(.badData, "no such thing", at: path) }
    try lab.add(
      .quantizer,
      StageDescriptor(
        name, summary: "absmean", source: "a test",
        origin: .plugin(path: path, digest: String(repeating: "0", count: 64)))
    ) { _ in try Lab.standard.make(.quantizer, StageChoice("absmean")) }
  }

  private func file(_ plugins: String, set: [String] = []) throws -> ExperimentFile {
    try ExperimentFile.decode(
      YAMLReader.read(
        "name: a\nplugins: \(plugins)\nmodel: m\nsweep: {quantizer: [mine, absmean]}\n"
          + "measure: {weights: {}}\n", name: "dir/x.yaml"), path: "dir/x.yaml", overrides: set,
      lab: .standard, plugins: load)
  }

  private func problems(_ plugins: String, set: [String] = []) throws -> [LabError] {
    do {
      _ = try file(plugins, set: set)
      return []
    } catch let errors as LabErrors {
      return errors.problems
    }
  }

  @Test func whatAPlugInAddsIsALegalName() throws {
    let read = try file("[mine.c]")
    #expect(read.plugins.map(\.path) == ["dir/mine.c"])
    #expect(read.lab[.quantizer].names.contains("mine"))
    #expect(try ExperimentPlan(read).variants.count == 2)
    // Paths of the command line are relative to the working directory.
    let set = try file("[other.c]", set: ["plugins=[mine.c]"])
    #expect(set.plugins.map(\.path) == ["mine.c"])
  }

  @Test func everyProblemHasItsPlace() throws {
    let broken = try problems("[mine.c, broken.c]")
    #expect(broken.map(\.place) == ["dir/x.yaml:2:19: plugins[1]: dir/broken.c"])
    #expect(try problems("mine.c").first?.place == "dir/x.yaml:2:10")
    #expect(try problems("[mine.c, ./mine.c]").first?.what.contains("stands twice") == true)
    #expect(try problems("[3]").first?.what == "plugins[0]: wrong type")
    #expect(try problems("[\"hf:a/b\"]").first?.what.contains("file of yours") == true)
    let refused = #expect(throws: LabErrors.self) {
      try decode("name: a\nplugins: [mine.c]\nmeasure: {weights: {}}\n")
    }
    #expect(refused?.problems.first?.place == "x.yaml:2:11: plugins[0]: mine.c")
  }
}
