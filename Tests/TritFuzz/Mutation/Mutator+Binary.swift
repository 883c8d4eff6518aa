import TritLab

/// safetensors and protocol buffers: the parts change, the lengths around them follow, mostly.
extension Mutator {
  mutating func changeSafetensors(_ input: [UInt8], other: [UInt8]) -> [UInt8] {
    guard let length = Little.number(input, 0, 8), length <= UInt64(max(input.count - 8, 0)) else {
      return changeBytes(input, other: other)
    }
    let header = Array(input[8..<8 + Int(length)])
    let data = Array(input[(8 + Int(length))...])
    switch random.below(10) {
    case 0: return Little.bytes(interesting(near: length), 8) + input.dropFirst(8)
    case 1: return Array(input.prefix(8 + Int(length))) + changeBytes(data, other: other)
    default:
      var otherHeader = other.dropFirst(8)
      if let count = Little.number(other, 0, 8), count <= UInt64(otherHeader.count) {
        otherHeader = otherHeader.prefix(Int(count))
      }
      let changed = changeJSON(header, other: Array(otherHeader))
      return Little.bytes(UInt64(changed.count), 8) + changed + data
    }
  }

  mutating func changeProtobuf(_ input: [UInt8], other: [UInt8]) -> [UInt8] {
    changeMessage(input, other: other, depth: 0)
  }

  private struct Chunk {
    var tag: UInt64
    var content: [UInt8]
    var bytes: [UInt8] {
      Mutator.varint(tag) + (tag & 7 == 2 ? Mutator.varint(UInt64(content.count)) : []) + content
    }
  }

  private mutating func changeMessage(_ input: [UInt8], other: [UInt8], depth: Int) -> [UInt8] {
    guard var chunks = Self.chunks(input), !chunks.isEmpty else {
      return changeBytes(input, other: other)
    }
    let index = random.below(chunks.count)
    switch random.below(9) {
    case 0: chunks.remove(at: index)
    case 1: chunks.insert(chunks[index], at: random.below(chunks.count + 1))
    case 2: chunks.swapAt(index, random.below(chunks.count))
    case 3:
      if let others = Self.chunks(other), !others.isEmpty { chunks.insert(pick(others), at: index) }
    case 4:
      chunks[index].tag =
        oneIn(2)
        ? chunks[index].tag ^ UInt64(1 + random.below(7)) : interesting(near: chunks[index].tag)
    default:
      switch chunks[index].tag & 7 {
      case 0:
        chunks[index].content = Self.varint(interesting(near: UInt64(chunks[index].content[0])))
      case 2:
        chunks[index].content =
          depth < 2 && !oneIn(4)
          ? changeMessage(chunks[index].content, other: [], depth: depth + 1)
          : oneIn(2) ? Array(pick(Self.texts).utf8) : changeBytes(chunks[index].content, other: [])
      default: chunks[index].content = Little.bytes(interesting(), chunks[index].content.count)
      }
    }
    return chunks.flatMap(\.bytes)
  }

  /// The fields of a message; nil where it is none.
  private static func chunks(_ bytes: [UInt8]) -> [Chunk]? {
    var result: [Chunk] = []
    var position = 0
    func varint() -> UInt64? {
      var value: UInt64 = 0
      for shift in 0..<10 {
        guard position < bytes.count else { return nil }
        let byte = bytes[position]
        position += 1
        value |= UInt64(byte & 0x7f) << UInt64(7 * shift)
        if byte < 0x80 { return value }
      }
      return nil
    }
    while position < bytes.count {
      guard let tag = varint() else { return nil }
      let start: Int
      switch tag & 7 {
      case 0:
        start = position
        guard varint() != nil else { return nil }
      case 1, 5:
        start = position
        position += tag & 7 == 1 ? 8 : 4
      case 2:
        guard let count = varint(), count <= UInt64(bytes.count - position) else { return nil }
        start = position
        position += Int(count)
      default: return nil
      }
      guard position <= bytes.count else { return nil }
      result.append(Chunk(tag: tag, content: Array(bytes[start..<position])))
    }
    return result
  }

  static func varint(_ value: UInt64) -> [UInt8] {
    var rest = value
    var bytes: [UInt8] = []
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }
}
