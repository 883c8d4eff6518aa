public import Foundation
import Synchronization
import TritCore
import TritFormats
public import TritTokenization
public import TritStories

/// A text to evaluate on, with what a record needs to say about it.
public struct TextDataset: Sendable {
  /// What was asked for: a path, `file.jsonl:field`, or a known name.
  public let name: String
  /// The text.
  public let text: String
  /// Files it came from, in order.
  public let sources: [String]
  /// Other files of the folder that the text was read from: what is no text.
  public private(set) var leftOut: [String] = []
  /// Where its documents begin.
  public private(set) var documents = TextDocuments.one
  /// Whether the text writes control tokens (`<|endoftext|>`) that are to be read as such.
  public let writesControlTokens: Bool
  /// UTF-8 bytes of the text.
  public var byteCount: Int { text.utf8.count }
  /// SHA-256 of the text's UTF-8 bytes, 64 hex digits.
  public let digest: String
  /// What is known of the source of the text, where it is one of the built-in ones. Worked out when
  /// it is first asked for, in some milliseconds a story.
  public var entropy: StoryEntropy? { source?.entropy }
  private let source: StorySource?
  /// What figures depend on beside the bytes, in words: the same bytes have other figures where
  /// control tokens in them are read as such, a floor where their source is known, and intervals by
  /// documents where there are several.
  public var reading: String {
    let count = documents.starts.count
    return (writesControlTokens ? "control tokens read" : "plain text")
      + (source == nil ? "" : ", source known") + (count > 1 ? ", \(count) documents" : "")
  }

  /// Wraps a text. Throws `badData` for an empty one.
  public init(
    name: String, text: String, sources: [String] = [], writesControlTokens: Bool = false
  ) throws {
    try self.init(
      name: name, text: text, sources: sources, writesControlTokens: writesControlTokens,
      source: nil)
  }

  private init(
    name: String, text: String, sources: [String], writesControlTokens: Bool, source: StorySource?
  ) throws {
    guard !text.isEmpty else {
      throw LabError(
        .badData, "the text is empty", at: name, expected: "UTF-8 text",
        advice: "check that the file is the one you meant")
    }
    self.name = name
    self.text = text
    self.sources = sources
    self.writesControlTokens = writesControlTokens
    self.source = source
    documents = TextDocuments(of: text)
    digest = SHA256.hex(text)
  }

  /// The loss in nats a token that the source itself has on this text: no model is expected below
  /// it. Nil where the source is unknown.
  ///
  /// `−Σ ln p` of the stories' texts (exact, `StoryProbability`), over the tokens that `tokenizer`
  /// makes of the text, those between the stories included: `exp` of it is the floor of perplexity.
  /// It depends on the tokenizer as perplexity does; the same in bits a byte (`floorBitsPerByte`)
  /// does not. It is the mean over the whole text, while a protocol may score a part of it and
  /// shows the model no more than a window: a model's figure over few tokens carries the noise of
  /// that choice.
  public func floor(by tokenizer: any Tokenizer) throws -> Double? {
    guard let entropy else { return nil }
    let tokens = try tokenizer.encode(text, addSpecial: true, parseSpecial: writesControlTokens)
    return tokens.isEmpty ? nil : entropy.surprisal / Double(tokens.count)
  }

  /// The floor in bits a byte of the stories, which no tokenizer changes; nil where the source is
  /// unknown.
  public var floorBitsPerByte: Double? { entropy?.surprisalBitsPerByte }

  /// Where data sets are looked up by name.
  public static let environmentVariable = "TRITLAB_DATA"

  /// Reads what `specification` names:
  ///
  /// - a file of UTF-8 text, which may be packed by gzip (`.gz`); `-` is standard input;
  /// - a folder: its `*.txt` and `*.raw` files, and the `*.jsonl` files whose lines have a string
  ///   `text`, packed ones too (`*.txt.gz`), in alphabetical order (not recursively), joined without
  ///   anything between;
  /// - `file.jsonl:field`: the string `field` of every line, joined by a blank line (`field` is
  ///   `text` where left out);
  /// - `builtin:storyteller/test` (or `/valid`, `/train`): 200 of the lab's own stories, or as many
  ///   as `:N` behind the name says, each followed by `<|endoftext|>`;
  /// - a known name such as `wikitext-2-raw/test`, or a path, inside `directory` (`--data-dir`),
  ///   else inside the folder that `TRITLAB_DATA` names.
  ///
  /// Throws `missingInput` where there is nothing, saying where to get a known data set and where
  /// to put it, and `badData` for text that is empty or no UTF-8 and for malformed JSON lines.
  public static func load(
    _ specification: String, directory: String? = nil,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> TextDataset {
    if let dataset = try read(specification, name: specification) { return dataset }
    if specification.hasPrefix("builtin:") { return try stories(specification) }
    let fromEnvironment = environment[environmentVariable].flatMap { $0.isEmpty ? nil : $0 }
    let root = directory ?? fromEnvironment
    if let known = KnownDataset.named(specification) {
      guard let root else {
        throw missing(known, "no data folder is set", "in a folder of your choice", nil)
      }
      for file in known.files {
        if let dataset = try read(root + "/" + file, name: known.name) { return dataset }
      }
      throw missing(known, "the data set is not in the data folder", "in \(root)", root)
    }
    if let root, let dataset = try read(root + "/" + specification, name: specification) {
      return dataset
    }
    let names = KnownDataset.all.map(\.name)
    throw LabError(
      .missingInput, "no such text, folder or data set", at: specification,
      expected: "a file, a folder, file.jsonl:field, or one of: " + names.joined(separator: ", "),
      advice: Suggestion.didYouMean(specification, names)
        ?? "check the path; names are looked up in --data-dir or $\(environmentVariable)")
  }

  private static func stories(_ specification: String) throws -> TextDataset {
    let parts = specification.split(separator: ":", omittingEmptySubsequences: false)
    let count = parts.count > 2 ? Int(parts[2]) ?? 0 : 200
    guard parts.count <= 3, (1...1_000_000).contains(count),
      let stories = StoryDataset(named: parts.prefix(2).joined(separator: ":"))
    else {
      throw LabError(
        .missingInput, "there is no such built-in data set", at: specification,
        expected: "builtin:storyteller/train, /valid or /test, with :N for the first N stories")
    }
    return try TextDataset(
      name: specification, text: stories.text(stories: count, separator: "<|endoftext|>"),
      sources: [], writesControlTokens: true, source: StorySource(stories, count))
  }

  private static func missing(
    _ known: KnownDataset, _ what: String, _ place: String, _ root: String?
  ) -> LabError {
    LabError(
      .missingInput, "\(what): \(known.name)", at: root, expected: known.files[0],
      advice: "\(known.origin); put \(known.files[0]) \(place) and name that folder by --data-dir "
        + "or \(environmentVariable)")
  }

  /// Reads `path` (with or without `:field`); nil where nothing is there.
  private static func read(_ path: String, name: String) throws -> TextDataset? {
    if path == "-" {
      let bytes = try WholeFile.readStandardInput(limit: .stream)
      let text = try bytes.withUnsafeBytes { try decode($0, at: "standard input") }
      return try TextDataset(name: "standard input", text: text)
    }
    let kind = FileKind(at: path)
    if kind != .absent {
      if kind == .folder { return try readFolder(path, name: name) }
      if isLines(path) { return try lines(path, field: "text", name: name) }
      return try TextDataset(name: name, text: try readText(path), sources: [path])
    }
    guard let colon = path.lastIndex(of: ":"), isLines(String(path[..<colon])) else {
      return nil
    }
    let file = String(path[..<colon])
    guard FileKind(at: file).isNamed else { return nil }
    let field = String(path[path.index(after: colon)...])
    guard !field.isEmpty else {
      throw LabError(
        .usage, "no field is named after the colon", at: path, expected: "file.jsonl:field")
    }
    return try lines(file, field: field, name: name)
  }

  private static func readFolder(_ path: String, name: String) throws -> TextDataset {
    let listing = try FolderListing(path)
    func isText(_ name: String) -> Bool {
      [".txt", ".raw", ".txt.gz", ".raw.gz"].contains { name.hasSuffix($0) }
    }
    // A text that is left out changes every figure.
    if let name = listing.unreadable.first(where: { isText($0) || isLines($0) }) {
      throw LabError(
        .missingInput, "the folder holds a text whose name is not UTF-8", at: path,
        expected: "names in UTF-8", got: name,
        advice: "rename the file, or move it out of the folder")
    }
    var text = ""
    var documents = TextDocuments()
    var (files, leftOut): ([String], [String]) = ([], [])
    for file in listing.names {
      let place = path + "/" + file
      let part: (text: String, documents: TextDocuments)
      if isText(file) {
        let own = try readText(place)
        part = (own, TextDocuments(of: own))
      } else if isLines(file), let lines = try linesIfTexts(place) {
        part = lines
      } else {
        leftOut.append(file)
        continue
      }
      files.append(place)
      documents.append(part.documents, at: text.utf8.count)
      text += part.text
      try FileLimit.text.check(text.utf8.count, at: path)
    }
    guard !files.isEmpty else {
      throw LabError(
        .missingInput, "the folder holds no text", at: path,
        expected:
          "*.txt or *.raw files, or *.jsonl whose lines have \"text\", which may be packed (.gz)",
        got: leftOut.isEmpty
          ? "no file"
          : leftOut.prefix(8).joined(separator: ", ")
            + (leftOut.count > 8 ? " and \(leftOut.count - 8) more" : ""))
    }
    var dataset = try TextDataset(name: name, text: text, sources: files)
    dataset.documents = documents
    dataset.leftOut = leftOut
    return dataset
  }

  /// The texts of a JSONL file of a folder; nil where its first line has none, as files of questions
  /// have it.
  private static func linesIfTexts(
    _ path: String
  ) throws -> (text: String, documents: TextDocuments)? {
    var isTexts = false
    try forEachLine(of: path) { value, _ in
      isTexts = value["text"]?.string != nil
      return false
    }
    return isTexts ? try readLines(path, field: "text") : nil
  }

  private static func isLines(_ path: String) -> Bool {
    path.hasSuffix(".jsonl") || path.hasSuffix(".jsonl.gz")
  }

  private static func readText(_ path: String) throws -> String {
    if path.hasSuffix(".gz") {
      let bytes = try GzipFile.read(path, limit: .text)
      return try bytes.withUnsafeBytes { try decode($0, at: path) }
    }
    let file = try MappedFile(path, limit: .text)
    return try file.span.withUnsafeBytes { try decode($0, at: path) }
  }

  /// Decodes UTF-8 strictly; the error names the first byte that is none.
  private static func decode(_ bytes: UnsafeRawBufferPointer, at path: String) throws -> String {
    let foreign = ForeignFile(bytes)
    if foreign?.isText != true, let text = String(validating: bytes, as: UTF8.self) { return text }
    if let foreign { throw foreign.error(at: path, expected: "UTF-8 text") }
    let place = UTF8Scan.firstInvalid(bytes)
    let isUTF16 = bytes.count >= 2 && (bytes[0] &+ bytes[1] == 0xFD) && bytes[0] >= 0xFE
    throw LabError(
      .badData, "the text is not valid UTF-8", at: path, expected: "UTF-8",
      got: isUTF16
        ? "a UTF-16 byte order mark"
        : "byte 0x\(String(bytes[min(place, bytes.count - 1)], radix: 16)) at offset \(place)",
      advice: "convert it, for example: iconv -f \(isUTF16 ? "UTF-16" : "LATIN1") -t UTF-8")
  }

  private static func lines(_ path: String, field: String, name: String) throws -> TextDataset {
    let read = try readLines(path, field: field)
    var dataset = try TextDataset(name: name, text: read.text, sources: [path])
    dataset.documents = read.documents
    return dataset
  }

  /// The strings `field` of all lines, a blank line between them, each a document.
  private static func readLines(
    _ path: String, field: String
  ) throws -> (text: String, documents: TextDocuments) {
    var texts: [String] = []
    var documents = TextDocuments()
    var size = 0
    try forEachLine(of: path) { value, place in
      guard let text = value[field]?.string else {
        let keys = value.object?.map(\.key) ?? []
        throw LabError(
          .badData, "the line has no string '\(field)'", at: place,
          expected: "a JSON object with \"\(field)\": \"…\"",
          got: value.object == nil
            ? "no object"
            : "keys " + keys.prefix(8).joined(separator: ", ") + (keys.count > 8 ? ", …" : ""),
          advice: Suggestion.didYouMean(field, keys))
      }
      documents.append(.one, at: size + lineGap.utf8.count * texts.count)
      size += text.utf8.count
      try FileLimit.text.check(size, at: place)
      texts.append(text)
      return true
    }
    return (texts.joined(separator: lineGap), documents)
  }

  /// What stands between the texts of two lines.
  private static let lineGap = "\n\n"

  /// Calls `body` with the value of each line and its place, until it returns false.
  private static func forEachLine(
    of path: String, _ body: (JSONValue, String) throws -> Bool
  ) throws {
    func read(_ bytes: UnsafeRawBufferPointer) throws {
      if let foreign = ForeignFile(bytes) { throw foreign.error(at: path, expected: "JSONL") }
      try JSONLine.forEach(of: bytes, at: path, body)
    }
    if path.hasSuffix(".gz") {
      try GzipFile.read(path, limit: .text).withUnsafeBytes(read)
    } else {
      let file = try MappedFile(path)
      try file.span.withUnsafeBytes(read)
    }
  }
}

/// The first stories of a built-in set, whose entropy is worked out once.
private final class StorySource: Sendable {
  private let set: StoryDataset
  private let count: Int
  private let known = Mutex<StoryEntropy?>(nil)

  init(_ set: StoryDataset, _ count: Int) {
    self.set = set
    self.count = count
  }

  var entropy: StoryEntropy {
    known.withLock { known in
      if let known { return known }
      let entropy = StoryEntropy(set.stories(count))
      known = entropy
      return entropy
    }
  }
}

/// Finds where bytes stop being UTF-8 (RFC 3629: no overlong forms, no surrogates, at most
/// U+10FFFF).
enum UTF8Scan {
  static func firstInvalid(_ bytes: UnsafeRawBufferPointer) -> Int {
    var index = 0
    while index < bytes.count {
      let lead = bytes[index]
      let length: Int
      switch lead {
      case 0..<0x80: length = 1
      case 0xC2...0xDF: length = 2
      case 0xE0...0xEF: length = 3
      case 0xF0...0xF4: length = 4
      default: return index
      }
      guard index + length <= bytes.count else { return index }
      for offset in 1..<length {
        let low: UInt8 =
          offset > 1 ? 0x80 : lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80
        let high: UInt8 =
          offset > 1 ? 0xBF : lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF
        guard (low...high).contains(bytes[index + offset]) else { return index }
      }
      index += length
    }
    return index
  }
}
