import Synchronization

/// The files that one thing was read from, each opened once: a model's weights, configuration and
/// tokenizer, say.
///
/// What is read within `perform` is of one opening, however often a path is asked for and whatever
/// lies there by then. The digests are those of the bytes that were mapped, not of what the path
/// names later.
///
/// ```swift
/// let files = OpenedFiles()
/// let model = try files.perform { try readModel(path) }
/// let tokenizer = try files.perform { try readTokenizer(path) }  // of the same opening
/// try files.checkUnchanged()
/// ```
public final class OpenedFiles: Sendable {
  /// A file as it was opened.
  public struct File: Sendable, Hashable {
    /// The path by which it was asked for.
    public let path: String
    /// SHA-256 of the mapped bytes, 64 hex digits.
    public let digest: String
    /// Bytes.
    public let count: Int
  }

  private struct Entry {
    let mapping: Mapping
    /// The newest stamp under which the mapped bytes are known to be those of the opening.
    var stamp: FileStamp?
    /// Whether anything asked for it, beyond keeping it open.
    var isRead: Bool
    var digest: String?
  }
  private let entries = Mutex<[String: Entry]>([:])

  @TaskLocal static var current: OpenedFiles?

  /// Nothing is open.
  public init() {}

  /// Runs `body`. Every `MappedFile` made in it on this thread is of this opening.
  public func perform<R>(_ body: () throws -> R) rethrows -> R {
    try Self.$current.withValue(self, operation: body)
  }

  /// Opens what lies at `paths` now, for a reader to come; what is not there or cannot be read is
  /// left out. A file that nothing reads is none of `files`.
  public func keep(_ paths: [String]) {
    for path in paths { _ = try? mapping(of: path, isRead: false) }
  }

  /// The mapping of `path`, made by the first who asks.
  func mapping(of path: String, isRead: Bool = true) throws -> Mapping {
    let key = Self.normal(path)
    return try entries.withLock { entries in
      if let known = entries[key] {
        if isRead { entries[key]?.isRead = true }
        return known.mapping
      }
      let mapping = try Mapping(path)
      entries[key] = Entry(mapping: mapping, stamp: mapping.stamp, isRead: isRead)
      return mapping
    }
  }

  /// The files that were read, by path, with their digests. Throws `interrupted`.
  public func files() throws -> [File] {
    try entries.withLock { entries in
      var files: [File] = []
      for key in entries.keys.sorted() {
        guard var entry = entries[key], entry.isRead else { continue }
        let digest = try entry.digest ?? entry.mapping.digest()
        entry.digest = digest
        entries[key] = entry
        files.append(File(path: key, digest: digest, count: entry.mapping.count))
      }
      return files
    }
  }

  /// Throws `badData` where a file that was read has been written to since it was opened: what was
  /// read of it may be partly old and partly new.
  ///
  /// A file that was replaced (renamed over, removed) is still there as it was for those who have
  /// it open; its path is among those given back, once. One whose times moved without its being
  /// written (its rights, its links) is compared byte by byte.
  @discardableResult public func checkUnchanged() throws -> [String] {
    // The digests are what the bytes are compared with.
    _ = try files()
    return try entries.withLock { entries in
      var replaced: [String] = []
      for key in entries.keys.sorted() {
        guard var entry = entries[key], entry.isRead else { continue }
        let now = FileStamp(path: entry.mapping.path)
        guard now != entry.stamp else { continue }
        let opened = entry.mapping.stamp
        let isSame = now.map { $0.isSameFile(as: opened) } ?? false
        if let now, isSame, now.size != opened.size || now.modified != opened.modified {
          throw Self.changed(
            entry, got: now.size != opened.size ? "\(now.size) bytes" : "bytes written later")
        }
        guard try entry.mapping.digest() == entry.digest else {
          throw Self.changed(entry, got: "other bytes")
        }
        if !isSame { replaced.append(entry.mapping.path) }
        entry.stamp = now
        entries[key] = entry
      }
      return replaced
    }
  }

  /// SHA-256 of the bytes of one file, 64 hex digits. Throws `missingInput`.
  public static func digest(of path: String) throws -> String { try Mapping(path).digest() }

  private static func changed(_ entry: Entry, got: String) -> LabError {
    LabError(
      .badData, "the file was changed while it was in use", at: entry.mapping.path,
      expected: "the \(entry.mapping.count) bytes that were opened, SHA-256 "
        + "\(entry.digest?.prefix(16) ?? "unknown")…", got: got,
      advice:
        "nothing read since then is kept; give the command again, which reads the file as it is "
        + "now")
  }

  /// The path without empty parts: `a//b` and `a/b` are one file.
  package static func normal(_ path: String) -> String {
    (path.hasPrefix("/") ? "/" : "") + path.split(separator: "/").joined(separator: "/")
  }
}
