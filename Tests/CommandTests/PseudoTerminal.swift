import Foundation
import _TritTestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Runs the built `trit` with standard output and error on a terminal of its own.
enum PseudoTerminal {
  /// What appeared on a terminal of `columns` columns, with the exit code. Lines end with `\n`
  /// alone.
  static func run(
    _ arguments: [String], columns: Int, environment extra: [String: String] = [:],
    folder: String? = nil
  ) throws -> (status: Int32, screen: String) {
    let (parent, child) = try open(columns: columns)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: CommandRunner.path)
    process.arguments = arguments
    // An empty COLUMNS is none: the terminal is asked.
    process.environment = CommandRunner.environment(
      ["COLUMNS": "", "TERM": "xterm"].merging(extra) { $1 })
    if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
    let terminal = FileHandle(fileDescriptor: child, closeOnDealloc: false)
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = terminal
    process.standardError = terminal
    try process.run()
    // Our end of the child's side is closed, so that reading ends with the process.
    close(child)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 14)
    while true {
      let count = read(parent, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      bytes += buffer[..<count]
    }
    close(parent)
    process.waitUntilExit()
    let text = String(decoding: bytes, as: UTF8.self).replacing("\r\n", with: "\n")
    return (process.terminationStatus, text)
  }

  /// Both ends of a new terminal.
  private static func open(columns: Int) throws -> (parent: Int32, child: Int32) {
    var size = winsize()
    size.ws_col = UInt16(columns)
    size.ws_row = 24
    var parent: Int32 = -1
    var child: Int32 = -1
    #if canImport(Darwin)
      guard openpty(&parent, &child, nil, nil, &size) == 0 else { throw POSIXError(.EIO) }
    #else
      // As posix_openpt, unlockpt and ptsname do it; the module of the C library does not show
      // those. Source: ioctl_tty(2), TIOCSPTLCK and TIOCGPTN.
      parent = Glibc.open("/dev/ptmx", O_RDWR | O_NOCTTY)
      var lock: Int32 = 0
      var number: Int32 = 0
      guard parent >= 0, ioctl(parent, 0x4004_5431, &lock) == 0,
        ioctl(parent, 0x8004_5430, &number) == 0
      else { throw POSIXError(.EIO) }
      child = Glibc.open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
      guard child >= 0, ioctl(parent, UInt(TIOCSWINSZ), &size) == 0 else {
        throw POSIXError(.EIO)
      }
    #endif
    return (parent, child)
  }

  /// The lines as they stand at the end: what was overwritten is gone, colours too.
  static func lines(_ screen: String) -> [String] {
    plain(screen).components(separatedBy: "\n").map { line in
      line.components(separatedBy: "\r").last ?? ""
    }
  }

  /// Everything that was on a line at any moment.
  static func states(_ screen: String) -> [String] {
    plain(screen).components(separatedBy: CharacterSet(charactersIn: "\n\r"))
  }

  private static func plain(_ screen: String) -> String {
    screen.replacing(/\u{1B}\[[0-9;]*[A-Za-z]/, with: "")
  }
}
