import Foundation
import TritLab

/// `trit new`: a plug-in to start from.
enum NewCommand {
  static let kind = ArgumentSpec("stage", help: "What to begin", choices: StageTemplate.keys)
  static let name = ArgumentSpec("name", help: "Its name, as in --kernel NAME")
  static let language = OptionSpec(
    "--language", value: "language",
    help: "c, for kernels alone, or swift (default: c for a kernel, else swift)",
    choices: StageTemplate.Language.allCases.map(\.rawValue))
  static let output = OptionSpec(
    "-o", "--output", value: "folder", help: "Where the files are written", default: ".")

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "new", context, overview: "Write a plug-in to start from, and an experiment with it.",
      discussion: """
        One file with a stage, a measure or a figure, right as it stands: --plugin compiles and checks it. Beside \
        it lies an experiment file that puts it beside those of the lab. A packing comes with the kernel that runs \
        on its bytes, by which it is chosen. Files that are there are not overwritten.
        """,
      arguments: [kind, name], groups: [OptionGroup("OPTIONS", [language, output])],
      json: "one object with the paths of the files",
      examples: [
        ("trit new kernel mine", "mine.c and mine.yaml, here"),
        (
          "trit new quantizer half -o stages",
          "half.swift and half.yaml in a folder, made if missing"
        ),
        ("trit new kernel mine --language swift", "a kernel in Swift"),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    let stage = try arguments.choice(kind) ?? "kernel"
    let name = arguments.arguments[1]
    let template = try template(stage, arguments)
    try check(name, template, arguments.lab)
    let folder = arguments.text(output) ?? "."
    let files = template.files(name).map {
      (path: folder == "." ? $0.name : "\(folder)/\($0.name)", text: $0.text)
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
        "language": .string(template.language.rawValue),
        "files": .array(files.map { .string($0.path) }),
      ])
    }
    for file in files { try Terminal.line(file.path) }
    let check =
      template.key == .kernel ? "trit kernel check \(name)" : "trit list \(stage) --brief"
    Terminal.note("to check it: \(check) --plugin \(files[0].path)")
    Terminal.note("to compare it: trit run \(files[1].path) --plugin \(files[0].path)")
  }

  /// The template of a stage in the language that was asked for.
  private static func template(
    _ stage: String, _ arguments: ParsedArguments
  ) throws -> StageTemplate {
    let wanted = try arguments.choice(language).flatMap(StageTemplate.Language.init)
    if let template = StageTemplate.find(stage, in: wanted) { return template }
    throw LabError(
      .usage, "a plug-in for '\(stage)' is written in Swift", at: "--language c",
      expected: "C for a kernel, Swift for any stage", advice: "leave --language out")
  }

  /// The name of a stage that is a file name too, and that the lab does not have.
  private static func check(_ name: String, _ template: StageTemplate, _ lab: Lab) throws {
    let isFile = [.measure, .figure].contains(template.key)
    let form = isFile ? /[A-Za-z0-9][A-Za-z0-9_-]{0,63}/ : /[A-Za-z0-9][A-Za-z0-9_.-]{0,63}/
    let taken = [StageKey.asTheModelSays, "all"] + (isFile ? ["style"] : [])
    guard name.wholeMatch(of: form) != nil, !taken.contains(name) else {
      throw LabError(
        .usage, "'\(name)' is no name for a \(template.key.rawValue) with files of its own",
        expected: "1 to 64 letters, digits, '_'\(isFile ? " and '-'" : ", '-' and '.'"), "
          + "a letter or digit first; not " + taken.map { "'\($0)'" }.joined(separator: ", not "),
        got: name, code: .badName)
    }
    // A packing comes with a kernel, whose bare name is its own.
    for key in template.key == .packing ? [.packing, .kernel] : [template.key] {
      guard let known = lab.kind(key)?.descriptor(name) else { continue }
      throw LabError(
        .usage, "there is a \(key.rawValue) '\(name)' already",
        expected: "a name that is not in 'trit list \(key.rawValue)'",
        got: "'\(known.name)' from \(known.origin.text)", advice: "give yours another name",
        code: .duplicateName)
    }
  }
}
