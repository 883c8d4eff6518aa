/// Makes messages of what one peer sends, however it is cut into pieces.
///
/// Nothing is set aside for what a peer only announces: memory grows with what has come, up to the
/// limits. Checked: greeting, version, mechanism, type of the socket, order of the handshake,
/// flags, sizes.
package struct ZMTPDecoder {
  /// What a peer has sent.
  package enum Event: Equatable {
    /// A greeting that is right: the answer is `READY`.
    case greeted
    /// The handshake has ended.
    case ready
    /// A command after the handshake: `SUBSCRIBE`, `PING`.
    case command(name: String, data: [UInt8])
    /// A whole message, its parts.
    case message([[UInt8]])
  }

  private enum Stage { case greeting, handshake, open }

  private let type: ZMTPSocketType
  private let limits: ZMTPLimits
  private var stage = Stage.greeting
  private var input: [UInt8] = []
  /// The first byte of `input` that is not yet read.
  private var start = 0
  private var parts: [[UInt8]] = []
  private var partsBytes = 0

  /// A decoder for a peer of a socket of `type`.
  package init(_ type: ZMTPSocketType, limits: ZMTPLimits) {
    self.type = type
    self.limits = limits
  }

  /// Bytes that are kept until more comes.
  package var heldBytes: Int { input.count - start + partsBytes + 64 * parts.count }

  /// Whether the handshake has ended.
  package var isOpen: Bool { stage == .open }

  /// Takes the bytes that came next, and gives what is whole now. Throws where the peer breaks the
  /// protocol; nothing more can be read from it then.
  package mutating func take(_ bytes: some Collection<UInt8>) throws(ZMTPViolation) -> [Event] {
    input.append(contentsOf: bytes)
    defer { compact() }
    var events: [Event] = []
    if stage == .greeting {
      try checkGreeting()
      guard input.count >= ZMTPFrame.greeting.count else { return events }
      start = ZMTPFrame.greeting.count
      stage = .handshake
      events.append(.greeted)
    }
    while let frame = try next() {
      if frame.flags & ZMTPFrame.command != 0 {
        events.append(try command(frame.body))
      } else {
        guard stage == .open else { throw ZMTPViolation(what: "a message before the handshake") }
        parts.append(frame.body)
        partsBytes += frame.body.count
        if frame.flags & ZMTPFrame.more == 0 {
          events.append(.message(parts))
          parts = []
          partsBytes = 0
        }
      }
    }
    return events
  }

  /// Complains of a wrong greeting as soon as it is seen: a peer of another protocol may never send
  /// 64 bytes.
  private func checkGreeting() throws(ZMTPViolation) {
    let right = ZMTPFrame.greeting
    for (index, byte) in input.prefix(right.count).enumerated() {
      switch index {
      case 0, 9:
        guard byte == right[index] else { throw ZMTPViolation(what: "no signature of ZMTP") }
      case 10:
        guard byte >= right[index] else {
          throw ZMTPViolation(what: "version \(byte) of ZMTP, 3 is spoken here")
        }
      case 12..<32:
        guard byte == right[index] else {
          throw ZMTPViolation(what: "a security mechanism other than NULL")
        }
      // 8 bytes of padding, the minor version, whether it is a server, and a filler: no meaning
      // here.
      default: break
      }
    }
  }

  private mutating func next() throws(ZMTPViolation) -> (flags: UInt8, body: [UInt8])? {
    guard input.count - start >= 2 else { return nil }
    let flags = input[start]
    let isCommand = flags & ZMTPFrame.command != 0
    guard flags & ~7 == 0, !(isCommand && flags & ZMTPFrame.more != 0) else {
      throw ZMTPViolation(what: "a frame with flags that do not exist")
    }
    var size = UInt64(input[start + 1])
    var head = 2
    if flags & ZMTPFrame.long != 0 {
      head = 9
      guard input.count - start >= head else { return nil }
      size = input[(start + 1)..<(start + head)].reduce(0) { $0 << 8 | UInt64($1) }
    }
    let most = isCommand ? limits.command : limits.message - partsBytes
    guard size <= UInt64(max(most, 0)) else {
      throw ZMTPViolation(what: "a frame of \(size) bytes, at most \(max(most, 0)) are taken")
    }
    guard isCommand || parts.count < limits.parts else {
      throw ZMTPViolation(what: "a message of more than \(limits.parts) parts")
    }
    let end = start + head + Int(size)
    guard input.count >= end else { return nil }
    let body = Array(input[(start + head)..<end])
    start = end
    return (flags, body)
  }

  private mutating func command(_ body: [UInt8]) throws(ZMTPViolation) -> Event {
    guard let length = body.first.map(Int.init), length > 0, body.count > length,
      let name = String(validating: body[1...length], as: UTF8.self)
    else { throw ZMTPViolation(what: "a command without a name") }
    let data = Array(body[(length + 1)...])
    if stage == .open { return .command(name: name, data: data) }
    guard name == "READY" else {
      throw ZMTPViolation(what: "the command '\(name.prefix(32))' instead of READY")
    }
    guard let peer = try Self.properties(data)["socket-type"], type.peers.contains(peer) else {
      throw ZMTPViolation(what: "no socket that a \(type.rawValue) talks to")
    }
    stage = .open
    return .ready
  }

  /// The properties of a `READY`, by names in lower case: they are compared so.
  private static func properties(_ data: [UInt8]) throws(ZMTPViolation) -> [String: String] {
    var properties: [String: String] = [:]
    var rest = data[...]
    func cut(_ count: Int) throws(ZMTPViolation) -> ArraySlice<UInt8> {
      guard count <= rest.count else { throw ZMTPViolation(what: "a property that is cut short") }
      defer { rest = rest.dropFirst(count) }
      return rest.prefix(count)
    }
    while !rest.isEmpty {
      let name = try cut(Int(try cut(1).first ?? 0))
      let size = try cut(4).reduce(0) { $0 << 8 | Int($1) }
      let value = try cut(size)
      properties[String(decoding: name, as: UTF8.self).lowercased()] =
        String(decoding: value, as: UTF8.self)
    }
    return properties
  }

  /// Gives back what has been read: at once where that is all, else when it is the greater part.
  private mutating func compact() {
    if start == input.count {
      if input.capacity > 1 << 20 { input = [] } else { input.removeAll(keepingCapacity: true) }
      start = 0
    } else if start > input.count / 2 {
      input.removeSubrange(..<start)
      start = 0
    }
  }
}
