public import Foundation
import Synchronization
import TritCore
import TritFormats

/// Where the records of tasks lie: JSONL in the fields of the Hugging Face data sets, plain or
/// gzip.
///
/// By path, or by name below a folder. For the split `validation` of `hellaswag` the folder is
/// searched for, in this order and each also with `.gz` behind it:
///
/// 1. `hellaswag/validation.jsonl`: the task;
/// 2. `Rowan/hellaswag/validation.jsonl`: the data set, with its configuration below it where it
///    has several (`allenai/ai2_arc/ARC-Easy/test.jsonl`);
/// 3. `validation.jsonl`, where one task alone is asked for.
///
/// The subjects of MMLU lie in `mmlu/test.jsonl` together, told apart by `subject`, or apart in
/// `mmlu_anatomy/test.jsonl`, `mmlu/anatomy/test.jsonl` or `cais/mmlu/anatomy/test.jsonl`.
public struct HarnessData: Sendable {
  /// A file, or a folder.
  public let path: String
  /// A file of examples, or a folder of them; nil where they lie with the questions.
  public let examplesPath: String?
  private let isAlone: Bool
  private let files = RecordFiles()

  /// Data at `path`, else in the folder that `TRITLAB_DATA` names. `isAlone` says that there is one
  /// task, so that a file can be its questions. Throws `missingInput` where neither is there.
  public init(
    _ path: String?, examples: String? = nil, isAlone: Bool,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws {
    let fallback = environment[TextDataset.environmentVariable].flatMap { $0.isEmpty ? nil : $0 }
    guard let path = path ?? fallback else {
      throw LabError(
        .missingInput, "no data is named", expected: "a folder or a JSONL file with the questions",
        advice: "give it by --data, or set \(TextDataset.environmentVariable) to a folder of "
          + "data sets")
    }
    for place in [path, examples].compactMap({ $0 }) where FileKind(at: place) == .absent {
      throw LabError(
        .missingInput, "there is no such file or folder", at: place,
        expected: "a folder or a JSONL file with the questions",
        advice: "check the path; an empty folder will do, then each error has the command that "
          + "fills it")
    }
    self.path = path
    examplesPath = examples
    self.isAlone = isAlone
  }

  /// The questions of a task.
  public func questions(_ task: HarnessTask) throws -> TaskRecords {
    try records(task, task.split, in: path, what: "questions")
  }

  /// The records that examples of a task are picked from.
  public func examples(_ task: HarnessTask) throws -> TaskRecords {
    if examplesPath == nil, FileKind(at: path) != .folder {
      throw LabError(
        .usage, "a file of questions has no examples to put before them", at: path,
        expected: "a folder with the splits '\(task.split)' and '\(task.exampleSplit)'",
        advice: "name the folder, or the examples by --fewshot-data, or leave --num-fewshot out")
    }
    return try records(task, task.exampleSplit, in: examplesPath ?? path, what: "examples")
  }

  private func records(
    _ task: HarnessTask, _ split: String, in root: String, what: String
  ) throws -> TaskRecords {
    guard FileKind(at: root) == .folder else {
      guard isAlone || task.part != nil else {
        throw LabError(
          .usage, "one file cannot hold the \(what) of several tasks", at: root,
          expected: "a folder with a file for each task",
          advice: "ask for one task, or name a folder")
      }
      if root.hasSuffix(".parquet") { throw ParquetAdvice.error([root], task, split, root: nil) }
      return try part(of: try files.read(root), task)
    }
    for place in places(task, split) {
      for suffix in [".jsonl", ".jsonl.gz"] {
        let file = root + "/" + place + suffix
        guard FileKind(at: file) != .absent else { continue }
        return try part(of: try files.read(file), task)
      }
    }
    for place in places(task, split) {
      let files = ParquetAdvice.files(root + "/" + place)
      if !files.isEmpty { throw ParquetAdvice.error(files, task, split, root: root) }
    }
    throw ParquetAdvice.missing(task, split, root: root, tried: places(task, split), what)
  }

  /// Those of a file that are the task's, where several share one.
  private func part(of records: TaskRecords, _ task: HarnessTask) throws -> TaskRecords {
    guard let (field, value) = task.part else { return records }
    // A file of one subject may do without the field.
    if isAlone, try records.record(0).value[field] == nil { return records }
    return try files.part(of: records, field, value)
  }

  /// Where the folder is searched, without the ends of names.
  private func places(_ task: HarnessTask, _ split: String) -> [String] {
    var places = ["\(task.name)/\(split)"]
    if task.part != nil {
      places += ["mmlu/\(task.alias)/\(split)", "mmlu/\(split)"]
    }
    if let configuration = task.configuration {
      places.append("\(task.dataset)/\(configuration)/\(split)")
      if task.part != nil { places.append("\(task.dataset)/all/\(split)") }
    }
    places.append("\(task.dataset)/\(split)")
    if isAlone { places.append(split) }
    return places
  }
}

/// Files that have been read: the subjects of MMLU share two.
private final class RecordFiles: Sendable {
  private let known = Mutex<[String: TaskRecords]>([:])
  private let parts = Mutex<[String: [ExactString: TaskRecords]]>([:])

  func read(_ path: String) throws -> TaskRecords {
    if let records = known.withLock({ $0[path] }) { return records }
    let bytes = try GzipFile.read(path, limit: .questions)
    let records = try TaskRecords(name: path, bytes: bytes)
    known.withLock { $0[path] = records }
    return records
  }

  /// The records with a value in a field, all of them told apart once.
  func part(of records: TaskRecords, _ field: String, _ value: String) throws -> TaskRecords {
    let key = records.name + "\0" + field
    var found = parts.withLock { $0[key] }
    if found == nil {
      let all = try records.grouped(by: field)
      parts.withLock { $0[key] = all }
      found = all
    }
    guard let part = found?[ExactString(value)] else {
      throw LabError(
        .badData, "no record has \(field) '\(value)'", at: records.name, expected: "one or more",
        got: "\(records.count) records, all of others",
        advice: "get the whole data set again, all subjects in one file")
    }
    return part
  }
}
