import Foundation
import TritJupyter

/// The other end of a socket, by hand: what it sends may be wrong on purpose.
final class TestPeer {
  private let descriptor: Int32
  /// For those who wait for it.
  var number: Int32 { descriptor }
  private var input: [UInt8] = []

  struct Silence: Error {}

  /// Connects to a port of this machine.
  init(port: Int) throws {
    #if canImport(Glibc)
      descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
      descriptor = socket(AF_INET, SOCK_STREAM, 0)
    #endif
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port)).bigEndian
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard code == 0 else { throw Silence() }
    // Nothing here takes long; a kernel that hangs must not hang the tests.
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  /// Connects and ends the handshake as a socket of `type`.
  convenience init(port: Int, type: String) throws {
    try self.init(port: port)
    send(ZMTPFrame.greeting + ZMTPFrame.ready([("Socket-Type", type), ("Identity", "")]))
    _ = try bytes(64)
    _ = try frame()
  }

  deinit { close(descriptor) }

  func send(_ bytes: [UInt8]) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        Foundation.send(
          descriptor, $0.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      sent += count
    }
  }

  func send(_ parts: [[UInt8]]) { send(ZMTPFrame.message(parts)) }

  /// The next message.
  func message() throws -> [[UInt8]] {
    var parts: [[UInt8]] = []
    while true {
      let (flags, body) = try frame()
      if flags & ZMTPFrame.command != 0 { continue }
      parts.append(body)
      if flags & ZMTPFrame.more == 0 { return parts }
    }
  }

  func frame() throws -> (flags: UInt8, body: [UInt8]) {
    let head = try bytes(2)
    var size = Int(head[1])
    if head[0] & ZMTPFrame.long != 0 {
      size = ([head[1]] + (try bytes(7))).reduce(0) { $0 << 8 | Int($1) }
    }
    return (head[0], try bytes(size))
  }

  /// Whether the kernel closes the connection.
  func isClosed() -> Bool {
    do {
      while true { _ = try bytes(1) }
    } catch {
      return (error as? Closed) != nil
    }
  }

  struct Closed: Error {}

  private func bytes(_ count: Int) throws -> [UInt8] {
    while input.count < count {
      var piece = [UInt8](repeating: 0, count: 1 << 16)
      let got = recv(descriptor, &piece, piece.count, 0)
      // An end, or a reset: both mean that the other side let go.
      if got == 0 || (got < 0 && errno == ECONNRESET) { throw Closed() }
      guard got > 0 else { throw Silence() }
      input += piece[..<got]
    }
    defer { input.removeFirst(count) }
    return Array(input.prefix(count))
  }
}
