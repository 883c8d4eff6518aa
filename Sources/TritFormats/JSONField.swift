package import TritCore

/// A value in a JSON document with the way to it, so that every complaint names file and key path.
package struct JSONField {
  package let value: JSONValue
  package let file: String
  package let keyPath: String

  /// A value, where it stands, and the way to it from the top of the document.
  package init(value: JSONValue, file: String, keyPath: String = "") {
    self.value = value
    self.file = file
    self.keyPath = keyPath
  }

  /// `file: key.path`.
  package var place: String { keyPath.isEmpty ? file : "\(file): \(keyPath)" }

  /// The member `key`; nil where it is missing or null.
  package subscript(key: String) -> JSONField? {
    guard let member = value[key], member != .null else { return nil }
    return JSONField(
      value: member, file: file, keyPath: keyPath.isEmpty ? key : "\(keyPath).\(key)")
  }

  /// The member `key`. Throws where it is missing or null.
  package func required(_ key: String) throws -> JSONField {
    guard let member = self[key] else {
      throw LabError(.badData, "the key '\(key)' is missing", at: place)
    }
    return member
  }

  /// Whether the member `key` is missing, null or there: three things.
  package func presence(of key: String) -> JSONPresence {
    guard let member = value[key] else { return .absent }
    return member == .null ? .null : .present
  }

  /// The member `key` of a document whose reader has no meaning for null there; nil where it is
  /// missing. Throws where it is null.
  package func notNull(_ key: String) throws -> JSONField? {
    if presence(of: key) == .null {
      throw LabError(
        .badData, "the key is null", at: child(key), expected: "a value, or no key at all",
        got: "null")
    }
    return self[key]
  }

  private func child(_ key: String) -> String {
    "\(file): \(keyPath.isEmpty ? key : "\(keyPath).\(key)")"
  }

  /// The object that this is.
  package func object() throws -> JSONField {
    guard value.object != nil else { throw wrongType("an object") }
    return self
  }

  /// The number that this is, finite.
  package func number() throws -> Double {
    guard let number = value.double, number.isFinite else { throw wrongType("a number") }
    return number
  }

  /// The number that this is, finite and above 0.
  package func positive() throws -> Double {
    let number = try number()
    guard number > 0 else { throw wrongType("a number above 0") }
    return number
  }

  /// The whole number that this is, in `range`.
  package func integer(in range: ClosedRange<Int>) throws -> Int {
    let number = try integer()
    guard range.contains(number) else {
      throw LabError(
        .badData, "the number is out of range", at: place,
        expected: "\(range.lowerBound)…\(range.upperBound)", got: "\(number)")
    }
    return number
  }

  /// The truth value that this is.
  package func bool() throws -> Bool {
    guard let bool = value.bool else { throw wrongType("true or false") }
    return bool
  }

  /// The string that this is.
  package func string() throws -> String {
    guard let string = value.string else { throw wrongType("a string") }
    return string
  }

  /// The whole number that this is.
  package func integer() throws -> Int {
    guard let integer = value.integer else { throw wrongType("a whole number") }
    return integer
  }

  /// The elements of the list that this is. Throws for more than `most`: each carries the way to
  /// it, which in a deep document is longer than what it holds.
  package func elements(atMost most: Int = .max) throws -> [JSONField] {
    guard let array = value.array else { throw wrongType("a list") }
    guard array.count <= most else {
      throw LabError(
        .badData, "the list is too long", at: place, expected: "at most \(most) elements",
        got: "\(array.count)")
    }
    return array.enumerated().map {
      JSONField(value: $1, file: file, keyPath: "\(keyPath)[\($0)]")
    }
  }

  /// The truth value `key`, or `fallback` where it is missing or null.
  package func flag(_ key: String, default fallback: Bool = false) throws -> Bool {
    guard let field = self[key] else { return fallback }
    guard let bool = field.value.bool else { throw field.wrongType("true or false") }
    return bool
  }

  /// The `type` of a pipeline part.
  package func type() throws -> String { try required("type").string() }

  /// The one of `cases` that the string `key` names.
  package func choice<T: RawRepresentable & CaseIterable>(_ key: String, default fallback: T? = nil)
    throws
    -> T where T.RawValue == String
  {
    if self[key] == nil, let fallback { return fallback }
    let field = try required(key)
    let name = try field.string()
    guard let value = T(rawValue: name) else {
      throw LabError(
        .badData, "unknown value '\(name)'", at: field.place,
        expected: T.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return value
  }

  /// An error: this part of the pipeline is one that we do not have.
  package func unsupported(_ what: String, known: String) -> LabError {
    LabError(
      .badData, "\(what) is not supported", at: place, expected: known,
      advice: "convert the tokenizer to one of these, or use a GGUF of the model")
  }

  package func wrongType(_ expected: String) -> LabError {
    let got =
      switch value {
      case .null: "null"
      case .bool: "true or false"
      case .number(let text): "the number \(text.prefix(40))"
      case .string(let text): "the string '\(text.prefix(40))'"
      case .array: "a list"
      case .object: "an object"
      }
    return LabError(.badData, "wrong type", at: place, expected: expected, got: got)
  }
}

/// What a document says of a key.
package enum JSONPresence {
  /// There is no such key.
  case absent
  /// Its value is null.
  case null
  /// It has a value.
  case present
}
