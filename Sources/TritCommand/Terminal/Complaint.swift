import Foundation
import TritLab

/// An error on its way out: what is said, and how the process ends.
struct Complaint {
  private let lines: [String]
  private let exitCode: Int32
  /// What is wrong, part by part; more than one where problems of an input are told together.
  private let problems: [LabError]
  /// Problems that were found and not kept.
  private var omitted = 0

  /// Finds words and exit code for any error.
  init(_ error: any Error) {
    switch error {
    case let error as UsageError:
      lines = error.lines
      problems = [error.problem]
    case let error as LabError:
      lines = [error.description]
      problems = [error]
    case let error as LabErrors:
      lines = [error.description]
      problems = error.problems
      omitted = error.omitted
    case let error as OutputError:
      let problem = LabError(
        .cannotCreate, "cannot write to standard output: \(error.reason)")
      lines = [problem.what]
      problems = [problem]
    default:
      lines = [error.localizedDescription]
      problems = [LabError(.failure, error.localizedDescription)]
    }
    exitCode = problems.first?.exitCode ?? LabError.Kind.failure.rawValue
  }

  /// Prints `trit: error: …` and gives the exit code. Nothing was wrong with an interruption, so it
  /// is only said. With `json` the same follows for programs, as the last line.
  func report(style: Style, json: Bool) -> Int32 {
    let isInterruption = problems.first?.kind == .interrupted
    let head = isInterruption ? "trit: " : "trit: " + style.red("error:") + " "
    Terminal.note(head + lines.joined(separator: "\n"))
    if json { Terminal.note(JSONWriter.text(document)) }
    return exitCode
  }

  /// The line for programs of an error that ends the process where nobody can report it.
  static func line(_ error: LabError, exitCode: Int32) -> String {
    JSONWriter.text(document([error], omitted: 0, exitCode: exitCode))
  }

  private var document: JSONValue {
    Self.document(problems, omitted: omitted, exitCode: exitCode)
  }

  /// `error` is the first of `errors`, as most lines have one.
  private static func document(_ problems: [LabError], omitted: Int, exitCode: Int32) -> JSONValue {
    let all = problems.map { document($0) }
    return [
      "error": all.first ?? .null, "errors": .array(all), "omitted": JSONValue(omitted),
      "exit_code": JSONValue(exitCode),
    ]
  }

  private static func document(_ error: LabError) -> JSONValue {
    func text(_ part: String?) -> JSONValue { part.map(JSONValue.string) ?? .null }
    return [
      "kind": .string(word(error.kind)), "code": .string(error.code.rawValue),
      "what": .string(error.what), "place": text(error.place), "expected": text(error.expected),
      "got": text(error.got), "advice": text(error.advice),
    ]
  }

  /// The kind as programs read it.
  private static func word(_ kind: LabError.Kind) -> String {
    switch kind {
    case .failure: "failure"
    case .verdict: "verdict"
    case .usage: "usage"
    case .badData: "bad_data"
    case .missingInput: "missing_input"
    case .internalError: "internal_error"
    case .cannotCreate: "cannot_create"
    case .interrupted: "interrupted"
    }
  }
}
