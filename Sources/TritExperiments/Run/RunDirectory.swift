internal import Foundation
internal import TritCore

#if canImport(Glibc)
  @preconcurrency internal import Glibc
#endif

/// One run's folder, `<root>/<experiment>/<UTC time>/`, and what lies in it.
struct RunDirectory {
  let path: String
  /// Whether the folder was there, unfinished, and is continued.
  let isResumed: Bool
  let log: ResultsLog
  private let lock: FileLock

  /// Continues the newest unfinished run of the same plan that nobody else works on, or makes a new one.
  static func open(
    root: String, plan: ExperimentPlan, force: Bool, now: Date = Date()
  ) throws -> RunDirectory {
    let folder = root + "/" + plan.file.name.slug
    if !force {
      for candidate in runs(of: folder).reversed() {
        guard let state = RunState.read(candidate), !state.isFinished, state.plan == plan.identity,
          let lock = FileLock(candidate + "/run.lock")
        else { continue }
        let log = try ResultsLog(candidate + "/results.jsonl")
        return RunDirectory(path: candidate, isResumed: true, log: log, lock: lock)
      }
    }
    let path = try create(in: folder, now: now)
    guard let lock = FileLock(path + "/run.lock") else {
      throw LabError(.cannotCreate, "cannot lock the run directory", at: path)
    }
    let log = try ResultsLog(path + "/results.jsonl")
    return RunDirectory(path: path, isResumed: false, log: log, lock: lock)
  }

  /// The records of all earlier runs of the experiment, newest last, with the run that measured each.
  static func earlierRecords(root: String, name: String, besides: String) -> [RunRecord] {
    runs(of: root + "/" + name.slug).filter { $0 != besides }.flatMap { run in
      ResultsLog.read(run + "/results.jsonl").map { record in
        var record = record
        record.reusedFrom = record.reusedFrom ?? (run as NSString).lastPathComponent
        return record
      }
    }
  }

  /// The run folders of an experiment, oldest first: their names are times.
  private static func runs(of folder: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.sorted().map { folder + "/" + $0 }
      .filter { FileManager.default.fileExists(atPath: $0 + "/results.jsonl") }
  }

  /// Makes a folder named by the time; a second run within the same second gets a number behind it.
  private static func create(in folder: String, now: Date) throws -> String {
    let stamp = UTC.stamp(now)
    for attempt in 0..<1000 {
      let path = folder + "/" + (attempt == 0 ? stamp : "\(stamp)-\(attempt)")
      if FileManager.default.fileExists(atPath: path) { continue }
      do {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
      } catch {
        throw LabError(
          .cannotCreate,
          "cannot make the run directory: \((error as NSError).localizedDescription)", at: path,
          advice: "check that the folder is writable, or write elsewhere with -o DIR")
      }
    }
    throw LabError(.cannotCreate, "too many runs within one second", at: folder)
  }

  /// Writes a file of the run, whole or not at all.
  func write(_ text: String, to name: String) throws {
    try AtomicFile.write(text, to: path + "/" + name)
  }

  /// Notes which plan this is and whether it is done.
  func write(_ state: RunState) throws {
    let text = String(decoding: try RecordCoding.encode(state, pretty: true), as: UTF8.self)
    try write(text + "\n", to: "state.json")
  }
}

/// `state.json`: which plan a run directory belongs to and whether it is done; resuming reads it.
struct RunState: Codable {
  var schema = "trit/run-state/1"
  var plan: String
  var isFinished: Bool

  static func read(_ directory: String) -> RunState? {
    guard let data = FileManager.default.contents(atPath: directory + "/state.json") else {
      return nil
    }
    return try? JSONDecoder().decode(RunState.self, from: data)
  }
}

/// An advisory lock that lasts as long as this object: two commands do not write one run directory.
final class FileLock {
  private let descriptor: Int32

  /// Takes the lock; nil where somebody else holds it or the file cannot be made.
  init?(_ path: String) {
    descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    // `deinit` runs, and closes, also where this fails.
    guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return nil }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }
}

/// Times as they stand in records and names of folders.
enum UTC {
  /// `2026-11-20T10:25:12Z`.
  static func text(_ date: Date = Date()) -> String {
    let part = parts(date)
    return "\(part.date)T\(part.time)Z"
  }

  /// `2026-11-20T10-25-12Z`: the same without colons, which some file systems refuse.
  static func stamp(_ date: Date = Date()) -> String {
    let part = parts(date)
    return "\(part.date)T\(part.time.replacingOccurrences(of: ":", with: "-"))Z"
  }

  private static func parts(_ date: Date) -> (date: String, time: String) {
    var seconds = time_t(date.timeIntervalSince1970)
    var fields = tm()
    gmtime_r(&seconds, &fields)
    func two(_ value: Int32) -> String { (value < 10 ? "0" : "") + "\(value)" }
    return (
      "\(fields.tm_year + 1900)-\(two(fields.tm_mon + 1))-\(two(fields.tm_mday))",
      "\(two(fields.tm_hour)):\(two(fields.tm_min)):\(two(fields.tm_sec))"
    )
  }
}
