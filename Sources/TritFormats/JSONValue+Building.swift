// Building documents in code. Literals work: `["name": "run", "seed": 7, "shape": [2, 3]]`.

extension JSONValue {
  /// A whole number.
  public init(_ value: some BinaryInteger) { self = .number(String(value)) }

  /// A number in its shortest exact form. JSON has no infinities and no NaN (RFC 8259, §6): those
  /// become `null`, since a string where readers expect a number breaks them later and elsewhere.
  /// Whoever writes such a figure says beside it why there is none.
  public init(_ value: Double) {
    self = value.isFinite ? .number(value.description) : .null
  }

  /// A number in its shortest exact form as float32, `null` for what is not finite.
  public init(_ value: Float) {
    self = value.isFinite ? .number(value.description) : .null
  }

  /// A string.
  public init(_ value: some StringProtocol) { self = .string(String(value)) }

  /// A truth value.
  public init(_ value: Bool) { self = .bool(value) }

  /// A list of strings.
  public init(_ values: [String]) { self = .array(values.map { .string($0) }) }

  /// A list of whole numbers.
  public init(_ values: [Int]) { self = .array(values.map { JSONValue($0) }) }

  /// A list of numbers.
  public init(_ values: [Double]) { self = .array(values.map { JSONValue($0) }) }

  /// A list of numbers.
  public init(_ values: [Float]) { self = .array(values.map { JSONValue($0) }) }

  /// The value, or `null`.
  public init(_ value: JSONValue?) { self = value ?? .null }
}

extension JSONValue {
  /// An object with the member `key`, in the place that it had or at the end; without it for nil.
  /// Another value counts as an object without members.
  public func setting(_ key: String, _ value: JSONValue?) -> JSONValue {
    var members = object ?? []
    let index = members.firstIndex { $0.key == key }
    switch (index, value) {
    case (let index?, let value?): members[index].value = value
    case (let index?, nil): members.remove(at: index)
    case (nil, let value?): members.append((key, value))
    case (nil, nil): break
    }
    return .object(members)
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  /// A string.
  public init(stringLiteral value: String) { self = .string(value) }
  /// A whole number.
  public init(integerLiteral value: Int) { self.init(value) }
  /// A number.
  public init(floatLiteral value: Double) { self.init(value) }
  /// A truth value.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// `null`.
  public init(nilLiteral: ()) { self = .null }
  /// A list.
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  /// An object in the order written; keys must be unique.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(elements.map { (key: $0.0, value: $0.1) })
  }
}
