internal import Foundation
internal import TritCore
internal import TritEvaluation
internal import TritModel

extension ExperimentRun {
  func role(of variant: PlannedVariant) -> RunRecord.Role {
    variant.index < 0 ? .reference : .variant
  }

  /// The newest finished record of the same identity, best the variant's own.
  func known(_ variant: PlannedVariant, in records: [RunRecord]) -> RunRecord? {
    let role = role(of: variant)
    let digest = digest(of: variant)
    let equal = records.filter {
      $0.status == .finished && $0.inputs == digest && $0.role == role && hasSamples($0)
    }
    return equal.last { $0.id == variant.id } ?? equal.last
  }

  /// Whether the samples that a record names are there; without them it is measured again.
  private func hasSamples(_ record: RunRecord) -> Bool {
    guard let place = record.samples else { return true }
    return place.hasPrefix("/")
      ? FileKind(at: place) == .file : SampleFile.path(of: record, in: directory.path) != nil
  }

  /// A known record under the number, label and names that it has in this plan.
  func renumbered(_ record: RunRecord, as variant: PlannedVariant) -> RunRecord {
    var record = record
    record.index = variant.index
    record.id = variant.id
    record.label = variant.label
    record.experiment = plan.file.name
    record.params = parameters(of: variant)
    return record
  }

  /// Takes over a record that another run has measured, with the files that lie beside it.
  func adopt(_ record: RunRecord, as variant: PlannedVariant) throws {
    let record = try directory.bringing(renumbered(record, as: variant))
    try directory.log.append(record)
    records.append(record)
    reused += 1
    observer(.variantReused(record))
  }

  // MARK: Sharing

  /// What is to be done about a variant.
  enum Settling {
    /// It is this process's to measure.
    case mine
    /// Another run has measured it in the meantime: its record is taken over.
    case known
    /// Another run is at it.
    case elsewhere
  }

  func settle(_ variant: PlannedVariant) throws -> Settling {
    guard claims.claim(digest(of: variant)) else { return .elsewhere }
    guard let earlier, let known = known(variant, in: earlier.all()) else { return .mine }
    claims.release(digest(of: variant))
    try adopt(known, as: variant)
    pace.total -= 1
    return .known
  }

  /// Claims whatever is free; what another run has measured leaves the queue.
  func settleAll(_ queue: inout [PlannedVariant]) throws -> [PlannedVariant] {
    var mine: [PlannedVariant] = []
    var left: [PlannedVariant] = []
    for variant in queue {
      switch try settle(variant) {
      case .mine:
        mine.append(variant)
        left.append(variant)
      case .elsewhere: left.append(variant)
      case .known: break
      }
    }
    queue = left
    return mine
  }

  /// Whether variants cannot be measured before the reference has its record.
  var needsReferenceFirst: Bool {
    plan.file.measure.sections.contains { $0.measure.needs.comparesWithReference }
  }

  /// Takes the next variant that is this process's out of the queue, and waits where other runs are
  /// at all that is left; nil where nothing is left.
  func next(_ queue: inout [PlannedVariant]) throws -> PlannedVariant? {
    var isTold = false
    while !queue.isEmpty {
      try Interruption.check()
      if let variant = try nextFree(&queue) { return variant }
      guard let first = queue.first else { return nil }
      if !isTold {
        isTold = true
        observer(.note(waiting(for: first)))
      }
      usleep(300_000)
    }
    return nil
  }

  /// The same without waiting; nil where nothing is free now.
  func nextFree(_ queue: inout [PlannedVariant]) throws -> PlannedVariant? {
    var position = 0
    while position < queue.count {
      let variant = queue[position]
      switch try settle(variant) {
      case .mine: return queue.remove(at: position)
      case .known: queue.remove(at: position)
      case .elsewhere:
        if variant.index < 0, needsReferenceFirst { return nil }
        position += 1
      }
    }
    return nil
  }

  func waiting(for variant: PlannedVariant) -> String {
    "'\(variant.label)' is measured by another run (\(claims.holder(digest(of: variant)))): waiting for its "
      + "record"
  }
}
