/// Cuts text into the pieces that the model encodes one by one: a sequence of steps, each applied
/// to the fragments that the one before left.
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
  /// Where each step is written, for messages.
  var places: [String] = []

  /// Whether the model sees bytes.
  var isByteLevel: Bool {
    steps.contains { if case .byteLevel = $0 { true } else { false } }
  }

  /// Whether the bytes of pieces may be others than those of the text.
  private var rewrites: Bool {
    steps.contains {
      switch $0 {
      case .split: false
      case .byteLevel(let addsPrefixSpace, _): addsPrefixSpace
      case .metaspace: true
      }
    }
  }

  /// Calls `body` with each piece of `text`. `isStart`: the text begins the whole input. Throws
  /// `badData` with the place of the step that lets the text grow beyond what `growth` has left.
  func forEachPiece(
    of text: UnsafeBufferPointer<UInt8>, isStart: Bool, growth: inout TextGrowth,
    _ body: (UnsafeBufferPointer<UInt8>) -> Void
  ) throws {
    guard !text.isEmpty else { return }
    guard rewrites else { return forEachFragment(of: text, body) }
    var fragments = Fragments(
      bytes: Array(text), ranges: [0..<text.count], isStart: isStart, isMapped: false)
    var most = 0
    for (index, step) in steps.enumerated() {
      guard step.size(of: fragments) <= growth.room else {
        throw growth.exceeded(
          by: step.words, at: index < places.count ? places[index] : "step \(index + 1)")
      }
      step.apply(to: &fragments)
      most = max(most, fragments.bytes.count)
    }
    growth.spend(most)
    fragments.bytes.withUnsafeBufferPointer { bytes in
      for range in fragments.ranges where !range.isEmpty {
        body(UnsafeBufferPointer(rebasing: bytes[range]))
      }
    }
  }

  /// Calls `body` with each piece of `text` by the steps that only cut; the others are left out.
  func forEachFragment(
    of text: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Void
  ) {
    guard let base = text.baseAddress, !text.isEmpty else { return }
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
  /// The step in words, for messages.
  fileprivate var words: String {
    switch self {
    case .split: return "Split"
    case .byteLevel: return "ByteLevel"
    case .metaspace(let replacement, _, _):
      let shown = String(decoding: replacement.prefix(32), as: UTF8.self)
      return "Metaspace with '\(shown)\(replacement.count > 32 ? "…" : "")' for a space"
    }
  }

  /// Bytes that the step makes of `fragments` at most.
  fileprivate func size(of fragments: Fragments) -> Int {
    switch self {
    case .split: return fragments.bytes.count
    case .byteLevel(let addsPrefixSpace, _):
      return fragments.bytes.count + (addsPrefixSpace ? fragments.ranges.count : 0)
    case .metaspace(let replacement, let prepend, _):
      let spaces = fragments.bytes.count { $0 == 0x20 }
      let starts = prepend == .never ? 0 : prepend == .first ? 1 : fragments.ranges.count
      return fragments.bytes.count + (spaces + starts) * replacement.count
    }
  }

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
