import Foundation
import _TritTestSupport

/// A machine that is made of stubs: a PATH that has the plain tools of a system and nothing else,
/// beside the commands that a test invents.
final class StubMachine {
  let folder: TemporaryFolder
  private let bin: String

  /// The checkout that this file lies in.
  static let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path

  /// Tools that every system has; the real ones.
  private static let tools = [
    "awk", "bash", "cat", "chmod", "cut", "dirname", "env", "grep", "head", "mktemp", "rm", "sed",
    "sh", "sleep", "tail", "tee", "touch", "tr",
  ]

  /// A quiet Linux of user 1000 with enough room, and without Swift, packages or a package manager.
  init() throws {
    folder = try TemporaryFolder("machine")
    bin = folder.file("bin")
    try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
    for tool in Self.tools {
      guard let path = Self.find(tool) else { throw CocoaError(.fileNoSuchFile) }
      try FileManager.default.createSymbolicLink(
        atPath: bin + "/" + tool, withDestinationPath: path)
    }
    try stub("uname", #"[ "$1" = -m ] && echo x86_64 || echo Linux"#)
    try stub("id", "echo 1000")
    try stub("getconf", "echo 2")
    try stub("uptime", "echo ' 10:00:00 up 1 day,  1 user,  load average: 0.10, 0.20, 0.30'")
    try stub("free", "echo 'total'; echo 'Mem: 8000 1000 4000 10 3000 6000'")
    try stub("df", "echo Filesystem; echo '/dev/sda1 100000000 1 90000000 1% /'")
  }

  /// The path of a real tool.
  static func find(_ name: String) -> String? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
      .map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// Puts a command on the PATH that is a line of shell. `$HERE` is the machine's folder.
  func stub(_ name: String, _ body: String) throws {
    let path = try folder.write("#!/bin/bash\nHERE='\(folder.path)'\n\(body)\n", to: "bin/" + name)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
  }

  /// Puts a real tool on the PATH.
  func link(_ name: String) throws {
    guard let path = Self.find(name) else { throw CocoaError(.fileNoSuchFile) }
    try FileManager.default.createSymbolicLink(atPath: bin + "/" + name, withDestinationPath: path)
  }

  /// A Swift toolchain that says it is of this version.
  func swift(_ version: String) throws {
    try stub(
      "swift",
      "[ \"$1\" = --version ] && echo 'Swift version \(version) (swift-\(version)-RELEASE)'")
  }

  /// All libraries and tools that the lab needs.
  func libraries() throws {
    try stub("pkg-config", "exit 0")
    try stub("gnuplot", "exit 0")
  }

  /// The lines that stubs have written to the file `name` of the machine's folder.
  func said(_ name: String) -> [String] {
    let text = (try? String(contentsOfFile: folder.file(name), encoding: .utf8)) ?? ""
    return text.split(separator: "\n").map(String.init)
  }

  /// Runs a script of the checkout, or a command on the PATH, on this machine.
  func run(
    _ words: String..., environment: [String: String] = ["GOAL": "demo"],
    folder place: String? = nil
  ) throws -> CommandResult {
    let process = Process()
    let program =
      words[0].hasPrefix("Scripts/") ? Self.checkout + "/" + words[0] : bin + "/" + words[0]
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = Array(words.dropFirst())
    process.environment = environment.merging([
      "PATH": bin, "HOME": folder.path, "TMPDIR": folder.path,
    ]) { $1 }
    process.currentDirectoryURL = URL(fileURLWithPath: place ?? Self.checkout)
    process.standardInput = FileHandle.nullDevice
    for name in ["out", "err"] { try folder.write("", to: name) }
    process.standardOutput = try FileHandle(
      forWritingTo: URL(fileURLWithPath: folder.file("out")))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.file("err")))
    try process.run()
    process.waitUntilExit()
    return CommandResult(
      status: process.terminationStatus,
      out: try String(contentsOfFile: folder.file("out"), encoding: .utf8),
      err: try String(contentsOfFile: folder.file("err"), encoding: .utf8))
  }
}
