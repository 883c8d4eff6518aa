import Foundation
public import TritCore
import TritDrawing

/// Runs the cells of a notebook, one after the other.
public struct NotebookRun {
  /// What a run tells whoever watches it.
  public enum Event: Sendable {
    /// A cell begins.
    case started(NotebookCell)
    /// It gave something.
    case gave(NotebookCell, CellOutput)
    /// It has ended.
    case ended(ExecutedCell)
    /// A word of the prose is not the value that it stands for.
    case stale(word: String, value: String, place: String)
  }

  /// How cells are treated.
  public struct Options: Sendable {
    /// Whether cells go on after one that failed and should not have.
    public var keepsGoing = false
    /// Why cells marked `large` are skipped; nil runs them.
    public var largeSkipped: String? = "no large model is at hand"

    /// The defaults: stops at the first failure, skips what needs a large model.
    public init() {}
  }

  private let engine: CellEngine
  private let options: Options

  /// A run by `engine`.
  public init(engine: CellEngine, options: Options = Options()) {
    self.engine = engine
    self.options = options
  }

  /// Runs `notebook`; `observe` is told what happens, while it does. Cells after a failure are
  /// skipped. Where the same engine has run it `before`, what stands before the first change is
  /// taken from there.
  public func run(
    _ notebook: Notebook, after before: ExecutedNotebook? = nil,
    observe: @escaping @Sendable (Event) -> Void = { _ in }
  ) -> ExecutedNotebook {
    var pieces: [ExecutedNotebook.Piece] = []
    var number = 0
    var failed: NotebookCell?
    var words: [[String]?] = []
    var same = unchanged(notebook, before)[...]
    _ = engine.takeKept()
    for piece in notebook.pieces {
      switch piece {
      case .prose(let text, let line):
        let (shown, values) = prose(text, line, notebook.path, isRunning: failed == nil, observe)
        words.append(values)
        pieces.append(.prose(shown))
      case .cell(let cell):
        if let reason = skipped(cell, failed, notebook.path) {
          let executed = ExecutedCell(
            cell: cell, outputs: [], state: .skipped(reason), number: nil, seconds: 0)
          observe(.ended(executed))
          pieces.append(.cell(executed))
          continue
        }
        number += 1
        if var known = same.popFirst() {
          known.cell = cell
          known.number = number
          pieces.append(.cell(known))
          continue
        }
        let executed = run(cell, number, notebook.path, observe)
        observe(.ended(executed))
        pieces.append(.cell(executed))
        if !executed.isAsExpected, !options.keepsGoing { failed = cell }
      }
    }
    var result = ExecutedNotebook(path: notebook.path, title: notebook.title, pieces: pieces)
    result.proseValues = words
    result.kept = engine.takeKept()
    return result
  }

  /// The cells at the beginning that passed `before` and are the same now.
  private func unchanged(_ notebook: Notebook, _ before: ExecutedNotebook?) -> [ExecutedCell] {
    guard let before else { return [] }
    return zip(notebook.cells, before.cells).prefix { cell, known in
      cell.text == known.cell.text && cell.language == known.cell.language
        && cell.options == known.cell.options && known.isAsExpected && known.number != nil
    }.map(\.1)
  }

  private func skipped(_ cell: NotebookCell, _ failed: NotebookCell?, _ path: String) -> String? {
    if let failed { return "the cell at \(path):\(failed.line) failed" }
    if Interruption.isRequested { return "the run was interrupted" }
    return cell.options.contains(.large) ? options.largeSkipped : nil
  }

  private func run(
    _ cell: NotebookCell, _ number: Int, _ path: String,
    _ observe: @escaping @Sendable (Event) -> Void
  ) -> ExecutedCell {
    observe(.started(cell))
    let outputs = OutputList()
    let start = MonotonicClock.seconds()
    let failure = engine.run(cell, file: path) { output in
      outputs.add(output)
      observe(.gave(cell, output))
    }
    return ExecutedCell(
      cell: cell, outputs: outputs.all, state: failure.map { .failed($0) } ?? .passed,
      number: number, seconds: MonotonicClock.seconds() - start)
  }

  /// Prose with its values, and those values; nil where they could not be computed.
  private func prose(
    _ text: String, _ line: Int, _ path: String, isRunning: Bool,
    _ observe: @Sendable (Event) -> Void
  ) -> (String, [String]?) {
    let inline = InlineValues(text)
    guard !inline.values.isEmpty, isRunning else { return (text, nil) }
    func place(_ value: InlineValues.Value) -> String {
      let before = text[..<value.comment.lowerBound].utf8.filter { $0 == UInt8(ascii: "\n") }.count
      return "\(path):\(line + before)"
    }
    do {
      let values = try engine.values(
        of: inline.values.map(\.expression), file: path, line: line)
      guard values.count == inline.values.count else { return (text, nil) }
      for (value, computed) in zip(inline.values, values) where text[value.word] != computed {
        observe(.stale(word: String(text[value.word]), value: computed, place: place(value)))
      }
      return (inline.replacing(with: values, keepsComments: false), values)
    } catch {
      let failure = (error as? CellFailure)?.message ?? "\(error)"
      observe(
        .stale(
          word: inline.values.map { String(text[$0.word]) }.joined(separator: ", "),
          value: "not computed: \(failure)", place: place(inline.values[0])))
      return (text, nil)
    }
  }
}

/// Outputs as they come, from whatever thread.
private final class OutputList: @unchecked Sendable {
  private let lock = NSLock()
  private var outputs: [CellOutput] = []

  func add(_ output: CellOutput) {
    lock.withLock {
      // Pieces of one stream become one text.
      if case .stream(let name, let text) = output, case .stream(name, let before)? = outputs.last {
        outputs[outputs.count - 1] = .stream(name, before + text)
      } else {
        outputs.append(output)
      }
    }
  }

  var all: [CellOutput] { lock.withLock { outputs } }
}
