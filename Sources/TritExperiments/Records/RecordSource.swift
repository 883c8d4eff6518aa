internal import Foundation
internal import TritCore

/// Where records are read from: a `results.jsonl`, a folder with one, a folder of runs (of one
/// experiment or of several), or a glob over any of these: `*` and `?` within a name.
struct RecordSource {
  private let path: String

  private static let expected =
    "a results.jsonl of an earlier run, a folder of runs, or a glob over them (* and ?)"
  /// The name of the log in a run directory.
  static let log = "results.jsonl"

  init(_ path: String) { self.path = path }

  /// The newest record of each variant, the runs in the order of their names. Throws `missingInput`
  /// where there are none, and what is wrong with a log that was named.
  func records() throws -> [RunRecord] {
    let logs = try logs()
    guard logs.count > 1 else {
      let records = ResultsLog.latest(try logs.flatMap { try Self.records(of: $0) })
      return try notEmpty(records)
    }
    var byKey: [String: (order: Int, record: RunRecord)] = [:]
    var order = 0
    for log in logs {
      for record in try Self.records(of: log) {
        // Of another experiment, on another model or with another seed, it is another record.
        let key = [
          record.experiment, record.role.rawValue, record.id, record.params["model"] ?? "",
          record.params["seed"] ?? "",
        ].joined(separator: "\u{0}")
        if let known = byKey[key], known.record.status == .finished, record.status != .finished {
          continue
        }
        byKey[key] = (byKey[key]?.order ?? order, record)
        order += 1
      }
    }
    return try notEmpty(Self.numbered(byKey.values.sorted { $0.order < $1.order }.map(\.record)))
  }

  /// The records of a log, their samples by whole path: a report of them lies elsewhere.
  private static func records(of log: String) throws -> [RunRecord] {
    let folder = (log as NSString).deletingLastPathComponent
    return try ResultsLog.records(of: log).map { record in
      var record = record
      record.samples = SampleFile.path(of: record, in: folder.isEmpty ? "." : folder)
      return record
    }
  }

  private func notEmpty(_ records: [RunRecord]) throws -> [RunRecord] {
    guard records.isEmpty else { return records }
    throw LabError(.badData, "the file holds no record", expected: Self.expected, got: path)
  }

  /// The log files.
  func logs() throws -> [String] {
    if NameGlob.isGlob(path), FileKind(at: path) == .absent {
      let found = Self.matching(path).flatMap { Self.logs(in: $0) }
      guard !found.isEmpty else {
        throw LabError(
          .missingInput, "no records match the glob", expected: Self.expected, got: path)
      }
      return found
    }
    switch FileKind(at: path) {
    case .absent:
      throw LabError(
        .missingInput, "there are no such records", expected: Self.expected, got: path)
    case .folder:
      let found = Self.logs(in: path)
      guard !found.isEmpty else {
        throw LabError(
          .missingInput, "the folder holds no run", expected: Self.expected, got: path)
      }
      return found
    default: return [path]
    }
  }

  /// The logs in a folder: its own, else those of the folders in it, two deep, as `runs/NAME/TIME`
  /// lies.
  static func logs(in path: String, depth: Int = 2) -> [String] {
    guard FileKind(at: path) == .folder else { return FileKind(at: path) == .file ? [path] : [] }
    let own = path + "/" + log
    if FileKind(at: own) == .file { return [own] }
    guard depth > 0, let names = try? FolderListing(path).names else { return [] }
    return names.filter { !$0.hasPrefix(".") }.flatMap { name -> [String] in
      let inner = path + "/" + name
      return FileKind(at: inner) == .folder ? logs(in: inner, depth: depth - 1) : []
    }
  }

  /// The paths that a glob stands for, in the order of their names.
  static func matching(_ glob: String) -> [String] {
    var found = [glob.hasPrefix("/") ? "/" : ""]
    for part in glob.split(separator: "/") {
      let pattern = String(part)
      found = found.flatMap { folder -> [String] in
        let start = folder.isEmpty || folder == "/" ? folder : folder + "/"
        guard NameGlob.isGlob(pattern) else {
          return FileKind(at: start + pattern) == .absent ? [] : [start + pattern]
        }
        let names = (try? FolderListing(folder.isEmpty ? "." : folder).names) ?? []
        let matcher = NameGlob(pattern)
        return names.filter { !$0.hasPrefix(".") && matcher.matches($0) }.map { start + $0 }
      }
    }
    return found
  }

  /// Records of several runs as those of one report: one reference, numbers in order, labels that
  /// differ.
  private static func numbered(_ records: [RunRecord]) -> [RunRecord] {
    var result: [RunRecord] = []
    var hasReference = false
    for record in records {
      var record = record
      if record.role == .reference {
        // A report compares with one; the others are figures among figures.
        if hasReference { record.role = .variant }
        hasReference = true
      }
      result.append(record)
    }
    for parts in [["experiment"], ["experiment", "model"], ["experiment", "model", "seed"]] {
      let labels = Dictionary(grouping: result.indices.filter { result[$0].role == .variant }) {
        result[$0].label
      }
      for (label, places) in labels where places.count > 1 {
        let values = { (index: Int, key: String) -> String in
          key == "experiment" ? result[index].experiment : result[index].params[key] ?? ""
        }
        let key = parts[parts.count - 1]
        guard Set(places.map { values($0, key) }).count > 1 else { continue }
        for place in places { result[place].label = "\(label) (\(values(place, key)))" }
      }
    }
    var number = 0
    for index in result.indices {
      result[index].index = result[index].role == .reference ? -1 : number
      if result[index].role == .variant { number += 1 }
    }
    return result.filter { $0.role == .reference } + result.filter { $0.role == .variant }
  }
}
