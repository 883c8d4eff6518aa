import Foundation
import TritCore
import TritFormats

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The folder by which Jupyter finds a kernel: `kernels/NAME/kernel.json` and a logo.
///
/// Source: jupyter-client's kernels.rst, "kernel specs".
public struct KernelSpecification: Sendable {
  /// The name by which notebooks ask for the kernel.
  public static let standardName = "trit"

  /// The folder.
  public let folder: String
  private let name: String

  /// The kernel `name` below `data`, a data folder of Jupyter. Throws `usage` for a name that
  /// Jupyter does not take.
  public init(name: String = Self.standardName, data: String) throws {
    guard name.wholeMatch(of: /[a-z0-9][a-z0-9._-]{0,63}/) != nil else {
      throw LabError(
        .usage, "'\(name)' is no name for a kernel",
        expected: "1 to 64 lower-case letters, digits, '.', '_' and '-', a letter or digit first",
        got: name, advice: "leave it out: the kernel is then '\(Self.standardName)'", code: .badName
      )
    }
    self.name = name
    folder = data + "/kernels/" + name
  }

  /// The person's own data folder of Jupyter: `JUPYTER_DATA_DIR`, else `jupyter` in
  /// `XDG_DATA_HOME`, else below the home folder; nil where none of the variables holds an absolute
  /// path.
  public static func userData(_ environment: [String: String]) -> String? {
    func path(_ name: String) -> String? {
      environment[name].flatMap { $0.hasPrefix("/") ? $0 : nil }
    }
    if let data = path("JUPYTER_DATA_DIR") { return data }
    #if os(macOS)
      return path("HOME").map { $0 + "/Library/Jupyter" }
    #else
      if let data = path("XDG_DATA_HOME") { return data + "/jupyter" }
      return path("HOME").map { $0 + "/.local/share/jupyter" }
    #endif
  }

  /// The data folder below a prefix, as of a virtual environment or `/usr/local`.
  public static func data(below prefix: String) -> String {
    (prefix == "/" ? "" : prefix) + "/share/jupyter"
  }

  /// Writes the files: the kernel is `program` with the words `notebook kernel`. One that is there
  /// is replaced where it is ours. Throws `cannotCreate` where it is another's, or the folder
  /// cannot be written.
  public func install(program: String, displayName: String) throws {
    try checkOwner(
      advice:
        "give another name with --name, or remove that kernel: jupyter kernelspec remove \(name)")
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw LabError(
        .cannotCreate, "the folder cannot be made: \(error.localizedDescription)", at: folder,
        advice:
          "install it for yourself (--user), or below a folder that you may write to (--prefix)")
    }
    // Jupyter sees the kernel once the second file is there.
    try AtomicFile.write(Self.logo, to: folder + "/" + Self.logoName)
    let document: JSONValue = [
      "argv": [.string(program), "notebook", "kernel", "{connection_file}"],
      "display_name": .string(displayName), "language": "swift", "interrupt_mode": "message",
      "metadata": [
        Self.marker: ["version": .string(BuildInformation.version)], "debugger": false,
      ],
    ]
    try AtomicFile.write(JSONWriter.text(document, pretty: true) + "\n", to: file)
  }

  /// Removes what `install` wrote. Files of others in the folder stay. Throws `missingInput` where
  /// the kernel is not there, `cannotCreate` where it is another's.
  public func remove() throws {
    guard FileKind(at: file) != .absent else {
      throw LabError(
        .missingInput, "there is no such kernel", at: folder, expected: "kernel.json",
        advice: "see what there is: jupyter kernelspec list")
    }
    try checkOwner(advice: "remove it with its own tool, or: jupyter kernelspec remove \(name)")
    for name in ["kernel.json", Self.logoName] {
      let path = folder + "/" + name
      guard unlink(path) == 0 || errno == ENOENT else {
        let number = errno
        throw LabError(
          .cannotCreate, "cannot remove the file: \(SystemFailure.text(number))", at: path,
          advice: SystemFailure.advice(number, otherwise: "check the rights of the folder"))
      }
    }
    // Stays where somebody put something in it.
    rmdir(folder)
  }

  private static let marker = "tritlab"
  private static let logoName = "logo-svg.svg"
  private var file: String { folder + "/kernel.json" }

  /// Throws where there is a kernel of this name that is not ours.
  private func checkOwner(advice: String) throws {
    guard FileKind(at: file) != .absent else { return }
    let document = try? JSONReader.readFile(file, limit: .small)
    guard document?["metadata"]?[Self.marker] != nil else {
      throw LabError(
        .cannotCreate, "there is a kernel of this name that TritLab did not install", at: file,
        expected: "a kernel of TritLab, or none",
        got: document?["display_name"]?.string ?? "a kernel without a name", advice: advice,
        code: .duplicateName)
    }
  }

  /// Nine trits: −1, 0 and +1 in three colours.
  private static let logo: String = {
    let trits = [1, 0, -1, -1, 1, 0, 0, -1, 1]
    let colours = [-1: "#c2410c", 0: "#94a3b8", 1: "#1d4ed8"]
    let squares = trits.enumerated().map { index, trit in
      let (x, y) = (4 + index % 3 * 20, 4 + index / 3 * 20)
      return
        "<rect x=\"\(x)\" y=\"\(y)\" width=\"16\" height=\"16\" rx=\"3\" fill=\"\(colours[trit] ?? "")\"/>"
    }
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 64 64\">\n"
      + squares.joined(separator: "\n") + "\n</svg>\n"
  }()
}
