internal import TritCore

/// Collects what is wrong with a file while it is decoded, so that all of it is reported at once.
final class Problems {
  private(set) var list: [LabError] = []
  /// Problems that were left out of `list`.
  private(set) var omitted = 0

  /// Problems that are kept: a file of nothing but unknown keys is one mistake, not 300,000.
  static let maximumCount = 200

  /// Whether another problem would be kept; whoever works out advice for one asks before.
  var hasRoom: Bool { list.count < Self.maximumCount }

  /// Notes a problem at `position`; `path` is the key path, `measure.speed.tokens`.
  func add(
    _ what: String, _ path: String, at position: SourcePosition, expected: String? = nil,
    got: String? = nil, advice: String? = nil, kind: LabError.Kind = .badData
  ) {
    guard hasRoom else {
      omitted += 1
      return
    }
    list.append(
      LabError(
        kind, path.isEmpty ? what : "\(path): \(what)", at: position.description,
        expected: expected, got: got, advice: advice))
  }

  /// Notes an error that has its place.
  func add(_ error: LabError) {
    if hasRoom { list.append(error) } else { omitted += 1 }
  }

  /// Notes a value of the wrong type.
  func wrongType(_ node: YAMLNode, _ path: String, expected: String, advice: String? = nil) {
    add(
      "wrong type", path, at: node.position, expected: expected, got: node.kindText, advice: advice)
  }

  /// Throws everything that was noted, if anything was.
  func throwIfAny() throws {
    if !list.isEmpty { throw LabErrors(list, omitted: omitted) }
  }

  // MARK: Scalars

  func text(_ node: YAMLNode, _ path: String, expected: String = "text") -> String? {
    switch node.scalar {
    case .string(let text)?: return text
    case .null?, nil: wrongType(node, path, expected: expected)
    default:
      wrongType(node, path, expected: expected, advice: "put it in quotes if text is meant")
    }
    return nil
  }

  func integer(_ node: YAMLNode, _ path: String, _ range: ClosedRange<Int>) -> Int? {
    let expected =
      range.upperBound == .max
      ? "a whole number, at least \(range.lowerBound)"
      : "a whole number, \(range.lowerBound)…\(range.upperBound)"
    guard case .integer(let value)? = node.scalar else {
      wrongType(node, path, expected: expected)
      return nil
    }
    guard range.contains(value) else {
      add("bad value", path, at: node.position, expected: expected, got: "\(value)")
      return nil
    }
    return value
  }

  /// A number in a range; whole numbers count.
  func real(_ node: YAMLNode, _ path: String, _ range: ClosedRange<Double>) -> Double? {
    let expected = "a number, \(range.lowerBound)…\(range.upperBound)"
    let value: Double
    switch node.scalar {
    case .integer(let number)?: value = Double(number)
    case .real(let number)?: value = number
    default:
      wrongType(node, path, expected: expected)
      return nil
    }
    guard range.contains(value) else {
      add("bad value", path, at: node.position, expected: expected, got: "\(value)")
      return nil
    }
    return value
  }

  func flag(_ node: YAMLNode, _ path: String) -> Bool? {
    guard case .bool(let value)? = node.scalar else {
      wrongType(node, path, expected: "true or false")
      return nil
    }
    return value
  }

  /// One of a set of words.
  func word(_ node: YAMLNode, _ path: String, _ words: [String]) -> String? {
    let list = words.joined(separator: ", ")
    guard let text = text(node, path, expected: "one of: \(list)") else { return nil }
    guard words.contains(text) else {
      add(
        "unknown name '\(text)'", path, at: node.position, expected: "one of: \(list)",
        advice: Suggestion.didYouMean(text, words))
      return nil
    }
    return text
  }
}

/// A mapping whose keys must all be known.
struct Fields {
  let path: String
  let node: YAMLNode
  private let entries: [YAMLEntry]
  let problems: Problems

  /// Notes unknown keys at once; nil (noted) where `node` is not a mapping. A null counts as `{}`
  /// where `nullIsEmpty`: `weights:` with nothing behind it.
  init?(
    _ node: YAMLNode, _ path: String, keys: [String], expected: String? = nil,
    nullIsEmpty: Bool = false, _ problems: Problems
  ) {
    self.path = path
    self.node = node
    self.problems = problems
    if nullIsEmpty, node.isNull {
      entries = []
      return
    }
    guard let entries = node.entries else {
      problems.wrongType(
        node, path, expected: expected ?? "a mapping with keys of: \(keys.joined(separator: ", "))")
      return nil
    }
    self.entries = entries
    let known = Set(keys)
    let expected = "one of: \(keys.joined(separator: ", "))"
    for entry in entries where !known.contains(entry.key) {
      problems.add(
        "unknown key", keyPath(String(entry.key.prefix(200))), at: entry.keyPosition,
        expected: expected,
        advice: problems.hasRoom ? Suggestion.didYouMean(entry.key, keys) : nil)
    }
  }

  /// The value of `key`.
  subscript(key: String) -> YAMLNode? { entries.first { $0.key == key }?.value }

  /// The key path of `key` in this mapping.
  func keyPath(_ key: String) -> String {
    let written = key.contains(".") || key.contains(" ") ? "\"\(key)\"" : key
    return path.isEmpty ? written : "\(path).\(written)"
  }

  /// Notes that `key` is missing.
  func missing(_ key: String, expected: String, advice: String? = nil) {
    problems.add(
      "missing", keyPath(key), at: node.position, expected: expected, advice: advice)
  }

  func text(_ key: String) -> String? { self[key].flatMap { problems.text($0, keyPath(key)) } }

  func integer(_ key: String, _ range: ClosedRange<Int>) -> Int? {
    self[key].flatMap { problems.integer($0, keyPath(key), range) }
  }

  func flag(_ key: String) -> Bool? { self[key].flatMap { problems.flag($0, keyPath(key)) } }

  func word(_ key: String, _ words: [String]) -> String? {
    self[key].flatMap { problems.word($0, keyPath(key), words) }
  }
}
