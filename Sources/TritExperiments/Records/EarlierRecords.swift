internal import Foundation
internal import TritCore

/// The records of the other runs of an experiment, also of those that go on meanwhile.
final class EarlierRecords {
  private let root: String
  private let name: String
  private let own: String
  /// What was read of each log, and the size that it had.
  private var known: [String: (bytes: Int, records: [RunRecord])] = [:]

  /// Those below `root` of the experiment `name`, but for the run in `own`.
  init(root: String, name: String, besides own: String) {
    (self.root, self.name, self.own) = (root, name, own)
  }

  /// All of them, newest run last, with the run that measured each; logs that have grown are read
  /// again.
  func all() -> [RunRecord] {
    RunDirectory.runs(of: root + "/" + name.slug).filter { $0 != own }.flatMap { run in
      let log = run + "/results.jsonl"
      let attributes = try? FileManager.default.attributesOfItem(atPath: log)
      let bytes = (attributes?[.size] as? NSNumber)?.intValue ?? -1
      if let known = known[log], known.bytes == bytes { return known.records }
      let records = ResultsLog.read(log).compactMap { record -> RunRecord? in
        var record = record
        if record.samples != nil {
          // A record whose samples are gone is worth nothing here: it is measured again.
          guard let path = SampleFile.path(of: record, in: run) else { return nil }
          record.samples = path
        }
        record.reusedFrom = record.reusedFrom ?? (run as NSString).lastPathComponent
        return record
      }
      known[log] = (bytes, records)
      return records
    }
  }
}
