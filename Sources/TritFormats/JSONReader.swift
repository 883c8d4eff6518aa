public import TritCore

/// Reads JSON strictly (RFC 8259), from bytes.
///
/// Rejected, each with `path:line:column`: anything after the document, a byte order mark,
/// duplicate keys (compared byte by byte), nesting beyond `maximumDepth`, invalid UTF-8, escapes of
/// lone surrogates, unescaped control characters, and every number that the grammar does not allow
/// (`01`, `+1`, `.5`, `NaN`).
public enum JSONReader {
  /// Lists and objects inside each other that are accepted; bounds the stack.
  public static let maximumDepth = 512

  /// Parses one document. `path` is for messages only.
  public static func read(_ bytes: UnsafeRawBufferPointer, path: String) throws -> JSONValue {
    var scanner = JSONScanner(bytes.assumingMemoryBound(to: UInt8.self), path: path)
    return try scanner.document()
  }

  /// Parses the text of one document.
  public static func read(_ text: String, path: String = "<text>") throws -> JSONValue {
    try Array(text.utf8).withUnsafeBytes { try read($0, path: path) }
  }

  /// Parses the file at `path`, which must not be larger than `limit`. Throws `missingInput` where
  /// there is none, `badData` for what is no JSON, saying what it is where that is known (a git-lfs
  /// pointer, a web page).
  public static func readFile(_ path: String, limit: FileLimit = .configuration) throws -> JSONValue
  {
    let file = try MappedFile(path, limit: limit)
    return try file.span.withUnsafeBytes { bytes in
      if bytes.isEmpty { throw emptyFile(path, expected: "a JSON document") }
      if let foreign = ForeignFile(bytes) { throw foreign.error(at: path, expected: "JSON") }
      return try read(bytes, path: path)
    }
  }

  /// The error for a file without a byte.
  package static func emptyFile(_ path: String, expected: String) -> LabError {
    LabError(
      .badData, "the file is empty", at: path, expected: expected, got: "0 bytes",
      advice: "get the file again: the download or the disk ended too early")
  }
}
