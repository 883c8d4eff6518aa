import Foundation
import Synchronization
import TritCore
import TritDrawing

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The descriptors of the process in which cells run. Elsewhere, in a plug-in or a test, values are
/// shown on standard output.
enum HostChannel {
  static let commands: Int32 = 3
  static let events: Int32 = 4
  static let report: Int32 = 5

  private struct State {
    var isHost = false
    var pending: [UInt8] = []
    /// Names that were given to values without one.
    var shown = 0
  }
  private static let state = Mutex(State())

  /// Whether this process runs cells.
  static var isHost: Bool { state.withLock { $0.isHost } }

  static func open() { state.withLock { $0.isHost = true } }

  /// A name that no value has had.
  static func newName() -> String {
    state.withLock {
      $0.shown += 1
      return "shown-\(getpid())-\($0.shown)"
    }
  }

  /// Sends an event, after all that was printed. Where `waits`, the other side has taken both when
  /// this returns.
  static func send(_ event: HostEvent, waits: Bool = false) {
    fflush(nil)
    guard let data = try? JSONEncoder().encode(event) else { return }
    state.withLock { state in
      guard state.isHost else {
        if let data = event.data { print(data.plain) }
        return
      }
      let line = Array(data) + [UInt8(ascii: "\n")]
      _ = line.withUnsafeBytes { Descriptor.write($0, to: events) }
      if waits { _ = readLine(&state) }
    }
  }

  /// The next command; nil at the end.
  static func command() -> HostCommand? {
    while let line = state.withLock({ readLine(&$0) }) {
      if let command = try? JSONDecoder().decode(HostCommand.self, from: Data(line)) {
        return command
      }
    }
    return nil
  }

  private static func readLine(_ state: inout State) -> [UInt8]? {
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      if let end = state.pending.firstIndex(of: UInt8(ascii: "\n")) {
        let line = Array(state.pending[..<end])
        state.pending.removeSubrange(...end)
        return line
      }
      let count = read(commands, &piece, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return nil }
      state.pending += piece[..<count]
    }
  }
}
