import Foundation
import TritLab
import TritNotebook

/// `trit notebook run`: notebooks one after the other, each with a state of its own.
struct NotebookRuns {
  private let paths: [String]
  private let arguments: ParsedArguments
  private let outputs: NotebookOutputs
  private let style: Style

  init(_ paths: [String], _ arguments: ParsedArguments) throws {
    self.paths = paths
    self.arguments = arguments
    outputs = try NotebookOutputs(arguments.all(NotebookCommand.output), count: paths.count)
    style = try Style.out(arguments)
    let knobs = arguments.all(NotebookCommand.set)
    if !knobs.isEmpty,
      arguments.flag(NotebookCommand.check) || arguments.flag(NotebookCommand.update)
    {
      throw LabError(
        .usage, "with other knobs, other values come out: they are not those that are committed",
        at: "--set", advice: "leave out --check and --update")
    }
  }

  /// What came of one notebook.
  private struct Outcome {
    var executed: ExecutedNotebook
    var seconds: Double
    var problems: [String]
    var isLate: Bool
    var failures: [ExecutedCell] { executed.cells.filter { !$0.isAsExpected } }
    var isFine: Bool { failures.isEmpty && problems.isEmpty && !isLate }
  }

  func run() throws {
    // A mistake in the last file is told before the first one runs.
    let notebooks = try paths.map { path in
      var notebook = try Notebook(path: path)
      try notebook.set(arguments.all(NotebookCommand.set))
      return notebook
    }
    let limit = try arguments.real(NotebookCommand.limit, in: 0.001...86_400)
    var bad: [(path: String, outcome: Outcome)] = []
    for notebook in notebooks {
      let outcome = try run(notebook, limit: limit)
      if Interruption.isRequested { throw LabError(.interrupted, "interrupted") }
      try report(notebook, outcome, limit: limit)
      if !outcome.isFine { bad.append((notebook.path, outcome)) }
    }
    guard let first = bad.first else { return }
    let failure = first.outcome.failures.first.flatMap { cell -> CellFailure? in
      if case .failed(let failure) = cell.state { failure } else { nil }
    }
    let isVerdict = bad.allSatisfy { $0.outcome.failures.isEmpty && !$0.outcome.isLate }
    throw LabError(
      isVerdict ? .verdict : .failure,
      paths.count == 1
        ? "the notebook failed" : "\(bad.count) of \(paths.count) notebooks failed",
      at: failure?.place ?? first.path,
      got: failure.map(\.message) ?? first.outcome.problems.first
        ?? (first.outcome.isLate
          ? String(format: "%.1f s, more than --limit allows", first.outcome.seconds) : nil)
          ?? "a cell that is marked 'raises' did not fail",
      advice: isVerdict
        ? "where the new values are right: trit notebook run \(first.path) --update" : nil)
  }

  private func run(_ notebook: Notebook, limit: Double?) throws -> Outcome {
    let engine = try NotebookCommand.engine(arguments)
    let start = MonotonicClock.seconds()
    let printer = NotebookPrinter(
      path: notebook.path, style: style,
      isShown: arguments.all(NotebookCommand.output).isEmpty && !arguments.isJSON)
    let run = NotebookRun(engine: engine, options: NotebookCommand.options(arguments))
    let executed = run.run(notebook) { printer.show($0) }
    engine.end()
    let seconds = MonotonicClock.seconds() - start
    var problems: [String] = []
    let isWhole = executed.cells.allSatisfy { $0.isAsExpected }
    let keeping = NotebookKeeping(of: notebook.path)
    if arguments.flag(NotebookCommand.update), isWhole {
      if !executed.kept.isEmpty { try keeping.write(executed.kept) }
      _ = try notebook.update(from: executed)
      problems = printer.stale.filter { $0.contains("not computed: ") }
    } else if arguments.flag(NotebookCommand.check) {
      problems = printer.stale
      if isWhole { problems += try keeping.differences(executed.kept) }
    }
    if let folder = arguments.text(NotebookCommand.figures) { try figures(executed, to: folder) }
    return Outcome(
      executed: executed, seconds: seconds, problems: problems,
      isLate: limit.map { seconds > $0 } ?? false)
  }

  /// Writes the figures that were shown as answers.
  private func figures(_ executed: ExecutedNotebook, to folder: String) throws {
    try NotebookOutputs.make(folder: folder)
    for output in executed.cells.flatMap(\.outputs) {
      guard case .display(let data, let id?) = output, id.hasPrefix("figure-"), let svg = data[.svg]
      else { continue }
      let name = String(id.dropFirst("figure-".count))
      guard name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }),
        !name.hasPrefix(".")
      else {
        throw LabError(
          .badData, "a figure's name must stand in a file name", at: executed.path,
          expected: "letters, digits, - and _", got: VisibleText.line(name))
      }
      try AtomicFile.write(svg, to: "\(folder)/\(name).svg")
    }
  }

  private func report(_ notebook: Notebook, _ outcome: Outcome, limit: Double?) throws {
    let written = try outputs.write(outcome.executed, among: paths) { Terminal.note($0) }
    if arguments.isJSON {
      return try Terminal.line(JSONWriter.text(document(notebook, outcome, written)))
    }
    for problem in outcome.problems { Terminal.note("\(notebook.path): \(problem)") }
    let cells = outcome.executed.cells
    let run = cells.filter { $0.number != nil }
    var line =
      "\(notebook.path): \(run.count) cells, \(String(format: "%.1f", outcome.seconds)) s, "
      + (outcome.isFine ? style.bold("passed") : style.red("FAILED"))
    let skipped = cells.count - run.count
    if skipped > 0 { line += ", \(skipped) skipped" }
    if !written.isEmpty { line += " → " + written.joined(separator: ", ") }
    try Terminal.line(line)
  }

  private func document(
    _ notebook: Notebook, _ outcome: Outcome, _ written: [String]
  ) -> JSONValue {
    let cells = outcome.executed.cells.map { run -> JSONValue in
      var fields: [(String, JSONValue)] = [
        ("line", JSONValue(run.cell.line)), ("language", .string(run.cell.language.rawValue)),
        ("seconds", JSONValue(run.seconds)), ("as_expected", .bool(run.isAsExpected)),
      ]
      switch run.state {
      case .passed: fields.append(("state", .string("passed")))
      case .failed(let failure):
        fields += [
          ("state", .string("failed")), ("kind", .string(failure.kind.rawValue)),
          ("message", .string(failure.message)),
          ("place", failure.place.map(JSONValue.string) ?? .null),
        ]
      case .skipped(let reason):
        fields += [("state", .string("skipped")), ("reason", .string(reason))]
      }
      return .object(fields)
    }
    return .object([
      ("file", .string(notebook.path)), ("title", .string(notebook.title)),
      ("passed", .bool(outcome.isFine)), ("seconds", JSONValue(outcome.seconds)),
      ("cells", .array(cells)), ("problems", .array(outcome.problems.map(JSONValue.string))),
      ("written", .array(written.map(JSONValue.string))),
    ])
  }
}

/// Prints what cells give, while they run: their texts as they are, and a line for each that has
/// ended.
final class NotebookPrinter: @unchecked Sendable {
  private let path: String
  private let style: Style
  private let isShown: Bool
  private let lock = NSLock()
  private var staleWords: [String] = []
  private var isAtLineStart = true

  init(path: String, style: Style, isShown: Bool) {
    self.path = path
    self.style = style
    self.isShown = isShown
  }

  /// Words of the prose that are not what they should be.
  var stale: [String] { lock.withLock { staleWords } }

  func show(_ event: NotebookRun.Event) {
    lock.withLock {
      switch event {
      case .started: break
      case .gave(_, let output): if isShown { show(output) }
      case .ended(let run): ended(run)
      case .stale(let word, let value, let place):
        staleWords.append("\(place): '\(word)' stands for \(value)")
      }
    }
  }

  private func show(_ output: CellOutput) {
    switch output {
    case .stream(_, let text): say(text)
    case .display(let data, _), .result(let data): say(data.plain + "\n", fresh: true)
    case .update(let data, _): if data[.markdown] != nil { say(data.plain + "\n", fresh: true) }
    case .failure(let failure):
      say("\(style.red(failure.name)): \(failure.message)\n", fresh: true)
    }
  }

  private func say(_ text: String, fresh: Bool = false) {
    if fresh, !isAtLineStart { try? Terminal.out("\n") }
    try? Terminal.product(text)
    isAtLineStart = text.hasSuffix("\n")
  }

  private func ended(_ run: ExecutedCell) {
    if isShown, !isAtLineStart { try? Terminal.out("\n") }
    isAtLineStart = true
    let place = "\(path):\(run.cell.line)"
    switch run.state {
    case .skipped(let reason):
      Terminal.note("  \(place) \(run.cell.language.rawValue): skipped, \(reason)")
    default:
      let end =
        run.isAsExpected
        ? (run.cell.options.contains(.raises) ? "failed, as it should" : "ok") : "FAILED"
      Terminal.note(
        "  \(place) \(run.cell.language.rawValue) \(String(format: "%.2f", run.seconds)) s \(end)")
      if !run.isAsExpected, !isShown, case .failed(let failure) = run.state {
        Terminal.note("\(failure.name): \(failure.message)")
      }
    }
  }
}
