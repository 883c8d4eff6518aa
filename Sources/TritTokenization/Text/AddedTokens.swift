import TritCore

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

  /// A place in the tree of beginnings. Siblings are a list: a byte has few of them in practice and
  /// 256 at most.
  private struct Node: Sendable {
    var firstChild: Int32 = -1
    var nextSibling: Int32 = -1
    var entry: Int32 = -1
    var byte: UInt8 = 0
  }

  /// The longest token, in bytes: what the search tries at every place of a text.
  static let maximumLength = 4096
  /// Bytes of all tokens together; each takes a node of 16.
  static let maximumBytes = 16 << 20

  /// The tokens, without those that are empty.
  let entries: [Entry]
  private var nodes = [Node()]
  private var startBytes = [Bool](repeating: false, count: 256)

  /// Makes the tree. Throws `badData` for tokens that are too long or too many; `path` is for
  /// messages.
  init(_ entries: [Entry], path: String) throws {
    self.entries = entries.filter { !$0.content.isEmpty }
    var total = 0
    for (i, entry) in self.entries.enumerated() {
      total += entry.content.count
      guard entry.content.count <= Self.maximumLength, total <= Self.maximumBytes else {
        let isLong = entry.content.count > Self.maximumLength
        throw LabError(
          .badData, isLong ? "an added token is too long" : "the added tokens are too many",
          at: "\(path): token \(entry.id)",
          expected: isLong
            ? "at most \(Self.maximumLength) bytes"
            : "at most \(Self.maximumBytes) bytes in all",
          got: isLong ? "\(entry.content.count) bytes" : "more",
          advice: "use the tokenizer that belongs to the model")
      }
      var node = 0
      startBytes[Int(entry.content[0])] = true
      for byte in entry.content {
        if let child = child(of: node, byte) {
          node = child
        } else {
          let next = nodes.count
          nodes.append(Node(nextSibling: nodes[node].firstChild, byte: byte))
          nodes[node].firstChild = Int32(truncatingIfNeeded: next)
          node = next
        }
      }
      nodes[node].entry = Int32(truncatingIfNeeded: i)
    }
  }

  @inline(__always)
  private func child(of node: Int, _ byte: UInt8) -> Int? {
    var child = nodes[node].firstChild
    while child >= 0 {
      if nodes[Int(child)].byte == byte { return Int(child) }
      child = nodes[Int(child)].nextSibling
    }
    return nil
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
    while offset < text.count, let child = child(of: node, text[offset]) {
      node = child
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
