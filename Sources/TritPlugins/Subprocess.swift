package import TritCore

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A program that is run to its end with a time limit: a compiler, a symbolizer, or this program as
/// the child that checks a plug-in. What it starts ends with it.
package struct Subprocess {
  /// How it ended.
  package struct Outcome {
    /// Its exit code; nil where a signal ended it.
    package var code: Int32?
    /// The signal that ended it.
    package var signal: Int32?
    /// Whether it took longer than it might.
    package var isLate = false
    /// The first mebibyte of standard output, of standard error, and of descriptor 3.
    package var output = ""
    package var errors = ""
    package var report = ""
  }

  package let program: String
  package let arguments: [String]
  /// Variables that are set beside those of this process.
  package var environment: [String: String] = [:]
  /// Seconds until it is ended.
  package var seconds: Double

  /// A program that is yet to be run.
  package init(
    program: String, arguments: [String], environment: [String: String] = [:], seconds: Double
  ) {
    self.program = program
    self.arguments = arguments
    self.environment = environment
    self.seconds = seconds
  }

  private static let most = 1 << 20

  /// Runs it. Throws `failure` where the system does not start it, `interrupted` where the user
  /// asks to stop.
  package func run() throws -> Outcome {
    var pipes: [(reading: Int32, writing: Int32)] = []
    defer { for pipe in pipes where pipe.reading >= 0 { close(pipe.reading) } }
    for _ in 0..<3 {
      var ends: [Int32] = [-1, -1]
      guard pipe(&ends) == 0 else {
        let number = errno
        for pipe in pipes { close(pipe.writing) }
        throw refused(number)
      }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      pipes.append((ends[0], ends[1]))
    }
    let descriptors = pipes.enumerated().map { (from: $1.writing, to: Int32($0) + 1) }
    let started = start(descriptors)
    for pipe in pipes { close(pipe.writing) }
    let process = try started.get()
    return try wait(for: process, pipes.map(\.reading))
  }

  package func refused(_ number: Int32) -> LabError {
    LabError(
      .failure, "the program does not start: \(SystemFailure.text(number))", at: program,
      advice: SystemFailure.advice(number, otherwise: "check that it can be run by itself"))
  }

  /// Starts it in a group of its own, with nothing to read and these descriptors; those of standard
  /// output and error are this process's where they are not named.
  package func start(_ descriptors: [(from: Int32, to: Int32)]) -> Result<Int32, LabError> {
    var start = ProcessStart(program, arguments)
    start.environment = environment
    start.descriptors = descriptors
    start.isGroup = true
    return start.start().mapError { refused($0.number) }
  }

  private func wait(for process: pid_t, _ reading: [Int32]) throws -> Outcome {
    var outcome = Outcome()
    var texts = [[UInt8]](repeating: [], count: reading.count)
    var open = reading.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    let start = MonotonicClock.seconds()
    var status: Int32 = 0
    var isEnded = false
    while true {
      poll(&open, nfds_t(open.count), isEnded ? 0 : 20)
      var isQuiet = true
      for index in open.indices where open[index].revents != 0 {
        if take(open[index].fd, &texts[index]) { isQuiet = false } else { open[index].fd = -1 }
      }
      if isEnded {
        if isQuiet { break }
        continue
      }
      isEnded = waitpid(process, &status, WNOHANG) == process
      if isEnded {
        // What it has started and left behind would hold the pipes open.
        kill(-process, SIGKILL)
        continue
      }
      let isLate = MonotonicClock.seconds() - start > seconds
      guard isLate || Interruption.isRequested else { continue }
      outcome.isLate = isLate
      kill(-process, SIGKILL)
      status = ChildProcess.reap(process)
      isEnded = true
    }
    try Interruption.check()
    let signal = status & 0x7F
    if signal == 0 { outcome.code = status >> 8 & 0xFF } else { outcome.signal = signal }
    outcome.output = String(decoding: texts[0], as: UTF8.self)
    outcome.errors = String(decoding: texts[1], as: UTF8.self)
    outcome.report = String(decoding: texts[2], as: UTF8.self)
    return outcome
  }

  /// Takes what has come; false at the end.
  private func take(_ descriptor: Int32, _ text: inout [UInt8]) -> Bool {
    let piece = 1 << 14
    let count = withUnsafeTemporaryAllocation(byteCount: piece, alignment: 8) { bytes in
      let count = read(descriptor, bytes.baseAddress, piece)
      if count > 0, text.count < Self.most { text += bytes[..<count] }
      return count
    }
    return count > 0 || (count < 0 && errno == EINTR)
  }
}
