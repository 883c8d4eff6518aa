internal import TritCore
package import TritEvaluation

/// What is compared with what, of runs that were named, and what cannot be.
package struct RunComparison {
  /// A variant beside a baseline.
  package typealias Pair = (variant: SampledRecord, baseline: SampledRecord)

  /// The pairs.
  package private(set) var pairs: [Pair] = []
  /// What was measured for one side of a comparison and is not there on the other, and why.
  package private(set) var missing: [(label: String, text: String)] = []
  /// What is on one side because it is new: it has no baseline.
  package private(set) var unmatched: [(label: String, text: String)] = []

  /// Compares `operands` (`RUN`, `RUN:VARIANT` or a file of samples), each with the names under
  /// which they are told:
  ///
  /// - one run: each of its variants with its baseline (`baseline`, else the reference, else the
  ///   first);
  /// - one `RUN:VARIANT`: that variant with the run's baseline;
  /// - several and `baseline`: all others with that variant of the first run;
  /// - several, the first with a variant: all others with it, every variant of those that name
  ///   none;
  /// - several, the first without: variants of one label with each other, the first run's being the
  ///   baseline.
  ///
  /// Throws a usage error where nothing is left to compare, and what reading throws.
  package init(_ operands: [String], baseline: String?) throws {
    let named = try operands.map { try StoredRun.named($0) }
    guard let first = named.first else { return }
    let names = Self.shortNames(named.map(\.run.path), operands)
    if named.count == 1, first.run.path.isEmpty {
      throw LabError(
        .usage, "one file of samples has nothing to be compared with", at: operands[0],
        expected: "two or more",
        advice: "name the baseline first: OLD.safetensors NEW.safetensors")
    }
    if named.count > 1, first.record == nil, baseline == nil {
      for (place, (run, record)) in named.enumerated().dropFirst() {
        try pairByLabel(first.run, names[0], run, names[place], only: record)
      }
      return
    }
    let base = try Self.baseline(baseline, first, isAlone: named.count == 1)
    var sampled = try SampledRecord(base, in: first.run.path)
    sampled.run = names[0]
    for (place, (run, record)) in named.enumerated() {
      if place == 0, record != nil, base.id == record?.id, base.role == record?.role { continue }
      try pairAll(
        record.map { [$0] } ?? run.records, run, names[place], sampled, isFirst: place == 0)
      if record == nil { note(run.unfinished, run.path) }
    }
  }

  /// The record that differences are to.
  private static func baseline(
    _ name: String?, _ first: (run: StoredRun, record: RunRecord?), isAlone: Bool
  ) throws -> RunRecord {
    if let name { return try first.run.record(name) }
    if !isAlone, let record = first.record { return record }
    guard let record = Report.baseline(nil, of: first.run.records) else {
      throw LabError(.missingInput, "the run has no record", at: first.run.path)
    }
    return record
  }

  private mutating func pairAll(
    _ records: [RunRecord], _ run: StoredRun, _ name: String, _ base: SampledRecord, isFirst: Bool
  ) throws {
    for record in records {
      if isFirst, record.id == base.record.id, record.role == base.record.role { continue }
      guard record.samples != nil else {
        missing.append((record.label, "has no samples in \(run.path)"))
        continue
      }
      var sampled = try SampledRecord(record, in: run.path)
      sampled.run = name
      pairs.append((sampled, base))
    }
  }

  /// Pairs variants of one label; `only` is the one that an operand names.
  private mutating func pairByLabel(
    _ old: StoredRun, _ oldName: String, _ new: StoredRun, _ newName: String, only: RunRecord?
  ) throws {
    let count = pairs.count
    let (before, after) = (Self.byLabel(old.records), Self.byLabel(new.records))
    let unfinished = Set(old.unfinished.map(\.label))
    for record in only.map({ [$0] }) ?? new.records where before[record.label] == nil {
      if unfinished.contains(record.label) {
        missing.append((record.label, "is not finished in \(old.path)"))
      } else if record.samples != nil {
        unmatched.append((record.label, "is in \(new.path.isEmpty ? newName : new.path) alone"))
      }
    }
    for record in old.records where only.map({ $0.label == record.label }) ?? true {
      guard let other = after[record.label] else {
        let isThere = new.unfinished.contains { $0.label == record.label }
        missing.append(
          (record.label, isThere ? "is not finished in \(new.path)" : "is not in \(new.path)"))
        continue
      }
      guard record.samples != nil, other.samples != nil else {
        let place = record.samples == nil ? old.path : new.path
        if record.samples != nil || other.samples != nil {
          missing.append((record.label, "has no samples in \(place)"))
        }
        continue
      }
      var pair = (
        variant: try SampledRecord(other, in: new.path),
        baseline: try SampledRecord(record, in: old.path)
      )
      (pair.variant.run, pair.baseline.run) = (newName, oldName)
      pairs.append(pair)
    }
    guard pairs.count == count else { return }
    func labels(_ run: StoredRun) -> String {
      let all = run.records.filter { $0.samples != nil }.map(\.label)
      return all.isEmpty ? "none" : all.prefix(12).joined(separator: " | ")
    }
    throw LabError(
      .badData, "the two runs have no variant of the same name that has samples",
      at: new.path.isEmpty ? newName : new.path, expected: labels(old), got: labels(new),
      advice: "name one of each, RUN:VARIANT RUN:VARIANT, or measure perplexity or tasks in both")
  }

  private mutating func note(_ unfinished: [RunRecord], _ place: String) {
    for record in unfinished {
      missing.append((record.label, "is not finished in \(place)"))
    }
  }

  private static func byLabel(_ records: [RunRecord]) -> [String: RunRecord] {
    Dictionary(records.map { ($0.label, $0) }) { first, _ in first }
  }

  /// As much of each path, from its end, as tells them apart; a file of samples as it was named.
  package static func shortNames(_ paths: [String], _ operands: [String]) -> [String] {
    let all = zip(paths, operands).map { $0.isEmpty ? $1 : $0 }
      .map { $0.split(separator: "/").map(String.init) }
    let count = Set(all).count
    for length in 1...(max(all.map(\.count).max() ?? 1, 1)) {
      let short = all.map { $0.suffix(length).joined(separator: "/") }
      if Set(short).count == count { return short }
    }
    return operands
  }

  /// Quantities that the baseline of a pair tells and the variant does not.
  package func vanished(_ quantities: [PairedQuantity]) -> [(label: String, text: String)] {
    Self.vanished(quantities, of: pairs)
  }

  /// The same of any pairs.
  package static func vanished(
    _ quantities: [PairedQuantity], of pairs: [Pair]
  ) -> [(label: String, text: String)] {
    func tells(_ record: SampledRecord, _ quantity: PairedQuantity) -> Bool {
      record.tables[quantity.section]?.columns[quantity.column] != nil
    }
    return pairs.flatMap { variant, baseline in
      quantities.filter { tells(baseline, $0) && !tells(variant, $0) }.map {
        (
          variant.record.label,
          "\($0.name) was not measured, as it was for the baseline '\(baseline.record.label)'"
        )
      }
    }
  }
}
