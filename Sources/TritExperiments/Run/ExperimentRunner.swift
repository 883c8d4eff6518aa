internal import Foundation
public import TritCore
internal import TritEvaluation
internal import TritModel

/// Runs experiment files: the entry point of `trit run`.
///
/// ```swift
/// let outcome = try ExperimentRunner.run(
///   file: "experiments/quickstart.yaml", options: RunOptions(set: ["model=DIR"])
/// ) { event in print(event) }
/// exit(outcome.exitCode)
/// ```
public enum ExperimentRunner {
  /// Reads, checks and runs `file`; continues an unfinished run of the same plan, and takes over
  /// what earlier runs measured with the same inputs.
  ///
  /// Throws `LabErrors` with all problems of the file, of its models and of its data before
  /// anything runs, and `cannotCreate` where results cannot be written. A variant that fails is a
  /// record, not an error; so is Ctrl-C: look at `RunOutcome.exitCode`.
  /// - Parameters:
  ///   - plugins: loads what the file names under `plugins:`.
  ///   - observer: called on the calling thread with everything that happens.
  public static func run(
    file: String, options: RunOptions = RunOptions(), lab: Lab = .standard,
    plugins: ExperimentPlugins = ExperimentFile.refusePlugins,
    observer: (RunEvent) -> Void = { _ in }
  ) throws -> RunOutcome {
    try run(
      file: file, options: options, lab: lab, plugins: plugins, backend: nil, observer: observer)
  }

  /// The same with another way to run variants, for tests, and watched from another process.
  package static func run(
    file: String, options: RunOptions, lab: Lab = .standard,
    plugins: ExperimentPlugins = ExperimentFile.refusePlugins,
    backend: (any ExperimentBackend)?, supervision: RunSupervision? = nil,
    workers: RunWorkers? = nil,
    environment: [String: String] = ProcessInfo.processInfo.environment,
    observer: (RunEvent) -> Void = { _ in }
  ) throws -> RunOutcome {
    try run(
      ExperimentPlan(path: file, overrides: options.set, lab: lab, plugins: plugins),
      options: options, backend: backend, supervision: supervision, workers: workers,
      environment: environment, observer: observer)
  }

  /// Runs an experiment that stands in `text`, from line `line` of the file at `path` on, as in a
  /// notebook.
  ///
  /// Throws as the run of a file does; places are those of that file.
  public static func run(
    text: String, path: String, line: Int = 1, options: RunOptions = RunOptions(),
    lab: Lab = .standard, observer: (RunEvent) -> Void = { _ in }
  ) throws -> RunOutcome {
    let file = try ExperimentFile.read(
      text: text, path: path, line: line, overrides: options.set, lab: lab)
    return try run(
      ExperimentPlan(file), options: options, backend: nil, supervision: nil,
      environment: ProcessInfo.processInfo.environment, observer: observer)
  }

  private static func run(
    _ plan: ExperimentPlan, options: RunOptions, backend: (any ExperimentBackend)?,
    supervision: RunSupervision?, workers: RunWorkers? = nil, environment: [String: String],
    observer: (RunEvent) -> Void
  ) throws -> RunOutcome {
    let lab = plan.file.lab
    let backend = backend ?? LabBackend(lab: lab)
    let root = options.outputDirectory ?? "runs"
    var plan = try completed(plan, options: options, environment: environment)
    if plan.hasTrainings {
      // Trainings take long: texts and questions that are missing are told before.
      var texts = plan
      (texts.variants, texts.reference) = ([], nil)
      _ = try RunInputs(texts, lab: lab, backend: backend, environment: environment)
    }
    plan = try plan.trained(root: root, trains: true) { observer(.note($0)) }.atHand(backend)
    let inputs = try RunInputs(plan, lab: lab, backend: backend, environment: environment)
    // A report of records takes no time: each is a run of its own.
    let directory = try RunDirectory.open(
      root: root, plan: plan, force: options.force || inputs.records != nil,
      continuing: supervision?.handover.directory)
    supervision?.tell(.directory(directory.path))
    return try withoutActuallyEscaping(observer) { observer in
      let run = ExperimentRun(
        plan: plan, inputs: inputs, directory: directory, backend: backend,
        supervision: supervision,
        earlier: options.force
          ? nil : EarlierRecords(root: root, name: plan.file.name, besides: directory.path),
        experiment: root + "/" + plan.file.name.slug, observer: observer)
      let plots = PlotWriter(
        directory: directory.path, templates: options.plotsDirectory, environment: environment)
      return try run.run(plots: plots, workers: workers)
    }
  }

  /// Measures, in a process of its own, the variants of `file` that `next` names one by one, and
  /// tells their records: what `RunWorkers` starts.
  package static func work(
    file: String, options: RunOptions, lab: Lab, plugins: ExperimentPlugins,
    supervision: RunSupervision, next: () -> String?,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws {
    guard let task = supervision.handover.worker, let directory = supervision.handover.directory
    else { throw LabError(.internalError, "a process of a run was handed no task") }
    var plan = try completed(
      ExperimentPlan(path: file, overrides: options.set, lab: lab, plugins: plugins),
      options: options, environment: environment)
    let wanted = Set(task.variants)
    plan.variants = plan.variants.filter { wanted.contains($0.index) }
    let backend = LabBackend(lab: plan.file.lab, digested: task.models)
    // The run that hands out the variants has trained all models.
    plan = try plan.trained(root: options.outputDirectory ?? "runs", trains: false).atHand(backend)
    let inputs = try RunInputs(
      plan, lab: plan.file.lab, backend: backend, environment: environment)
    let told = ProgressTeller(supervision.tell)
    let run = ExperimentRun(
      plan: plan, inputs: inputs, directory: .guest(of: directory), backend: backend,
      observer: told.hear)
    while let line = next(), let order = WorkerOrder(line: line) {
      let variant =
        order.variant < 0 ? plan.reference : plan.variants.first { $0.index == order.variant }
      guard let variant else {
        throw LabError(.internalError, "a process of a run was told to measure another's variant")
      }
      let record = run.measured(variant, order)
      supervision.tell(.record(record))
      if record.status == .interrupted { return }
    }
  }

  /// The plan with what options and environment say over the file.
  static func completed(
    _ plan: ExperimentPlan, options: RunOptions, environment: [String: String]
  ) throws -> ExperimentPlan {
    var plan = try plan.selecting(options.selection)
    if plan.file.model == nil, let path = environment["TRITLAB_MODEL"], !path.isEmpty {
      plan.file.model = PathReference(text: path, path: path)
    }
    if let threads = options.threads { plan.file.threads = threads }
    if let windows = options.windows { try plan.file.share(windows) }
    return plan
  }

  /// Which variants of a plan need not be measured: their records are below
  /// `options.outputDirectory`. Empty where the model or a text is not at hand, so that nobody can
  /// say.
  package static func known(
    _ plan: ExperimentPlan, options: RunOptions,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> [Int: Bool] {
    guard
      let plan = try? completed(plan, options: options, environment: environment)
        .trained(root: options.outputDirectory ?? "runs", trains: false)
        .atHand(LabBackend(lab: plan.file.lab)),
      let inputs = try? RunInputs(
        plan, lab: plan.file.lab, backend: LabBackend(lab: plan.file.lab), environment: environment),
      inputs.records == nil
    else { return [:] }
    let records = EarlierRecords(
      root: options.outputDirectory ?? "runs", name: plan.file.name, besides: ""
    ).all().filter { $0.status == .finished && $0.role == .variant }
    let digests = Set(records.map(\.inputs))
    return Dictionary(
      uniqueKeysWithValues: plan.variants.map { variant in
        (variant.index, !options.force && digests.contains(inputs.digest(of: variant, in: plan)))
      })
  }
}

/// Tells how far a variant is, a few times a second.
private final class ProgressTeller {
  private let tell: (RunReport) -> Void
  private var last = (section: "", time: 0.0)

  init(_ tell: @escaping (RunReport) -> Void) { self.tell = tell }

  func hear(_ event: RunEvent) {
    switch event {
    case .progress(_, let section, let fraction, _):
      let now = MonotonicClock.seconds()
      guard section != last.section || now - last.time > 0.3 else { return }
      last = (section, now)
      tell(.progress(section: section, fraction: fraction))
    case .note(let text): tell(.note(text))
    default: break
    }
  }
}

/// Everything outside the file that a run depends on: models, data, threads, program, machine.
struct RunInputs {
  /// By path.
  var models: [String: InputIdentity] = [:]
  /// By path and field.
  var data: [String: InputIdentity] = [:]
  /// Questions, by path and limit.
  private(set) var questions: [String: InputIdentity] = [:]
  /// What is reported in place of measurements.
  private(set) var records: [RunRecord]?
  /// What an `auto` that may lose something picked, by number of the variant.
  private var picked: [Int: [StageKey: StageChoice]] = [:]
  let threads: Int
  var program = ProgramIdentity.here
  let lab: Lab

  /// Finds and digests all models and texts. Throws `LabErrors` with everything that is missing.
  init(
    _ plan: ExperimentPlan, lab: Lab, backend: any ExperimentBackend,
    environment: [String: String]
  ) throws {
    self.lab = lab
    threads = plan.file.threads ?? Self.defaultThreads(environment)
    var missing: [LabError] = []
    if let source = plan.file.records {
      records = try Self.records(source, at: plan.file.document["records"]?.position)
      return
    }
    func note(_ error: any Error, _ key: String) {
      let error = error as? LabError ?? LabError(.missingInput, "\(error)")
      let place = plan.file.document[key]?.position.description ?? plan.file.path
      if !missing.contains(error.inside("\(place): \(key)")) {
        missing.append(error.inside("\(place): \(key)"))
      }
    }
    if let tokenizer = plan.file.tokenizer {
      do { try backend.use(tokenizer: tokenizer) } catch { note(error, "tokenizer") }
    }
    for variant in plan.variants + (plan.reference.map { [$0] } ?? []) {
      guard let model = variant.settings.model ?? plan.file.model else {
        let error = Self.noModel(plan.file.path)
        if !missing.contains(error) { missing.append(error) }
        continue
      }
      guard models[model.path] == nil else { continue }
      do { models[model.path] = try backend.identify(model: model) } catch { note(error, "model") }
    }
    for needs in plan.file.measure.sections.map(\.measure.needs) {
      do {
        if let (place, field) = needs.text, data[Self.key(place, field)] == nil {
          data[Self.key(place, field)] = try backend.identify(data: place, field: field)
        }
        if let (place, limit) = needs.questions, questions[Self.key(place, limit)] == nil {
          questions[Self.key(place, limit)] = try backend.identify(questions: place, limit: limit)
        }
        if let (place, limit) = needs.retrieval, questions[Self.key(place, limit)] == nil {
          questions[Self.key(place, limit)] = try backend.identify(retrieval: place, limit: limit)
        }
        if let tasks = needs.tasks, questions[Self.key(tasks)] == nil {
          questions[Self.key(tasks)] = try backend.identify(tasks: tasks)
        }
      } catch {
        note(error, "measure")
      }
    }
    if missing.isEmpty { missing = Self.misfits(plan, models: models, threads: threads, backend) }
    if missing.isEmpty { try pick(plan, backend) }
    if missing.count == 1 { throw missing[0] }
    if !missing.isEmpty { throw LabErrors(missing) }
  }

  /// The error for an experiment file without a model: with a command that works as it stands.
  private static func noModel(_ path: String) -> LabError {
    let word =
      path.allSatisfy { $0.isLetter || $0.isNumber || "/._-+,=@".contains($0) }
      ? path
      : "'"
        + path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
        + "'"
    let builtin = BuiltinModels.names.contains("storyteller") ? "builtin:storyteller" : nil
    let run = "trit run \(word) --set model="
    return LabError(
      .missingInput, "the experiment names no model", at: "\(path): model",
      expected: "a checkpoint folder, a GGUF file, hf:ORG/NAME or builtin:NAME",
      advice: (builtin.map { "\(run)\($0) runs it on the built-in model; " } ?? "")
        + "\(run)PATH on a model of yours; the environment variable TRITLAB_MODEL stands in for --set"
    )
  }

  /// The newest record of each variant in what runs have written.
  private static func records(
    _ source: PathReference, at position: SourcePosition?
  ) throws -> [RunRecord] {
    let place = (position?.description).map { "\($0): records" } ?? "records"
    do {
      return try RecordSource(source.path).records()
    } catch let error as LabError {
      throw error.inside(place)
    }
  }

  /// What cannot work on the models that were found: at most one problem a variant, each told once.
  private static func misfits(
    _ plan: ExperimentPlan, models: [String: InputIdentity], threads: Int,
    _ backend: any ExperimentBackend
  ) -> [LabError] {
    var found: [LabError] = []
    for variant in (plan.reference.map { [$0] } ?? []) + plan.variants {
      guard let path = (variant.settings.model ?? plan.file.model)?.path, let model = models[path]
      else { continue }
      let request = SessionRequest(
        model: model, settings: variant.settings, threads: variant.settings.threads ?? threads,
        context: plan.file.context)
      do {
        try backend.check(request, plan.file.measure)
      } catch {
        let error = error as? LabError ?? LabError(.badData, "\(error)")
        // Sizes have no layer to name: they are wrong in 'measure', once for all variants.
        if error.place == nil {
          let place = plan.file.document["measure"]?.position ?? plan.file.document.position
          let whole = error.inside(place.description)
          if !found.contains(whole) { found.append(whole) }
          continue
        }
        let positions = variant.settings.positions
        let position = positions["kernel"] ?? positions["quantizer"] ?? variant.position
        found.append(error.inside("\(position): variant '\(variant.label)'"))
      }
    }
    return found
  }

  /// Asks what every `auto` whose pick changes results picks here and now: it is an input like any
  /// other.
  private mutating func pick(_ plan: ExperimentPlan, _ backend: any ExperimentBackend) throws {
    for variant in (plan.reference.map { [$0] } ?? []) + plan.variants {
      guard let model = model(of: variant, in: plan) else { continue }
      let choices = try backend.picks(
        SessionRequest(
          model: model, settings: variant.settings, threads: threads(of: variant),
          context: plan.file.context))
      if !choices.isEmpty { picked[variant.index] = choices }
    }
  }

  /// The choices that a variant runs with: those of the plan, and what `auto` picked.
  func settings(of variant: PlannedVariant) -> VariantSettings {
    var settings = variant.settings
    settings.stages.merge(picked[variant.index] ?? [:]) { $1 }
    return settings
  }

  /// The number of threads where nobody says: what a cluster grants, else the cores.
  private static func defaultThreads(_ environment: [String: String]) -> Int {
    for name in ["SLURM_CPUS_PER_TASK", "OMP_NUM_THREADS"] {
      if let text = environment[name], let count = Int(text), (1...1024).contains(count) {
        return count
      }
    }
    return ProcessInfo.processInfo.activeProcessorCount
  }

  private static func key(_ reference: PathReference, _ field: String?) -> String {
    "\(reference.path)\u{0}\(field ?? "")"
  }

  private static func key(_ reference: PathReference, _ limit: Int?) -> String {
    key(reference, limit.map { "\($0)" })
  }

  private static func key(_ tasks: HarnessNeeds) -> String {
    "\(tasks.names.joined(separator: ",")) \(tasks.place?.path ?? "") \(tasks.options)"
  }

  func model(of variant: PlannedVariant, in plan: ExperimentPlan) -> InputIdentity? {
    (variant.settings.model ?? plan.file.model).flatMap { models[$0.path] }
  }

  /// The text that a measure needs.
  func text(for needs: MeasureNeeds) -> InputIdentity? {
    needs.text.flatMap { data[Self.key($0.place, $0.field)] }
  }

  /// The questions that a measure needs.
  func questions(for needs: MeasureNeeds) -> InputIdentity? {
    needs.tasks.flatMap { questions[Self.key($0)] }
      ?? (needs.questions ?? needs.retrieval).flatMap {
        questions[Self.key($0.place, $0.limit)]
      }
  }

  func threads(of variant: PlannedVariant) -> Int { variant.settings.threads ?? threads }
}
