package import CTritKernels
import Foundation
import Synchronization

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Runs C leaves in another process (`Tests/LeafServer`), which may have another instruction set:
/// under an emulator, or on another machine by ssh.
///
/// Where the environment names one in `TRITLAB_LEAF_RUNNER`, as `qemu-aarch64 .build/arm/leaves`,
/// this machine takes that CPU for its own: `CPUFeatures.here` is its set, registries offer its
/// kernels, and every leaf runs there, on layouts that the usual Swift code made. So the same law
/// checkers and tests judge leaves that this machine cannot run. For tests: a call costs tens of
/// microseconds and copies all it reads.
///
/// Outputs lie between guard bytes, so that a leaf that writes outside of them is found.
package final class LeafRunner: Sendable {
  /// The command, words separated by spaces.
  package let command: String
  /// What the other CPU offers.
  package let features: CPUFeatures

  private struct State {
    var process: Process
    var toServer: Pipe
    var fromServer: Pipe
    var frame = AlignedBuffer<UInt8>(count: 1 << 16)
  }
  private let state: Mutex<State>
  private static let guardByte: UInt8 = 0xA5

  /// Starts `command` and asks it what it is. Throws `usage` where it is no leaf server.
  package init(command: String) throws {
    self.command = command
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command.split(separator: " ").map(String.init)
    let (toServer, fromServer) = (Pipe(), Pipe())
    process.standardInput = toServer
    process.standardOutput = fromServer
    // A server that leaves must be an error message, not a signal.
    signal(SIGPIPE, SIG_IGN)
    do {
      try process.run()
    } catch {
      throw Self.refused(command, "\(error)")
    }
    // The parent's copies of the child's ends would hide its end.
    try? toServer.fileHandleForReading.close()
    try? fromServer.fileHandleForWriting.close()
    var state = State(process: process, toServer: toServer, fromServer: fromServer)
    let answer: UInt64
    do {
      answer = try Self.exchange(&state, TK_LEAF_FEATURES, [])
    } catch {
      throw Self.refused(command, error.text)
    }
    guard answer >> 32 == UInt64(TK_LEAF_VERSION) else {
      throw Self.refused(command, "it answered \(answer)")
    }
    features = CPUFeatures(rawValue: UInt32(truncatingIfNeeded: answer))
    self.state = Mutex(state)
  }

  private static func refused(_ command: String, _ got: String) -> LabError {
    LabError(
      .usage, "the leaf runner '\(command)' is no leaf server", at: "TRITLAB_LEAF_RUNNER",
      expected: "a command that runs Tests/LeafServer, of version \(TK_LEAF_VERSION)",
      got: got, advice: "build one with make test-arm, or unset the variable")
  }

  private static let started: Result<LeafRunner?, LabError> = {
    guard let command = ProcessInfo.processInfo.environment["TRITLAB_LEAF_RUNNER"],
      !command.isEmpty
    else { return .success(nil) }
    do {
      return .success(try LeafRunner(command: command))
    } catch let error as LabError {
      return .failure(error)
    } catch {
      return .failure(refused(command, "\(error)"))
    }
  }()

  /// The runner that the environment names, started at first use; nil where it names none. A runner
  /// that does not start ends the process: `check` finds that out first.
  package static let shared: LeafRunner? = {
    switch started {
    case .success(let runner): return runner
    case .failure(let error): stop("\(error)")
    }
  }()

  /// Throws `usage` where the environment names a runner that does not start.
  package static func check() throws { _ = try started.get() }

  /// A leaf has no way to report an error: what goes wrong on the way ends the process.
  private static func stop(_ message: String) -> Never {
    let error = LabError(.internalError, message)
    let text = "error: \(error)\n" + ErrorDocument.line(error)
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    ProcessEnd.exit(LabError.Kind.internalError.rawValue)
  }

  /// Runs `leaf` over there and gives its result; outputs are written.
  @discardableResult
  package func call(_ leaf: tk_leaf, _ arguments: [LeafArgument]) -> UInt64 {
    do {
      return try state.withLock { (state) throws(Failure) in
        try Self.exchange(&state, leaf, arguments)
      }
    } catch {
      Self.stop("the leaf runner '\(command)' failed in leaf \(leaf.rawValue): \(error.text)")
    }
  }

  /// Why a call failed.
  private struct Failure: Error { let text: String }

  /// One call and its reply. Throws where the server ended or wrote where it may not.
  private static func exchange(
    _ state: inout State, _ leaf: tk_leaf, _ arguments: [LeafArgument]
  ) throws(Failure) -> UInt64 {
    let plan = LeafFrame(leaf, arguments)
    let size = plan.headBytes + plan.payloadBytes
    if state.frame.count < size { state.frame = AlignedBuffer(count: 2 * size) }
    let (input, output) = (
      state.toServer.fileHandleForWriting.fileDescriptor,
      state.fromServer.fileHandleForReading.fileDescriptor
    )
    let frame = state.frame
    return try withExtendedLifetime(frame) { () throws(Failure) -> UInt64 in
      let base = UnsafeMutableRawPointer(frame.base)
      let payload = base + plan.headBytes
      let replyBytes = plan.payloadBytes - plan.reply
      memset(payload + plan.reply, Int32(guardByte), replyBytes)
      plan.write(arguments, to: base)
      var result: UInt64 = 0
      guard transfer(base, size, { write(input, $0, $1) }),
        withUnsafeMutablePointer(to: &result, { transfer($0, 8, { read(output, $0, $1) }) }),
        transfer(payload + plan.reply, replyBytes, { read(output, $0, $1) })
      else { throw Failure(text: "the server ended") }
      plan.takeOutputs(arguments, from: payload, leaving: guardByte)
      for offset in plan.reply..<plan.payloadBytes where frame[plan.headBytes + offset] != guardByte
      {
        throw Failure(text: "it wrote outside of its outputs")
      }
      return result
    }
  }

  /// Moves all `count` bytes at `base`; false at the end of the stream or on an error.
  private static func transfer(
    _ base: UnsafeMutableRawPointer, _ count: Int,
    _ move: (UnsafeMutableRawPointer, Int) -> Int
  ) -> Bool {
    var done = 0
    while done < count {
      let moved = move(base + done, count - done)
      if moved < 0, errno == EINTR { continue }
      guard moved > 0 else { return false }
      done += moved
    }
    return true
  }
}
