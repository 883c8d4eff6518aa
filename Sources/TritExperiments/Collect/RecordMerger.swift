internal import TritCore
internal import TritEvaluation

/// Chooses the records of a merged run: one for each variant, or its parts.
struct RecordMerger {
  /// A record, what lies beside it, and whose it is.
  typealias Entry = (record: RunRecord, files: [String], run: ShardRun)

  let plan: PlanFile
  /// Whole records by role and id.
  private var whole: [String: Entry] = [:]
  /// Parts by role and id, then by what they are a part of.
  private var parts: [String: [Entry]] = [:]
  /// Samples of records whose parts were joined, by role and id, then by section.
  private(set) var samples: [String: [String: SampleTable]] = [:]
  /// What nobody has measured; known once records are joined.
  private(set) var missing: [String] = []

  /// Whether the parts joined last were all of what they are parts of.
  private var isCovered = true

  init(plan: PlanFile) { self.plan = plan }

  static func key(_ role: RunRecord.Role, _ id: String) -> String {
    "\(role.rawValue) \(id)"
  }

  /// Whether the second is the better one: finished, then newer.
  private static func isBetter(_ old: RunRecord, _ new: RunRecord) -> Bool {
    if (old.status == .finished) != (new.status == .finished) { return new.status == .finished }
    return old.ended <= new.ended
  }

  /// Adds what a run has measured.
  mutating func add(_ run: ShardRun) {
    for (record, files) in run.records {
      let key = Self.key(record.role, record.id)
      if record.part != nil, record.status == .finished {
        parts[key, default: []].append((record, files, run))
      } else if whole[key].map({ Self.isBetter($0.record, record) }) ?? true {
        whole[key] = (record, files, run)
      }
    }
  }

  /// The runs whose records are used.
  var used: [ShardRun] {
    var runs: [ShardRun] = []
    for entry in whole.values.map({ $0 }) + parts.values.flatMap({ $0 })
    where !runs.contains(where: { $0.path == entry.run.path }) {
      runs.append(entry.run)
    }
    return runs.sorted { $0.path < $1.path }
  }

  /// One record for each variant that was measured, the reference first. Throws where parts do not
  /// join.
  mutating func joined(_ measure: Measurements) throws -> [Entry] {
    var entries: [Entry] = []
    var expected: [(role: RunRecord.Role, id: String, index: Int, label: String)] = []
    if let reference = plan.reference { expected.append((.reference, reference, -1, "reference")) }
    expected += plan.variants.map { (.variant, $0.id, $0.index, $0.label) }
    for (role, id, index, label) in expected {
      let key = Self.key(role, id)
      var entry = whole[key]
      if let found = parts[key], entry?.record.status != .finished {
        entry = try join(found, label: label, measure)
      }
      guard var entry else {
        missing.append("\(role == .reference ? "the reference" : "\(index)  \(id)  \(label)")")
        continue
      }
      entry.record.index = index
      entry.record.label = label
      if entry.record.status != .finished {
        missing.append("\(index)  \(id)  \(label): \(entry.record.status.rawValue)")
      }
      entries.append(entry)
    }
    return entries
  }

  // MARK: Parts

  private mutating func join(
    _ found: [Entry], label: String, _ measure: Measurements
  ) throws -> Entry? {
    guard let newest = found.max(by: { $0.record.ended < $1.record.ended }),
      let wholeDigest = newest.record.part?.whole
    else { return nil }
    if let other = found.first(where: { $0.record.part?.whole != wholeDigest }) {
      throw LabError(
        .badData, "parts of '\(label)' were measured with other inputs", at: other.run.path,
        expected: "inputs \(wholeDigest.prefix(16))… as in \(newest.run.path)",
        got: "\(other.record.part?.whole.prefix(16) ?? "none")…",
        advice:
          "the same model, text, threads, program and processor for every part; measure again "
          + "what differs")
    }
    var record = newest.record
    let ordered = found.sorted { $0.record.ended < $1.record.ended }
    var tables =
      (try? SampledRecord(newest.record, in: newest.run.path))?.tables ?? [:]
    // What is measured beside texts stands in every part; the newest counts.
    for section in measure.sections {
      guard let windowed = section.measure as? any WindowedMeasure else { continue }
      let pieces = try pieces(of: section.key, in: ordered)
      guard !pieces.isEmpty else { continue }
      tellGaps(pieces.map(\.part), label: label, section: section.key)
      let metrics = pieces.map { Self.metrics($0.entry.record, section.key) }
      let measured: Measured
      do {
        measured = try windowed.joined(WindowPart.joined(pieces.map(\.part)), parts: metrics)
      } catch let error as LabError {
        throw error.inside("variant '\(label)'")
      }
      record.metrics = record.metrics.filter { !$0.key.hasPrefix(section.key + ".") }
      record.series = record.series.filter { !$0.key.hasPrefix(section.key + ".") }
      tables[section.key] = measured.samples
      ExperimentRun.add(measured, of: section.key, to: &record)
      Self.setParameter(of: section.key, pieces.map(\.part), in: &record)
    }
    record.started = found.map(\.record.started).min() ?? record.started
    record.ended = found.map(\.record.ended).max() ?? record.ended
    record.part = nil
    record.samples = nil
    samples[Self.key(record.role, record.id)] = tables
    record.inputs = isCovered ? wholeDigest : SHA256.hex(wholeDigest + missing.joined())
    return (record, [], newest.run)
  }

  /// The parts of a section in the order of the text; of equal ones the newest, and none that
  /// another has.
  private func pieces(
    of section: String, in entries: [Entry]
  ) throws -> [(part: WindowPart, entry: Entry)] {
    var pieces: [(part: WindowPart, entry: Entry)] = []
    for entry in entries {
      guard let name = entry.record.part?.files[section] else { continue }
      let part = try WindowPart(
        path: entry.run.path + "/" + name, section: section, id: entry.record.id)
      pieces.removeAll { $0.part.first == part.first && $0.part.end == part.end }
      pieces.append((part, entry))
    }
    pieces.sort { ($0.part.first, $0.part.end) < ($1.part.first, $1.part.end) }
    var chosen: [(part: WindowPart, entry: Entry)] = []
    for piece in pieces {
      guard let last = chosen.last, piece.part.first < last.part.end else {
        chosen.append(piece)
        continue
      }
      if piece.part.end <= last.part.end { continue }
      if piece.part.first == last.part.first {
        chosen[chosen.count - 1] = piece
        continue
      }
      throw LabError(
        .badData, "parts of measure.\(section) overlap", at: piece.entry.run.path,
        expected: "windows from \(last.part.end) on, after those of \(last.entry.run.path)",
        got: "\(piece.part.first):\(piece.part.end)",
        advice: "leave one of the two run directories out")
    }
    if let first = chosen.first,
      let other = chosen.first(where: { $0.part.total != first.part.total })
    {
      throw LabError(
        .badData, "parts of measure.\(section) are of different texts", at: other.entry.run.path,
        expected: "\(first.part.total) windows in all", got: "\(other.part.total)")
    }
    return chosen
  }

  private mutating func tellGaps(_ parts: [WindowPart], label: String, section: String) {
    var next = 0
    let total = parts.first?.total ?? 0
    var gaps: [String] = []
    for part in parts {
      if part.first > next { gaps.append("\(next):\(part.first)") }
      next = max(next, part.end)
    }
    isCovered = gaps.isEmpty && next >= total
    // Where nobody said of what these are parts, they may end where they end.
    if next < total, parts.contains(where: \.isOfWhole) { gaps.append("\(next):\(total)") }
    for gap in gaps {
      missing.append("\(label): measure.\(section), windows \(gap) of \(total) (--chunks \(gap))")
    }
  }

  private static func metrics(_ record: RunRecord, _ section: String) -> [String: Double] {
    var result: [String: Double] = [:]
    for (key, value) in record.metrics where key.hasPrefix(section + ".") {
      result[String(key.dropFirst(section.count + 1))] = value
    }
    return result
  }

  /// Says which windows the joined record is of, as a run of these alone would.
  private static func setParameter(
    of section: String, _ parts: [WindowPart], in record: inout RunRecord
  ) {
    let key = "measure.\(section).chunks"
    guard let text = record.params[key], let selection = WindowSelection(text),
      let first = parts.first, let last = parts.last
    else { return }
    if let count = selection.needed {
      record.params[key] = "\(count)"
    } else if first.first == 0, last.end == last.total {
      record.params[key] = nil
    } else {
      record.params[key] = first.first == 0 ? "\(last.end)" : "\(first.first):\(last.end)"
    }
  }
}
