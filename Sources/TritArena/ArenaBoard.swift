import Foundation
public import TritCore

/// Results of several contests as tables: only those with the same cases, baseline and threads are
/// compared.
public struct ArenaBoard: Sendable {
  /// One result and where it was read from.
  public struct Entry: Sendable {
    /// The file.
    public let path: String
    /// The result.
    public let result: ArenaResult
  }

  /// What can be compared: the greatest score first; those without one last, by name.
  public struct Group: Sendable {
    /// The kernel that all were held against.
    public let baseline: String
    /// Threads of a multiply.
    public let threads: Int
    /// Whether weights came from memory.
    public let fromMemory: Bool
    /// The cases.
    public let cases: [ArenaCase]
    /// The results.
    public let entries: [Entry]
  }

  /// The tables, the one with most entries first.
  public let groups: [Group]

  /// The largest file that is read.
  public static let limit = FileLimit("a file of arena results", bytes: 64 << 20)

  /// Reads `paths`, each one document or one a line. Throws errors that name every file that is
  /// foreign or damaged: a table that silently leaves out an entry would not be one.
  public init(files paths: [String]) throws {
    var entries: [Entry] = []
    var problems: [LabError] = []
    for path in paths {
      do {
        entries += try Self.read(path)
      } catch let error as LabErrors {
        problems += error.problems
      } catch let error as LabError {
        problems.append(error)
      }
    }
    if let only = problems.first, problems.count == 1 { throw only }
    if !problems.isEmpty { throw LabErrors(problems) }
    self.init(entries)
  }

  /// Sorts results that are there already.
  public init(_ entries: [Entry]) {
    struct Key: Hashable {
      let baseline: String
      let threads: Int
      let fromMemory: Bool
      let cases: Set<ArenaCase>
    }
    let grouped = Dictionary(grouping: entries) { entry in
      Key(
        baseline: entry.result.baseline, threads: entry.result.threads,
        fromMemory: entry.result.lines.first?.fromMemory ?? true,
        cases: Set(entry.result.lines.map(\.product)))
    }
    groups = grouped.map { key, members in
      Group(
        baseline: key.baseline, threads: key.threads, fromMemory: key.fromMemory,
        cases: members[0].result.lines.map(\.product),
        entries: members.sorted(by: Self.precedes))
    }.sorted { a, b in
      (b.entries.count, a.baseline, a.threads, "\(a.cases)")
        < (a.entries.count, b.baseline, b.threads, "\(b.cases)")
    }
  }

  private static func precedes(_ a: Entry, _ b: Entry) -> Bool {
    switch (a.result.score, b.result.score) {
    case (let left?, let right?) where left != right: left > right
    case (_?, nil): true
    case (nil, _?): false
    default: (a.result.kernel, a.path) < (b.result.kernel, b.path)
    }
  }

  private static func read(_ path: String) throws -> [Entry] {
    let bytes = try WholeFile.read(path, limit: limit)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw LabError(.badData, "no result of an arena: it is not UTF-8", at: path)
    }
    let lines = text.split(whereSeparator: \.isNewline).filter { line in
      line.contains { !$0.isWhitespace }
    }
    // One document over several lines begins with a lone brace.
    guard lines.count > 1, lines.allSatisfy({ $0.hasPrefix("{") && $0.hasSuffix("}") }) else {
      return [Entry(path: path, result: try ArenaResult(json: text, at: path))]
    }
    var entries: [Entry] = []
    var problems: [LabError] = []
    for (index, line) in lines.enumerated() {
      do {
        let place = "\(path):\(index + 1)"
        entries.append(Entry(path: place, result: try ArenaResult(json: line, at: place)))
      } catch let error as LabError {
        problems.append(error)
      }
    }
    if !problems.isEmpty { throw LabErrors(problems) }
    return entries
  }
}
