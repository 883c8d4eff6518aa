internal import CYaml
internal import TritCore

/// Reads one YAML document into a tree of nodes through libyaml.
///
/// Strict where YAML is a trap: duplicate keys, several documents, anchors and aliases (the means
/// of the "billion laughs" attack), tags and keys that are not scalars are errors. Size and depth
/// are bounded.
public enum YAMLReader {
  /// Largest text that is read, in bytes.
  public static let maximumBytes = FileLimit.yaml.bytes
  /// Deepest nesting that is read.
  public static let maximumDepth = 64

  /// Reads a file. `name` is what positions say (default: the path).
  ///
  /// Throws `missingInput` where there is no such file, `badData` with `file:line:column` for
  /// everything that is not one well-formed document.
  public static func read(path: String, name: String? = nil) throws -> YAMLNode {
    let place = name ?? path
    switch FileKind(at: path) {
    case .absent:
      throw LabError(
        .missingInput, "there is no such file", at: place,
        advice: "check the path"
          + (ProgramPath.experiments.map { "; the lab's own files are in \($0)" } ?? ""))
    case .folder:
      throw LabError(
        .missingInput, "this is a folder, not a file", at: place,
        expected: "a YAML experiment file")
    default: break
    }
    let bytes = try WholeFile.read(path, limit: .yaml)
    if let foreign = bytes.withUnsafeBytes({ ForeignFile($0) }) {
      throw foreign.error(at: place, expected: "a YAML experiment file")
    }
    if bytes.starts(with: "GGUF".utf8) {
      throw LabError(
        .badData, "this is a model, not an experiment file", at: place,
        expected: "a YAML experiment file",
        advice: "name the model by --set: "
          + "trit run \(ProgramPath.experiments.map { "\($0)/quickstart.yaml" } ?? "FILE") "
          + "--set model=\(path)")
    }
    return try read(bytes) { .file(place, line: $0, column: $1) }
  }

  /// Reads a text whose positions are those of a file called `name`.
  public static func read(_ text: String, name: String) throws -> YAMLNode {
    try read(Array(text.utf8)) { .file(name, line: $0, column: $1) }
  }

  /// Reads the value of an override; every position says `--set path`.
  static func read(override text: String, path: String) throws -> YAMLNode {
    try read(Array(text.utf8)) { _, _ in .override(path) }
  }

  private static func read(
    _ bytes: [UInt8], position: @escaping (_ line: Int, _ column: Int) -> SourcePosition
  ) throws -> YAMLNode {
    guard bytes.count <= maximumBytes else {
      throw LabError(
        .badData, "the file is too large", at: position(1, 1).description,
        expected: "at most \(maximumBytes) bytes", got: "\(bytes.count) bytes")
    }
    return try bytes.withUnsafeBufferPointer { buffer in
      var parser = try EventParser(buffer, position: position)
      defer { parser.close() }
      return try parser.document()
    }
  }
}

/// One event of libyaml, copied out of its union.
private struct Event {
  enum Kind {
    case streamStart, streamEnd, documentStart, documentEnd
    case scalar(String, plain: Bool)
    case sequenceStart, sequenceEnd, mappingStart, mappingEnd, alias(String)
  }

  var kind: Kind
  var position: SourcePosition
  var anchor: String?
  var tag: String?
}

/// A recursive-descent reader over libyaml's events.
private struct EventParser {
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let position: (Int, Int) -> SourcePosition
  private let bytes: UnsafeBufferPointer<UInt8>

  init(
    _ bytes: UnsafeBufferPointer<UInt8>, position: @escaping (Int, Int) -> SourcePosition
  ) throws {
    parser = .allocate(capacity: 1)
    self.position = position
    self.bytes = bytes
    guard yaml_parser_initialize(parser) == 1 else {
      parser.deallocate()
      throw LabError(.internalError, "libyaml has no memory for a parser")
    }
    yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    // Without this libyaml would take UTF-16 too, and positions would not fit what an editor shows.
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
  }

  mutating func close() {
    yaml_parser_delete(parser)
    parser.deallocate()
  }

  mutating func document() throws -> YAMLNode {
    _ = try next()  // stream start
    let first = try next()
    if case .streamEnd = first.kind {
      throw LabError(
        .badData, "the document is empty", at: position(1, 1).description,
        expected: "a mapping with at least 'name' and 'measure'")
    }
    let root = try node(from: try next(), depth: 0)
    _ = try next()  // document end
    let after = try next()
    guard case .streamEnd = after.kind else {
      throw LabError(
        .badData, "a second document begins here", at: after.position.description,
        expected: "one document a file", advice: "remove the '---' or split the file")
    }
    return root
  }

  private mutating func node(from event: Event, depth: Int) throws -> YAMLNode {
    guard depth < YAMLReader.maximumDepth else {
      throw LabError(
        .badData, "the nesting is too deep", at: event.position.description,
        expected: "at most \(YAMLReader.maximumDepth) levels")
    }
    try rejectDecorations(event)
    switch event.kind {
    case .scalar(let text, let plain):
      return YAMLNode(.scalar(text, plain: plain), at: event.position)
    case .sequenceStart:
      var list: [YAMLNode] = []
      while true {
        let item = try next()
        if case .sequenceEnd = item.kind { break }
        list.append(try node(from: item, depth: depth + 1))
      }
      return YAMLNode(.sequence(list), at: event.position)
    case .mappingStart:
      return YAMLNode(.mapping(try entries(depth: depth)), at: event.position)
    default:
      throw LabError(
        .badData, "this is not a value", at: event.position.description,
        expected: "a scalar, a list or a mapping")
    }
  }

  private mutating func entries(depth: Int) throws -> [YAMLEntry] {
    var list: [YAMLEntry] = []
    var seen: [String: SourcePosition] = [:]
    while true {
      let event = try next()
      if case .mappingEnd = event.kind { return list }
      try rejectDecorations(event)
      guard case .scalar(let key, _) = event.kind else {
        throw LabError(
          .badData, "a key must be plain text", at: event.position.description,
          expected: "a word followed by ':'", got: "a list or mapping as a key")
      }
      if let earlier = seen[key] {
        throw LabError(
          .badData, "the key '\(key)' stands twice in one mapping",
          at: event.position.description, expected: "each key once",
          got: "the first is at \(earlier)", advice: "remove one of the two")
      }
      seen[key] = event.position
      list.append(
        YAMLEntry(key, at: event.position, try node(from: try next(), depth: depth + 1)))
    }
  }

  private func rejectDecorations(_ event: Event) throws {
    if case .alias(let name) = event.kind {
      throw LabError(
        .badData, "aliases ('*\(name)') are not used in experiment files",
        at: event.position.description,
        advice: "put shared choices into 'base', or write the value again")
    }
    if let anchor = event.anchor {
      throw LabError(
        .badData, "anchors ('&\(anchor)') are not used in experiment files",
        at: event.position.description,
        advice: "put shared choices into 'base', or write the value again")
    }
    if let tag = event.tag {
      throw LabError(
        .badData, "tags ('\(tag)') are not used in experiment files",
        at: event.position.description, advice: "quote a value that must be a string")
    }
  }

  private mutating func next() throws -> Event {
    var event = yaml_event_t()
    guard yaml_parser_parse(parser, &event) == 1 else { throw syntaxError() }
    defer { yaml_event_delete(&event) }
    var result = Event(kind: .streamEnd, position: place(event.start_mark))
    switch event.type {
    case YAML_STREAM_START_EVENT: result.kind = .streamStart
    case YAML_DOCUMENT_START_EVENT: result.kind = .documentStart
    case YAML_DOCUMENT_END_EVENT: result.kind = .documentEnd
    case YAML_SCALAR_EVENT:
      let scalar = event.data.scalar
      let text = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
      result.kind = .scalar(
        String(decoding: text, as: UTF8.self), plain: scalar.style == YAML_PLAIN_SCALAR_STYLE)
      (result.anchor, result.tag) = (Self.string(scalar.anchor), Self.string(scalar.tag))
    case YAML_SEQUENCE_START_EVENT:
      result.kind = .sequenceStart
      result.anchor = Self.string(event.data.sequence_start.anchor)
      result.tag = Self.string(event.data.sequence_start.tag)
    case YAML_SEQUENCE_END_EVENT: result.kind = .sequenceEnd
    case YAML_MAPPING_START_EVENT:
      result.kind = .mappingStart
      result.anchor = Self.string(event.data.mapping_start.anchor)
      result.tag = Self.string(event.data.mapping_start.tag)
    case YAML_MAPPING_END_EVENT: result.kind = .mappingEnd
    case YAML_ALIAS_EVENT: result.kind = .alias(Self.string(event.data.alias.anchor) ?? "")
    default: result.kind = .streamEnd
    }
    return result
  }

  private static func string(_ text: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    text.map { String(cString: $0) }
  }

  private func place(_ mark: yaml_mark_t) -> SourcePosition {
    position(Int(mark.line) + 1, Int(mark.column) + 1)
  }

  /// libyaml's own account of what is wrong, in our form. Its reader errors (bad UTF-8, control
  /// characters) have a byte offset instead of a mark.
  private func syntaxError() -> LabError {
    let state = parser.pointee
    let problem = state.problem.map { String(cString: $0) } ?? "the YAML cannot be read"
    guard state.error != YAML_READER_ERROR else {
      let offset = min(Int(state.problem_offset), bytes.count)
      let before = bytes[..<offset]
      let line = before.count { $0 == 0x0A } + 1
      let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
      let column =
        String(decoding: bytes[lineStart..<offset], as: UTF8.self).unicodeScalars.count + 1
      return LabError(
        .badData, problem, at: position(line, column).description,
        expected: "text in UTF-8 without control characters",
        advice: "save the file as UTF-8")
    }
    var advice: String?
    if problem.contains("cannot start any token"), byte(at: state.problem_mark) == 0x09 {
      advice = "indent with spaces: YAML takes no tabs there"
    } else if let context = state.context {
      let line = Int(state.context_mark.line) + 1
      advice = "the cause may be earlier: \(String(cString: context)), line \(line)"
    }
    return LabError(
      .badData, problem, at: place(state.problem_mark).description, expected: "YAML",
      advice: advice)
  }

  private func byte(at mark: yaml_mark_t) -> UInt8? {
    let index = Int(mark.index)
    return bytes.indices.contains(index) ? bytes[index] : nil
  }
}
