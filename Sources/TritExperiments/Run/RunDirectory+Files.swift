internal import Foundation
internal import TritCore
internal import TritEvaluation

#if canImport(Glibc)
  @preconcurrency internal import Glibc
#endif

extension RunDirectory {
  // MARK: What lies beside records

  /// Writes the exact figures of a part of the windows, and gives the path within the run
  /// directory.
  func write(_ part: WindowPart, section: String, id: String) throws -> String {
    let folder = "parts"
    try RunFiles.makeFolder(path + "/" + folder)
    let name = "\(folder)/\(id).\(section).safetensors"
    try part.write(to: path + "/" + name, section: section, id: id)
    return name
  }

  /// A record of another run of the experiment with its files brought along: as links where the
  /// file system can.
  func bringing(_ record: RunRecord) throws -> RunRecord {
    guard let source = record.reusedFrom else { return try bringing(record, from: "") }
    let from = (path as NSString).deletingLastPathComponent + "/" + source
    return try bringing(record, from: from)
  }

  /// The same from a run directory anywhere. A file that is named and gone leaves the record
  /// without it.
  func bringing(_ record: RunRecord, from source: String) throws -> RunRecord {
    var record = record
    if let samples = record.samples, samples.hasPrefix("/") {
      record.samples =
        FileKind(at: samples) == .file
        ? try SampleFile.adopt(samples, name: SampleFile.name(of: record), into: path) : nil
    }
    guard !source.isEmpty else { return record }
    for (section, name) in record.part?.files ?? [:] {
      if try !bring(name, from: source) { record.part?.files[section] = nil }
    }
    return record
  }

  /// Brings one file; false where it is not there. Throws `badData` for a name that leads out of
  /// the run directory.
  func bring(_ name: String, from source: String) throws -> Bool {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard !name.isEmpty, !parts.contains(where: { $0.isEmpty || $0 == ".." || $0 == "." }) else {
      throw LabError(
        .badData, "a record names a file outside its run directory", at: source,
        expected: "a path within it", got: name,
        advice: "the records were not written by trit as they are: measure again")
    }
    guard FileKind(at: source + "/" + name) == .file else { return false }
    let target = path + "/" + name
    guard FileKind(at: target) == .absent else { return true }
    try RunFiles.makeFolder(([path[...]] + parts.dropLast()).joined(separator: "/"))
    try RunFiles.bring(source + "/" + name, to: target)
    return true
  }

  // MARK: What is half done

  private var partialPath: String { path + "/partial.jsonl" }

  /// The log of records without their measures of time, while several processes measure.
  func partialLog() throws -> ResultsLog { try ResultsLog(partialPath) }

  /// Its records.
  var partial: [RunRecord] { ResultsLog.read(partialPath) }

  /// Removes it.
  func removePartial() { unlink(partialPath) }
}

/// `plan.json`: all variants of the experiment, those too that a run was not asked for, so that
/// `collect` knows what is missing.
struct PlanFile: Codable {
  static let name = "plan.json"
  static let form = "trit/plan/1"

  struct Variant: Codable, Equatable {
    var index: Int
    var id: String
    var label: String
  }

  var schema = form
  /// The experiment's name.
  var experiment: String
  /// Digest of what is varied and measured, whichever part of it was run, and wherever its files
  /// lie.
  var study: String
  /// The reference's id, where there is one.
  var reference: String?
  var variants: [Variant]
  /// Which windows were run, by section, where they are a part.
  var windows: [String: String]

  init(_ plan: ExperimentPlan) {
    experiment = plan.file.name
    study = plan.study
    reference = plan.reference?.id
    variants = plan.all.map { Variant(index: $0.index, id: $0.id, label: $0.label) }
    windows = [:]
    for section in plan.file.measure.sections {
      guard let measure = section.measure as? any WindowedMeasure, measure.windows.isPart else {
        continue
      }
      windows[section.key] = measure.windows.description
    }
  }

  var text: String {
    get throws {
      String(decoding: try RecordCoding.encode(self, pretty: true), as: UTF8.self) + "\n"
    }
  }

  /// Reads the file in a run directory. Throws what is wrong with it.
  static func read(_ directory: String) throws -> PlanFile {
    let path = directory + "/" + name
    let bytes = try WholeFile.read(path, limit: .records)
    guard let plan = try? JSONDecoder().decode(PlanFile.self, from: Data(bytes)),
      plan.schema == form
    else {
      throw LabError(
        .badData, "this is no plan of a run", at: path, expected: form,
        advice: "measure again with this version of trit")
    }
    return plan
  }
}

extension ExperimentPlan {
  /// Digest of what is varied and measured: the same for every part of an experiment, on every
  /// machine.
  package var study: String {
    let sections = file.measure.sections.map { section in
      var values = section.settings.values
      for (name, value) in values {
        // Where a text lies is another matter than what is in it.
        if case .place = value { values[name] = nil }
        if case .windows(let windows) = value { values[name] = windows.needed.map { .integer($0) } }
      }
      return "\(section.key) \(InputText.of(values))"
    }
    let variants = all.map { "\($0.id) \($0.label)" }
    return String(
      SHA256.hex(
        (variants + ["reference \(reference?.id ?? "none")"] + sections + [
          "\(file.name) \(file.seed) \(file.context ?? 0)"
        ]).joined(separator: "\n")
      ).prefix(16))
  }
}
