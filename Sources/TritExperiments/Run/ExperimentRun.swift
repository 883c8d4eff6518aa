internal import Foundation
internal import TritCore
internal import TritEvaluation
internal import TritModel

/// One run of a plan: measures what is not known yet, keeps records, writes the reports.
final class ExperimentRun {
  let plan: ExperimentPlan
  let inputs: RunInputs
  let directory: RunDirectory
  let backend: any ExperimentBackend
  /// Who watches from another process, and what it knows.
  let supervision: RunSupervision?
  let observer: (RunEvent) -> Void
  /// Records of other runs; nil where everything is measured anew.
  let earlier: EarlierRecords?
  /// Which variants other runs leave to this one.
  let claims: VariantClaims
  /// When nothing else of the experiment is measured on this machine.
  let machine: MachineTurn
  /// Threads of every variant, at most; nil is what it asks for.
  var threadLimit: Int?
  var reference: (any VariantSession)?
  var referenceError: LabError?
  var pace = Pace()
  let started = UTC.text()
  /// What is measured so far.
  var records: [RunRecord] = []
  var reused = 0
  var wasInterrupted = false
  /// Speeds that were measured in rounds, by the variants' numbers.
  var speeds: [Int: Measured] = [:]
  /// Records of which only the measures of time are missing, by the variants' numbers.
  var partial: [Int: RunRecord] = [:]
  /// Who is at work, as it was told last.
  var working: RunReport.AtWork?
  /// Whether it was said what the text can see.
  var hasToldPower = false
  /// The digests of the variants' inputs, by number.
  private var digests: [Int: String] = [:]

  /// `experiment` is the folder of all runs of the experiment, where they share their work; nil
  /// shares nothing.
  init(
    plan: ExperimentPlan, inputs: RunInputs, directory: RunDirectory,
    backend: any ExperimentBackend, supervision: RunSupervision? = nil,
    earlier: EarlierRecords? = nil, experiment: String? = nil,
    observer: @escaping (RunEvent) -> Void
  ) {
    self.plan = plan
    self.inputs = inputs
    self.directory = directory
    self.backend = backend
    self.supervision = supervision
    self.earlier = earlier
    self.observer = observer
    // What is forced is measured whoever else does.
    claims = VariantClaims(experiment: earlier == nil ? nil : experiment)
    machine = MachineTurn(experiment: experiment)
  }

  /// What the measurements of a variant depend on.
  func digest(of variant: PlannedVariant) -> String {
    if let known = digests[variant.index] { return known }
    let digest = inputs.digest(of: variant, in: plan)
    digests[variant.index] = digest
    return digest
  }

  /// Runs everything that is still to do, in this process or handed out to `workers`.
  func run(plots: PlotWriter, workers: RunWorkers? = nil) throws -> RunOutcome {
    try directory.write(RunState(plan: plan.identity, isFinished: false))
    try directory.write(ResolvedFile.text(plan, inputs: inputs), to: "experiment.yaml")
    try directory.write(PlanFile(plan).text, to: PlanFile.name)
    try writeEnvironment(records: [])
    if let recorded = inputs.records { return try report(recorded, plots: plots) }
    let handover = supervision?.handover ?? RunHandover()
    if !handover.hasBegun {
      observer(
        .started(
          directory: directory.path, variants: plan.variants.count, resumed: directory.isResumed))
    }
    for holder in directory.busy where earlier != nil {
      observer(
        .note(
          "another run of the same plan is at work (\(holder.process) in \(holder.path)): the two share "
            + "what they measure"))
    }
    if directory.log.wasTorn {
      observer(.note("half a record at the end of results.jsonl was cut off; it is measured again"))
    }
    let all = (plan.reference.map { [$0] } ?? []) + plan.variants
    var work: [PlannedVariant] = []
    let others = earlier?.all() ?? []
    if !handover.hasBegun {
      for note in PowerCheck.certain(plan.file) { observer(.note(note)) }
      tellPower(
        of: others.filter { $0.status == .finished && $0.samples != nil }, in: nil,
        source: "an earlier run")
    }
    for variant in all {
      if let known = known(variant, in: directory.log.records) {
        let renumbered = renumbered(known, as: variant)
        // Variants that differ in nothing that is measured share a record; the log has one of each.
        if known.id != variant.id { try append(renumbered) } else { records.append(renumbered) }
        guard !handover.measured.contains(known.id) else { continue }
        reused += 1
        observer(.variantReused(known))
      } else if let known = known(variant, in: others) {
        try adopt(known, as: variant)
      } else {
        work.append(variant)
      }
    }
    pace.total = work.count
    for variant in work { speeds[variant.index] = handover.speeds[variant.id] }
    readPartial(work)
    do {
      if let workers, !work.isEmpty {
        try measure(work, with: workers, failures: handover.failures)
      } else {
        try measureHere(work, failures: handover.failures)
      }
    } catch let error as LabError where error.kind == .interrupted {
      wasInterrupted = true
    }
    reference = nil
    records.sort { $0.index < $1.index }
    return try finish(plots: plots)
  }

  /// Measures `work` in this process: speeds of all first, in rounds; then one variant after the
  /// other. What another run measures meanwhile is taken from it.
  private func measureHere(
    _ work: [PlannedVariant], failures: [RunHandover.Failure]
  ) throws {
    let failures = Self.byID(failures)
    var queue = work
    if backend.measuresSpeedInRounds, plan.file.measure.first(SpeedMeasure.self) != nil {
      let settled = try settleAll(&queue)
      let waiting = settled.filter {
        speeds[$0.index] == nil && ($0.index < 0 || failures[$0.id] == nil)
      }
      try measureSpeeds(of: waiting)
      tellSpeeds(of: settled)
    }
    while let variant = try next(&queue) {
      observer(.variantStarted(index: pace.done, of: pace.total, label: variant.label))
      let record: RunRecord
      if variant.index >= 0, let failure = failures[variant.id] {
        record = failed(variant, failure)
      } else {
        record = verified(
          measure(
            variant, texts: records.first { $0.role == .reference }?.texts,
            from: partial[variant.index]))
      }
      atWork(nil)
      try keep(record)
      if record.status == .interrupted { throw LabError(.interrupted, "interrupted") }
    }
  }

  static func byID(_ failures: [RunHandover.Failure]) -> [String: String] {
    Dictionary(failures.map { ($0.id, $0.error) }, uniquingKeysWith: { first, _ in first })
  }

  /// Keeps what was measured of a variant, tells of it, and lets other runs have it.
  func keep(_ record: RunRecord) throws {
    try append(record)
    claims.release(record.inputs)
    observer(.variantEnded(record))
    if record.status == .finished { supervision?.tell(.measured(id: record.id)) }
    for warning in Warnings.of(record.facts) {
      observer(
        .warning(
          label: record.label, section: warning.section, text: warning.text,
          kind: Warnings.kind(section: warning.section, text: warning.text)))
    }
    tellPower(of: records, in: directory.path, source: "the first variants")
    pace.done += 1
  }

  private func append(_ record: RunRecord) throws {
    try directory.log.append(record)
    records.append(record)
  }

  /// Reports and draws records that an earlier run made.
  private func report(_ recorded: [RunRecord], plots: PlotWriter) throws -> RunOutcome {
    observer(.started(directory: directory.path, variants: recorded.count, resumed: false))
    for var record in recorded {
      record.experiment = plan.file.name
      record = try directory.bringing(record, from: "")
      try directory.log.append(record)
      records.append(record)
    }
    reused = records.count
    return try finish(plots: plots)
  }

}

/// Estimates the time that is left from the variants that are done.
struct Pace {
  var total = 0
  var done = 0
  private let start = ContinuousClock.now

  /// Seconds to the end; nil before anything can be said.
  func remaining(sections: [String], _ section: String, _ fraction: Double) -> Double? {
    let position = sections.firstIndex(of: section) ?? 0
    let part = (Double(position) + fraction) / Double(max(sections.count, 1))
    let share = (Double(done) + part) / Double(max(total, 1))
    let elapsed = (ContinuousClock.now - start) / .seconds(1)
    guard share > 0.02, elapsed > 0.5 else { return nil }
    return elapsed / share * (1 - share)
  }

  /// The same where several variants are so far at once, each 0…1.
  func remaining(besides parts: [Double]) -> Double? {
    let share = (Double(done) + parts.reduce(0, +)) / Double(max(total, 1))
    let elapsed = (ContinuousClock.now - start) / .seconds(1)
    guard share > 0.02, share <= 1, elapsed > 0.5 else { return nil }
    return elapsed / share * (1 - share)
  }
}
