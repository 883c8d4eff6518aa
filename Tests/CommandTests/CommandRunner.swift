import Foundation
import Testing
import _TritTestSupport

/// What one run of the built command gave.
struct CommandResult: CustomStringConvertible {
  /// The exit code; 128 + n where signal n ended it.
  let status: Int32
  /// Standard output.
  let out: String
  /// Standard error.
  let err: String

  var description: String { "exit \(status)\n--- out\n\(out)\n--- err\n\(err)" }
}

/// Runs the built `trit` as a person would, and keeps what it printed.
enum CommandRunner {
  /// The command beside the running test bundle.
  static let path: String = {
    let bundle = Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
    return bundle.resolvingSymlinksInPath().deletingLastPathComponent()
      .appendingPathComponent("trit").path
  }()

  /// Where commands keep what they measure.
  static let cache = NSTemporaryDirectory() + "tritlab-test-cache"

  /// Variables that would change what is printed or where models are found are taken away first.
  static func environment(_ extra: [String: String]) -> [String: String] {
    var result = ProcessInfo.processInfo.environment.filter { name, _ in
      !name.hasPrefix("TRITLAB_") && !name.hasPrefix("HF_")
        && !["NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"].contains(name)
    }
    // What 'auto' measures stays out of the user's own cache.
    result["XDG_CACHE_HOME"] = cache
    result["COLUMNS"] = "80"
    result["TERM"] = "dumb"
    return result.merging(extra) { $1 }
  }

  /// Runs `trit` with `arguments` to its end. The streams go through files, so that neither can
  /// fill a pipe and stop the command.
  static func run(
    _ arguments: [String], environment extra: [String: String] = [:], input: String = "",
    folder: String? = nil
  ) throws -> CommandResult {
    let scratch = try TemporaryFolder("run")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.environment = environment(extra)
    if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
    try scratch.write(input, to: "in")
    process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: scratch.file("in")))
    process.standardOutput = try handle(scratch, "out")
    process.standardError = try handle(scratch, "err")
    try process.run()
    process.waitUntilExit()
    let ended = process.terminationStatus
    return CommandResult(
      status: process.terminationReason == .uncaughtSignal ? 128 + ended : ended,
      out: try text(scratch, "out"), err: try text(scratch, "err"))
  }

  /// Runs a line of shell in which `trit` is the built command and `$TRIT` its path.
  static func shell(_ line: String, environment extra: [String: String] = [:]) throws
    -> CommandResult
  {
    let scratch = try TemporaryFolder("shell")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", "trit() { \"\(path)\" \"$@\"; }; \(line)"]
    process.environment = environment(extra.merging(["TRIT": path]) { $1 })
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try handle(scratch, "out")
    process.standardError = try handle(scratch, "err")
    try process.run()
    process.waitUntilExit()
    return CommandResult(
      status: process.terminationStatus, out: try text(scratch, "out"),
      err: try text(scratch, "err"))
  }

  private static func handle(_ folder: TemporaryFolder, _ name: String) throws -> FileHandle {
    try folder.write("", to: name)
    return try FileHandle(forWritingTo: URL(fileURLWithPath: folder.file(name)))
  }

  private static func text(_ folder: TemporaryFolder, _ name: String) throws -> String {
    let data = try Data(contentsOf: URL(fileURLWithPath: folder.file(name)))
    return String(decoding: data, as: UTF8.self)
  }
}
