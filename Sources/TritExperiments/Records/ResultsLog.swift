internal import Foundation
internal import TritCore

#if canImport(Glibc)
  @preconcurrency internal import Glibc
#endif

/// `results.jsonl`: one record a line, each line whole.
///
/// A line is appended with one write and synced before the next measurement begins. A kill in
/// between can leave half a line at the end of the file; opening the log cuts that off.
package final class ResultsLog {
  let path: String
  package private(set) var records: [RunRecord]
  /// Whether opening had to cut off half a line.
  let wasTorn: Bool
  private let descriptor: Int32

  /// Opens or creates the log at `path`. With `dropsUnfinished` the records of variants that failed
  /// or were interrupted go first: a run that goes on measures them again, and ends with one record
  /// of each. Throws `cannotCreate` where it cannot be written.
  package init(_ path: String, dropsUnfinished: Bool = false) throws {
    self.path = path
    if dropsUnfinished { try Self.dropUnfinished(path) }
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.failed("open", path) }
    let whole: Int
    (records, whole) = Self.parse(Data(try WholeFile.read(path, limit: .records)))
    let size = lseek(descriptor, 0, SEEK_END)
    wasTorn = Int(size) > whole
    if wasTorn {
      guard ftruncate(descriptor, off_t(whole)) == 0, fsync(descriptor) == 0 else {
        throw Self.failed("repair", path)
      }
    }
    lseek(descriptor, 0, SEEK_END)
  }

  /// A log that is neither read nor written, of a run whose log another process keeps.
  init(unopened path: String) {
    self.path = path
    records = []
    wasTorn = false
    descriptor = -1
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Appends a record; when this returns it is on the disk.
  func append(_ record: RunRecord) throws {
    var line = try RecordCoding.encode(record)
    line.append(0x0A)
    let start = lseek(descriptor, 0, SEEK_CUR)
    let number = line.withUnsafeBytes { Descriptor.write($0, to: descriptor) }
    guard number == 0 else {
      // A full disk must not leave half a line for the next reader.
      ftruncate(descriptor, start)
      lseek(descriptor, start, SEEK_SET)
      throw Self.failed("write", path, number)
    }
    guard fsync(descriptor) == 0 else { throw Self.failed("sync", path) }
    records.append(record)
  }

  /// The newest record of each role and id.
  var latest: [RunRecord] { Self.latest(records) }

  static func latest(_ records: [RunRecord]) -> [RunRecord] {
    var byKey: [String: RunRecord] = [:]
    for record in records { byKey["\(record.role.rawValue) \(record.id)"] = record }
    return byKey.values.sorted { $0.index < $1.index }
  }

  /// The records of a file that somebody else may be writing; lines that cannot be read are
  /// skipped, and so is a file that cannot be read or is too large to be one of records.
  static func read(_ path: String) -> [RunRecord] {
    parse((try? WholeFile.read(path, limit: .records)).map { Data($0) } ?? Data()).records
  }

  /// The records of a file that somebody named. Throws where it cannot be read as one of records,
  /// and the form by name where one is of another version.
  package static func records(of path: String) throws -> [RunRecord] {
    let data = Data(try WholeFile.read(path, limit: .records))
    for (number, line) in data.split(separator: 0x0A).enumerated() {
      do {
        _ = try RecordCoding.decode(Data(line))
      } catch let error as LabError where error.code == RecordCoding.foreignForm {
        throw error.inside("\(path):\(number + 1)")
      } catch { continue }
    }
    return parse(data).records
  }

  /// The readable records and the number of bytes up to the end of the last whole line.
  private static func parse(_ data: Data) -> (records: [RunRecord], whole: Int) {
    guard let last = data.lastIndex(of: 0x0A) else { return ([], 0) }
    let whole = data.distance(from: data.startIndex, to: last) + 1
    let records = data.prefix(whole).split(separator: 0x0A).compactMap {
      try? RecordCoding.decode(Data($0))
    }
    return (records, whole)
  }

  /// Rewrites the file, whole or not at all, without records that are not finished. Other lines,
  /// whole or torn, stay as they are.
  private static func dropUnfinished(_ path: String) throws {
    guard FileKind(at: path) != .absent else { return }
    let data = Data(try WholeFile.read(path, limit: .records))
    let lines = data.split(separator: 0x0A, omittingEmptySubsequences: false)
    let kept = lines.filter { line in
      ((try? RecordCoding.decode(Data(line)))?.status ?? .finished) == .finished
    }
    guard kept.count < lines.count else { return }
    try AtomicFile.write([UInt8](kept.joined(separator: [0x0A])), to: path)
  }

  private static func failed(
    _ verb: String, _ path: String, _ number: Int32 = errno
  ) -> LabError {
    LabError(
      .cannotCreate, "cannot \(verb) the results: \(SystemFailure.text(number))", at: path,
      advice: SystemFailure.advice(
        number,
        otherwise:
          "check that the folder exists, is writable and has space; -o DIR writes elsewhere"
      ))
  }
}
