import TritCore
import TritFormats

/// A value in a JSON document with the way to it, so that every complaint names file and key path.
struct JSONField {
  let value: JSONValue
  let file: String
  let keyPath: String

  /// `file: key.path`.
  var place: String { keyPath.isEmpty ? file : "\(file): \(keyPath)" }

  /// The member `key`; nil where it is missing or null.
  subscript(key: String) -> JSONField? {
    guard let member = value[key], member != .null else { return nil }
    return JSONField(
      value: member, file: file, keyPath: keyPath.isEmpty ? key : "\(keyPath).\(key)")
  }

  /// The member `key`. Throws where it is missing or null.
  func required(_ key: String) throws -> JSONField {
    guard let member = self[key] else {
      throw LabError(.badData, "the key '\(key)' is missing", at: place)
    }
    return member
  }

  /// The string that this is.
  func string() throws -> String {
    guard let string = value.string else { throw wrongType("a string") }
    return string
  }

  /// The whole number that this is.
  func integer() throws -> Int {
    guard let integer = value.integer else { throw wrongType("a whole number") }
    return integer
  }

  /// The elements of the list that this is.
  func elements() throws -> [JSONField] {
    guard let array = value.array else { throw wrongType("a list") }
    return array.enumerated().map {
      JSONField(value: $1, file: file, keyPath: "\(keyPath)[\($0)]")
    }
  }

  /// The truth value `key`, or `fallback` where it is missing or null.
  func flag(_ key: String, default fallback: Bool = false) throws -> Bool {
    guard let field = self[key] else { return fallback }
    guard let bool = field.value.bool else { throw field.wrongType("true or false") }
    return bool
  }

  /// The `type` of a pipeline part.
  func type() throws -> String { try required("type").string() }

  /// The one of `cases` that the string `key` names.
  func choice<T: RawRepresentable & CaseIterable>(_ key: String, default fallback: T? = nil) throws
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
  func unsupported(_ what: String, known: String) -> LabError {
    LabError(
      .badData, "\(what) is not supported", at: place, expected: known,
      advice: "convert the tokenizer to one of these, or use a GGUF of the model")
  }

  private func wrongType(_ expected: String) -> LabError {
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
