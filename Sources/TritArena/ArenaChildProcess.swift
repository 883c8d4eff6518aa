import TritCore

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A child of the arena: its streams, its time limit, and how it ended.
final class ArenaChildProcess {
  /// How it ended.
  enum End: Equatable {
    case exit(Int32)
    case signal(Int32)
    /// It said nothing for the time limit and was ended.
    case hang
  }

  private let process: pid_t
  private let input: Int32
  private let output: Int32
  private let errors: Int32
  private var pending: [UInt8] = []
  /// What it printed on standard error, as far as anybody would read.
  private(set) var said: [UInt8] = []
  private static let saidLimit = 256 << 10
  private static let lineLimit = 4 << 20

  /// Starts `program`. Throws a failure with the system's words.
  init(_ program: String, _ arguments: [String], environment extra: [String: String]) throws {
    var inner: [Int32] = [-1, -1]
    var outer: [Int32] = [-1, -1]
    var third: [Int32] = [-1, -1]
    #if canImport(Glibc)
      let stream = Int32(SOCK_STREAM.rawValue)
    #else
      let stream = SOCK_STREAM
    #endif
    guard socketpair(AF_UNIX, stream, 0, &inner) == 0, pipe(&outer) == 0, pipe(&third) == 0 else {
      let number = errno
      for descriptor in inner + outer + third where descriptor >= 0 { close(descriptor) }
      throw Self.refused(number)
    }
    for descriptor in inner + outer + third { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    (input, output, errors) = (inner[0], outer[0], third[0])
    defer { for descriptor in [inner[1], outer[1], third[1]] { close(descriptor) } }

    var start = ProcessStart(program, arguments)
    start.environment = extra
    start.descriptors = [
      (inner[1], STDIN_FILENO), (outer[1], STDOUT_FILENO), (third[1], STDERR_FILENO),
    ]
    start.silent = []
    switch start.start() {
    case .success(let number): process = number
    case .failure(let refusal):
      for descriptor in [input, output, errors] { close(descriptor) }
      throw Self.refused(refusal.number)
    }
  }

  deinit {
    kill(process, SIGKILL)
    if !isReaped { ChildProcess.reap(process) }
    for descriptor in [input, output, errors] { close(descriptor) }
  }

  private var isReaped = false
  private var status: Int32 = 0

  private static func refused(_ number: Int32) -> LabError {
    LabError(
      .failure, "cannot start a process for the arena: \(SystemFailure.text(number))",
      advice: SystemFailure.advice(number, otherwise: "end other programs and try again"))
  }

  /// Sends a line. A child that is gone does not matter here: its end is told by `run`.
  func send(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { rest in
        #if canImport(Glibc)
          Glibc.send(input, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
        #else
          Darwin.send(input, rest.baseAddress, rest.count, 0)
        #endif
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      sent += count
    }
  }

  /// Gives every line of standard output to `hear` as it comes, until the process ends or says
  /// nothing for `limit` seconds. Throws `interrupted` where the user asks to stop.
  func run(limit: Double, _ hear: (String) -> Void) throws -> End {
    var open = [output, errors]
    var last = HardwareClock.nanoseconds()
    var asked: UInt64?
    var ended: UInt64?
    while true {
      try Interruption.check()
      var waited = open.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      if waited.isEmpty { usleep(2_000) } else { _ = poll(&waited, nfds_t(waited.count), 50) }
      for entry in waited where entry.revents != 0 {
        guard let bytes = Self.read(entry.fd) else {
          open.removeAll { $0 == entry.fd }
          continue
        }
        if entry.fd == errors {
          said += bytes.prefix(max(0, Self.saidLimit - said.count))
          continue
        }
        last = HardwareClock.nanoseconds()
        take(bytes, hear)
      }
      let now = HardwareClock.nanoseconds()
      if !isReaped, waitpid(process, &status, WNOHANG) == process { isReaped = true }
      if isReaped {
        if open.isEmpty { break }
        // Somebody that it started may hold the streams.
        if let ended, now - ended > 500_000_000 { break }
        ended = ended ?? now
        continue
      }
      if let first = asked {
        if now - first > 5_000_000_000 { kill(process, SIGKILL) }
      } else if Double(now &- last) * 1e-9 > limit {
        // A polite end first: its backtrace says where it hangs.
        asked = now
        kill(process, SIGABRT)
      }
    }
    if asked != nil { return .hang }
    let number = status & 0x7F
    return number == 0 ? .exit(status >> 8 & 0xFF) : .signal(number)
  }

  private func take(_ bytes: [UInt8], _ hear: (String) -> Void) {
    pending += bytes
    while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
      hear(String(decoding: pending[..<end], as: UTF8.self))
      pending.removeSubrange(...end)
    }
    // No message is as long: what prints here without an end is not listened to.
    if pending.count > Self.lineLimit { pending.removeAll() }
  }

  /// What there is to read; nil at the end.
  private static func read(_ descriptor: Int32) -> [UInt8]? {
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      #if canImport(Glibc)
        let count = Glibc.read(descriptor, &piece, piece.count)
      #else
        let count = Darwin.read(descriptor, &piece, piece.count)
      #endif
      if count < 0, errno == EINTR { continue }
      return count > 0 ? Array(piece[..<count]) : nil
    }
  }
}
