import TritCore
import TritFormats

/// Reads the fields of one record; each fault has a message of its own with `file:line: field`.
struct RecordFields {
  let record: TaskRecord
  /// Where a nested object lies: `choices.`.
  private let path: String
  private let value: JSONValue

  init(_ record: TaskRecord) {
    self.record = record
    value = record.value
    path = ""
  }

  private init(_ record: TaskRecord, _ value: JSONValue, _ path: String) {
    self.record = record
    self.value = value
    self.path = path
  }

  /// A text.
  func string(_ key: String) throws -> String {
    let field = try required(key)
    guard let text = field.string else {
      throw fault(
        key, "\(field.inWords) where a text must be", expected: "text in double quotes")
    }
    return text
  }

  /// A whole number.
  func integer(_ key: String, in range: Range<Int>, meaning: String) throws -> Int {
    let field = try required(key)
    guard let number = field.integer else {
      throw fault(
        key, "\(field.inWords) where \(meaning) must be",
        expected: "a whole number, \(range.lowerBound)…\(range.upperBound - 1)")
    }
    return try checked(number, key, in: range, meaning: meaning)
  }

  /// A whole number written as a text, `"3"`, or as a number.
  func digits(_ key: String, in range: Range<Int>, meaning: String) throws -> Int {
    let field = try required(key)
    let text = field.string.map(PythonText.stripped)
    guard let number = field.integer ?? text.flatMap({ Int($0) }) else {
      throw fault(
        key, "\(field.inWords) where \(meaning) must be",
        expected: "a whole number as text, \"\(range.lowerBound)\" to \"\(range.upperBound - 1)\"",
        advice: text == "" ? Self.unlabelled : nil)
    }
    return try checked(number, key, in: range, meaning: meaning)
  }

  /// A list of texts, `count` of them where it is given.
  func strings(_ key: String, count: Int? = nil) throws -> [String] {
    let field = try required(key)
    guard let list = field.array else {
      throw fault(
        key, "\(field.inWords) where a list of texts must be", expected: "[\"…\", \"…\"]")
    }
    guard count.map({ $0 == list.count }) ?? (list.count >= 2) else {
      throw fault(
        key, "the list has another length", expected: count.map { "\($0) texts" } ?? "two or more",
        got: "\(list.count)")
    }
    return try list.enumerated().map { index, element in
      guard let text = element.string else {
        throw fault(
          "\(key)[\(index)]", "\(element.inWords) where a text must be",
          expected: "text in double quotes")
      }
      return text
    }
  }

  /// A nested object.
  func object(_ key: String) throws -> RecordFields {
    let field = try required(key)
    guard field.object != nil else {
      throw fault(
        key, "\(field.inWords) where an object must be", expected: "{\"text\": […], \"label\": […]}"
      )
    }
    return RecordFields(record, field, path + key + ".")
  }

  /// An error about a field.
  func fault(
    _ key: String, _ what: String, expected: String, got: String? = nil, advice: String? = nil
  ) -> LabError {
    LabError(
      .badData, what, at: "\(record.place): \(path)\(key)", expected: expected, got: got,
      advice: advice)
  }

  /// What to do about a label that says nothing.
  static let unlabelled =
    "splits whose answers are not published cannot be scored: use the split that the task names"

  private func checked(
    _ number: Int, _ key: String, in range: Range<Int>, meaning: String
  ) throws -> Int {
    guard range.contains(number) else {
      throw fault(
        key, "\(meaning) lies outside the choices",
        expected: "\(range.lowerBound)…\(range.upperBound - 1)", got: "\(number)",
        advice: number == -1 ? Self.unlabelled : nil)
    }
    return number
  }

  private func required(_ key: String) throws -> JSONValue {
    guard let members = value.object else {
      throw LabError(
        .badData, "the line is no record: it is \(value.inWords), not an object", at: record.place,
        expected: "a JSON object with the fields of the data set")
    }
    if let field = value[key], field != .null { return field }
    let present = members.map(\.key)
    throw LabError(
      .badData,
      present.contains(key)
        ? "the field '\(path)\(key)' is null" : "the field '\(path)\(key)' is missing",
      at: record.place, expected: "the fields of the data set, '\(path)\(key)' among them",
      got: present.isEmpty
        ? "an empty object"
        : "fields " + present.prefix(8).map { String($0.prefix(40)) }.joined(separator: ", ")
          + (present.count > 8 ? ", …" : ""),
      advice: Suggestion.didYouMean(key, present)
        ?? "check that the file is of the data set that the task names")
  }
}

extension JSONValue {
  /// What it is, for messages.
  var inWords: String {
    switch self {
    case .null: "null"
    case .bool(let flag): "\(flag)"
    case .number(let text): "the number \(text.prefix(40))"
    case .string(let text): "the text '\(text.prefix(40))'"
    case .array: "a list"
    case .object: "an object"
    }
  }
}
