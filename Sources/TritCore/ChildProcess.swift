#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Another program, run to its end. One descriptor is enough, and every refusal of the system is
/// told.
package enum ChildProcess {
  /// Runs `program` in `folder` without input; what it prints on standard output is dropped. Gives
  /// nil where it ended well, else what it said on standard error, or why it did not run.
  package static func run(_ program: String, _ arguments: [String], in folder: String) -> String? {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return refusal(errno) }
    let (reading, writing) = (ends[0], ends[1])
    // A child of another thread must not hold this pipe open.
    _ = fcntl(reading, F_SETFD, FD_CLOEXEC)
    _ = fcntl(writing, F_SETFD, FD_CLOEXEC)
    defer { close(reading) }
    // The call that would change the folder is hidden from Swift by the system's headers.
    let line = "unset CDPATH; cd -- \"$1\" && shift && exec \"$@\""
    var start = ProcessStart("/bin/sh", ["-c", line, "sh", folder, program] + arguments)
    start.descriptors = [(writing, STDERR_FILENO)]
    start.silent = [STDIN_FILENO, STDOUT_FILENO]
    let started = start.start()
    close(writing)
    let process: Int32
    switch started {
    case .success(let number): process = number
    case .failure(let refused): return refusal(refused.number)
    }
    let said = readAll(reading)
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 {
      if errno != EINTR { return "cannot wait for it: \(SystemFailure.text())" }
    }
    if status == 0 { return nil }
    if !said.isEmpty { return said }
    let number = status & 0x7F
    return number == 0 ? "exit code \(status >> 8 & 0xFF)" : "ended by signal \(number)"
  }

  /// Waits until `process` has ended, and gives how; for one that has been told to end.
  @discardableResult package static func reap(_ process: pid_t) -> Int32 {
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    return status
  }

  private static func refusal(_ number: Int32) -> String {
    let words = SystemFailure.text(number)
    let advice = SystemFailure.advice(number, otherwise: "")
    return advice.isEmpty ? words : "\(words) (\(advice))"
  }

  /// All that comes until the end, as text without white space at its ends.
  private static func readAll(_ descriptor: Int32) -> String {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(descriptor, &piece, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      // A program that talks without end is listened to no longer than anybody would read.
      if bytes.count < 1 << 20 { bytes += piece[..<count] }
    }
    let text = String(decoding: bytes, as: UTF8.self)
    let body = text.drop { $0.isWhitespace }
    return String(body.reversed().drop { $0.isWhitespace }.reversed())
  }
}
