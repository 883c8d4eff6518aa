/// A JSON document as it was written: keys in order, numbers as text until somebody asks.
///
/// Read by `JSONReader`, which reports line and column, rejects duplicate keys and bounds the
/// depth: the headers of model files are a security surface, and Foundation's reader does neither.
public enum JSONValue: Sendable, Equatable {
  /// `null`.
  case null
  /// `true`, `false`.
  case bool(Bool)
  /// A number, as its source text.
  case number(String)
  /// A string, unescaped.
  case string(String)
  /// A list.
  case array([JSONValue])
  /// An object in source order; keys are unique.
  case object([(key: String, value: JSONValue)])

  /// Equal documents: same kinds, same values, objects in the same order.
  public static func == (a: JSONValue, b: JSONValue) -> Bool {
    switch (a, b) {
    case (.null, .null): true
    case (.bool(let x), .bool(let y)): x == y
    case (.number(let x), .number(let y)): x == y
    case (.string(let x), .string(let y)): x == y
    case (.array(let x), .array(let y)): x == y
    case (.object(let x), .object(let y)):
      x.count == y.count && zip(x, y).allSatisfy { $0.key == $1.key && $0.value == $1.value }
    default: false
    }
  }

  /// The value of `key`, if this is an object that has it. Linear: make a dictionary for many
  /// look-ups.
  public subscript(key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  /// The string, if this is one.
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  /// The whole number, if this is one that fits.
  public var integer: Int? { if case .number(let text) = self { Int(text) } else { nil } }
  /// The number, if this is one.
  public var double: Double? { if case .number(let text) = self { Double(text) } else { nil } }
  /// The truth value, if this is one.
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The elements, if this is a list.
  public var array: [JSONValue]? { if case .array(let values) = self { values } else { nil } }
  /// The members, if this is an object.
  public var object: [(key: String, value: JSONValue)]? {
    if case .object(let members) = self { members } else { nil }
  }
}
