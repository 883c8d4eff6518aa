import Testing
import TritLab
import _TritTestSupport

/// Each fault of a question has a text of its own, with `file:line` and the key.
@Suite struct QuestionFaultTests {
  /// The line, what is wrong, the key that the place ends with, and a word of the rest of the
  /// message.
  static let faults: [(line: String, what: String, key: String, word: String)] = [
    (
      #"{"context": "x", "choices": [" a", ""], "answer": 0}"#, "the choice is empty", "choices[1]",
      "space"
    ),
    (
      #"{"context": "x", "choices": [" a"], "answer": 0}"#, "nothing to choose from", "choices",
      "got: 1"
    ),
    (
      #"{"context": "x", "choices": [" a", " b"], "answer": 2}"#, "no choice of that number",
      "answer", "counted from 0"
    ),
    (
      #"{"context": "x", "choices": [" a", " b"], "answer": -1}"#, "no choice of that number",
      "answer", "got: -1"
    ),
    (
      #"{"context": "x", "choices": [" a", " b"], "answer": " a"}"#, "the answer is the text ' a'",
      "answer", "by its place"
    ),
    (
      #"{"context": "x", "choices": [" a", " b"], "answer": 0.5}"#, "the answer is the number 0.5",
      "answer", "0…1"
    ),
    (
      #"{"context": "x", "choices": [" a", " a"], "answer": 0}"#, "the same as choices[0]",
      "choices[1]", "differ"
    ),
    (
      #"{"context": "x", "choices": [" a", 7], "answer": 0}"#, "the number 7 where a text must be",
      "choices[1]", "quotes"
    ),
    (
      #"{"context": "x", "choices": " a", "answer": 0}"#,
      "the choices are the text ' a', not a list", "choices", "two texts"
    ),
    (
      #"{"context": "", "choices": [" a", " b"], "answer": 0}"#, "the context is empty", "context",
      "go on from"
    ),
    (
      #"{"context": 3, "choices": [" a", " b"], "answer": 0}"#, "the number 3 where a text must be",
      "context", "quotes"
    ),
    (
      #"{"context": "x", "choices": [" a", " b"], "answer": 0, "kind": 1}"#,
      "the number 1 where a text must be", "kind", "quotes"
    ),
  ]

  private func error(_ lines: String) throws -> LabError? {
    let folder = try TemporaryFolder("questions")
    let path = try folder.write(lines, to: "q.jsonl")
    do {
      _ = try TaskDataset.load(path)
      return nil
    } catch { return error as? LabError }
  }

  private static let good = #"{"context": "x", "choices": [" a", " b"], "answer": 1}"# + "\n"

  @Test(arguments: faults.map(\.line)) func isNamed(line: String) throws {
    let fault = try #require(Self.faults.first { $0.line == line })
    let error = try error(Self.good + "\n" + line + "\n" + Self.good)
    #expect(
      error?.kind == .badData && error?.place?.hasSuffix("q.jsonl:3: \(fault.key)") == true,
      "\(error as Any)")
    #expect(error?.what.contains(fault.what) == true, "\(error as Any)")
    #expect(error?.description.contains(fault.word) == true, "\(error as Any)")
  }

  @Test func noTwoFaultsHaveOneText() throws {
    let texts = try Self.faults.map { fault in
      try error(fault.line).map {
        "\($0.what) \($0.place?.split(separator: ":").last ?? "") \($0.got ?? "")"
      } ?? ""
    }
    #expect(Set(texts).count == texts.count)
  }

  @Test func missingKeysAreNamed() throws {
    let missing = try error(#"{"query": "x", "choices": [" a", " b"], "gold": 0}"#)
    #expect(
      missing?.what == "the key 'context' is missing"
        && missing?.place?.hasSuffix("q.jsonl:1") == true)
    #expect(missing?.got == "keys query, choices, gold")
    let near = try error(#"{"context": "x", "choises": [" a", " b"], "answer": 0}"#)
    #expect(
      near?.what == "the key 'choices' is missing" && near?.advice == "did you mean 'choises'?")
    #expect(
      try error(#"{"context": null, "choices": [" a"], "answer": 0}"#)?.what
        == "the key 'context' is null")
    #expect(try error("{}")?.got == "an empty object")
    #expect(try error("[1]")?.what.contains("it is a list, not an object") == true)
  }

  @Test func brokenJSONKeepsItsColumn() throws {
    let broken = try error(Self.good + #"{"context": "x", choices: []}"#)
    #expect(broken?.place?.hasSuffix("q.jsonl:2:18") == true, "\(broken as Any)")
    #expect(broken?.what == "an object needs a key here" && broken?.advice != nil)
  }

  @Test(.enabled(if: SharedData.isPresent)) func theCasesOfTheIssue() throws {
    let empty = try #require(SharedData.path("cases/mc4.jsonl"))
    let error = #expect(throws: LabError.self) { try TaskDataset.load(empty) }
    #expect(error?.place == "\(empty):1: choices[1]")
    #expect(error?.what.contains("the choice is empty") == true)
    #expect(try TaskDataset.load(try #require(SharedData.path("cases/mc1.jsonl"))).tasks.count == 1)
  }
}
