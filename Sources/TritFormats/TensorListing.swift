import TritCore

/// What a model file holds, as text in the columns of llama.cpp's `gguf-dump`, or as JSON.
public enum TensorListing {
  /// Elements of a list that are shown in text.
  static let shownElements = 6
  /// Characters of a string that are shown in text.
  static let shownCharacters = 60

  /// The lines: key-values as `number: type | count | key = value`, then, when `showTensors`,
  /// tensors as `number: elements | dimensions, fastest first | type | name`. Long strings and
  /// lists are cut; control characters are escaped, so that a file cannot drive the terminal.
  public static func lines(_ source: any TensorSource, showTensors: Bool = true) -> [String] {
    let entries = entries(of: source)
    var lines = ["* \(clean(source.path)): \(format(of: source))"]
    lines.append("* \(entries.count) key/value pair(s)")
    for (index, (key, value)) in entries.enumerated() {
      let count = value.array?.count ?? 1
      lines.append(
        "  \(left(index + 1, 5)): \(right(value.typeName, 10)) | \(left(count, 8)) | \(clean(key)) = "
          + text(value))
    }
    let bytes = source.tensors.reduce(0) { $0 + $1.byteCount }
    let elements = source.tensors.reduce(0) { $0 + $1.count }
    lines.append(
      "* \(source.tensors.count) tensor(s), \(elements) elements, "
        + "\(bytes) bytes")
    guard showTensors else { return lines }
    for (index, info) in source.tensors.enumerated() {
      let missing = max(0, 4 - info.shape.count)
      let dimensions = info.shape.reversed() + [Int](repeating: 1, count: missing)
      let columns = dimensions.map { left($0, 5) }.joined(separator: ", ")
      lines.append(
        "  \(left(index + 1, 5)): \(left(info.count, 10)) | \(columns) | "
          + "\(right(info.type.name, 7)) | \(clean(info.name))")
    }
    return lines
  }

  /// The same as JSON: `path`, `format`, `metadata` {key: {index, type, value}}, `tensors` {name:
  /// {index, shape, type, bytes}} with row-major shapes. Lists longer than `listLimit` give their
  /// `count` and the first elements as `first` in place of `value`. A number that JSON lacks is
  /// null, with `undefined` beside it.
  public static func json(
    _ source: any TensorSource, showTensors: Bool = true, listLimit: Int = 64
  ) -> JSONValue {
    var metadata: [(key: String, value: JSONValue)] = []
    for (index, (key, value)) in entries(of: source).enumerated() {
      var members: [(key: String, value: JSONValue)] = [
        ("index", JSONValue(index + 1)), ("type", .string(value.typeName)),
      ]
      if let array = value.array, array.count > listLimit {
        members.append(("count", JSONValue(array.count)))
        members.append(("first", .array(array.prefix(shownElements).map(json))))
      } else {
        members.append(("value", json(value)))
      }
      // JSON has no such number: the list says null, and this what the file holds.
      if let word = undefined(value, listLimit) { members.append(("undefined", .string(word))) }
      metadata.append((key, .object(members)))
    }
    var document: [(key: String, value: JSONValue)] = [
      ("path", .string(source.path)), ("format", .string(format(of: source))),
      ("metadata", .object(metadata)),
    ]
    if showTensors {
      let tensors = source.tensors.enumerated().map { index, info in
        (
          key: info.name,
          value: [
            "index": JSONValue(index + 1), "shape": JSONValue(info.shape),
            "type": .string(info.type.name), "bytes": JSONValue(info.byteCount),
          ] as JSONValue
        )
      }
      document.append(("tensors", .object(tensors)))
    }
    return .object(document)
  }
}

// MARK: Parts
extension TensorListing {
  private static func format(of source: any TensorSource) -> String {
    switch source {
    case let file as GGUFFile:
      "GGUF version \(file.version)" + (file.fileCount > 1 ? " in \(file.fileCount) files" : "")
    case is SafetensorsFile: "safetensors"
    case let files as ShardedSafetensors: "safetensors in \(files.shards.count) files"
    default: "tensors"
    }
  }

  private static func entries(of source: any TensorSource) -> [(key: String, value: GGUFValue)] {
    let strings: [String: String]
    switch source {
    case let file as GGUFFile: return file.metadata
    case let file as SafetensorsFile: strings = file.metadata
    case let files as ShardedSafetensors: strings = files.metadata
    default: strings = [:]
    }
    return strings.sorted { $0.key < $1.key }.map { (key: $0.key, value: .string($0.value)) }
  }

  private static func text(_ value: GGUFValue) -> String {
    switch value {
    case .string(let text):
      let cut = text.unicodeScalars.prefix(shownCharacters)
      let more = cut.endIndex < text.unicodeScalars.endIndex
      return "'\(clean(String(cut)))'\(more ? "..." : "")"
    case .array(let array):
      let first = array.prefix(shownElements).map(Self.text).joined(separator: ", ")
      return "[\(first)\(array.count > shownElements ? ", ..." : "")]"
    case .bool(let value): return value ? "true" : "false"
    case .float32(let value): return "\(value)"
    case .float64(let value): return "\(value)"
    case .uint64(let value): return "\(value)"
    default: return value.integer.map { "\($0)" } ?? ""
    }
  }

  /// The first number among those shown that JSON cannot say: `nan`, `inf`, `-inf`; nil where there
  /// is none.
  private static func undefined(_ value: GGUFValue, _ listLimit: Int) -> String? {
    switch value {
    case .float32(let value): value.isFinite ? nil : "\(value)"
    case .float64(let value): value.isFinite ? nil : "\(value)"
    case .array(let array):
      array.prefix(max(listLimit, shownElements)).lazy.compactMap { undefined($0, listLimit) }.first
    default: nil
    }
  }

  private static func json(_ value: GGUFValue) -> JSONValue {
    switch value {
    case .string(let text): .string(text)
    case .array(let array): .array(array.prefix(array.count).map(json))
    case .bool(let value): .bool(value)
    case .float32(let value): JSONValue(value)
    case .float64(let value): JSONValue(value)
    case .uint64(let value): JSONValue(value)
    default: JSONValue(value.integer ?? 0)
    }
  }

  private static func left(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: " ", count: max(0, width - digits.count)) + digits
  }

  private static func right(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private static func clean(_ text: String) -> String { VisibleText.line(text) }
}
