import Foundation
import TritLab

/// `trit new`: a plug-in to start from.
enum NewCommand {
  static let kind = ArgumentSpec("stage", help: "What to begin", choices: ["kernel"])
  static let name = ArgumentSpec("name", help: "Its name, as in --kernel NAME")
  static let output = OptionSpec(
    "-o", "--output", value: "folder", help: "Where the files are written", default: ".")

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "new", context, overview: "Write a plug-in to start from, and an experiment with it.",
      discussion: """
        A linear kernel in one C file, right as it stands and slow: --plugin compiles and checks it. Beside it \
        lies an experiment file that compares it with kernels of the lab. Files that are there are not overwritten.
        """,
      arguments: [kind, name], groups: [OptionGroup("OPTIONS", [output])],
      json: "one object with the paths of the files",
      examples: [
        ("trit new kernel mine", "mine.c and mine.yaml, here"),
        (
          "trit new kernel mine -o kernels", "the same in a folder that is made where it is missing"
        ),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    let stage = try arguments.choice(kind) ?? "kernel"
    let name = arguments.arguments[1]
    try check(name, arguments.lab)
    let folder = arguments.text(output) ?? "."
    let files = [
      (path: "\(folder)/\(name).c", text: KernelTemplate.source(name)),
      (path: "\(folder)/\(name).yaml", text: KernelTemplate.experiment(name)),
    ].map {
      (path: $0.path.hasPrefix("./") ? String($0.path.dropFirst(2)) : $0.path, text: $0.text)
    }
    for file in files where FileKind(at: file.path) != .absent {
      throw LabError(
        .cannotCreate, "the file is there already", at: file.path, expected: "no such file",
        advice: "give another name, or another folder with -o")
    }
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw LabError(
        .cannotCreate, "the folder cannot be made: \(error.localizedDescription)", at: folder,
        advice: "name a folder that you may write to with -o")
    }
    for file in files { try AtomicFile.write(file.text, to: file.path) }
    guard !arguments.isJSON else {
      return try Terminal.json([
        "stage": .string(stage), "name": .string(name),
        "files": .array(files.map { .string($0.path) }),
      ])
    }
    for file in files { try Terminal.line(file.path) }
    Terminal.note("to check it: trit kernel check \(name) --plugin \(files[0].path)")
  }

  /// The name of a kernel that is a file name too, and that the lab does not have.
  private static func check(_ name: String, _ lab: Lab) throws {
    guard name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9_.-]{0,63}/) != nil,
      name != StageKey.asTheModelSays, name != "all"
    else {
      throw LabError(
        .usage, "'\(name)' is no name for a kernel with files of its own",
        expected:
          "1 to 64 letters, digits, '_', '-' and '.', a letter or digit first; not 'model', not 'all'",
        got: name, code: .badName)
    }
    if let known = lab[.kernel].descriptor(name) {
      throw LabError(
        .usage, "there is a kernel '\(name)' already",
        expected: "a name that is not in 'trit list kernel'",
        got: "'\(known.name)' from \(known.origin.text)", advice: "give yours another name",
        code: .duplicateName)
    }
  }
}
