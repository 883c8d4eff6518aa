import TritLab
import TritNotebook

/// `trit notebook convert`: pages and notebooks for Jupyter of notebooks that are not run.
struct NotebookConversion {
  private let paths: [String]
  private let arguments: ParsedArguments
  private let outputs: NotebookOutputs

  /// Without `-o`, each becomes a `.ipynb` beside its file.
  init(_ paths: [String], _ arguments: ParsedArguments) throws {
    self.paths = paths
    self.arguments = arguments
    outputs = try NotebookOutputs(
      arguments.all(NotebookCommand.output), count: paths.count, ending: ".ipynb")
  }

  func run() throws {
    // A mistake in the last file is told before the first one is written.
    let notebooks = try paths.map { path in
      var notebook = try Notebook(path: path)
      try notebook.set(arguments.all(NotebookCommand.set))
      return notebook
    }
    for notebook in notebooks {
      let unrun = ExecutedNotebook(unrun: notebook)
      var written = try outputs.write(unrun, among: paths, withOutputs: false) { Terminal.note($0) }
      if written.isEmpty {
        let path =
          (notebook.path.hasSuffix(".md") ? String(notebook.path.dropLast(3)) : notebook.path)
          + ".ipynb"
        try AtomicFile.write(IPYNBWriter.text(unrun, withOutputs: false), to: path)
        written = [path]
      }
      if arguments.isJSON {
        try Terminal.line(
          JSONWriter.text(
            .object([
              ("file", .string(notebook.path)), ("title", .string(notebook.title)),
              ("written", .array(written.map(JSONValue.string))),
            ])))
      } else {
        try Terminal.line("\(notebook.path) → \(written.joined(separator: ", "))")
      }
    }
  }
}
