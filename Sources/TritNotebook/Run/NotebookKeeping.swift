import Foundation
public import TritCore

/// What a notebook's cells have kept (`keep`), in a file beside it: `expected/NAME.json`.
public struct NotebookKeeping: Sendable {
  /// The file.
  public let path: String

  /// That of the notebook at `notebook`.
  public init(of notebook: String) {
    let folder = (notebook as NSString).deletingLastPathComponent
    let name = ((notebook as NSString).lastPathComponent as NSString).deletingPathExtension
    path = (folder.isEmpty ? "" : folder + "/") + "expected/\(name).json"
  }

  private static let limit = FileLimit("kept values", bytes: 8 << 20)

  /// Keeps `values`. Throws what the system says where the file cannot be written.
  public func write(_ values: [KeptValue]) throws {
    let folder = (path as NSString).deletingLastPathComponent
    try? FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    try AtomicFile.write(Array(try encoder.encode(values)) + [UInt8(ascii: "\n")], to: path)
  }

  /// What differs between `values` and those in the file; empty where nothing does. Throws
  /// `badData` for a file that holds no values.
  public func differences(_ values: [KeptValue]) throws -> [String] {
    guard FileKind(at: path) != .absent else {
      return values.isEmpty
        ? [] : ["\(path) is not there, and the notebook keeps \(values.count) values"]
    }
    let kept: [KeptValue]
    do {
      kept = try JSONDecoder().decode(
        [KeptValue].self, from: Data(try WholeFile.read(path, limit: Self.limit)))
    } catch let error as LabError {
      throw error
    } catch {
      throw LabError(
        .badData, "the kept values cannot be read", at: path, expected: "what --update writes",
        advice: "write them again: trit notebook run FILE --update")
    }
    var problems: [String] = []
    for value in values {
      guard let before = kept.first(where: { $0.name == value.name }) else {
        problems.append("'\(value.name)' is new")
        continue
      }
      if let difference = value.difference(from: before) {
        problems.append("'\(value.name)': \(difference)")
      }
    }
    for before in kept where !values.contains(where: { $0.name == before.name }) {
      problems.append("'\(before.name)' is kept, and no cell gives it")
    }
    return problems
  }
}

extension Notebook {
  /// The text of the file with the values that `executed` has computed for the words of its prose.
  static func updated(_ text: String, by executed: ExecutedNotebook, of notebook: Notebook)
    -> String
  {
    var result = ""
    var rest = text[...]
    var proses = executed.proseValues.makeIterator()
    for case .prose(let prose, _) in notebook.pieces {
      guard let found = rest.firstRange(of: prose) else { continue }
      result += rest[..<found.lowerBound]
      if case .some(.some(let values)) = proses.next() {
        result += InlineValues(prose).replacing(with: values, keepsComments: true)
      } else {
        result += prose
      }
      rest = rest[found.upperBound...]
    }
    return result + rest
  }

  /// Writes the values that `executed` has computed into the prose of the file; gives whether
  /// something changed. Throws what reading and writing throw.
  public func update(from executed: ExecutedNotebook) throws -> Bool {
    let bytes = try WholeFile.read(path, limit: Self.limit)
    let text = String(decoding: bytes, as: UTF8.self)
    let updated = Self.updated(text, by: executed, of: self)
    guard updated != text else { return false }
    try AtomicFile.write(updated, to: path)
    return true
  }
}
