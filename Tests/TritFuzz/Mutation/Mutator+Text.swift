import TritLab

/// Text: lines go, come twice and change places; words become other words and numbers others.
extension Mutator {
  mutating func changeText(_ input: [UInt8], words: [String], other: [UInt8]) -> [UInt8] {
    var lines = input.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
    let index = random.below(lines.count)
    switch random.below(11) {
    case 0: lines.remove(at: index)
    case 1: lines.insert(lines[index], at: random.below(lines.count + 1))
    case 2: lines.swapAt(index, random.below(lines.count))
    case 3:
      let others = other.split(separator: 0x0A, omittingEmptySubsequences: false)
      lines.insert(Array(others[random.below(others.count)]), at: index)
    case 4:
      lines[index].insert(contentsOf: [UInt8](repeating: 0x20, count: 1 + random.below(4)), at: 0)
    case 5: lines[index] = Array(lines[index].drop { $0 == 0x20 })
    case 6:
      let place = random.below(lines[index].count + 1)
      lines[index].insert(contentsOf: Array(snippet(words).utf8), at: place)
    default: lines[index] = changeWord(lines[index], words)
    }
    return Array(lines.joined(separator: [0x0A]))
  }

  private mutating func snippet(_ words: [String]) -> String {
    switch random.below(4) {
    case 0: pick(Self.texts)
    case 1: "\(Int64(bitPattern: interesting()))"
    default: words.isEmpty ? pick(Self.texts) : pick(words)
    }
  }

  private mutating func changeWord(_ line: [UInt8], _ words: [String]) -> [UInt8] {
    func isWord(_ byte: UInt8) -> Bool {
      byte >= 0x80 || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
        || (0x61...0x7A).contains(byte) || byte == 0x5F || byte == 0x2D || byte == 0x2E
    }
    var ranges: [Range<Int>] = []
    var start: Int?
    for index in 0...line.count {
      if index < line.count, isWord(line[index]) {
        if start == nil { start = index }
      } else if let begin = start {
        ranges.append(begin..<index)
        start = nil
      }
    }
    guard !ranges.isEmpty else { return line + Array(snippet(words).utf8) }
    let range = pick(ranges)
    var result = line
    let old = String(decoding: line[range], as: UTF8.self)
    if let number = Int64(old), !oneIn(6) {
      let text =
        oneIn(5)
        ? "\(old).5" : "\(Int64(bitPattern: interesting(near: UInt64(bitPattern: number))))"
      result.replaceSubrange(range, with: Array(text.utf8))
    } else {
      switch random.below(5) {
      case 0: result.removeSubrange(range)
      case 1: result.replaceSubrange(range, with: Array(line[pick(ranges)]))
      default: result.replaceSubrange(range, with: Array(snippet(words).utf8))
      }
    }
    return result
  }

  /// A line that is a JSON document, or the order of the lines.
  mutating func changeJSONLines(_ input: [UInt8], other: [UInt8]) -> [UInt8] {
    if oneIn(4) { return changeText(input, words: [], other: other) }
    var lines = input.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
    let others = other.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
    let index = random.below(lines.count)
    lines[index] = changeJSON(lines[index], other: others[random.below(others.count)])
    return Array(lines.joined(separator: [0x0A]))
  }
}
