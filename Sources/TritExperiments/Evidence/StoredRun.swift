internal import Foundation
internal import TritCore

/// A run that somebody names: its folder and the newest finished record of each variant; or a file
/// of samples that stands for one.
package struct StoredRun {
  /// The run directory.
  package let path: String
  /// The records, the reference first where there is one.
  package let records: [RunRecord]

  /// Opens `path`: a run directory, its results.jsonl, or the folder of an experiment, of which the
  /// newest run is taken. Throws `missingInput` where there is none, `badData` where its records
  /// cannot be read.
  package init(_ path: String) throws {
    let manager = FileManager.default
    var folder = path
    while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
    if (folder as NSString).lastPathComponent == "results.jsonl" {
      folder = (folder as NSString).deletingLastPathComponent
      if folder.isEmpty { folder = "." }
    }
    if !manager.fileExists(atPath: folder + "/results.jsonl") {
      guard let newest = RunDirectory.runs(of: folder).max() else {
        throw LabError(
          .missingInput, "there is no run", at: path,
          expected: "a run directory with results.jsonl, or a folder of such",
          advice: "trit run prints it in its last line: results: …")
      }
      folder = newest
    }
    let all = try ResultsLog.records(of: folder + "/results.jsonl")
    records = ResultsLog.latest(all).filter { $0.status == .finished }
    guard !records.isEmpty else {
      throw LabError(
        .badData, "the run has no finished record", at: folder,
        expected: "at least one variant that was measured", got: "\(all.count) records",
        advice: "run the experiment again: what is missing is measured")
    }
    self.path = folder
  }

  /// What `--samples` of a command wrote: one record, called after the file. Throws `badData` where
  /// it is none.
  private init(samples path: String) throws {
    let tables = try SampleFile.read(path)
    guard !tables.isEmpty else {
      throw LabError(
        .badData, "the file holds no samples", at: path, expected: "SECTION.COLUMN tensors",
        advice: "write it again with --samples")
    }
    let name = (path as NSString).lastPathComponent
    var record = RunRecord(
      experiment: name, role: .variant, index: 0, id: path, label: name, status: .finished,
      error: nil, inputs: "", reusedFrom: nil, started: "", ended: "", params: [:], metrics: [:])
    record.samples = AbsolutePath.standardized(path)
    self.path = ""
    records = [record]
  }

  /// The record of a variant, by label, name of the reference, or id. Throws `missingInput` with
  /// what there is.
  package func record(_ name: String) throws -> RunRecord {
    if let found = records.first(where: { $0.label == name }) { return found }
    if let found = records.first(where: { $0.id == name }) { return found }
    let labels = records.map(\.label)
    throw LabError(
      .missingInput, "the run has no variant '\(name)'", at: path,
      expected: labels.prefix(12).joined(separator: " | "), got: name,
      advice: Suggestion.didYouMean(name, labels))
  }

  /// A run and a variant of it, where one is named: `RUN` or `RUN:VARIANT`. Labels may hold colons,
  /// and so may paths: the first part that is there is the run.
  package static func named(_ text: String) throws -> (run: StoredRun, record: RunRecord?) {
    if FileKind(at: text) == .file, text.hasSuffix(".safetensors") {
      let run = try StoredRun(samples: text)
      return (run, run.records[0])
    }
    if FileKind(at: text) != .absent { return (try StoredRun(text), nil) }
    var place = text.startIndex
    while let colon = text[place...].firstIndex(of: ":") {
      let path = String(text[..<colon])
      if FileKind(at: path) != .absent {
        let run = try StoredRun(path)
        return (run, try run.record(String(text[text.index(after: colon)...])))
      }
      place = text.index(after: colon)
    }
    return (try StoredRun(text), nil)
  }
}

/// What is compared with what, of runs that were named.
package enum RunComparison {
  /// Pairs of `operands` (`RUN` or `RUN:VARIANT`), each with the names under which they are told:
  ///
  /// - one run: each of its variants with its baseline (`baseline`, else the reference, else the
  ///   first);
  /// - one `RUN:VARIANT`: that variant with the run's baseline;
  /// - several, the first with a variant: all others with it, every variant of those that name
  ///   none;
  /// - several, the first without: variants of one label with each other, the first run's being the
  ///   baseline.
  ///
  /// Throws a usage error where nothing is left to compare.
  package static func pairs(
    _ operands: [String], baseline: String?
  ) throws -> [(variant: SampledRecord, baseline: SampledRecord)] {
    let named = try operands.map { try StoredRun.named($0) }
    guard let first = named.first else { return [] }
    if named.count == 1 {
      guard !first.run.path.isEmpty else {
        throw LabError(
          .usage, "one file of samples has nothing to be compared with", at: operands[0],
          expected: "two or more",
          advice: "name the baseline first: OLD.safetensors NEW.safetensors")
      }
      let base = try own(first.run, baseline)
      let sampled = try SampledRecord(base, in: first.run.path)
      let others = first.record.map { [$0] } ?? first.run.records.filter { $0.samples != nil }
      return try pairs(
        others.filter { $0.id != base.id || $0.role != base.role }, first.run, sampled)
    }
    if first.record != nil || baseline != nil {
      let record = try first.record ?? first.run.record(baseline ?? "")
      let base = try SampledRecord(record, in: first.run.path)
      var all = try pairs([], first.run, base)
      if first.record == nil {
        all += try pairs(sampled(first.run).filter { $0.label != record.label }, first.run, base)
      }
      for (run, record) in named.dropFirst() {
        all += try pairs(record.map { [$0] } ?? sampled(run), run, base)
      }
      return all
    }
    return try named.dropFirst().flatMap { run, record in
      let records = record.map { [$0] } ?? sampled(run)
      let labels = Set(first.run.records.filter { $0.samples != nil }.map(\.label))
      let both = records.filter { labels.contains($0.label) }
      guard !both.isEmpty else {
        throw LabError(
          .usage, "the two runs have no variant of the same name that has samples",
          at: run.path, expected: labels.sorted().joined(separator: " | "),
          got: records.map(\.label).joined(separator: " | "),
          advice: "name one of each: RUN:VARIANT RUN:VARIANT")
      }
      return try both.map {
        (
          try SampledRecord($0, in: run.path),
          try SampledRecord(first.run.record($0.label), in: first.run.path)
        )
      }
    }
  }

  private static func sampled(_ run: StoredRun) -> [RunRecord] {
    run.records.filter { $0.samples != nil }
  }

  private static func own(_ run: StoredRun, _ name: String?) throws -> RunRecord {
    if let name { return try run.record(name) }
    guard let record = Report.baseline(nil, of: run.records) else {
      throw LabError(.missingInput, "the run has no record", at: run.path)
    }
    return record
  }

  private static func pairs(
    _ records: [RunRecord], _ run: StoredRun, _ base: SampledRecord
  ) throws -> [(variant: SampledRecord, baseline: SampledRecord)] {
    try records.map { (try SampledRecord($0, in: run.path), base) }
  }
}
