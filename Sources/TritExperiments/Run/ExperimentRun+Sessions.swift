internal import Foundation
internal import TritCore
internal import TritEvaluation
internal import TritModel

extension ExperimentRun {
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

  func tellSpeeds(of work: [PlannedVariant]) {
    guard let supervision else { return }
    supervision.tell(
      .speeds(
        Dictionary(
          work.compactMap { variant in speeds[variant.index].map { (variant.id, $0) } },
          uniquingKeysWith: { first, _ in first })))
  }

  /// The record of a variant that ended the process before this one.
  func failed(_ variant: PlannedVariant, _ error: String) -> RunRecord {
    let now = UTC.text()
    return RunRecord(
      experiment: plan.file.name, role: role(of: variant), index: variant.index, id: variant.id,
      label: variant.label, status: .failed, error: error,
      inputs: inputs.digest(of: variant, in: plan), reusedFrom: nil, started: now, ended: now,
      params: parameters(of: variant), metrics: [:])
  }

  // MARK: Sessions

  func session(for variant: PlannedVariant) throws -> any VariantSession {
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
        threads: min(inputs.threads(of: variant), threadLimit ?? .max),
        context: plan.file.context))
  }

  /// The reference, loaded once; a failure is remembered and told again.
  func referenceSession() throws -> any VariantSession {
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

  func parameters(of variant: PlannedVariant) -> [String: String] {
    var params: [String: String] = [:]
    for kind in inputs.lab.kinds(in: .layer, .model) {
      let choice = variant.selection.choice(kind)
      params[kind.key.rawValue] = choice?.description ?? StageKey.asTheModelSays
    }
    for (key, value) in variant.settings.flattened { params[key] = value }
    params["model"] = (variant.settings.model ?? plan.file.model)?.text
    params["threads"] = "\(inputs.threads(of: variant))"
    params["seed"] = "\(variant.settings.seed ?? plan.file.seed)"
    if let context = plan.file.context { params["context"] = "\(context)" }
    for section in plan.sections(of: variant) {
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

  /// Measures a variant that another process of the run asks for, without what takes the machine
  /// for itself.
  func measured(_ variant: PlannedVariant, _ order: WorkerOrder) -> RunRecord {
    threadLimit = order.threads
    let record = verified(measure(variant, texts: order.referenceTexts, withoutTime: true))
    // Alone the reference has more threads than beside others.
    if variant.index < 0 { reference = nil }
    return record
  }
}
