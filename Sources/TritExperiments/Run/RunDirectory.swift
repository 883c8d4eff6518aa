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
  /// Unfinished runs of the same plan that other processes work on.
  let busy: [(path: String, process: String)]
  /// nil in a process that measures for the one that holds it.
  private let lock: FolderLock?

  private static let lockName = "run.lock"

  /// Continues the newest unfinished run of the same plan that nobody else works on, or makes a new
  /// one. Where `continuing` is given, that folder is the run's: another process of this run has
  /// made it.
  static func open(
    root: String, plan: ExperimentPlan, force: Bool, continuing: String? = nil, now: Date = Date()
  ) throws -> RunDirectory {
    if let continuing {
      for part in ["", "/plots"] { LeftoverFiles.remove(in: continuing + part) }
      let lock = try FolderLock(folder: continuing, name: lockName, what: "run")
      let log = try ResultsLog(continuing + "/results.jsonl", dropsUnfinished: true)
      return RunDirectory(path: continuing, isResumed: true, log: log, busy: [], lock: lock)
    }
    let folder = root + "/" + plan.file.name.slug
    var busy: [(path: String, process: String)] = []
    for candidate in runs(of: folder).reversed() {
      // What a killed run left half written.
      for part in ["", "/plots"] { LeftoverFiles.remove(in: candidate + part) }
      guard !force, let state = RunState.read(candidate), !state.isFinished,
        state.plan == plan.identity
      else { continue }
      let lock: FolderLock
      do {
        lock = try FolderLock(folder: candidate, name: lockName, what: "run")
      } catch let error as LabError {
        // A folder that cannot be written, somebody else's, is none to go on in.
        if error.kind == .failure { busy.append((candidate, error.got ?? "another process")) }
        continue
      }
      // Its process may have ended well between the two looks.
      guard RunState.read(candidate)?.isFinished == false else { continue }
      let log = try ResultsLog(candidate + "/results.jsonl", dropsUnfinished: true)
      return RunDirectory(path: candidate, isResumed: true, log: log, busy: busy, lock: lock)
    }
    let path = try create(in: folder, now: now)
    let lock = try FolderLock(folder: path, name: lockName, what: "run")
    let log = try ResultsLog(path + "/results.jsonl")
    return RunDirectory(path: path, isResumed: false, log: log, busy: busy, lock: lock)
  }

  /// The folder of a run that another process of it keeps: for one that measures and leaves the log
  /// alone.
  static func guest(of path: String) -> RunDirectory {
    RunDirectory(path: path, isResumed: true, log: ResultsLog(unopened: path), busy: [], lock: nil)
  }

  /// A new folder for a run of the experiment `name`, whatever others there are.
  static func new(root: String, name: String, now: Date = Date()) throws -> RunDirectory {
    let path = try create(in: root + "/" + name.slug, now: now)
    let lock = try FolderLock(folder: path, name: lockName, what: "run")
    let log = try ResultsLog(path + "/results.jsonl")
    return RunDirectory(path: path, isResumed: false, log: log, busy: [], lock: lock)
  }

  /// The run folders of an experiment, oldest first: their names are times.
  static func runs(of folder: String) -> [String] {
    let names = (try? FolderListing(folder).names) ?? []
    return names.map { folder + "/" + $0 }
      .filter { FileManager.default.fileExists(atPath: $0 + "/results.jsonl") }
  }

  /// Makes a folder named by the time; a second run within the same second gets a number behind it.
  private static func create(in folder: String, now: Date) throws -> String {
    let stamp = UTC.stamp(now)
    func failed(_ reason: String, _ path: String) -> LabError {
      LabError(
        .cannotCreate, "cannot make the run directory: \(reason)", at: path,
        advice: "check that the folder is writable, or write elsewhere with -o DIR")
    }
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw failed((error as NSError).localizedDescription, folder)
    }
    for attempt in 0..<1000 {
      let path = folder + "/" + (attempt == 0 ? stamp : "\(stamp)-\(attempt)")
      // Two runs that begin within a second must not get one folder.
      if mkdir(path, 0o777) == 0 { return path }
      guard errno == EEXIST else { throw failed(String(cString: strerror(errno)), path) }
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
  /// The form of today. Of another one it is not known what it means.
  static let form = "trit/run-state/1"
  var schema = form
  var plan: String
  var isFinished: Bool

  /// The state in a run directory; nil where there is none of today's form.
  static func read(_ directory: String) -> RunState? {
    guard let bytes = try? WholeFile.read(directory + "/state.json", limit: .small) else {
      return nil
    }
    let state = try? JSONDecoder().decode(RunState.self, from: Data(bytes))
    return state?.schema == form ? state : nil
  }
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
