import Foundation
import TritLab

/// An error on its way out: what is said, and how the process ends.
struct Complaint {
  private let lines: [String]
  private let exitCode: Int32
  private var isInterruption = false

  /// Finds words and exit code for any error.
  init(_ error: any Error) {
    switch error {
    case let error as UsageError:
      lines = error.lines
      exitCode = LabError.Kind.usage.rawValue
    case let error as LabError:
      lines = [error.description]
      exitCode = error.exitCode
      isInterruption = error.kind == .interrupted
    case let error as LabErrors:
      lines = [error.description]
      exitCode = error.exitCode
    case let error as OutputError:
      lines = ["cannot write to standard output: \(error.reason)"]
      exitCode = LabError.Kind.failure.rawValue
    default:
      lines = [error.localizedDescription]
      exitCode = LabError.Kind.failure.rawValue
    }
  }

  /// Prints `trit: error: …` and gives the exit code. Nothing was wrong with an interruption, so it
  /// is only said.
  func report(style: Style) -> Int32 {
    let head = isInterruption ? "trit: " : "trit: " + style.red("error:") + " "
    Terminal.note(head + lines.joined(separator: "\n"))
    return exitCode
  }
}
