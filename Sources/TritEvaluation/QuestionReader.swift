import TritCore
import TritFormats

/// A line of a JSONL file.
enum JSONLine {
  /// The document in `row`, the line at `place` (`file:line`). Throws `badData` with line and
  /// column.
  static func read(_ row: UnsafeRawBufferPointer, at place: String) throws -> JSONValue {
    do {
      return try JSONReader.read(row, path: place)
    } catch var error as LabError {
      // The reader counts lines within the row that it was given, which has one: its column stays.
      let column = (error.place ?? "").split(separator: ":").last.map(String.init) ?? "1"
      error.place = "\(place):\(column)"
      error.advice = error.advice ?? "each line is a JSON document of its own"
      throw error
    }
  }

  /// Gives `body` every line of `bytes` that is not blank, as its range and its number from 1, until
  /// it says no.
  static func forEachRow(
    of bytes: UnsafeRawBufferPointer, _ body: (_ range: Range<Int>, _ number: Int) throws -> Bool
  ) rethrows {
    var start = 0
    var number = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      let range = start..<end
      start = end + 1
      number += 1
      if bytes[range].allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
      guard try body(range, number) else { return }
    }
  }

  /// Gives `body` the document of every line of the file at `path` that is not blank, with its
  /// place. Throws `badData` for a line that is too long or no JSON.
  static func forEach(
    of bytes: UnsafeRawBufferPointer, at path: String,
    _ body: (_ value: JSONValue, _ place: String) throws -> Bool
  ) throws {
    try forEachRow(of: bytes) { range, number in
      let place = "\(path):\(number)"
      try FileLimit.line.check(range.count, at: place)
      return try body(read(UnsafeRawBufferPointer(rebasing: bytes[range]), at: place), place)
    }
  }
}

/// Reads one multiple-choice question; each fault has a message of its own, with the key that it is
/// in.
struct QuestionReader {
  let value: JSONValue
  /// `file:line`.
  let place: String

  private static let form =
    "{\"context\": \"…\", \"choices\": [\"…\", \"…\"], \"answer\": 0}"
  private static let keys = ["context", "choices", "answer", "kind"]

  init(_ value: JSONValue, place: String) {
    self.value = value
    self.place = place
  }

  /// The question. Throws `badData` with `file:line: key` for the first thing that is wrong.
  func task() throws -> MultipleChoiceTask {
    guard value.object != nil else {
      throw LabError(
        .badData, "the line is no question: it is \(value.inWords), not an object", at: place,
        expected: Self.form)
    }
    let context = try string("context", required("context"))
    guard !context.isEmpty else {
      throw fault(
        "context", "the context is empty", expected: "the text that the choices go on from",
        advice: "put what every choice begins with into the context")
    }
    let choices = try self.choices()
    let answer = try self.answer(of: choices.count)
    let kind = try value["kind"].map { try string("kind", $0) } ?? "all"
    return MultipleChoiceTask(kind: kind, context: context, choices: choices, answer: answer)
  }

  private func choices() throws -> [String] {
    let field = try required("choices")
    guard let list = field.array else {
      throw fault(
        "choices", "the choices are \(field.inWords), not a list",
        expected: "[\"…\", \"…\"]: two texts or more")
    }
    guard list.count >= 2 else {
      throw fault(
        "choices", "there is nothing to choose from", expected: "two choices or more",
        got: "\(list.count)")
    }
    var seen: [ExactString: Int] = [:]
    return try list.enumerated().map { index, element in
      let key = "choices[\(index)]"
      let text = try string(key, element)
      guard !text.isEmpty else {
        throw fault(
          key, "the choice is empty: no token of it could be scored",
          expected: "a text, with the space in front that belongs to it")
      }
      if let first = seen.updateValue(index, forKey: ExactString(text)) {
        throw fault(
          key, "the choice is the same as choices[\(first)]", expected: "choices that differ",
          got: "'\(text.prefix(60))'")
      }
      return text
    }
  }

  private func answer(of count: Int) throws -> Int {
    let field = try required("answer")
    let expected = "the number of the right choice, from 0: 0…\(count - 1)"
    guard let answer = field.integer else {
      throw fault(
        "answer", "the answer is \(field.inWords), not a whole number", expected: expected,
        advice: field.string == nil
          ? nil : "name the choice by its place in the list, not by its text")
    }
    guard (0..<count).contains(answer) else {
      throw fault(
        "answer", "there is no choice of that number", expected: expected, got: "\(answer)",
        advice: answer == count ? "choices are counted from 0" : nil)
    }
    return answer
  }

  private func required(_ key: String) throws -> JSONValue {
    if let field = value[key], field != .null { return field }
    let present = value.object?.map(\.key) ?? []
    let others = present.filter { !Self.keys.contains($0) }
    throw LabError(
      .badData,
      present.contains(key) ? "the key '\(key)' is null" : "the key '\(key)' is missing", at: place,
      expected: Self.form,
      got: present.isEmpty
        ? "an empty object"
        : "keys " + present.prefix(8).map { String($0.prefix(40)) }.joined(separator: ", ")
          + (present.count > 8 ? ", …" : ""),
      advice: Suggestion.didYouMean(key, others))
  }

  private func string(_ key: String, _ value: JSONValue) throws -> String {
    guard let text = value.string else {
      throw fault(
        key, "\(value.inWords) where a text must be", expected: "text in double quotes")
    }
    return text
  }

  private func fault(
    _ key: String, _ what: String, expected: String, got: String? = nil, advice: String? = nil
  ) -> LabError {
    LabError(
      .badData, what, at: "\(place): \(key)", expected: expected, got: got, advice: advice)
  }
}
