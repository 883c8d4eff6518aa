internal import Foundation
internal import TritCore
internal import TritEvaluation
internal import TritPlugins

extension ExperimentRun {
  /// Measures `work` in several processes, each variant whole in one of them; then, alone and in
  /// this process, what takes the machine for itself.
  ///
  /// The reference's record is made once, before all others where they are compared with it. A
  /// measure that compares token by token (`divergence`) needs the reference's logits: each process
  /// that measures it loads the reference once and keeps them for all of its variants.
  ///
  /// - Parameter failures: variants that have ended a process before this one.
  func measure(
    _ work: [PlannedVariant], with workers: RunWorkers, failures: [RunHandover.Failure]
  ) throws {
    let failures = Self.byID(failures)
    let hasTime = plan.file.measure.sections.contains { $0.measure.needs.needsMachine }
    var queue = work.filter { partial[$0.index] == nil }
    // What is measured without time is kept, so that a run that is killed has it.
    let log = hasTime ? try directory.partialLog() : nil
    pace.done = work.count - queue.count
    try machine.during(
      alone: false,
      waiting: { [self] in
        observer(.note("another run of the experiment measures time on this machine: waiting"))
      }
    ) {
      try handOut(&queue, to: workers, hasTime: hasTime, log)
    }
    try Interruption.check()
    guard hasTime else { return }
    let waiting = work.filter { partial[$0.index] != nil }
    (pace.done, pace.total) = (0, waiting.count)
    if backend.measuresSpeedInRounds {
      try measureSpeeds(
        of: waiting.filter { speeds[$0.index] == nil && ($0.index < 0 || failures[$0.id] == nil) })
      tellSpeeds(of: waiting)
    }
    let texts = (records.first { $0.role == .reference } ?? partial[-1])?.texts
    for variant in waiting {
      observer(.variantStarted(index: pace.done, of: pace.total, label: variant.label))
      let record: RunRecord
      if variant.index >= 0, let failure = failures[variant.id] {
        record = failed(variant, failure)
      } else {
        record = verified(measure(variant, texts: texts, from: partial[variant.index]))
      }
      atWork(nil)
      partial[variant.index] = nil
      try keep(record)
      if record.status == .interrupted { throw LabError(.interrupted, "interrupted") }
    }
  }

  /// What an earlier process of the run has measured without time.
  func readPartial(_ work: [PlannedVariant]) {
    for record in directory.partial where record.status == .finished {
      guard
        let variant = work.first(where: { $0.index == record.index && $0.id == record.id }),
        record.inputs == digest(of: variant)
      else { continue }
      partial[variant.index] = record
    }
  }
}

/// What a process is at.
private struct WorkerState {
  var variant: PlannedVariant
  var section = ""
  var fraction = 0.0
}

extension ExperimentRun {
  private func handOut(
    _ queue: inout [PlannedVariant], to workers: RunWorkers, hasTime: Bool, _ log: ResultsLog?
  ) throws {
    let count = min(workers.count, queue.count)
    guard count > 0 else { return }
    let share = max(1, inputs.threads / count)
    let crew = WorkerCrew(workers)
    var handover = RunHandover()
    handover.allowed = supervision?.handover.allowed ?? []
    handover.directory = directory.path
    handover.worker = WorkerTask(
      variants: queue.map(\.index), threads: share, models: Array(inputs.models.values),
      count: count)
    var idle: [Int] = []
    var tasks: [Int: WorkerState] = [:]
    var isTold = false
    var lastLook = -1.0
    while !queue.isEmpty || !tasks.isEmpty {
      let isStopping = Interruption.isRequested
      // Others' claims are looked at twice a second, not more.
      let now = MonotonicClock.seconds()
      while !isStopping, tasks.count < count, now - lastLook > 0.5 {
        let isReferenceAtWork = tasks.values.contains { $0.variant.index < 0 }
        if isReferenceAtWork, needsReferenceFirst { break }
        guard let variant = try nextFree(&queue) else {
          lastLook = now
          if tasks.isEmpty, !isTold, let first = queue.first {
            isTold = true
            observer(.note(waiting(for: first)))
          }
          break
        }
        let worker = try idle.popLast() ?? crew.start(handover)
        let isAlone = variant.index < 0 && needsReferenceFirst
        observer(
          .variantStarted(index: pace.done + tasks.count, of: pace.total, label: variant.label))
        tasks[worker] = WorkerState(variant: variant)
        _ = crew.order(
          worker,
          WorkerOrder(
            variant: variant.index, threads: isAlone ? inputs.threads : share,
            referenceTexts: (records.first { $0.role == .reference } ?? partial[-1])?.texts))
      }
      if isStopping, tasks.isEmpty { break }
      // Whoever watches this process learns that something goes on.
      _ = try? Interruption.check()
      for message in crew.messages(within: 0.2) {
        switch message {
        case .told(let worker, .progress(let section, let fraction)):
          tasks[worker]?.section = section
          tasks[worker]?.fraction = fraction
        case .told(_, .note(let text)): observer(.note(text))
        case .told(let worker, .record(let record)):
          guard let task = tasks.removeValue(forKey: worker) else { continue }
          try take(record, of: task.variant, hasTime: hasTime, count: count, log)
          idle.append(worker)
          lastLook = -1
        case .told: break
        case .ended(let worker, let outcome):
          crew.forget(worker)
          idle.removeAll { $0 == worker }
          lastLook = -1
          guard let task = tasks.removeValue(forKey: worker), !Interruption.isRequested else {
            continue
          }
          try keep(failed(task.variant, error(outcome, task, workers)))
        }
      }
      tell(tasks)
    }
    try dismiss(crew)
  }

  /// Lets all processes end, and waits for that.
  private func dismiss(_ crew: WorkerCrew) throws {
    for worker in crew.all { crew.dismiss(worker) }
    while !crew.all.isEmpty {
      for case .ended(let worker, _) in crew.messages(within: 0.2) { crew.forget(worker) }
    }
  }

  /// Keeps what a process measured; where measures of time follow, for these.
  private func take(
    _ record: RunRecord, of variant: PlannedVariant, hasTime: Bool, count: Int, _ log: ResultsLog?
  ) throws {
    var record = verified(renumbered(record, as: variant))
    if count > 1 {
      record.facts["measured beside"] =
        "up to \(count - 1) other \(count == 2 ? "variant" : "variants") at the same time"
      if !hasTime, record.metrics["generate.decode.tokens_per_second"] != nil,
        record.facts[Warnings.key("generate")] == nil
      {
        record.facts[Warnings.key("generate")] =
          "tokens a second were measured beside other variants (-j): measure.speed has the machine "
          + "for itself"
      }
    }
    guard let log, record.status != .interrupted else { return try keep(record) }
    try log.append(record)
    partial[variant.index] = record
    pace.done += 1
  }

  /// Why a variant has no record.
  private func error(
    _ outcome: WatchedProcess.Outcome, _ task: WorkerState, _ workers: RunWorkers
  ) -> String {
    let place = task.section.isEmpty ? "loading" : task.section
    if !workers.plugins.isEmpty, !outcome.isOwn {
      let error = outcome.report.error(
        outcome.end, plugins: workers.plugins, seconds: workers.seconds ?? 0,
        advice: "mend the file and give the same command again: what was measured stays")
      return "\(place): \(error)"
    }
    let how =
      switch outcome.end {
      case .exit(let code): "exit code \(code)"
      case .signal(SIGKILL): "SIGKILL: somebody ended it, or memory was short"
      case .signal(let number): "signal \(number)"
      case .hang: "it was silent for too long"
      }
    let error = LabError(
      .failure, "the process that measured the variant has ended", got: how,
      advice: "the same command measures it again, with fewer processes (-j) where memory is short")
    return "\(place): \(error)"
  }

  private func tell(_ tasks: [Int: WorkerState]) {
    guard !tasks.isEmpty else { return }
    let sections = plan.file.measure.keys
    let shares = tasks.values.map { task -> Double in
      let position = sections.firstIndex(of: task.section) ?? 0
      return (Double(position) + task.fraction) / Double(max(sections.count, 1))
    }
    observer(
      .working(
        tasks.sorted { $0.key < $1.key }.map {
          VariantAtWork(
            label: $1.variant.label, section: $1.section, fraction: $1.fraction)
        },
        done: pace.done, of: pace.total, remaining: pace.remaining(besides: shares)))
  }
}
