import TritLab

/// Where the values and members of a JSON document lie. Lenient: what cannot be read ends the list.
struct JSONOutline {
  /// A member of an object or an element of a list.
  struct Item {
    /// With its key.
    var whole: Range<Int>
    var key: Range<Int>?
    var value: Range<Int>
    /// The object or list it lies in.
    var parent: Int
  }

  private(set) var items: [Item] = []
  private let bytes: [UInt8]
  private var position = 0
  private var parents = 0

  /// Reads `bytes`.
  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    _ = value(depth: 0)
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[position]) {
      position += 1
    }
  }

  /// Reads one value; nil where there is none.
  private mutating func value(depth: Int) -> Range<Int>? {
    skipSpace()
    let start = position
    guard position < bytes.count, depth < 64 else { return nil }
    switch bytes[position] {
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      let isObject = bytes[position] == UInt8(ascii: "{")
      position += 1
      parents += 1
      let parent = parents
      while true {
        skipSpace()
        guard position < bytes.count else { return nil }
        if bytes[position] == UInt8(ascii: isObject ? "}" : "]") {
          position += 1
          return start..<position
        }
        if bytes[position] == UInt8(ascii: ",") {
          position += 1
          continue
        }
        let begin = position
        var key: Range<Int>?
        if isObject {
          guard let name = string() else { return nil }
          key = name
          skipSpace()
          guard position < bytes.count, bytes[position] == UInt8(ascii: ":") else { return nil }
          position += 1
        }
        guard let inner = value(depth: depth + 1) else { return nil }
        items.append(Item(whole: begin..<inner.upperBound, key: key, value: inner, parent: parent))
      }
    case UInt8(ascii: "\""): return string()
    default:
      while position < bytes.count,
        ![0x2C, 0x5D, 0x7D, 0x20, 0x0A, 0x0D, 0x09, 0x3A, 0x22].contains(bytes[position])
      {
        position += 1
      }
      return position > start ? start..<position : nil
    }
  }

  private mutating func string() -> Range<Int>? {
    guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { return nil }
    let start = position
    position += 1
    while position < bytes.count {
      let byte = bytes[position]
      position += byte == UInt8(ascii: "\\") ? 2 : 1
      if byte == UInt8(ascii: "\"") { return start..<min(position, bytes.count) }
    }
    return nil
  }
}

/// JSON: members go, come twice, change places, keys and values; numbers and strings become what
/// breaks things.
extension Mutator {
  /// Values that readers trip over.
  static let jsonValues = [
    "null", "true", "false", "{}", "[]", "\"\"", "0", "-0", "-1", "1.5", "1e400", "-1e400",
    "1e-400", "1e18",
    "9007199254740993", "18446744073709551616", "99999999999999999999999999", "0.1e1", "01", "+1",
    ".5", "1.",
    "NaN", "Infinity", "\"\\ud800\"", "\"\\u0000\"", "\"\\x\"", "[[[[[[[[]]]]]]]]",
    "{\"a\":{\"a\":{\"a\":1}}}",
    "[null]", "[1,2,3]", "[-1]", "\"a\"", "\"\\u001b[31m\"", "{\"type\":\"X\"}", "nul", "'a'",
    "[1,]", "{,}",
  ]

  mutating func changeJSON(_ input: [UInt8], other: [UInt8]) -> [UInt8] {
    let items = JSONOutline(input).items
    guard !items.isEmpty else { return changeBytes(input, other: other) }
    let item = pick(items)
    var bytes = input
    switch random.below(13) {
    case 0, 1: bytes.replaceSubrange(item.value, with: Array(pick(Self.jsonValues).utf8))
    case 2, 3: bytes.replaceSubrange(item.value, with: changedLeaf(Array(input[item.value])))
    case 4: bytes.replaceSubrange(item.value, with: Array(input[pick(items).value]))
    case 5:
      let others = JSONOutline(other).items
      guard !others.isEmpty else { return bytes }
      bytes.replaceSubrange(item.value, with: Array(other[pick(others).value]))
    case 6: bytes = without(item, input)
    case 7: bytes.insert(contentsOf: Array(input[item.whole]) + [0x2C], at: item.whole.lowerBound)
    case 8, 9:
      let siblings = items.filter { $0.parent == item.parent && $0.whole != item.whole }
      guard !siblings.isEmpty else { return bytes }
      bytes = swapped(item.whole, pick(siblings).whole, input)
    case 10:
      let keys = items.compactMap(\.key)
      guard let key = item.key, !keys.isEmpty else { return bytes }
      bytes.replaceSubrange(key, with: Array(input[pick(keys)]))
    case 11:
      bytes.insert(UInt8(ascii: "]"), at: item.value.upperBound)
      bytes.insert(UInt8(ascii: "["), at: item.value.lowerBound)
    default:
      // A member of another place: `null` beside what means the same, say.
      bytes.insert(contentsOf: Array(input[pick(items).whole]) + [0x2C], at: item.whole.lowerBound)
    }
    return bytes
  }

  /// A number, string or word that is nearly the old one.
  private mutating func changedLeaf(_ old: [UInt8]) -> [UInt8] {
    let text = String(decoding: old, as: UTF8.self)
    if let number = Int64(text) {
      return Array("\(Int64(bitPattern: interesting(near: UInt64(bitPattern: number))))".utf8)
    }
    if let number = Double(text) {
      return Array("\(pick([-number, number * 2, number * 1e30, number / 1e30]))".utf8)
    }
    guard old.first == UInt8(ascii: "\""), old.count >= 2 else {
      return Array(pick(Self.jsonValues).utf8)
    }
    let escaped = pick(Self.texts).unicodeScalars.map { scalar -> String in
      switch scalar {
      case "\"": "\\\""
      case "\\": "\\\\"
      default: scalar.value < 0x20 ? "\\n" : String(scalar)
      }
    }.joined()
    var result = old
    let place = 1 + random.below(old.count - 1)
    if oneIn(3) {
      result.removeSubrange(1..<place)
    } else {
      result.insert(contentsOf: Array(escaped.utf8), at: place)
    }
    return result
  }

  /// The document without `item`, and without a comma beside it.
  private func without(_ item: JSONOutline.Item, _ bytes: [UInt8]) -> [UInt8] {
    var result = bytes
    var range = item.whole
    var end = range.upperBound
    while end < bytes.count, bytes[end] <= 0x20 { end += 1 }
    if end < bytes.count, bytes[end] == UInt8(ascii: ",") {
      range = range.lowerBound..<end + 1
    } else {
      var start = range.lowerBound
      while start > 0, bytes[start - 1] <= 0x20 { start -= 1 }
      if start > 0, bytes[start - 1] == UInt8(ascii: ",") { range = start - 1..<range.upperBound }
    }
    result.removeSubrange(range)
    return result
  }

  private func swapped(_ a: Range<Int>, _ b: Range<Int>, _ bytes: [UInt8]) -> [UInt8] {
    let (first, second) = a.lowerBound < b.lowerBound ? (a, b) : (b, a)
    guard first.upperBound <= second.lowerBound else { return bytes }
    return Array(bytes[..<first.lowerBound]) + bytes[second]
      + bytes[first.upperBound..<second.lowerBound]
      + bytes[first] + bytes[second.upperBound...]
  }
}
