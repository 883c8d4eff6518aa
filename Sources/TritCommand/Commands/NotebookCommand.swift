import Foundation
import TritLab
import TritNotebook

/// `trit notebook`: runs notebooks, and serves those who write them.
enum NotebookCommand {
  static let action = ArgumentSpec(
    "action", help: "What to do", choices: ["run", "watch", "new", "convert", "kernel", "install"])
  static let files = ArgumentSpec(
    "file", help: "Notebooks in Markdown", optional: true, repeats: true)
  static let output = OptionSpec(
    "-o", "--output", value: "file",
    help:
      "Write a page (.html) or a notebook for Jupyter (.ipynb); a folder takes a page of each; can be given again",
    completion: Completion(files: .any))
  static let timeout = OptionSpec(
    "--timeout", value: "seconds", help: "What a cell may take, 0 for no limit", default: "60")
  static let limit = OptionSpec(
    "--limit", value: "seconds", help: "Fail where a notebook takes longer")
  static let set = OptionSpec(
    "--set", value: "knob=value", help: "Set a knob of the notebook; can be given again")
  static let check = OptionSpec(
    flag: "--check",
    help: "Compare kept values and words of the prose with those that are committed")
  static let update = OptionSpec(
    flag: "--update", help: "Write kept values and words of the prose into the files")
  static let figures = OptionSpec(
    "--figures", value: "folder", help: "Write the figures that answer to this folder",
    completion: Completion(files: .any))
  static let keepGoing = OptionSpec(
    flag: "--keep-going", help: "Run the cells after one that failed")
  static let large = OptionSpec(
    "--large", value: "model", help: "Run cells marked 'large' with this model",
    environment: "TRITLAB_LARGE_MODEL", completion: .models)
  static let runs = OptionSpec(
    "--runs", value: "folder", help: "Where experiments write their runs", default: "runs",
    completion: Completion(files: .any))

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "notebook", context, overview: "Run notebooks in Markdown, and write pages of them.",
      discussion: """
        A notebook is Markdown whose fences of 'swift', 'c' and 'yaml experiment' are cells: they are compiled, run in a \
        child of this program one after the other, and keep their state. 'run' fails with code 1 where a cell fails that \
        is not marked 'raises', with code 2 where a check or a kept value differs; 'watch' runs what changed whenever \
        the file is saved; 'new' starts one; 'convert' makes notebooks for Jupyter of them, which are not run. 'kernel' serves Jupyter, which 'install' tells of it. Cells are native code: run notebooks that you trust. A Swift toolchain of \
        the version that built this program must be on the PATH.
        """,
      arguments: [action, files],
      groups: [
        OptionGroup(
          "OPTIONS",
          [output, set, check, update, figures, timeout, limit, keepGoing, large, runs]),
        installOptions,
      ],
      json: "an object for each notebook",
      examples: [
        (
          "trit notebook run notebooks/01-generate-first.md -o lesson.html",
          "run a lesson, read its page"
        ),
        (
          "trit notebook run notebooks/03-from-weights-to-trits.md --set threshold=0.7",
          "turn a knob"
        ),
        ("trit notebook watch mine.md -o mine.html", "run what changed at every save"),
        (
          "trit notebook convert notebooks/05-multiplying-without-multiplying.md -o lessons/",
          "open a lesson in JupyterLab"
        ),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    switch try arguments.choice(action) {
    case "kernel": return try serve(arguments)
    case "install": return try install(arguments)
    default: break
    }
    let paths = Array(arguments.arguments.dropFirst())
    guard !paths.isEmpty else {
      throw LabError(
        .usage, "'\(arguments.arguments[0])' needs a notebook",
        expected: "trit notebook run FILE.md")
    }
    switch try arguments.choice(action) {
    case "watch": try NotebookWatch(paths, arguments).run()
    case "new": for path in paths { try NotebookStart.write(path, arguments) }
    case "convert": try NotebookConversion(paths, arguments).run()
    default: try NotebookRuns(paths, arguments).run()
    }
  }

  /// An engine as the flags say.
  static func engine(_ arguments: ParsedArguments) throws -> CellEngine {
    guard let folder = CacheFolder.path else {
      throw LabError(
        .missingInput, "there is no folder to keep compiled cells in",
        expected: "HOME or XDG_CACHE_HOME with an absolute path",
        advice: "name one: export XDG_CACHE_HOME=DIR")
    }
    if let model = arguments.text(large), !model.isEmpty {
      setenv("TRITLAB_LARGE_MODEL", model, 1)
    }
    let seconds = try arguments.real(timeout, in: 0...86_400) ?? 60
    return try CellEngine(
      folder: folder, runs: arguments.text(runs) ?? "runs",
      limits: CellLimits(seconds: seconds == 0 ? nil : seconds), lab: arguments.lab)
  }

  /// How cells are treated, as the flags say.
  static func options(_ arguments: ParsedArguments) -> NotebookRun.Options {
    var options = NotebookRun.Options()
    options.keepsGoing = arguments.flag(keepGoing)
    if let model = arguments.text(large), !model.isEmpty { options.largeSkipped = nil }
    return options
  }
}
