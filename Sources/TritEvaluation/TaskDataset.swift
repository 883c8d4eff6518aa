import Foundation
import TritCore
import TritFormats
import TritStories

/// Multiple-choice questions, with what a record needs to say about them.
public struct TaskDataset: Sendable {
  /// What was asked for: a built-in name or a path.
  public let name: String
  /// The questions, in order.
  public let tasks: [MultipleChoiceTask]
  /// SHA-256 of the questions in the form of a file of them, 64 hex digits.
  public let digest: String
  /// Bytes of that form.
  public let byteCount: Int

  /// The built-in questions.
  public static let builtinName = "builtin:storyteller/tasks"
  /// How many of the built-in questions are taken where nobody says.
  public static let standardCount = 200

  /// Wraps questions. Throws `badData` for none.
  public init(name: String, tasks: [MultipleChoiceTask]) throws {
    guard !tasks.isEmpty else {
      throw LabError(.badData, "there are no questions", at: name, expected: "one a line")
    }
    self.name = name
    self.tasks = tasks
    let text = tasks.map { JSONWriter.text($0.document) + "\n" }.joined()
    digest = SHA256.hex(text)
    byteCount = text.utf8.count
  }

  /// Reads what `specification` names, at most `limit` questions of it:
  ///
  /// - `builtin:storyteller/tasks`: questions about the lab's own test stories, which no training
  ///   has seen; 200, or as many as `:N` behind the name or `limit` say;
  /// - a JSONL file: `{"context": "…", "choices": ["…", "…"], "answer": 0}` a line, with `"kind"`
  ///   where accuracy is to be told by kind. Choices are appended to the context as they are
  ///   written, with the space in front that belongs to them.
  ///
  /// Throws `missingInput` where there is nothing, `badData` with the line for what is no question.
  public static func load(_ specification: String, limit: Int? = nil) throws -> TaskDataset {
    if specification.hasPrefix("builtin:") { return try builtin(specification, limit) }
    guard FileKind(at: specification) != .absent else {
      throw LabError(
        .missingInput, "there are no such questions", at: specification,
        expected: "a JSONL file of questions, or \(builtinName)",
        advice: Suggestion.didYouMean(specification, [builtinName]) ?? "check the path")
    }
    let file = try MappedFile(specification, limit: .questions)
    var tasks: [MultipleChoiceTask] = []
    try file.span.withUnsafeBytes { bytes in
      if let foreign = ForeignFile(bytes) {
        throw foreign.error(at: specification, expected: "a JSONL file of questions")
      }
      guard limit ?? .max > 0 else { return }
      try JSONLine.forEach(of: bytes, at: specification) { value, place in
        tasks.append(try QuestionReader(value, place: place).task())
        return tasks.count < limit ?? .max
      }
    }
    return try TaskDataset(name: specification, tasks: tasks)
  }

  private static func builtin(_ specification: String, _ limit: Int?) throws -> TaskDataset {
    let parts = specification.split(separator: ":", omittingEmptySubsequences: false)
    let written = parts.count == 3 ? Int(parts[2]) : nil
    guard parts.prefix(2).joined(separator: ":") == builtinName, parts.count == 2 || written != nil,
      (1...1_000_000).contains(written ?? 1)
    else {
      throw LabError(
        .missingInput, "there are no such built-in questions", at: specification,
        expected: "\(builtinName), with :N for the first N questions",
        advice: Suggestion.didYouMean(specification, [builtinName]))
    }
    let count = min(written ?? limit ?? standardCount, limit ?? .max)
    return try TaskDataset(
      name: specification, tasks: StoryDataset.test.tasks(count).map { MultipleChoiceTask($0) })
  }
}

extension MultipleChoiceTask {
  /// The question as a line of a file holds it.
  var document: JSONValue {
    [
      "kind": .string(kind), "context": .string(context),
      "choices": JSONValue(choices), "answer": JSONValue(answer),
    ]
  }
}
