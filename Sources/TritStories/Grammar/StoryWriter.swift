/// Where a writer puts its bytes, and where it looks at what it has written.
protocol StorySink {
  /// Takes the next byte.
  mutating func append(_ byte: UInt8)
  /// The byte before the last `count`; nil at the start.
  func byte(before count: Int) -> UInt8?
}

/// The writer's rules: sentences and quotations begin with a capital, an article waits for the
/// letter that decides between a and an. The state between two bytes is all there is to it.
struct StoryWriter: Hashable, Sendable {
  var needsArticle = false
  var needsCapital = true
  private var isQuoted = false
  private var endsSentence = false

  /// The next byte begins a sentence.
  mutating func beginSentence() {
    needsCapital = true
    endsSentence = false
  }

  /// Whether the text can go on with `byte` at `place` of `target`: a quick no for most words.
  @inline(__always) func canPut(_ byte: UInt8, at place: Int, of target: UnsafeBufferPointer<UInt8>)
    -> Bool
  {
    guard place < target.count else { return false }
    // An article comes first, or a space is left out.
    if needsArticle { return true }
    return target[place] | 0x20 == byte | 0x20
  }

  /// Puts the text of a string.
  @inline(__always) mutating func put(_ string: String, to sink: inout some StorySink) {
    for byte in string.utf8 { put(byte, to: &sink) }
  }

  /// Puts one byte of ASCII text.
  mutating func put(_ byte: UInt8, to sink: inout some StorySink) {
    let isLetter = (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A
    if isLetter {
      if needsArticle {
        needsArticle = false
        let lower = byte | 0x20
        let isVowel =
          lower == 0x61 || lower == 0x65 || lower == 0x69 || lower == 0x6F || lower == 0x75
        sink.append(needsCapital ? 0x41 : 0x61)
        needsCapital = false
        if isVowel { sink.append(0x6E) }
        sink.append(0x20)
      }
      sink.append(needsCapital ? byte & 0xDF : byte)
      needsCapital = false
      endsSentence = false
      return
    }
    if needsArticle, byte == 0x20 { return }
    sink.append(byte)
    switch byte {
    case 0x22:
      isQuoted.toggle()
      if isQuoted {
        needsCapital = true
        endsSentence = false
      } else if let before = sink.byte(before: 1), before != 0x2E {
        // After `!"` and `?"` the sentence may go on: `"Stop!" he said.`
        endsSentence = false
      }
    case 0x2E, 0x21, 0x3F: endsSentence = true
    case 0x20:
      if endsSentence { needsCapital = true }
      endsSentence = false
    default: endsSentence = false
    }
  }
}

extension [UInt8]: StorySink {
  func byte(before count: Int) -> UInt8? { self.count > count ? self[self.count - 1 - count] : nil }
}

/// Text that is given: bytes are compared with it instead of being kept.
struct StoryMatch: StorySink {
  let target: UnsafeBufferPointer<UInt8>
  var offset: Int
  /// Whether all bytes so far were those of the text.
  var agrees = true

  @inline(__always) mutating func append(_ byte: UInt8) {
    if agrees, offset < target.count, target[offset] == byte { offset += 1 } else { agrees = false }
  }

  func byte(before count: Int) -> UInt8? { offset > count ? target[offset - 1 - count] : nil }
}
