import Foundation
import TritLab
import TritNotebook

/// `trit notebook`: runs notebooks, and serves those who write them.
enum NotebookCommand {
  static let action = ArgumentSpec("action", help: "What to do", choices: ["run", "kernel", "install"])
  static let files = ArgumentSpec(
    "file", help: "Notebooks in Markdown", optional: true, repeats: true)
  static let timeout = OptionSpec(
    "--timeout", value: "seconds", help: "What a cell may take", default: "60")
  static let set = OptionSpec(
    "--set", value: "knob=value", help: "A knob of the notebook; can be given again")

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "notebook", context, overview: "Run notebooks.",
      discussion: "Runs the cells of notebooks.",
      arguments: [action, files],
      groups: [OptionGroup("OPTIONS", [timeout, set]), installOptions],
      json: "an object", examples: [("trit notebook run notebooks/01-generate-first.md", "run a lesson")],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    switch try arguments.choice(action) {
    case "kernel": return try serve(arguments)
    case "install": return try install(arguments)
    default: break
    }
    for file in arguments.arguments.dropFirst() {
      var notebook = try Notebook(path: file)
      try notebook.set(arguments.all(set))
      let engine = try CellEngine(folder: CacheFolder.path ?? "/tmp/tritlab", runs: "runs")
      let run = NotebookRun(engine: engine, options: { var o = NotebookRun.Options(); o.keepsGoing = true; return o }())
      let executed = run.run(notebook) { event in
        switch event {
        case .gave(_, .stream(_, let text)): print(text, terminator: "")
        case .gave(_, .failure(let failure)):
          print("\(failure.kind) \(failure.name) at \(failure.place ?? "?"): \(failure.message)")
        case .gave(_, .result(let data)): print(data.plain)
        case .gave(_, .display(let data, _)), .gave(_, .update(let data, _)): print(data.plain)
        case .ended(let cell):
          print("-- \(file):\(cell.cell.line) \(cell.isAsExpected ? "ok" : "FAILED") \(String(format: "%.2f", cell.seconds)) s")
        case .stale(let word, let value, let place): print("\(place): \(word) is \(value)")
        default: break
        }
      }
      _ = executed
    }
  }
}
