import Foundation
import TritLab
import TritNotebook

/// `trit notebook watch`: runs a notebook whenever it is saved. Cells before the first change keep
/// their state and are not run again; those from there on are.
struct NotebookWatch {
  private let path: String
  private let arguments: ParsedArguments
  private let outputs: NotebookOutputs
  private let style: Style

  /// Microseconds between looks at the file.
  private static let pause: UInt32 = 100_000

  init(_ paths: [String], _ arguments: ParsedArguments) throws {
    guard paths.count == 1, let path = paths.first else {
      throw LabError(
        .usage, "one notebook can be watched", got: "\(paths.count) files",
        advice: "open a terminal for each")
    }
    self.path = path
    self.arguments = arguments
    outputs = try NotebookOutputs(arguments.all(NotebookCommand.output), count: 1)
    style = try Style.out(arguments)
  }

  func run() throws {
    let engine = try NotebookCommand.engine(arguments)
    defer { engine.end() }
    var before: ExecutedNotebook?
    var stamp: FileStamp?
    while !Interruption.isRequested {
      guard let now = FileStamp(path: path) else {
        if stamp == nil { _ = try Notebook(path: path) }
        usleep(Self.pause)
        continue
      }
      guard now != stamp else {
        usleep(Self.pause)
        continue
      }
      stamp = now
      do {
        before = try once(engine, before)
      } catch let error as LabError where error.kind != .interrupted {
        // It is being written: the next save may mend it.
        Terminal.note("\(error)")
      }
    }
    throw LabError(.interrupted, "interrupted")
  }

  private func once(_ engine: CellEngine, _ before: ExecutedNotebook?) throws -> ExecutedNotebook {
    var notebook = try Notebook(path: path)
    try notebook.set(arguments.all(NotebookCommand.set))
    let printer = NotebookPrinter(
      path: path, style: style, isShown: arguments.all(NotebookCommand.output).isEmpty)
    let run = NotebookRun(engine: engine, options: NotebookCommand.options(arguments))
    let executed = run.run(notebook, after: before) { printer.show($0) }
    let written = try outputs.write(executed, among: [path]) { Terminal.note($0) }
    let failed = executed.cells.count { !$0.isAsExpected }
    Terminal.note(
      (failed == 0 ? style.bold("passed") : style.red("\(failed) cells failed"))
        + (written.isEmpty ? "" : " → " + written.joined(separator: ", "))
        + "; waiting for the next save (Ctrl-C ends)")
    return executed
  }
}

/// `trit notebook new`: a notebook to begin with.
enum NotebookStart {
  /// Writes it. Throws where there is a file already.
  static func write(_ path: String, _ arguments: ParsedArguments) throws {
    guard path.hasSuffix(".md") else {
      throw LabError(
        .usage, "a notebook is a file of Markdown", at: path, expected: "a name that ends in .md",
        advice: "write \(path).md")
    }
    guard FileKind(at: path) == .absent else {
      throw LabError(
        .cannotCreate, "there is a file of that name already", at: path,
        advice: "take another name, or remove it")
    }
    let name = NotebookOutputs.name(path)
    let fence = "```"
    try AtomicFile.write(
      """
      # \(name)

      *What do you want to know?*

      \(fence)swift parameters
      let threshold = 0.5
      \(fence)

      \(fence)swift
      let checkpoint = try checkpoint("builtin:tiny")
      let layer = try checkpoint.linear(.query, layer: 0).weights.dequantized()
      display(Table(["rows", "columns"], [["\\(layer.rows)", "\\(layer.columns)"]]))
      \(fence)

      A kernel of your own: `swift`, `c` (with `trit_kernel.h`) and `yaml experiment` are cells.

      \(fence)swift
      try race(["reference", "i2_s"])
      \(fence)

      \(fence)swift
      try require(check("kernel", "i2_s"))
      \(fence)

      """, to: path)
    guard !arguments.isJSON else {
      return try Terminal.line(JSONWriter.text(.object([("file", .string(path))])))
    }
    try Terminal.line("wrote \(path); run it: trit notebook run \(path) -o \(name).html")
  }
}
