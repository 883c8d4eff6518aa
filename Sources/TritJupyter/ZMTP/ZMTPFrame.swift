/// Frames and commands of ZMTP 3.0 as bytes.
///
/// A frame is a byte of flags, its size (1 byte, or 8 in network order where the flag `long` is
/// set) and its body. Source: rfc.zeromq.org/spec/23, "framing".
package enum ZMTPFrame {
  /// More parts of the message follow.
  package static let more: UInt8 = 1
  /// The size has 8 bytes.
  package static let long: UInt8 = 2
  /// The frame is a command.
  package static let command: UInt8 = 4

  /// Appends a frame; the flag `long` is set where it must be.
  package static func append(_ body: [UInt8], flags: UInt8, to bytes: inout [UInt8]) {
    if body.count < 256 {
      bytes.append(flags)
      bytes.append(UInt8(body.count))
    } else {
      bytes.append(flags | long)
      for shift in stride(from: 56, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: body.count >> shift))
      }
    }
    bytes.append(contentsOf: body)
  }

  /// A message of several parts.
  package static func message(_ parts: [[UInt8]]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(parts.reduce(0) { $0 + $1.count + 9 })
    for (index, part) in parts.enumerated() {
      append(part, flags: index < parts.count - 1 ? more : 0, to: &bytes)
    }
    return bytes
  }

  /// A command: the length of its name, the name, its data.
  package static func command(_ name: String, _ data: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    let head = [UInt8(name.utf8.count)] + Array(name.utf8)
    append(head + data, flags: command, to: &bytes)
    return bytes
  }

  /// What both ends send first, 64 bytes: signature, version 3.0, mechanism NULL.
  package static let greeting: [UInt8] =
    [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 0] + Array("NULL".utf8)
    + [UInt8](repeating: 0, count: 16 + 1 + 31)

  /// The command by which the mechanism NULL ends its handshake.
  package static func ready(_ properties: [(name: String, value: String)]) -> [UInt8] {
    var data: [UInt8] = []
    for (name, value) in properties {
      data.append(UInt8(name.utf8.count))
      data += name.utf8
      data += [0, 0, 0, UInt8(value.utf8.count)]
      data += value.utf8
    }
    return command("READY", data)
  }
}
