import TritLab

/// A GGUF file taken apart into its entries, right or wrong, and put together again.
struct GGUFDraft {
  var version: UInt32
  /// Raw entries: key, type, value.
  var keys: [[UInt8]] = []
  /// Raw entries: name, dimensions, type, offset.
  var tensors: [[UInt8]] = []
  var data: [UInt8] = []
  /// What the header says instead of how many there are.
  var keyCount: UInt64?
  var tensorCount: UInt64?

  /// Nil where the entries cannot be told apart.
  init?(_ bytes: [UInt8]) {
    guard bytes.starts(with: Array("GGUF".utf8)), let version = Little.number(bytes, 4, 4),
      let tensorCount = Little.number(bytes, 8, 8), let keyCount = Little.number(bytes, 16, 8),
      tensorCount < 1000, keyCount < 1000
    else { return nil }
    self.version = UInt32(version)
    var position = 24
    for _ in 0..<keyCount {
      let start = position
      guard let afterName = Self.afterString(bytes, position),
        let type = Little.number(bytes, afterName, 4),
        let end = Self.afterValue(bytes, afterName + 4, type, depth: 0)
      else { return nil }
      keys.append(Array(bytes[start..<end]))
      position = end
    }
    for _ in 0..<tensorCount {
      let start = position
      guard let afterName = Self.afterString(bytes, position),
        let rank = Little.number(bytes, afterName, 4),
        rank < 16
      else { return nil }
      let end = afterName + 4 + 8 * Int(rank) + 12
      guard end <= bytes.count else { return nil }
      tensors.append(Array(bytes[start..<end]))
      position = end
    }
    data = Array(bytes[min((position + 31) / 32 * 32, bytes.count)...])
  }

  var bytes: [UInt8] {
    var bytes = Array("GGUF".utf8) + Little.bytes(UInt64(version), 4)
    bytes += Little.bytes(tensorCount ?? UInt64(tensors.count), 8)
    bytes += Little.bytes(keyCount ?? UInt64(keys.count), 8)
    for entry in keys + tensors { bytes += entry }
    while bytes.count % 32 != 0 { bytes.append(0) }
    return bytes + data
  }

  static func afterString(_ bytes: [UInt8], _ position: Int) -> Int? {
    guard let count = Little.number(bytes, position, 8), count <= UInt64(bytes.count) else {
      return nil
    }
    let end = position + 8 + Int(count)
    return end <= bytes.count ? end : nil
  }

  /// Where a value of `type` ends.
  static func afterValue(_ bytes: [UInt8], _ position: Int, _ type: UInt64, depth: Int) -> Int? {
    switch type {
    case 0, 1, 7: return inside(position + 1, bytes)
    case 2, 3: return inside(position + 2, bytes)
    case 4, 5, 6: return inside(position + 4, bytes)
    case 10, 11, 12: return inside(position + 8, bytes)
    case 8: return afterString(bytes, position)
    case 9:
      guard depth < 4, let inner = Little.number(bytes, position, 4),
        let count = Little.number(bytes, position + 4, 8), count <= UInt64(bytes.count)
      else { return nil }
      var end = position + 12
      for _ in 0..<count {
        guard let next = afterValue(bytes, end, inner, depth: depth + 1) else { return nil }
        end = next
      }
      return end
    default: return nil
    }
  }

  private static func inside(_ end: Int, _ bytes: [UInt8]) -> Int? {
    end <= bytes.count ? end : nil
  }
}

/// GGUF: entries go, come twice and change places; counts, types, dimensions, offsets and texts
/// change, with the rest of the file kept in step.
extension Mutator {
  mutating func changeGGUF(_ input: [UInt8], other: [UInt8]) -> [UInt8] {
    guard var draft = GGUFDraft(input) else { return changeBytes(input, other: other) }
    switch random.below(18) {
    case 0: draft.version = UInt32(truncatingIfNeeded: interesting(near: UInt64(draft.version)))
    case 1: draft.keyCount = interesting(near: UInt64(draft.keys.count))
    case 2: draft.tensorCount = interesting(near: UInt64(draft.tensors.count))
    case 3: rearrange(&draft.keys, GGUFDraft(other)?.keys ?? [])
    case 4: rearrange(&draft.tensors, GGUFDraft(other)?.tensors ?? [])
    case 5...10:
      guard !draft.keys.isEmpty else { return input }
      let index = random.below(draft.keys.count)
      draft.keys[index] = changedKey(draft.keys[index])
    case 11...15:
      guard !draft.tensors.isEmpty else { return input }
      let index = random.below(draft.tensors.count)
      draft.tensors[index] = changedTensor(draft.tensors[index])
    default: draft.data = changeBytes(draft.data, other: other)
    }
    return draft.bytes
  }

  mutating func rearrange(_ entries: inout [[UInt8]], _ others: [[UInt8]]) {
    guard !entries.isEmpty else {
      entries = Array(others.prefix(1))
      return
    }
    let index = random.below(entries.count)
    switch random.below(4) {
    case 0: entries.remove(at: index)
    case 1: entries.insert(entries[index], at: random.below(entries.count + 1))
    case 2: entries.swapAt(index, random.below(entries.count))
    default: if !others.isEmpty { entries.insert(pick(others), at: index) }
    }
  }

  /// A string with its length, changed together.
  private mutating func changedString(_ raw: [UInt8]) -> [UInt8] {
    var text = Array(raw.dropFirst(8))
    switch random.below(4) {
    case 0: text = Array(pick(Self.texts).utf8)
    case 1: text.insert(contentsOf: Array(pick(Self.texts).utf8), at: random.below(text.count + 1))
    default: text = changeBytes(text, other: text)
    }
    return Little.bytes(UInt64(text.count), 8) + text
  }

  private mutating func changedKey(_ entry: [UInt8]) -> [UInt8] {
    guard let afterName = GGUFDraft.afterString(entry, 0),
      let type = Little.number(entry, afterName, 4)
    else {
      return entry
    }
    let name = Array(entry[..<afterName])
    let head = Array(entry[afterName..<afterName + 4])
    let value = Array(entry[(afterName + 4)...])
    switch random.below(8) {
    case 0: return changedString(name) + head + value
    case 1:
      // Another type over the same bytes.
      return name + Little.bytes(UInt64(random.below(14)), 4) + value
    case 2:
      // Another type with a value of its own.
      let new = pick([UInt64](arrayLiteral: 0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12))
      let width = [0: 1, 1: 1, 7: 1, 2: 2, 3: 2, 10: 8, 11: 8, 12: 8][new] ?? 4
      return name + Little.bytes(new, 4) + Little.bytes(interesting(), width)
    default:
      switch type {
      case 8: return name + head + changedString(value)
      case 9: return name + head + changedList(value)
      case 7: return name + head + [UInt8(random.below(3))]
      default:
        let old = Little.number(value, 0, value.count) ?? 0
        return name + head + Little.bytes(interesting(near: old), value.count)
      }
    }
  }

  /// Element type, count, elements.
  private mutating func changedList(_ value: [UInt8]) -> [UInt8] {
    guard let type = Little.number(value, 0, 4), let count = Little.number(value, 4, 8),
      count < 100_000
    else {
      return value
    }
    var elements: [[UInt8]] = []
    var position = 12
    for _ in 0..<count {
      guard let end = GGUFDraft.afterValue(value, position, type, depth: 1) else { return value }
      elements.append(Array(value[position..<end]))
      position = end
    }
    var told = UInt64(count)
    switch random.below(6) {
    case 0: told = interesting(near: told)
    case 1, 2:
      rearrange(&elements, elements)
      told = UInt64(elements.count)
    case 3: return Little.bytes(UInt64(random.below(14)), 4) + value.dropFirst(4)
    default:
      guard !elements.isEmpty else { return value }
      let index = random.below(elements.count)
      let old = elements[index]
      elements[index] =
        type == 8
        ? changedString(old)
        : type == 9
          ? old : Little.bytes(interesting(near: Little.number(old, 0, old.count) ?? 0), old.count)
    }
    return Little.bytes(type, 4) + Little.bytes(told, 8) + elements.joined()
  }

  private mutating func changedTensor(_ entry: [UInt8]) -> [UInt8] {
    guard let afterName = GGUFDraft.afterString(entry, 0),
      let rank = Little.number(entry, afterName, 4)
    else {
      return entry
    }
    let name = Array(entry[..<afterName])
    var dimensions = (0..<Int(rank)).compactMap { Little.number(entry, afterName + 4 + 8 * $0, 8) }
    let tail = afterName + 4 + 8 * Int(rank)
    guard var type = Little.number(entry, tail, 4), var offset = Little.number(entry, tail + 4, 8)
    else {
      return entry
    }
    switch random.below(7) {
    case 0: return changedString(name) + entry[afterName...]
    case 1:
      if !dimensions.isEmpty {
        dimensions[random.below(dimensions.count)] = interesting(near: dimensions[0])
      }
    case 2: dimensions.append(interesting(near: 1))
    case 3: if !dimensions.isEmpty { dimensions.removeLast() }
    case 4:
      type = pick([
        0, 1, 2, 8, 14, 24, 25, 26, 27, 28, 30, 34, 35, 36, 38, 39, 40, 41, 42, 143,
        UInt64(random.below(50)),
      ])
    case 5: offset = oneIn(2) ? interesting(near: offset) : offset &+ 32
    default: dimensions.reverse()
    }
    return name + Little.bytes(UInt64(dimensions.count), 4)
      + dimensions.flatMap { Little.bytes($0, 8) }
      + Little.bytes(type, 4) + Little.bytes(offset, 8)
  }
}
