internal import Foundation
internal import TritCore
internal import TritEvaluation
internal import TritModel

extension ExperimentRun {
  /// Runs sections on one variant, all that `start` does not have. Never throws: what goes wrong is
  /// in the record.
  ///
  /// - Parameters:
  ///   - texts: what the reference wrote.
  ///   - start: what another process has measured without the measures of time.
  ///   - withoutTime: whether these are left out.
  func measure(
    _ variant: PlannedVariant, texts: [GeneratedText]?, from start: RunRecord? = nil,
    withoutTime: Bool = false
  ) -> RunRecord {
    var record =
      start
      ?? RunRecord(
        experiment: plan.file.name, role: role(of: variant), index: variant.index, id: variant.id,
        label: variant.label, status: .finished, error: nil,
        inputs: inputs.digest(of: variant, in: plan), reusedFrom: nil, started: UTC.text(),
        ended: "", params: parameters(of: variant), metrics: [:])
    var errors = record.error.map { [$0] } ?? []
    var samples: [String: SampleTable] = [:]
    record.status = .finished
    Machine.resetPeakMemory()
    let sections = plan.sections(of: variant).filter { section in
      let isOfTime = section.measure.needs.needsMachine
      return isOfTime ? !withoutTime : start == nil
    }
    do {
      // Speeds that were measured in rounds need no model any more.
      let isLoaded = sections.contains {
        !($0.measure is SpeedMeasure) || speeds[variant.index] == nil
      }
      guard isLoaded || start == nil else { return timed(record, variant, sections) }
      let session = try session(for: variant)
      if start == nil {
        record.facts = session.facts
        record.metrics.merge(session.figures.map { ("model.\($0.key)", $0.value) }) { $1 }
      }
      for section in sections where variant.index >= 0 || !section.measure.needs.requiresReference {
        do {
          try Interruption.check()
          samples[section.key] = try measure(
            section, variant, session, texts: texts, into: &record)
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
    if start == nil, let peak = Machine.peakMemory { record.metrics["memory.peak_bytes"] = peak }
    if !errors.isEmpty, record.status == .finished { record.status = .failed }
    record.error = errors.isEmpty ? nil : errors.joined(separator: "\n")
    record.ended = UTC.text()
    return record
  }

  /// A record that speeds measured in rounds complete.
  private func timed(
    _ record: RunRecord, _ variant: PlannedVariant, _ sections: [Measurements.Section]
  ) -> RunRecord {
    var record = record
    for section in sections {
      if let known = speeds[variant.index] { Self.add(known, of: section.key, to: &record) }
    }
    if record.error != nil { record.status = .failed }
    record.ended = UTC.text()
    return record
  }

  private func measure(
    _ section: Measurements.Section, _ variant: PlannedVariant, _ session: any VariantSession,
    texts: [GeneratedText]?, into record: inout RunRecord
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
      result = try machine.during(
        alone: needs.needsMachine, waiting: { [self] in tellWait(for: section) }
      ) {
        try session.measure(
          section.measure,
          MeasureRequest(
            sampler: variant.settings.sampler, isReference: variant.index < 0,
            text: inputs.text(for: needs), questions: inputs.questions(for: needs),
            referenceTexts: texts, reference: { [self] in try referenceSession() },
            progress: report))
      }
    }
    report(1)
    Self.add(result, of: key, to: &record)
    guard let part = result.part else { return result.samples }
    if record.part == nil {
      record.part = RecordPart(whole: inputs.digest(of: variant, in: plan, ofWhole: true))
    }
    record.part?.files[key] = try directory.write(part, section: key, id: record.id)
    return result.samples
  }

  /// Adds what a section measured, its key in front.
  static func add(_ result: Measured, of key: String, to record: inout RunRecord) {
    record.metrics.merge(result.metrics.map { ("\(key).\($0.key)", $0.value) }) { $1 }
    record.facts.merge(result.facts) { $1 }
    record.series.merge(result.series.map { ("\(key).\($0.key)", $0.value) }) { $1 }
    record.texts += result.texts
  }

  func tellWait(for section: Measurements.Section) {
    observer(
      .note(
        section.measure.needs.needsMachine
          ? "measure.\(section.key) waits until no other run of the experiment measures on this machine"
          : "another run of the experiment measures time on this machine: waiting until it has done so"
      ))
  }
}
