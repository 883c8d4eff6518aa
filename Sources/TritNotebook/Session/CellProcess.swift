import Foundation
import TritCore
import TritPlugins

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The process of the cells as its parent has it: a child in a group of its own, and the ends of
/// its pipes.
final class CellProcess {
  let id: Int32
  /// Events, standard output, standard error, the report of a crash.
  let events: Int32
  let output: Int32
  let errors: Int32
  let report: Int32
  private let commands: Int32
  private var isReaped = false

  /// Starts `program`. Throws a failure with the system's words.
  init(program: String, memoryFolder: String) throws {
    let child = Subprocess(
      program: program, arguments: [CellHost.word, memoryFolder],
      // The report of a crash is the child's own, and short.
      environment: ["SWIFT_BACKTRACE": "enable=no"], seconds: 0)
    var pipes: [(reading: Int32, writing: Int32)] = []
    func closeAll() {
      for pipe in pipes { for end in [pipe.reading, pipe.writing] { close(end) } }
    }
    for _ in 0..<5 {
      var ends: [Int32] = [-1, -1]
      guard pipe(&ends) == 0 else {
        let number = errno
        closeAll()
        throw child.refused(number)
      }
      // Out of the way of the numbers that the child has them under.
      let moved = ends.map { fcntl($0, F_DUPFD_CLOEXEC, 20) }
      for end in ends { close(end) }
      guard moved.allSatisfy({ $0 >= 0 }) else {
        let number = errno
        for end in moved where end >= 0 { close(end) }
        closeAll()
        throw child.refused(number)
      }
      pipes.append((moved[0], moved[1]))
    }
    let started = child.start([
      (pipes[0].reading, HostChannel.commands), (pipes[1].writing, HostChannel.events),
      (pipes[2].writing, STDOUT_FILENO), (pipes[3].writing, STDERR_FILENO),
      (pipes[4].writing, HostChannel.report),
    ])
    guard case .success(let id) = started else {
      closeAll()
      _ = try started.get()
      throw child.refused(EIO)
    }
    self.id = id
    close(pipes[0].reading)
    for pipe in pipes[1...] { close(pipe.writing) }
    commands = pipes[0].writing
    (events, output, errors, report) = (
      pipes[1].reading, pipes[2].reading, pipes[3].reading, pipes[4].reading
    )
    for descriptor in [output, errors, report] {
      _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }
  }

  deinit {
    if !isReaped { end() }
    for descriptor in [commands, events, output, errors, report] { close(descriptor) }
  }

  /// Writes a line to the child; false where it is gone.
  func send(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { Descriptor.write($0, to: commands) } == 0
  }

  /// What can be read from `descriptor` now, at most `most` bytes; the rest stays.
  func drain(_ descriptor: Int32, most: Int = 1 << 22) -> [UInt8] {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count < most {
      let count = read(descriptor, &piece, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      bytes += piece[..<count]
    }
    return bytes
  }

  /// Resident memory in bytes; 0 where it is not known.
  var residentBytes: Int {
    guard let text = WholeFile.text("/proc/\(id)/statm") else { return 0 }
    let fields = text.split(separator: " ")
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
  }

  /// Asks the threads of the child where they are; their answers come on `report`.
  func askWhere() {
    _ = kill(id, SIGALRM)
    usleep(50_000)
  }

  func interrupt() { _ = kill(id, SIGINT) }

  /// Waits for a child that has closed its pipes; gives how it ended.
  func reap() -> Int32 {
    isReaped = true
    let status = ChildProcess.reap(id)
    // What it has started and left behind ends with it.
    kill(-id, SIGKILL)
    return status
  }

  /// Ends it and all that it started.
  @discardableResult func end() -> Int32 {
    guard !isReaped else { return 0 }
    kill(-id, SIGKILL)
    return reap()
  }
}
