import Foundation
import TritJupyter
import TritLab
import TritNotebook

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// `trit notebook kernel` and `trit notebook install`: cells in Jupyter.
extension NotebookCommand {
  static let user = OptionSpec(
    flag: "--user", help: "Install the kernel for yourself (the default)")
  static let prefix = OptionSpec(
    "--prefix", value: "folder", help: "Install the kernel below this folder, as /usr/local")
  static let systemPrefix = OptionSpec(
    flag: "--sys-prefix", help: "Install the kernel into the active virtual or conda environment")
  static let name = OptionSpec(
    "--name", value: "name", help: "The name of the kernel for Jupyter",
    default: KernelSpecification.standardName)
  static let displayName = OptionSpec(
    "--display-name", value: "text", help: "What Jupyter shows for it", default: shownName)
  static let remove = OptionSpec(flag: "--remove", help: "Remove the kernel instead")

  /// The options of `install`, for the help.
  static let installOptions = OptionGroup(
    "INSTALL OPTIONS", [user, prefix, systemPrefix, name, displayName, remove])

  private static let shownName = "TritLab (Swift)"

  /// `trit notebook kernel CONNECTION`: serves Jupyter until it asks to shut down. Standard input
  /// is not read: cells have none.
  static func serve(_ arguments: ParsedArguments) throws {
    guard arguments.arguments.count == 2 else {
      throw LabError(
        .usage, "'kernel' needs the connection file that Jupyter writes",
        expected: "trit notebook kernel CONNECTION",
        advice: "run 'trit notebook install' once; Jupyter does the rest")
    }
    let connection = try JupyterConnection(path: arguments.arguments[1])
    if !connection.isSigned {
      Terminal.note(
        "trit: warning: the connection has no key: whoever reaches its ports can run code as you")
    }
    let executor: any CellExecutor
    do {
      executor = try engineOfJupyter(arguments)
    } catch {
      Terminal.note("trit: error: \(error)")
      executor = MissingExecutor(error)
    }
    let kernel = try JupyterKernel(connection: connection, executor: executor)
    // Jupyter says which process it is where a kernel has to watch it.
    let isWatching = ProcessInfo.processInfo.environment["JPY_PARENT_PID"] != nil
    let signals = KernelSignals(kernel, parent: isWatching ? getppid() : nil)
    kernel.run()
    signals.end()
  }

  /// Cells may take any time: whoever sits there can interrupt them.
  private static func engineOfJupyter(_ arguments: ParsedArguments) throws -> CellEngine {
    guard let folder = CacheFolder.path else {
      throw LabError(
        .missingInput, "there is no folder to keep compiled cells in",
        expected: "HOME or XDG_CACHE_HOME with an absolute path",
        advice: "set one of them before Jupyter starts: export XDG_CACHE_HOME=DIR")
    }
    return try CellEngine(
      folder: folder, runs: "runs", limits: CellLimits(seconds: nil), lab: arguments.lab)
  }

  /// `trit notebook install`: makes the kernel known to Jupyter, or with `--remove` unknown.
  static func install(_ arguments: ParsedArguments) throws {
    guard arguments.arguments.count == 1 else {
      throw LabError(
        .usage, "'install' takes options alone",
        expected: "trit notebook install [--user|--prefix DIR]",
        got: arguments.arguments[1], advice: "for another name of the kernel: --name NAME")
    }
    let specification = try KernelSpecification(
      name: arguments.text(name) ?? KernelSpecification.standardName,
      data: try dataFolder(arguments))
    let isRemoving = arguments.flag(remove)
    if isRemoving {
      try specification.remove()
    } else {
      guard let program = ProgramPath.path else {
        throw LabError(
          .failure, "the path of this program is not known, or not UTF-8",
          advice:
            "move the program to a folder with a plain name, and install the kernel from there")
      }
      try specification.install(
        program: program, displayName: arguments.text(displayName) ?? shownName)
    }
    guard !arguments.isJSON else {
      return try Terminal.json([
        "folder": .string(specification.folder), "removed": .bool(isRemoving),
      ])
    }
    try Terminal.line(
      (isRemoving ? "removed " : "installed ") + specification.folder)
    if !isRemoving { Terminal.note("to use it: jupyter lab, and choose '\(shownName)'") }
  }

  /// The data folder of Jupyter that the options name.
  private static func dataFolder(_ arguments: ParsedArguments) throws -> String {
    let given = [user, prefix, systemPrefix].filter { arguments.has($0) }
    guard given.count <= 1 else {
      throw LabError(
        .usage, "\(given.map(\.mainName).joined(separator: " and ")) say different places",
        expected: "one of them", advice: "leave one out")
    }
    let environment = ProcessInfo.processInfo.environment
    if let folder = arguments.text(prefix) {
      guard !folder.isEmpty else {
        throw LabError(
          .usage, "the prefix is empty", expected: "a folder", advice: "as --prefix /usr/local")
      }
      let path = URL(fileURLWithPath: folder).path
      return KernelSpecification.data(below: path)
    }
    if arguments.flag(systemPrefix) {
      let active = ["VIRTUAL_ENV", "CONDA_PREFIX"].lazy.compactMap { environment[$0] }
        .first { $0.hasPrefix("/") }
      guard let active else {
        throw LabError(
          .usage, "no virtual environment is active", expected: "VIRTUAL_ENV or CONDA_PREFIX",
          advice: "activate it first (. ENV/bin/activate), or name it: --prefix ENV")
      }
      return KernelSpecification.data(below: active)
    }
    guard let data = KernelSpecification.userData(environment) else {
      throw LabError(
        .missingInput, "there is no home folder",
        expected: "an absolute path in HOME or JUPYTER_DATA_DIR",
        advice: "set one of them, or name a place: --prefix DIR")
    }
    return data
  }
}
