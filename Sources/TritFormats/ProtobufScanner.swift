import TritCore

/// Walks the fields of one protobuf message (wire format, protobuf.dev "Encoding").
struct ProtobufScanner {
  /// One field's content.
  enum Content {
    case varint(UInt64)
    case fixed64(UInt64)
    case fixed32(UInt32)
    case bytes(UnsafeRawBufferPointer)
  }

  private let bytes: UnsafeRawBufferPointer
  private let start: Int
  private let path: String
  private var position = 0

  /// `start` is the offset of `bytes` in the file, for messages.
  init(_ bytes: UnsafeRawBufferPointer, start: Int, path: String) {
    self.bytes = bytes
    self.start = start
    self.path = path
  }

  /// The place of the present position.
  var place: String { "\(path): byte \(start + position)" }

  /// Offset in the file of the byte after the last field.
  var offset: Int { start + position }

  /// The next field, or nil at the end.
  mutating func next() throws -> (field: Int, content: Content)? {
    guard position < bytes.count else { return nil }
    let tag = try varint()
    guard let field = Int(exactly: tag >> 3), field > 0, field < 1 << 29 else {
      throw failure("bad field number")
    }
    switch tag & 7 {
    case 0: return (field, .varint(try varint()))
    case 1: return (field, .fixed64(try fixed(UInt64.self)))
    case 2:
      let length = try varint()
      guard length <= UInt64(bytes.count - position) else {
        throw failure("a field is longer than the file", got: "\(length) bytes")
      }
      let content = UnsafeRawBufferPointer(rebasing: bytes[position..<position + Int(length)])
      position += Int(length)
      return (field, .bytes(content))
    case 5: return (field, .fixed32(try fixed(UInt32.self)))
    case let type: throw failure("unknown wire type", expected: "0, 1, 2 or 5", got: "\(type)")
    }
  }

  private mutating func varint() throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard position < bytes.count else { throw failure("the message ends within a number") }
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte & 0x80 == 0 { return value }
    }
    throw failure("a number has more than ten bytes")
  }

  private mutating func fixed<Number: BitwiseCopyable>(_ type: Number.Type) throws -> Number {
    guard bytes.count - position >= MemoryLayout<Number>.size else {
      throw failure("the message ends within a number")
    }
    defer { position += MemoryLayout<Number>.size }
    return bytes.loadUnaligned(fromByteOffset: position, as: Number.self)
  }

  func failure(_ what: String, expected: String? = nil, got: String? = nil) -> LabError {
    LabError(
      .badData, what, at: place, expected: expected, got: got,
      advice: "this is perhaps no SentencePiece model, or it is truncated")
  }
}
