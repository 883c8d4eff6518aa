internal import CTritPlugin
import Foundation
import TritCore

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// This program once more, as a child that may run code from outside: it writes on the same
/// standard output and error, tells on a descriptor of its own what it does (`WatchedChild`), and
/// is ended where it is silent for too long.
package final class WatchedProcess {
  /// How it ended.
  package enum End: Sendable, Equatable {
    /// With this code.
    case exit(Int32)
    case signal(Int32)
    /// It said nothing for the time limit and was ended.
    case hang
  }

  /// How it ended, and where it was.
  package struct Outcome: Sendable {
    package var end: End
    /// Whether the program ended by its own will, and not by code from outside.
    package var isOwn: Bool
    package var report: CrashReport
  }

  private let process: pid_t
  private let reading: Int32
  /// Where the child is told what to do; −1 where it is told nothing.
  private let orders: Int32
  private var pending: [UInt8] = []
  private var report = CrashReport()
  private var saidEnd = false
  private var isReaped = false
  private var status: Int32 = 0

  /// Starts this program with `arguments`; it reads `handover` by `WatchedChild.begin`, and with
  /// `takesOrders` what `order` sends. Throws a failure with the system's words.
  package init(_ arguments: [String], handover: String, takesOrders: Bool = false) throws {
    let child = Subprocess(
      program: ProgramPath.readable, arguments: arguments,
      // The report of a crash is the child's own, and short.
      environment: ["SWIFT_BACKTRACE": "enable=no"], seconds: 0)
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw child.refused(errno) }
    guard let file = tmpfile() else {
      let number = errno
      for end in ends { close(end) }
      throw child.refused(number)
    }
    defer { fclose(file) }
    let bytes = Array(handover.utf8)
    guard fwrite(bytes, 1, bytes.count, file) == bytes.count, fflush(file) == 0 else {
      let number = errno
      for end in ends { close(end) }
      throw child.refused(number)
    }
    rewind(file)
    var told: [Int32] = [-1, -1]
    if takesOrders {
      guard pipe(&told) == 0 else {
        let number = errno
        for end in ends { close(end) }
        throw child.refused(number)
      }
      _ = fcntl(told[1], F_SETFD, FD_CLOEXEC)
    }
    // Out of the way of the numbers that the child has them under.
    let listening = takesOrders ? fcntl(told[0], F_DUPFD_CLOEXEC, 10) : -1
    if takesOrders { close(told[0]) }
    let writing = fcntl(ends[1], F_DUPFD_CLOEXEC, 10)
    let handed = fcntl(fileno(file), F_DUPFD_CLOEXEC, 10)
    close(ends[1])
    _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
    var descriptors = [(writing, WatchedChild.report), (handed, WatchedChild.handover)]
    if takesOrders { descriptors.append((listening, WatchedChild.orders)) }
    let started = child.start(descriptors)
    if takesOrders { close(listening) }
    close(writing)
    close(handed)
    do {
      process = try started.get()
    } catch {
      close(ends[0])
      if takesOrders { close(told[1]) }
      throw error
    }
    reading = ends[0]
    orders = told[1]
  }

  deinit {
    if !isReaped {
      kill(-process, SIGKILL)
      ChildProcess.reap(process)
    }
    close(reading)
    if orders >= 0 { close(orders) }
  }

  /// Tells it a line, which may be done while another thread waits for its end. False where it is
  /// gone.
  package func order(_ line: String) -> Bool {
    Descriptor.write(line + "\n", to: orders) == 0
  }

  /// Waits for its end. `hear` gets every line that it tells, `limit` says how many seconds it may
  /// be silent now. The signal that asks this process to stop is passed on, once.
  package func wait(limit: () -> Double, hear: (String) -> Void) -> Outcome {
    var last = MonotonicClock.seconds()
    var isAsked = false
    var isOpen = true
    while true {
      var wanted = pollfd(fd: isOpen ? reading : -1, events: Int16(POLLIN), revents: 0)
      poll(&wanted, 1, 50)
      if wanted.revents != 0 {
        if take(hear) { last = MonotonicClock.seconds() } else { isOpen = false }
      }
      if waitpid(process, &status, WNOHANG) == process {
        isReaped = true
        // What it has started and left behind would hold the descriptor open.
        kill(-process, SIGKILL)
        drain(hear, seconds: 0)
        let number = status & 0x7F
        let end = number == 0 ? End.exit(status >> 8 & 0xFF) : .signal(number)
        return Outcome(end: end, isOwn: saidEnd && number == 0, report: report)
      }
      if Interruption.isRequested, !isAsked {
        isAsked = true
        last = MonotonicClock.seconds()
        kill(process, Interruption.exitCode - 128)
      }
      // Whoever asks to stop does not wait for minutes.
      let silence = isAsked ? min(limit(), 10) : limit()
      guard MonotonicClock.seconds() - last > silence else { continue }
      askThreads(hear)
      kill(-process, SIGKILL)
      status = ChildProcess.reap(process)
      isReaped = true
      return Outcome(end: .hang, isOwn: false, report: report)
    }
  }

  /// Asks every thread where it is, one after the other.
  private func askThreads(_ hear: (String) -> Void) {
    let names = (try? FolderListing("/proc/\(process)/task").names) ?? []
    let threads = names.compactMap { Int32($0) }.sorted()
    for thread in threads.isEmpty ? [process] : threads {
      guard trit_ask_thread(process, thread) == 0 else { continue }
      drain(hear, seconds: 0.03)
    }
    drain(hear, seconds: 0.2)
  }

  /// Takes what comes within `seconds`.
  private func drain(_ hear: (String) -> Void, seconds: Double) {
    let start = MonotonicClock.seconds()
    while true {
      var wanted = pollfd(fd: reading, events: Int16(POLLIN), revents: 0)
      poll(&wanted, 1, 5)
      if wanted.revents != 0 {
        guard take(hear) else { return }
        continue
      }
      if MonotonicClock.seconds() - start >= seconds { return }
    }
  }

  /// Takes a piece; false at the end.
  private func take(_ hear: (String) -> Void) -> Bool {
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    let count = read(reading, &piece, piece.count)
    if count < 0, errno == EINTR { return true }
    guard count > 0 else { return false }
    pending += piece[..<count]
    while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
      let line = String(decoding: pending[..<end], as: UTF8.self)
      pending.removeSubrange(...end)
      if line == "E" {
        saidEnd = true
      } else if line != ".", !report.take(line) {
        hear(line)
      }
    }
    return true
  }
}
