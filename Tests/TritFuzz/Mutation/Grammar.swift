/// The form of a target's inputs, which says how to change them so that most still look like what
/// they were.
indirect enum Grammar: Sendable {
  /// Anything: choices and values for a `ByteSource`.
  case bytes
  /// Text of lines and words; `words` are what the format knows.
  case text(words: [String])
  /// A JSON document.
  case json
  /// A JSON document a line.
  case jsonLines
  case gguf
  case safetensors
  /// Protocol buffers.
  case protobuf
  /// Several files, one after the other (`Pack`).
  case pack([Grammar])
}

/// Several files in one input: for each its length in 4 little-endian bytes, then its bytes.
enum Pack {
  static func join(_ parts: [[UInt8]]) -> [UInt8] {
    parts.flatMap { Little.bytes(UInt64($0.count), 4) + $0 }
  }

  /// The first `count` files; what is missing is empty.
  static func split(_ bytes: [UInt8], _ count: Int) -> [[UInt8]] {
    var parts: [[UInt8]] = []
    var position = 0
    while parts.count < count {
      let length = Int(Little.number(bytes, position, 4) ?? 0)
      position = min(position + 4, bytes.count)
      let end = min(position + length, bytes.count)
      parts.append(Array(bytes[position..<end]))
      position = end
    }
    return parts
  }
}

/// Little-endian numbers in arrays of bytes.
enum Little {
  static func bytes(_ value: UInt64, _ width: Int) -> [UInt8] {
    (0..<width).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
  }

  /// The number of `width` bytes at `offset`; nil where it does not lie inside.
  static func number(_ bytes: [UInt8], _ offset: Int, _ width: Int) -> UInt64? {
    guard offset >= 0, offset <= bytes.count - width else { return nil }
    return (0..<width).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
  }
}
