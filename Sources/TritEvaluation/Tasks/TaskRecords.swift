import TritCore
import TritFormats

/// A record of a data set: a line of JSONL, with its place.
public struct TaskRecord: Sendable {
  /// The line.
  public let value: JSONValue
  /// `file:line`.
  public let place: String

  /// A record.
  public init(_ value: JSONValue, at place: String) {
    self.value = value
    self.place = place
  }

  /// A text that two records have in common when they are the same: keys in one order, bytes
  /// compared.
  var canonical: [UInt8] { Array(JSONWriter.text(Self.sorted(value)).utf8) }

  private static func sorted(_ value: JSONValue) -> JSONValue {
    switch value {
    case .array(let list): .array(list.map(sorted))
    case .object(let members):
      .object(
        members.map { (key: $0.key, value: sorted($0.value)) }
          .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) })
    default: value
    }
  }
}

/// The records of a split, read when they are asked for: a pool of examples has tens of thousands,
/// of which a few are used.
public struct TaskRecords: Sendable {
  /// The file.
  public let name: String
  /// SHA-256 of the file's bytes, unpacked, 64 hex digits.
  public let digest: String
  /// Bytes of the file, unpacked.
  public let byteCount: Int
  private let bytes: [UInt8]
  private var lines: [(range: Range<Int>, number: Int)]

  /// Number of records.
  public var count: Int { lines.count }

  /// The lines of `bytes` that are not blank. Throws `badData` where there are none, and for what
  /// is no JSONL by its first bytes.
  init(name: String, bytes: [UInt8]) throws {
    self.name = name
    self.bytes = bytes
    byteCount = bytes.count
    var hash = SHA256()
    bytes.withUnsafeBytes { hash.update($0) }
    digest = hash.finish()
    if let foreign = bytes.withUnsafeBytes({ ForeignFile($0) }) {
      throw foreign.error(at: name, expected: "JSONL, plain or gzip")
    }
    var lines: [(range: Range<Int>, number: Int)] = []
    bytes.withUnsafeBytes {
      JSONLine.forEachRow(of: $0) { range, number in
        lines.append((range, number))
        return true
      }
    }
    self.lines = lines
    guard !lines.isEmpty else {
      throw LabError(
        .badData, "the file holds no record", at: name, expected: "a JSON object a line",
        got: bytes.isEmpty ? "0 bytes" : "blank lines",
        advice: "get or convert the file again")
    }
  }

  /// The records by the text in one of their fields, each line read for that. Throws `badData` for
  /// a line without the field.
  func grouped(by field: String) throws -> [ExactString: TaskRecords] {
    var lines: [ExactString: [(range: Range<Int>, number: Int)]] = [:]
    for index in self.lines.indices {
      let fields = RecordFields(try record(index))
      lines[ExactString(try fields.string(field)), default: []].append(self.lines[index])
    }
    return lines.mapValues { lines in
      var part = self
      part.lines = lines
      return part
    }
  }

  /// The record with a number from 0. Throws `badData` with `file:line` for what is no JSON.
  public func record(_ index: Int) throws -> TaskRecord {
    let line = lines[index]
    let place = "\(name):\(line.number)"
    try FileLimit.line.check(line.range.count, at: place)
    let value = try bytes.withUnsafeBytes {
      try JSONLine.read(UnsafeRawBufferPointer(rebasing: $0[line.range]), at: place)
    }
    return TaskRecord(value, at: place)
  }
}
