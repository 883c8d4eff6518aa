/// Cuts text into the pieces that the model encodes one by one: a sequence of steps, each applied to
/// the fragments that the one before left.
struct PreTokenizer: Sendable {
  /// When `▁` is put in front of a text.
  enum Prepend: String, Sendable, CaseIterable { case always, first, never }

  /// One step.
  enum Step: Sendable, Equatable {
    /// Cuts at a pattern.
    case split(SplitPattern, SplitBehavior, inverted: Bool)
    /// From here on a character is a byte of the text (`ByteAlphabet`); with `usesRegex` the GPT-2
    /// expression cuts first.
    case byteLevel(addsPrefixSpace: Bool, usesRegex: Bool)
    /// Spaces become `replacement`, one is put in front; with `splits` each word begins a piece.
    case metaspace(replacement: [UInt8], prepend: Prepend, splits: Bool)
  }

  var steps: [Step]

  /// Whether the model sees bytes.
  var isByteLevel: Bool {
    steps.contains { if case .byteLevel = $0 { true } else { false } }
  }

  /// Calls `body` with each piece of `text`. `isStart`: the text begins the whole input.
  func forEachPiece(
    of text: UnsafeBufferPointer<UInt8>, isStart: Bool,
    _ body: (UnsafeBufferPointer<UInt8>) -> Void
  ) {
    guard !text.isEmpty else { return }
    let rewrites = steps.contains {
      switch $0 {
      case .split: false
      case .byteLevel(let addsPrefixSpace, _): addsPrefixSpace
      case .metaspace: true
      }
    }
    if rewrites {
      var fragments = Fragments(
        bytes: Array(text), ranges: [0..<text.count], isStart: isStart, isMapped: false)
      for step in steps { step.apply(to: &fragments) }
      fragments.bytes.withUnsafeBufferPointer { bytes in
        for range in fragments.ranges where !range.isEmpty {
          body(UnsafeBufferPointer(rebasing: bytes[range]))
        }
      }
      return
    }
    guard let base = text.baseAddress else { return }
    var ranges = [0..<text.count]
    var isMapped = false
    for step in steps {
      switch step {
      case .split(let pattern, let behavior, let inverted):
        ranges = Self.split(base, ranges, isMapped, pattern, behavior, inverted)
      case .byteLevel(_, let usesRegex):
        if usesRegex { ranges = Self.split(base, ranges, isMapped, .gpt2, .isolated, false) }
        isMapped = true
      case .metaspace: break
      }
    }
    for range in ranges where !range.isEmpty {
      body(UnsafeBufferPointer(rebasing: text[range]))
    }
  }

  fileprivate static func split(
    _ base: UnsafePointer<UInt8>, _ ranges: [Range<Int>], _ isMapped: Bool,
    _ pattern: SplitPattern, _ behavior: SplitBehavior, _ inverted: Bool
  ) -> [Range<Int>] {
    let view = TextView(base, isMapped: isMapped)
    var result: [Range<Int>] = []
    result.reserveCapacity(max(ranges.count, ranges.count == 1 ? ranges[0].count / 4 : 0))
    for range in ranges {
      behavior.split(
        view, from: range.lowerBound, to: range.upperBound, at: pattern, inverted: inverted,
        into: &result)
    }
    return result
  }
}

/// A text that steps may rewrite, and the fragments that they have cut it into.
private struct Fragments {
  var bytes: [UInt8]
  var ranges: [Range<Int>]
  let isStart: Bool
  var isMapped: Bool

  mutating func split(_ pattern: SplitPattern, _ behavior: SplitBehavior, inverted: Bool) {
    ranges = bytes.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return [] }
      return PreTokenizer.split(base, ranges, isMapped, pattern, behavior, inverted)
    }
  }

  /// Replaces every fragment by what `rewrite` makes of it.
  mutating func rewrite(_ rewrite: (ArraySlice<UInt8>, _ isFirst: Bool, inout [UInt8]) -> Void) {
    var output: [UInt8] = []
    output.reserveCapacity(bytes.count + 16)
    for i in ranges.indices where !ranges[i].isEmpty {
      let start = output.count
      rewrite(bytes[ranges[i]], isStart && ranges[i].lowerBound == 0, &output)
      ranges[i] = start..<output.count
    }
    bytes = output
  }
}

extension PreTokenizer.Step {
  fileprivate func apply(to fragments: inout Fragments) {
    switch self {
    case .split(let pattern, let behavior, let inverted):
      fragments.split(pattern, behavior, inverted: inverted)
    case .byteLevel(let addsPrefixSpace, let usesRegex):
      if addsPrefixSpace {
        fragments.rewrite { text, _, output in
          if text.first != 0x20 { output.append(0x20) }
          output += text
        }
      }
      if usesRegex { fragments.split(.gpt2, .isolated, inverted: false) }
      fragments.isMapped = true
    case .metaspace(let replacement, let prepend, let splits):
      fragments.rewrite { text, isFirst, output in
        let prepends = prepend == .always || (prepend == .first && isFirst)
        if prepends, text.first != 0x20, !text.starts(with: replacement) { output += replacement }
        for byte in text {
          if byte == 0x20 { output += replacement } else { output.append(byte) }
        }
      }
      if splits { fragments.split(.literal(replacement), .mergedWithNext, inverted: false) }
    }
  }
}
