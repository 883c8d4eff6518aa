/// Where a piece of an experiment was written: a place in a file, or a `--set` on the command line.
public enum SourcePosition: Sendable, Hashable, CustomStringConvertible {
  /// A file (as the user named it) with line and column, both from 1; columns count characters.
  case file(String, line: Int, column: Int)
  /// An override, as its key path: `measure.speed.tokens`.
  case override(String)

  /// `file:line:column`, or `--set a.b`.
  public var description: String {
    switch self {
    case .file(let name, let line, let column): "\(name):\(line):\(column)"
    case .override(let path): "--set \(path)"
    }
  }
}

/// A YAML document with the position of every key and value, so that a message can point at it.
public struct YAMLNode: Sendable {
  /// What a node holds.
  public indirect enum Content: Sendable {
    /// Text; `plain` where it was written without quotes and so may be a number, a truth value or
    /// null.
    case scalar(String, plain: Bool)
    /// A list.
    case sequence([YAMLNode])
    /// Keys and values in the order of the file; keys are unique.
    case mapping([YAMLEntry])
  }

  /// What it holds.
  public var content: Content
  /// Where it begins.
  public var position: SourcePosition

  /// Makes a node.
  public init(_ content: Content, at position: SourcePosition) {
    self.content = content
    self.position = position
  }

  /// The value of `key`, if this is a mapping that has it.
  public subscript(key: String) -> YAMLNode? { entries?.first { $0.key == key }?.value }

  /// The keys and values, if this is a mapping.
  public var entries: [YAMLEntry]? { if case .mapping(let list) = content { list } else { nil } }

  /// The elements, if this is a list.
  public var elements: [YAMLNode]? { if case .sequence(let list) = content { list } else { nil } }

  /// The text of a scalar as it was written, quotes removed.
  public var text: String? { if case .scalar(let text, _) = content { text } else { nil } }
}

/// A key of a mapping with its value.
public struct YAMLEntry: Sendable {
  /// The key.
  public var key: String
  /// Where the key stands.
  public var keyPosition: SourcePosition
  /// The value.
  public var value: YAMLNode

  /// Makes an entry.
  public init(_ key: String, at keyPosition: SourcePosition, _ value: YAMLNode) {
    self.key = key
    self.keyPosition = keyPosition
    self.value = value
  }
}

/// What a scalar means by the core schema of YAML 1.2 (§10.3.2): `no`, `off`, `12:30` are strings,
/// which the older YAML 1.1 made booleans and numbers.
public enum YAMLScalar: Sendable, Equatable {
  /// `null`, `~` or nothing.
  case null
  /// `true`, `false`.
  case bool(Bool)
  /// A whole number: decimal, `0x`, `0o`.
  case integer(Int)
  /// A real number.
  case real(Double)
  /// Everything else, and everything in quotes.
  case string(String)

  /// Resolves a scalar's text.
  public init(_ text: String, plain: Bool) {
    guard plain else {
      self = .string(text)
      return
    }
    switch text {
    case "", "~", "null", "Null", "NULL": self = .null
    case "true", "True", "TRUE": self = .bool(true)
    case "false", "False", "FALSE": self = .bool(false)
    case ".nan", ".NaN", ".NAN": self = .real(.nan)
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": self = .real(.infinity)
    case "-.inf", "-.Inf", "-.INF": self = .real(-.infinity)
    default: self = Self.number(text) ?? .string(text)
    }
  }

  /// `text` as a number, if its form is one: Swift's own readers take more (`nan`, hex floats).
  private static func number(_ text: String) -> YAMLScalar? {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] where text.hasPrefix(prefix) {
      return Int(text.dropFirst(2), radix: radix).map(YAMLScalar.integer)
    }
    var digits = 0
    var isReal = false
    var before: UInt8?
    for character in text.utf8 {
      defer { before = character }
      switch character {
      case 0x30...0x39: digits += 1
      case 0x2B, 0x2D: guard before == nil || before == 0x65 || before == 0x45 else { return nil }
      case 0x2E: isReal = true
      case 0x65, 0x45:
        guard digits > 0 else { return nil }
        isReal = true
      default: return nil
      }
    }
    guard digits > 0 else { return nil }
    if !isReal, let integer = Int(text) { return .integer(integer) }
    return Double(text).map(YAMLScalar.real)
  }

  /// What it is, in words: `integer 12`, `string "no"`.
  public var kindText: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .integer(let value): "integer \(value)"
    case .real(let value): "number \(value)"
    case .string(let text): "string \"\(text.count > 60 ? text.prefix(57) + "…" : text[...])\""
    }
  }
}

extension YAMLNode {
  /// What a scalar means; nil for lists and mappings.
  public var scalar: YAMLScalar? {
    if case .scalar(let text, let plain) = content { YAMLScalar(text, plain: plain) } else { nil }
  }

  /// Whether this is an unquoted null or nothing at all.
  public var isNull: Bool { scalar == .null }

  /// What it is, in words, for messages.
  public var kindText: String {
    switch content {
    case .scalar(let text, let plain): YAMLScalar(text, plain: plain).kindText
    case .sequence(let list): "a list of \(list.count)"
    case .mapping(let list): "a mapping of \(list.count) keys"
    }
  }
}
