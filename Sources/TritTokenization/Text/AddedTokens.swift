/// Tokens that are found in the text as they are written, before the model sees it.
struct AddedTokens: Sendable {
  /// One such token.
  struct Entry: Sendable {
    var id: Int
    var content: [UInt8]
    /// Only between characters that are no word characters.
    var isSingleWord = false
    /// Takes the white space before it along.
    var stripsLeft = false
    /// Takes the white space after it along.
    var stripsRight = false
    /// A control token: found only when special tokens are parsed, and dropped by decoding.
    var isSpecial = false
  }

  /// A part of a text: plain, or an added token.
  struct Segment {
    var range: Range<Int>
    /// The token, or nil for plain text.
    var id: Int?
  }

  private struct Node: Sendable {
    var children: [(byte: UInt8, node: Int32)] = []
    var entry: Int32 = -1
  }

  /// The tokens, without those that are empty.
  let entries: [Entry]
  private var nodes = [Node()]
  private var startBytes = [Bool](repeating: false, count: 256)

  init(_ entries: [Entry]) {
    self.entries = entries.filter { !$0.content.isEmpty }
    for (i, entry) in self.entries.enumerated() {
      var node = 0
      startBytes[Int(entry.content[0])] = true
      for byte in entry.content {
        if let child = nodes[node].children.first(where: { $0.byte == byte }) {
          node = Int(child.node)
        } else {
          nodes.append(Node())
          nodes[node].children.append((byte, Int32(truncatingIfNeeded: nodes.count - 1)))
          node = nodes.count - 1
        }
      }
      nodes[node].entry = Int32(truncatingIfNeeded: i)
    }
  }

  /// Whether there are none.
  var isEmpty: Bool { entries.isEmpty }

  /// `text` in segments, leftmost-longest. Special tokens stay plain text unless `parseSpecial`.
  func split(_ text: UnsafeBufferPointer<UInt8>, parseSpecial: Bool) -> [Segment] {
    guard !text.isEmpty else { return [] }
    var segments: [Segment] = []
    var plainStart = 0
    var offset = 0
    while offset < text.count {
      guard startBytes[Int(text[offset])], let (index, end) = longest(text, offset) else {
        offset += 1
        continue
      }
      let entry = entries[index]
      let start = offset
      offset = end
      if start < plainStart || (entry.isSpecial && !parseSpecial) { continue }
      if entry.isSingleWord, hasWordNeighbour(text, start, end) { continue }
      let from = entry.stripsLeft ? whitespaceStart(text, before: start, limit: plainStart) : start
      let to = entry.stripsRight ? whitespaceEnd(text, after: end) : end
      if from > plainStart { segments.append(Segment(range: plainStart..<from)) }
      segments.append(Segment(range: from..<to, id: entry.id))
      plainStart = to
    }
    if plainStart < text.count { segments.append(Segment(range: plainStart..<text.count)) }
    return segments
  }

  private func longest(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> (Int, Int)? {
    var node = 0
    var offset = start
    var best: (Int, Int)?
    while offset < text.count,
      let child = nodes[node].children.first(where: { $0.byte == text[offset] })
    {
      node = Int(child.node)
      offset += 1
      if nodes[node].entry >= 0 { best = (Int(nodes[node].entry), offset) }
    }
    return best
  }

  private func hasWordNeighbour(
    _ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int
  ) -> Bool {
    guard let base = text.baseAddress else { return false }
    let view = TextView(base)
    if end < text.count, view.character(at: end).classes.contains(.word) { return true }
    guard start > 0 else { return false }
    return view.character(at: previous(text, start)).classes.contains(.word)
  }

  private func previous(_ text: UnsafeBufferPointer<UInt8>, _ offset: Int) -> Int {
    var previous = offset - 1
    while previous > 0, text[previous] & 0b1100_0000 == 0b1000_0000 { previous -= 1 }
    return previous
  }

  private func whitespaceStart(
    _ text: UnsafeBufferPointer<UInt8>, before start: Int, limit: Int
  ) -> Int {
    guard let base = text.baseAddress else { return start }
    let view = TextView(base)
    var from = start
    while from > limit {
      let candidate = previous(text, from)
      guard view.character(at: candidate).classes.contains(.whitespace) else { break }
      from = candidate
    }
    return from
  }

  private func whitespaceEnd(_ text: UnsafeBufferPointer<UInt8>, after end: Int) -> Int {
    guard let base = text.baseAddress else { return end }
    let view = TextView(base)
    var to = end
    while to < text.count {
      let (classes, length) = view.character(at: to)
      guard classes.contains(.whitespace) else { break }
      to += length
    }
    return to
  }
}
