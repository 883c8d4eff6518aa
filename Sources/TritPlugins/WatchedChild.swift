internal import CTritPlugin
import Foundation
import Synchronization
import TritCore

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The inner side of `WatchedProcess`: this process is watched by the one that started it.
package enum WatchedChild {
  /// Where it tells.
  static let report: Int32 = 3
  /// Where it reads what it must know.
  static let handover: Int32 = 4
  /// Where it is told what to do next, a line each, where it was started to be told.
  static let orders: Int32 = 5
  /// How often it says that something goes on, in microseconds.
  private static let beat: UInt32 = 200_000
  /// Lines of two threads do not mix.
  private static let writing = Mutex(())

  /// Listens for crashes from now on, and gives what it was handed. nil where nobody watches.
  package static func begin() -> String? {
    guard fcntl(report, F_GETFD) >= 0, fcntl(handover, F_GETFD) >= 0 else { return nil }
    let bytes = Descriptor.readAll(handover)
    close(handover)
    // Programs that are started from here, as gnuplot, have nothing to tell.
    _ = fcntl(report, F_SETFD, FD_CLOEXEC)
    trit_child_watch(report, 0)
    ProcessEnd.announce(on: report)
    Thread.detachNewThread { tellProgress() }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The next line that it is told; nil at the end of orders, and where the user asks to stop. To
  /// wait is no hang.
  package static func nextOrder() -> String? {
    _ = fcntl(orders, F_SETFD, FD_CLOEXEC)
    var bytes: [UInt8] = []
    while true {
      guard (try? Interruption.check()) != nil else { return nil }
      var wanted = pollfd(fd: orders, events: Int16(POLLIN), revents: 0)
      guard poll(&wanted, 1, 100) > 0 else { continue }
      // One by one: what follows the end of the line is the next order.
      var byte: UInt8 = 0
      let count = read(orders, &byte, 1)
      if count < 0, errno == EINTR { continue }
      guard count == 1 else { return nil }
      guard byte != UInt8(ascii: "\n") else { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(byte)
    }
  }

  /// Says that long loops go on, while they do.
  private static func tellProgress() {
    var last = Interruption.checkCount
    while true {
      usleep(beat)
      let now = Interruption.checkCount
      if now != last { tell(".") }
      last = now
    }
  }

  /// Tells a line.
  package static func tell(_ line: String) {
    _ = writing.withLock { _ in Descriptor.write(line + "\n", to: report) }
  }
}
