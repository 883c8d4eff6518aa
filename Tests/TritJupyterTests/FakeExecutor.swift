import Foundation
import Synchronization
import TritDrawing
import TritNotebook

/// Runs a language of its own, one word a line, so that a test decides what a cell gives and when
/// it ends.
final class FakeExecutor: CellExecutor {
  /// A cell that was run, and what it was called.
  struct Ran: Equatable {
    var cell: NotebookCell
    var file: String
  }

  private let state = Mutex((ran: [Ran](), isInterrupted: false, isEnded: false))

  var ran: [Ran] { state.withLock { $0.ran } }
  var isEnded: Bool { state.withLock { $0.isEnded } }

  func run(
    _ cell: NotebookCell, file: String, emit: @escaping @Sendable (CellOutput) -> Void
  ) -> CellFailure? {
    state.withLock {
      $0.ran.append(Ran(cell: cell, file: file))
      $0.isInterrupted = false
    }
    for line in cell.text.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 1).map(String.init)
      let rest = words.count > 1 ? words[1] : ""
      switch words[0] {
      case "print": emit(.stream(.stdout, rest + "\n"))
      case "complain": emit(.stream(.stderr, rest + "\n"))
      case "lines": for line in 0..<(Int(rest) ?? 0) { emit(.stream(.stdout, "line \(line)\n")) }
      case "block": emit(.stream(.stdout, String(repeating: "x", count: Int(rest) ?? 0)))
      case "value": emit(.result(DisplayData(plain: rest)))
      case "json": emit(.result(DisplayData(plain: "document", [.json: rest])))
      case "show": emit(.display(DisplayData(plain: rest, [.markdown: "**\(rest)**"]), id: "d1"))
      case "progress":
        for step in 0..<(Int(rest) ?? 0) { emit(.update(DisplayData(plain: "\(step)"), id: "d1")) }
      case "wait":
        while !state.withLock({ $0.isInterrupted || $0.isEnded }) { usleep(2000) }
        return fail(
          CellFailure(.interrupted, name: "Interrupted", message: "the cell was interrupted"), emit)
      default:
        return fail(
          CellFailure(
            .thrown, name: "NoWord", message: "no word\n  expected: another", place: "\(file):1"),
          emit)
      }
    }
    return nil
  }

  private func fail(
    _ failure: CellFailure, _ emit: @Sendable (CellOutput) -> Void
  ) -> CellFailure {
    emit(.failure(failure))
    return failure
  }

  func interrupt() { state.withLock { $0.isInterrupted = true } }
  func end() { state.withLock { $0.isEnded = true } }

  func completions(
    of text: String, in language: CellLanguage, at offset: Int
  ) -> CellCompletions {
    CellCompletions(matches: ["word", "work"], range: max(0, offset - 2)..<offset)
  }

  func inspection(of text: String, in language: CellLanguage, at offset: Int) -> String? {
    offset == 0 ? nil : "**\(String(text.unicodeScalars.prefix(offset)))**"
  }

  func completeness(of text: String) -> CellCompleteness {
    text.hasSuffix("{") ? .incomplete(indent: "  ") : text == "]" ? .invalid : .complete
  }
}
