internal import Foundation
internal import TritCore

/// A run that somebody names: its folder and the newest finished record of each variant; or a file
/// of samples that stands for one.
package struct StoredRun {
  /// The run directory.
  package let path: String
  /// The records, the reference first where there is one.
  package let records: [RunRecord]
  /// Variants of which no record is finished: they failed or were stopped.
  package let unfinished: [RunRecord]

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
          expected: "a run directory with results.jsonl, a folder of such, or a file of --samples",
          advice: "trit run prints it in its last line: results: …")
      }
      folder = newest
    }
    let all = try ResultsLog.records(of: folder + "/results.jsonl")
    let latest = ResultsLog.latest(all)
    records = latest.filter { $0.status == .finished }
    unfinished = latest.filter { $0.status != .finished }
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
    unfinished = []
  }

  /// The record of a variant, by label, name of the reference, or id. Throws `missingInput` with
  /// what there is.
  package func record(_ name: String) throws -> RunRecord {
    if let found = records.first(where: { $0.label == name }) { return found }
    if let found = records.first(where: { $0.id == name }) { return found }
    if let failed = unfinished.first(where: { $0.label == name || $0.id == name }) {
      throw LabError(
        .badData, "the variant '\(name)' has no figures", at: path,
        expected: "a finished record", got: "one that is \(failed.status.rawValue)",
        advice: "run the experiment again: what is missing is measured")
    }
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
