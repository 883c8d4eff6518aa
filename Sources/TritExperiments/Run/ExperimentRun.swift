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
  private var reference: (any VariantSession)?
  private var referenceError: LabError?
  private var pace = Pace()
  private var started = UTC.text()
  /// Speeds that were measured in rounds, by the variants' numbers.
  private var speeds: [Int: Measured] = [:]
  /// Who is at work, as it was told last.
  private var working: RunReport.AtWork?
  private var hasToldPower = false

  init(
    plan: ExperimentPlan, inputs: RunInputs, directory: RunDirectory,
    backend: any ExperimentBackend, supervision: RunSupervision? = nil,
    observer: @escaping (RunEvent) -> Void
  ) {
    self.plan = plan
    self.inputs = inputs
    self.directory = directory
    self.backend = backend
    self.supervision = supervision
    self.observer = observer
  }

  /// Runs everything that is still to do. `earlier` are records of other runs of the experiment.
  func run(earlier: [RunRecord], plots: PlotWriter) throws -> RunOutcome {
    try directory.write(RunState(plan: plan.identity, isFinished: false))
    try directory.write(ResolvedFile.text(plan, inputs: inputs), to: "experiment.yaml")
    try writeEnvironment(records: [])
    if let recorded = inputs.records { return try report(recorded, plots: plots) }
    let handover = supervision?.handover ?? RunHandover()
    if !handover.hasBegun {
      observer(
        .started(
          directory: directory.path, variants: plan.variants.count, resumed: directory.isResumed))
    }
    for holder in directory.busy {
      observer(
        .note(
          "another run of the same plan is at work (\(holder.process) in \(holder.path)); this one "
            + "measures by itself"))
    }
    if directory.log.wasTorn {
      observer(.note("half a record at the end of results.jsonl was cut off; it is measured again"))
    }
    if !handover.hasBegun {
      for note in PowerCheck.certain(plan.file) { observer(.note(note)) }
      tellPower(
        of: earlier.filter { $0.status == .finished && $0.samples != nil }, in: nil,
        source: "an earlier run")
    }
    var records: [RunRecord] = []
    var reused = 0
    var wasInterrupted = false
    let all = (plan.reference.map { [$0] } ?? []) + plan.variants
    var work: [PlannedVariant] = []
    for variant in all {
      let digest = inputs.digest(of: variant, in: plan)
      if let known = known(digest, variant, in: directory.log.records) {
        let renumbered = renumbered(known, as: variant)
        // Variants that differ in nothing that is measured share a record; the log has one of each.
        if known.id != variant.id { try directory.log.append(renumbered) }
        records.append(renumbered)
        guard !handover.measured.contains(known.id) else { continue }
        reused += 1
        observer(.variantReused(known))
      } else if var known = known(digest, variant, in: earlier) {
        known = try adopted(renumbered(known, as: variant))
        try directory.log.append(known)
        records.append(known)
        reused += 1
        observer(.variantReused(known))
      } else {
        work.append(variant)
      }
    }
    pace.total = work.count
    let failures = Dictionary(
      handover.failures.map { ($0.id, $0.error) }, uniquingKeysWith: { first, _ in first })
    for variant in work { speeds[variant.index] = handover.speeds[variant.id] }
    if backend.measuresSpeedInRounds {
      let waiting = work.filter {
        speeds[$0.index] == nil && ($0.index < 0 || failures[$0.id] == nil)
      }
      do {
        let measured = try withoutActuallyEscaping(observer) { observer in
          try measureSpeeds(of: waiting, load: session(for:), observer: observer)
        }
        speeds.merge(measured) { $1 }
        tellSpeeds(of: work)
      } catch let error as LabError where error.kind == .interrupted {
        wasInterrupted = true
        work.removeAll()
      }
    }
    for (position, variant) in work.enumerated() {
      observer(.variantStarted(index: position, of: work.count, label: variant.label))
      let record: RunRecord
      if variant.index >= 0, let failure = failures[variant.id] {
        record = failed(variant, failure)
      } else {
        record = verified(
          measure(variant, reference: records.first { $0.role == .reference }))
      }
      atWork(nil)
      try directory.log.append(record)
      records.append(record)
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
      if record.status == .interrupted {
        wasInterrupted = true
        break
      }
    }
    reference = nil
    records.sort { $0.index < $1.index }
    return try finish(
      records, reused: reused, wasInterrupted: wasInterrupted, plots: plots)
  }

  /// Reports and draws records that an earlier run made.
  private func report(_ recorded: [RunRecord], plots: PlotWriter) throws -> RunOutcome {
    observer(.started(directory: directory.path, variants: recorded.count, resumed: false))
    var records: [RunRecord] = []
    for var record in recorded {
      record.experiment = plan.file.name
      record = try adopted(record)
      try directory.log.append(record)
      records.append(record)
    }
    return try finish(records, reused: records.count, wasInterrupted: false, plots: plots)
  }

  private func role(of variant: PlannedVariant) -> RunRecord.Role {
    variant.index < 0 ? .reference : .variant
  }

  /// The newest finished record of the same identity, best the variant's own.
  private func known(
    _ digest: String, _ variant: PlannedVariant, in records: [RunRecord]
  ) -> RunRecord? {
    let role = role(of: variant)
    let equal = records.filter {
      $0.status == .finished && $0.inputs == digest && $0.role == role && hasSamples($0)
    }
    return equal.last { $0.id == variant.id } ?? equal.last
  }

  /// Whether the samples that a record names are there; without them it is measured again.
  private func hasSamples(_ record: RunRecord) -> Bool {
    guard let place = record.samples else { return true }
    return FileKind(at: place) == .file
      || SampleFile.path(of: record, in: directory.path) != nil
  }

  /// A record of another run with its samples brought along.
  private func adopted(_ record: RunRecord) throws -> RunRecord {
    guard let source = record.samples, source.hasPrefix("/") else { return record }
    var record = record
    record.samples = try SampleFile.adopt(
      source, name: SampleFile.name(of: record), into: directory.path)
    return record
  }

  /// A known record under the number, label and names that it has in this plan.
  private func renumbered(_ record: RunRecord, as variant: PlannedVariant) -> RunRecord {
    var record = record
    record.index = variant.index
    record.id = variant.id
    record.label = variant.label
    record.experiment = plan.file.name
    record.params = parameters(of: variant)
    return record
  }

  // MARK: Power

  /// Says once whether the differences that the file asks for can be seen, from records with samples: below `folder`,
  /// or where they name whole paths.
  private func tellPower(of records: [RunRecord], in folder: String?, source: String) {
    guard !hasToldPower, !plan.file.detect.isEmpty else { return }
    let sampled = records.compactMap { try? SampledRecord($0, in: folder) }
    guard let name = Report.baseline(plan.file.baseline, of: sampled.map(\.record)),
      let base = sampled.last(where: { $0.record.id == name.id && $0.record.role == name.role }),
      let other = sampled.last(where: {
        !($0.record.id == name.id && $0.record.role == name.role) && $0.isLike(base)
      })
    else { return }
    hasToldPower = true
    let check = PowerCheck(
      detect: plan.file.detect, quantities: inputs.lab.measures.flatMap(\.quantities))
    let evidence = PairedEvidence([(other, base)], quantities: check.quantities)
    for note in check.notes(evidence, source: source) { observer(.note(note)) }
  }

  // MARK: Watching

  /// Tells whoever watches who is at work now.
  func atWork(_ variant: PlannedVariant?, _ section: String = "") {
    guard let supervision else { return }
    let now = variant.map { variant in
      let isGuest = inputs.mayRunGuests(variant, in: plan)
      let compares = plan.file.measure.sections.contains {
        $0.key == section && $0.measure.needs.comparesWithReference
      }
      let isOfReference = plan.reference.map { inputs.mayRunGuests($0, in: plan) } ?? false
      return RunReport.AtWork(
        id: variant.id, label: variant.label, section: section, isGuest: isGuest,
        isReference: variant.index < 0 || (!isGuest && compares && isOfReference))
    }
    guard now != working else { return }
    working = now
    supervision.tell(.atWork(now))
  }

  private func tellSpeeds(of work: [PlannedVariant]) {
    guard let supervision else { return }
    supervision.tell(
      .speeds(
        Dictionary(
          work.compactMap { variant in speeds[variant.index].map { (variant.id, $0) } },
          uniquingKeysWith: { first, _ in first })))
  }

  /// The record of a variant that ended the process before this one.
  private func failed(_ variant: PlannedVariant, _ error: String) -> RunRecord {
    let now = UTC.text()
    return RunRecord(
      experiment: plan.file.name, role: role(of: variant), index: variant.index, id: variant.id,
      label: variant.label, status: .failed, error: error,
      inputs: inputs.digest(of: variant, in: plan), reusedFrom: nil, started: now, ended: now,
      params: parameters(of: variant), metrics: [:])
  }

  // MARK: Measuring

  /// Runs all sections on one variant. Never throws: what goes wrong is in the record.
  private func measure(_ variant: PlannedVariant, reference: RunRecord?) -> RunRecord {
    var record = RunRecord(
      experiment: plan.file.name, role: role(of: variant), index: variant.index, id: variant.id,
      label: variant.label, status: .finished, error: nil,
      inputs: inputs.digest(of: variant, in: plan), reusedFrom: nil, started: UTC.text(),
      ended: "", params: parameters(of: variant), metrics: [:])
    var errors: [String] = []
    Machine.resetPeakMemory()
    var samples: [String: SampleTable] = [:]
    do {
      let session = try session(for: variant)
      record.facts = session.facts
      record.metrics.merge(session.figures.map { ("model.\($0.key)", $0.value) }) { $1 }
      for section in plan.file.measure.sections
      where variant.index >= 0 || !section.measure.needs.requiresReference {
        do {
          try Interruption.check()
          samples[section.key] = try measure(
            section, variant, session, reference: reference, into: &record)
        } catch let error as LabError where error.kind == .interrupted {
          throw error
        } catch {
          errors.append("\(section.key): \(error)")
        }
      }
    } catch let error as LabError where error.kind == .interrupted {
      record.status = .interrupted
    } catch {
      errors.append("\(error)")
    }
    if !samples.isEmpty {
      do {
        record.samples = try SampleFile.keep(
          samples, name: SampleFile.name(of: record), in: directory.path)
      } catch {
        errors.append("\(error)")
      }
    }
    if let peak = Machine.peakMemory { record.metrics["memory.peak_bytes"] = peak }
    if !errors.isEmpty, record.status == .finished { record.status = .failed }
    record.error = errors.isEmpty ? nil : errors.joined(separator: "\n")
    record.ended = UTC.text()
    return record
  }

  private func measure(
    _ section: Measurements.Section, _ variant: PlannedVariant, _ session: any VariantSession,
    reference: RunRecord?, into record: inout RunRecord
  ) throws -> SampleTable? {
    let key = section.key
    atWork(variant, key)
    let report: (Double) -> Void = { [self] fraction in
      observer(
        .progress(
          label: variant.label, section: key, fraction: fraction,
          remaining: pace.remaining(sections: plan.file.measure.keys, key, fraction)))
    }
    report(0)
    let needs = section.measure.needs
    let result: Measured
    if section.measure is SpeedMeasure, let known = speeds[variant.index] {
      result = known
    } else {
      result = try session.measure(
        section.measure,
        MeasureRequest(
          sampler: variant.settings.sampler, isReference: variant.index < 0,
          text: inputs.text(for: needs), questions: inputs.questions(for: needs),
          referenceTexts: reference?.texts, reference: { [self] in try referenceSession() },
          progress: report))
    }
    report(1)
    record.metrics.merge(result.metrics.map { ("\(key).\($0.key)", $0.value) }) { $1 }
    record.facts.merge(result.facts) { $1 }
    record.series.merge(result.series.map { ("\(key).\($0.key)", $0.value) }) { $1 }
    record.texts += result.texts
    return result.samples
  }

  // MARK: Sessions

  private func session(for variant: PlannedVariant) throws -> any VariantSession {
    if variant.index < 0 { return try referenceSession() }
    atWork(variant, "loading")
    return try load(variant)
  }

  private func load(_ variant: PlannedVariant) throws -> any VariantSession {
    guard let model = inputs.model(of: variant, in: plan) else {
      throw LabError(.internalError, "a variant without a model reached the runner")
    }
    return try backend.load(
      SessionRequest(
        model: model, settings: inputs.settings(of: variant),
        threads: inputs.threads(of: variant), context: plan.file.context))
  }

  /// The reference, loaded once; a failure is remembered and told again.
  private func referenceSession() throws -> any VariantSession {
    if let reference { return reference }
    if let referenceError { throw referenceError }
    guard let planned = plan.reference else {
      throw LabError(.internalError, "a comparison without a reference reached the runner")
    }
    let before = working
    atWork(planned, "loading")
    defer {
      if let before, before != working {
        working = before
        supervision?.tell(.atWork(before))
      }
    }
    do {
      let session = try load(planned)
      reference = session
      return session
    } catch let error as LabError {
      if error.kind != .interrupted { referenceError = error.inside("reference") }
      throw error
    }
  }

  private func parameters(of variant: PlannedVariant) -> [String: String] {
    var params: [String: String] = [:]
    for kind in inputs.lab.kinds(in: .layer, .model) {
      let choice = variant.selection.choice(kind)
      params[kind.key.rawValue] = choice?.description ?? StageKey.asTheModelSays
    }
    for (key, value) in variant.settings.flattened { params[key] = value }
    params["model"] = (variant.settings.model ?? plan.file.model)?.text
    params["threads"] = "\(inputs.threads(of: variant))"
    params["seed"] = "\(plan.file.seed)"
    if let context = plan.file.context { params["context"] = "\(context)" }
    for section in plan.file.measure.sections {
      if let sampler = section.measure.needs.sampler {
        params["sampler"] = (variant.settings.sampler ?? sampler).description
      }
      for (name, value) in section.settings.values {
        // Lists can be long, and stand in the experiment file.
        if case .texts = value { continue }
        params["measure.\(section.key).\(name)"] = value.text
      }
    }
    return params
  }

  // MARK: Ending

  private func finish(
    _ records: [RunRecord], reused: Int, wasInterrupted: Bool, plots writer: PlotWriter
  ) throws -> RunOutcome {
    try writeEnvironment(records: records)
    let report = Report(
      plan: plan, inputs: inputs, records: records, wasInterrupted: wasInterrupted,
      directory: directory.path)
    let plots = try writer.draw(plan.file.plots, report: report) { [observer] in
      observer(.note($0))
    }
    try directory.write(report.csv, to: "metrics.csv")
    let hasDifferences = !report.pairedQuantities.isEmpty
    if hasDifferences { try directory.write(report.differencesCSV, to: "differences.csv") }
    let summary = report.markdown(plots: plots)
    try directory.write(summary, to: "summary.md")
    try directory.write(report.html(plots: plots, directory: directory.path), to: "report.html")
    try directory.write(RunState(plan: plan.identity, isFinished: !wasInterrupted))
    return RunOutcome(
      directory: directory.path, records: records, reused: reused, wasInterrupted: wasInterrupted,
      summary: summary, brief: report.brief,
      files: [
        "summary.md", "report.html", "metrics.csv", "results.jsonl", "environment.json",
        "experiment.yaml",
      ] + (hasDifferences ? ["differences.csv", "\(SampleFile.folder)/"] : []) + plots.flatMap(\.files))
  }

  private func writeEnvironment(records: [RunRecord]) throws {
    let environment = RunEnvironment(
      plan: plan, inputs: inputs, records: records, started: started)
    let text = String(decoding: try RecordCoding.encode(environment, pretty: true), as: UTF8.self)
    try directory.write(text + "\n", to: "environment.json")
  }
}

/// Estimates the time that is left from the variants that are done.
private struct Pace {
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
}
