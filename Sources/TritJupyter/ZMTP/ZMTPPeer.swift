import TritCore

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// One connection: what has come from it, and what waits to be sent to it.
///
/// The decoder belongs to the thread that reads; all else is used under the lock of the server.
final class ZMTPPeer: @unchecked Sendable {
  /// Names the peer for those who answer it; never used twice.
  let id: Int
  let descriptor: Int32
  let channel: KernelChannel
  let since = MonotonicClock.seconds()
  var decoder: ZMTPDecoder
  /// Topics that it wants, with how often it asked for each.
  var topics: [[UInt8]: Int] = [:]
  /// Whether it is to be closed.
  var isBroken = false
  /// Buffers that wait, the first of them from `sentOfFirst` on.
  private var waiting: [[UInt8]] = []
  private var first = 0
  private var sentOfFirst = 0
  private(set) var waitingBytes = 0

  /// Topics that a subscriber may ask for.
  private static let mostTopics = 256

  init(id: Int, descriptor: Int32, channel: KernelChannel) {
    self.id = id
    self.descriptor = descriptor
    self.channel = channel
    decoder = ZMTPDecoder(channel.type, limits: channel.limits)
  }

  var hasWaiting: Bool { first < waiting.count }

  func enqueue(_ bytes: [UInt8]) {
    waiting.append(bytes)
    waitingBytes += bytes.count
  }

  /// Sends what the system takes now. What is wrong with the connection shows when it is read.
  func flush() {
    while first < waiting.count {
      let count = waiting[first].withUnsafeBytes { bytes in
        #if canImport(Glibc)
          Glibc.send(
            descriptor, bytes.baseAddress.map { $0 + sentOfFirst }, bytes.count - sentOfFirst,
            Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        #else
          Darwin.send(
            descriptor, bytes.baseAddress.map { $0 + sentOfFirst }, bytes.count - sentOfFirst,
            MSG_DONTWAIT)
        #endif
      }
      if count < 0 {
        if errno == EINTR { continue }
        if errno != EAGAIN, errno != EWOULDBLOCK { isBroken = true }
        return
      }
      sentOfFirst += count
      waitingBytes -= count
      guard sentOfFirst == waiting[first].count else { continue }
      waiting[first] = []
      first += 1
      sentOfFirst = 0
    }
    waiting.removeAll(keepingCapacity: true)
    first = 0
  }

  /// What can be read now; nil at the end of the connection.
  func receive(_ buffer: UnsafeMutableRawBufferPointer) -> UnsafeRawBufferPointer? {
    while true {
      let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
      if count > 0 { return UnsafeRawBufferPointer(rebasing: buffer[..<count]) }
      if count < 0, errno == EINTR { continue }
      if count < 0, errno == EAGAIN || errno == EWOULDBLOCK {
        return UnsafeRawBufferPointer(rebasing: buffer[..<0])
      }
      return nil
    }
  }

  /// Whether the other end is gone and nothing it sent can still count: no byte waits to be read, or
  /// its handshake is not over.
  var hasLeft: Bool {
    var byte: UInt8 = 0
    let count = recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
    if count == 0 { return true }
    if count < 0 { return errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR }
    guard !decoder.isOpen else { return false }
    #if os(Linux)
      // POLLRDHUP, which Glibc's module leaves out: the other end sends no more.
      var look = pollfd(fd: descriptor, events: 0x2000, revents: 0)
    #else
      var look = pollfd(fd: descriptor, events: 0, revents: 0)
    #endif
    return poll(&look, 1, 0) == 1
  }

  /// Whether a message that begins with `topic` is wanted.
  func wants(_ topic: [UInt8]) -> Bool { topics.keys.contains { topic.starts(with: $0) } }

  /// Subscribes; false where there are too many topics.
  func subscribe(_ topic: [UInt8]) -> Bool {
    guard topics.count < Self.mostTopics || topics[topic] != nil else { return false }
    topics[topic, default: 0] += 1
    return true
  }

  func unsubscribe(_ topic: [UInt8]) {
    guard let count = topics[topic] else { return }
    topics[topic] = count > 1 ? count - 1 : nil
  }
}
