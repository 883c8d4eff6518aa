internal import Foundation
public import TritCore
internal import TritEvaluation
internal import TritFormats

/// What `RunCollector` came to.
public struct CollectOutcome: Sendable {
  /// The merged run: its directory, records and reports.
  public var run: RunOutcome
  /// The run directories that were read.
  public var sources: [String]
  /// What nobody has measured, a sentence each.
  public var missing: [String]
}

/// Merges the runs of one experiment that were shared out over processes or machines: by variants
/// (`--index`, `--shard`), or by the windows of a text (`--chunks a:b`), or both.
public enum RunCollector {
  /// Merges the run directories in `paths` (each one, or a folder of them) into a new one below
  /// `options.outputDirectory`, with reports and figures. Of a variant that several have measured,
  /// the newest finished record counts; parts of a text's windows are joined from the losses of
  /// their tokens, which gives the digits of one run.
  ///
  /// Throws `missingInput` where there is no run, `badData` where runs do not belong together:
  /// another plan, model, text or program.
  public static func collect(
    _ paths: [String], options: RunOptions = RunOptions(), lab: Lab = .standard,
    plugins: ExperimentPlugins = ExperimentFile.refusePlugins,
    observer: (RunEvent) -> Void = { _ in }
  ) throws -> CollectOutcome {
    let runs = try ShardRun.find(paths).map { try ShardRun($0) }
    guard let first = runs.first else {
      throw LabError(
        .missingInput, "there is no run to collect", expected: "run directories",
        got: paths.joined(separator: ", "))
    }
    try checkPlans(runs, first)
    var merger = RecordMerger(plan: first.plan)
    for run in runs { merger.add(run) }
    try checkInputs(merger.used)
    let document = try Self.document(first.path + "/experiment.yaml", merger)
    let file = try ExperimentFile.decode(
      document, path: first.path + "/experiment.yaml", overrides: [], lab: lab, plugins: plugins)
    let plan = try ExperimentPlan(file)
    let source = merger.used.first ?? first
    let inputs = RunInputs(collected: source.environment, of: merger.used, lab: file.lab)
    let records = try merger.joined(plan.file.measure)
    let directory = try RunDirectory.new(
      root: options.outputDirectory ?? "runs", name: first.plan.experiment)
    return try withoutActuallyEscaping(observer) { observer in
      let run = ExperimentRun(
        plan: plan, inputs: inputs, directory: directory, backend: LabBackend(lab: file.lab),
        observer: observer)
      let plots = PlotWriter(
        directory: directory.path, templates: options.plotsDirectory,
        environment: ProcessInfo.processInfo.environment)
      let outcome = try run.collect(
        records, samples: merger.samples, like: source, sources: runs.map(\.path),
        isWhole: merger.missing.isEmpty,
        document: document, plots: plots)
      return CollectOutcome(
        run: outcome, sources: runs.map(\.path), missing: merger.missing)
    }
  }

  /// Throws where runs are of different experiments.
  private static func checkPlans(_ runs: [ShardRun], _ first: ShardRun) throws {
    for run in runs where run.plan.study != first.plan.study {
      var differs = "what is varied or measured differs"
      if run.plan.experiment != first.plan.experiment {
        differs = "experiment '\(run.plan.experiment)', not '\(first.plan.experiment)'"
      } else if run.plan.variants != first.plan.variants {
        let others = run.plan.variants.filter { !first.plan.variants.contains($0) }.map(\.label)
        differs =
          others.isEmpty
          ? "\(run.plan.variants.count) variants, not \(first.plan.variants.count)"
          : "other variants: " + others.prefix(4).joined(separator: ", ")
      } else if run.plan.reference != first.plan.reference {
        differs = "another reference"
      }
      throw LabError(
        .badData, "the run is of another plan than \(first.path)", at: run.path,
        expected: "plan \(first.plan.study)", got: "plan \(run.plan.study): \(differs)",
        advice: "collect the runs of one experiment file with the same --set alone")
    }
  }

  /// Throws where runs whose records are merged have read other files, or were other programs.
  private static func checkInputs(_ runs: [ShardRun]) throws {
    var known: [String: (value: String, run: ShardRun)] = [:]
    for run in runs {
      for (name, value) in run.inputs {
        guard let earlier = known.updateValue((value, run), forKey: name), earlier.value != value
        else { continue }
        throw LabError(
          .badData, "the run measured with another \(name) than \(earlier.run.path)", at: run.path,
          expected: earlier.value, got: value,
          advice: "measure one of the two again, with the same files and the same program")
      }
    }
  }

  /// The experiment as a run of the whole has it: without the part of the windows.
  private static func document(_ path: String, _ merger: RecordMerger) throws -> YAMLNode {
    var document = try YAMLReader.read(path: path)
    for (section, text) in merger.plan.windows {
      let part = WindowSelection(text)
      let place = ["measure", section, "chunks"]
      if let count = part?.needed {
        document.set(place, to: YAMLNode(.scalar("\(count)", plain: true), at: document.position))
      } else if document["measure"]?[section]?["chunks"] != nil {
        document.remove(place)
      }
    }
    return document
  }
}

extension YAMLNode {
  /// Removes what a path of keys leads to.
  fileprivate mutating func remove(_ path: [String]) {
    guard let key = path.first, var entries else { return }
    if path.count == 1 {
      entries.removeAll { $0.key == key }
    } else if let index = entries.firstIndex(where: { $0.key == key }) {
      entries[index].value.remove(Array(path.dropFirst()))
    }
    content = .mapping(entries)
  }
}

extension ExperimentRun {
  /// Writes a run directory of records that other runs have measured.
  func collect(
    _ collected: [(record: RunRecord, files: [String], run: ShardRun)],
    samples: [String: [String: SampleTable]], like source: ShardRun,
    sources: [String], isWhole: Bool, document: YAMLNode, plots writer: PlotWriter
  ) throws -> RunOutcome {
    observer(.started(directory: directory.path, variants: plan.all.count, resumed: false))
    for (record, files, run) in collected {
      var record = record
      record.reusedFrom = record.reusedFrom ?? run.name
      for name in files {
        if try !directory.bring(name, from: run.path) {
          observer(.note("\(record.label): \(name) is gone from \(run.path)"))
        }
      }
      if let tables = samples[RecordMerger.key(record.role, record.id)], !tables.isEmpty {
        record.samples = try SampleFile.keep(
          tables, name: SampleFile.name(of: record), in: directory.path)
      }
      try directory.log.append(record)
      records.append(record)
    }
    records.sort { $0.index < $1.index }
    reused = records.count
    let outcome = try finish(plots: writer)
    // Where and when it was measured is told by those who measured.
    try directory.write(environment(source, sources), to: "environment.json")
    try directory.write(
      "# \(VisibleText.line(plan.file.name)), collected from:\n"
        + sources.map { "#   \(VisibleText.line($0))\n" }.joined() + YAMLWriter.text(document),
      to: "experiment.yaml")
    var file = source.plan
    file.windows = [:]
    try directory.write(file.text, to: PlanFile.name)
    let state = RunState.read(source.path)
    try directory.write(RunState(plan: state?.plan ?? file.study, isFinished: isWhole))
    return outcome
  }

  private func environment(_ source: ShardRun, _ sources: [String]) -> String {
    guard case .object(var members) = source.environment else { return "{}\n" }
    members.removeAll { $0.key == "kernels" }
    let kernels = records.compactMap { record in
      record.facts["kernels"].map { (key: record.label, value: JSONValue.string($0)) }
    }
    members.append(("kernels", .object(kernels)))
    members.append(("collected", .array(sources.map(JSONValue.string))))
    return JSONWriter.text(.object(members.sorted { $0.key < $1.key })) + "\n"
  }
}

extension RunInputs {
  /// Inputs as runs have found them, for reports of their records.
  init(collected environment: JSONValue, of runs: [ShardRun], lab: Lab) {
    self.lab = lab
    threads = environment["threads"]?.integer ?? 1
    let program = ProgramIdentity.here
    self.program = ProgramIdentity(
      version: environment["version"]?.string ?? program.version,
      commit: environment["commit"]?.string, digest: environment["program"]?.string ?? "",
      libraries: program.libraries, cpu: environment["cpu"]?.string ?? program.cpu,
      processor: program.processor)
    for run in runs {
      for (kind, isModel) in [("models", true), ("data", false)] {
        for input in run.environment[kind]?.array ?? [] {
          let identity = InputIdentity(
            name: input["name"]?.string ?? "?", path: input["path"]?.string ?? "?",
            digest: input["digest"]?.string ?? "?", bytes: input["bytes"]?.integer ?? 0)
          if isModel {
            models[identity.name] = identity
          } else {
            data[identity.name] = identity
          }
        }
      }
    }
  }
}
