import Foundation
import Testing
import _TritTestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A command under way, to be looked at and killed in the middle.
final class RunningCommand {
  private let process = Process()
  private let scratch: TemporaryFolder

  /// Starts the built `trit` with `arguments`.
  init(_ arguments: [String], environment extra: [String: String] = [:]) throws {
    scratch = try TemporaryFolder("running")
    process.executableURL = URL(fileURLWithPath: CommandRunner.path)
    process.arguments = arguments
    process.environment = CommandRunner.environment(extra)
    process.standardInput = FileHandle.nullDevice
    for name in ["out", "err"] { try scratch.write("", to: name) }
    process.standardOutput = try FileHandle(
      forWritingTo: URL(fileURLWithPath: scratch.file("out")))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: scratch.file("err")))
    try process.run()
  }

  deinit {
    if process.isRunning { sendSignal(process.processIdentifier, SIGKILL) }
  }

  /// The number of the process.
  var identifier: Int32 { process.processIdentifier }

  /// What it has written on standard error so far.
  var err: String { (try? String(contentsOfFile: scratch.file("err"), encoding: .utf8)) ?? "" }

  /// Waits until `condition` holds; false where the command ends before that.
  func wait(until condition: () -> Bool) -> Bool {
    while !condition() {
      guard process.isRunning else { return condition() }
      usleep(300)
    }
    return true
  }

  /// Sends a signal.
  func send(_ signal: Int32) { sendSignal(process.processIdentifier, signal) }

  /// Waits for the end.
  func end() -> CommandResult {
    process.waitUntilExit()
    let ended = process.terminationStatus
    let out = (try? String(contentsOfFile: scratch.file("out"), encoding: .utf8)) ?? ""
    return CommandResult(
      status: process.terminationReason == .uncaughtSignal ? 128 + ended : ended, out: out, err: err
    )
  }
}

/// `kill(2)`, which a method of the same name hides.
private func sendSignal(_ process: Int32, _ signal: Int32) { _ = kill(process, signal) }
