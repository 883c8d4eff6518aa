/// What a `Split` looks for. The patterns of the most frequent families have scanners of their own,
/// for speed; any other regular expression runs on `SplitExpression`.
enum SplitPattern: Sendable, Equatable {
  /// Exactly these bytes.
  case literal([UInt8])
  /// The Llama-3 expression with groups of at most so many digits.
  case llama3(digits: Int)
  /// The GPT-2 expression.
  case gpt2
  /// A run of characters of a class, at most `limit` of them.
  case run(CharacterClass, limit: Int)
  /// Exactly three of `[0-9]`.
  case threeDigits
  /// `\w+|[^\w\s]+`.
  case words
  /// Any other regular expression.
  case expression(SplitExpression)

  /// The pattern that the regular expression `source` is. Throws for what is malformed or not
  /// supported.
  init(regex source: String) throws(UnsupportedExpression) {
    if let known = Self.known[source] {
      self = known
      return
    }
    guard !source.isEmpty else {
      throw UnsupportedExpression(what: "an empty expression", position: 0)
    }
    let meta = Set("\\^$.|?*+()[]{}")
    self =
      source.contains(where: { meta.contains($0) })
      ? .expression(try SplitExpression(source)) : .literal(Array(source.utf8))
  }

  private static let known: [String: SplitPattern] = {
    let contractions = ["(?i:'s|'t|'re|'ve|'m|'ll|'d)", "(?i:'s|'t|'re|'ve|'m|'d|'ll)"]
    let tail = #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    var table: [String: SplitPattern] = [
      #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#: .gpt2,
      #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"#: .gpt2,
      #"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#: .gpt2,
      "[0-9][0-9][0-9]": .threeDigits,
      "[0-9]{3}": .threeDigits,
      "[0-9]": .run(.asciiDigit, limit: 1),
      "[0-9]+": .run(.asciiDigit, limit: .max),
      "[0-9]{1,3}": .run(.asciiDigit, limit: 3),
      #"\p{N}"#: .run(.number, limit: 1),
      #"\p{N}+"#: .run(.number, limit: .max),
      #"\p{N}{1,3}"#: .run(.number, limit: 3),
      #"\p{L}+"#: .run(.letter, limit: .max),
      #"\p{P}"#: .run(.punctuation, limit: 1),
      #"\p{P}+"#: .run(.punctuation, limit: .max),
      #"\s"#: .run(.whitespace, limit: 1),
      #"\s+"#: .run(.whitespace, limit: .max),
      #"[\p{P}\$\+<=>\^~\|\`]+"#: .run(.anyPunctuation, limit: .max),
      #"[\p{P}\$\+<=>\^~\|]+"#: .run([.punctuation, .asciiSymbol], limit: .max),
    ]
    for contraction in contractions {
      for (digits, count) in [(#"\p{N}{1,3}"#, 3), (#"\p{N}"#, 1)] {
        table[contraction + #"|[^\r\n\p{L}\p{N}]?\p{L}+|"# + digits + tail] = .llama3(digits: count)
      }
    }
    return table
  }()

  /// Calls `body` with each match in `start..<end` of the text of `view`, in order. A match may be
  /// empty, but not where the one before ended. Source: the `onig` crate, `FindMatches`.
  func forEachMatch(
    in view: TextView, from start: Int, to end: Int, _ body: (Range<Int>) -> Void
  ) {
    var offset = start
    var lastEnd: Int?
    while let match = firstMatch(in: view, from: offset, to: end, lower: start) {
      if match.isEmpty, match.lowerBound == lastEnd {
        guard match.lowerBound < end else { return }
        offset = match.lowerBound + view.scalar(at: match.lowerBound).length
        continue
      }
      body(match)
      offset = match.upperBound
      lastEnd = offset
    }
  }

  /// The first match in `start..<end` of the text of `view`, or nil. The text begins at `lower`.
  private func firstMatch(in view: TextView, from start: Int, to end: Int, lower: Int)
    -> Range<Int>?
  {
    if case .expression(let expression) = self {
      var matcher = ExpressionMatcher(expression, view, lower: lower, upper: end)
      return matcher.firstMatch(from: start)
    }
    guard start < end else { return nil }
    switch self {
    case .expression: return nil
    case .llama3(let digits):
      return start..<Scanner(view: view, end: end).llama3(start, digits: digits)
    case .gpt2:
      return start..<Scanner(view: view, end: end).gpt2(start)
    case .literal(let bytes):
      guard !bytes.isEmpty, bytes.count <= end - start else { return nil }
      for offset in start...(end - bytes.count)
      where view.base[offset] == bytes[0]
        && (1..<bytes.count).allSatisfy({ view.base[offset + $0] == bytes[$0] })
      {
        return offset..<(offset + bytes.count)
      }
      return nil
    case .threeDigits:
      guard end - start >= 3 else { return nil }
      func isDigit(_ offset: Int) -> Bool { view.base[offset] >= 0x30 && view.base[offset] <= 0x39 }
      for offset in start...(end - 3)
      where isDigit(offset) && isDigit(offset + 1) && isDigit(offset + 2) {
        return offset..<(offset + 3)
      }
      return nil
    case .run(let wanted, let limit):
      return firstRun(in: view, from: start, to: end, limit: limit) {
        !$0.isDisjoint(with: wanted)
      }
    case .words:
      var offset = start
      while offset < end {
        let (classes, length) = view.character(at: offset)
        if classes.contains(.word) {
          return firstRun(in: view, from: offset, to: end) { $0.contains(.word) }
        }
        if !classes.contains(.whitespace) {
          return firstRun(in: view, from: offset, to: end) {
            $0.isDisjoint(with: [.word, .whitespace])
          }
        }
        offset += length
      }
      return nil
    }
  }

  private func firstRun(
    in view: TextView, from start: Int, to end: Int, limit: Int = .max,
    where isWanted: (CharacterClass) -> Bool
  ) -> Range<Int>? {
    var offset = start
    while offset < end {
      let (classes, length) = view.character(at: offset)
      if isWanted(classes) { break }
      offset += length
    }
    guard offset < end else { return nil }
    let first = offset
    var taken = 0
    while offset < end, taken < limit {
      let (classes, length) = view.character(at: offset)
      guard isWanted(classes) else { break }
      offset += length
      taken += 1
    }
    return first..<offset
  }

  /// Whether this is one of the scanners that cut a whole text into matches.
  var coversText: Bool {
    switch self {
    case .llama3, .gpt2: true
    default: false
    }
  }
}

/// What becomes of a match and of what lies between matches. Names and meaning are Hugging Face's.
enum SplitBehavior: String, Sendable, CaseIterable {
  case removed = "Removed"
  case isolated = "Isolated"
  case mergedWithPrevious = "MergedWithPrevious"
  case mergedWithNext = "MergedWithNext"
  case contiguous = "Contiguous"

  /// The fragments of `start..<end`, appended to `fragments`.
  func split(
    _ view: TextView, from start: Int, to end: Int, at pattern: SplitPattern, inverted: Bool,
    into fragments: inout [Range<Int>]
  ) {
    if pattern.coversText, self == .isolated, !inverted {
      pattern.forEachMatch(in: view, from: start, to: end) { fragments.append($0) }
      return
    }
    var spans: [(range: Range<Int>, isMatch: Bool)] = []
    var offset = start
    pattern.forEachMatch(in: view, from: start, to: end) { match in
      if match.lowerBound > offset { spans.append((offset..<match.lowerBound, inverted)) }
      spans.append((match, !inverted))
      offset = match.upperBound
    }
    if offset < end { spans.append((offset..<end, inverted)) }
    join(spans, into: &fragments)
  }

  private func join(
    _ spans: [(range: Range<Int>, isMatch: Bool)], into fragments: inout [Range<Int>]
  ) {
    switch self {
    case .isolated: fragments += spans.map(\.range)
    case .removed: fragments += spans.lazy.filter { !$0.isMatch }.map(\.range)
    case .contiguous:
      var previous: Bool?
      for span in spans {
        if span.isMatch == previous, let last = fragments.popLast() {
          fragments.append(last.lowerBound..<span.range.upperBound)
        } else {
          fragments.append(span.range)
        }
        previous = span.isMatch
      }
    case .mergedWithPrevious:
      var previousIsMatch = false
      var isFirst = true
      for span in spans {
        if span.isMatch, !previousIsMatch, !isFirst, let last = fragments.popLast() {
          fragments.append(last.lowerBound..<span.range.upperBound)
        } else {
          fragments.append(span.range)
        }
        previousIsMatch = span.isMatch
        isFirst = false
      }
    case .mergedWithNext:
      var joined: [Range<Int>] = []
      var previousIsMatch = false
      for span in spans.reversed() {
        if span.isMatch, !previousIsMatch, let last = joined.popLast() {
          joined.append(span.range.lowerBound..<last.upperBound)
        } else {
          joined.append(span.range)
        }
        previousIsMatch = span.isMatch
      }
      fragments += joined.reversed()
    }
  }
}
