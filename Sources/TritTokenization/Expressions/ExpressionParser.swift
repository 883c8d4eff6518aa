/// A regular expression as a tree.
indirect enum ExpressionNode: Equatable {
  enum Greed { case greedy, lazy, possessive }
  enum Assertion { case lineStart, lineEnd, textStart, textEnd, wordBoundary, noWordBoundary }

  case empty
  case one(ScalarSet.Content)
  case sequence([ExpressionNode])
  case alternatives([ExpressionNode])
  case repeated(ExpressionNode, atLeast: Int, atMost: Int, Greed)
  case look(ExpressionNode, negated: Bool)
  case lookBehind(ScalarSet.Content, negated: Bool)
  case atomic(ExpressionNode)
  case assertion(Assertion)

  /// Whether it may match without taking a character.
  var canBeEmpty: Bool {
    switch self {
    case .empty, .look, .lookBehind, .assertion: true
    case .one: false
    case .sequence(let parts): parts.allSatisfy(\.canBeEmpty)
    case .alternatives(let parts): parts.contains(where: \.canBeEmpty)
    case .repeated(let body, let atLeast, _, _): atLeast == 0 || body.canBeEmpty
    case .atomic(let body): body.canBeEmpty
    }
  }
}

/// A construct that the expressions of tokenizers do not use and that is not read here.
struct UnsupportedExpression: Error, Equatable {
  /// What is not supported.
  let what: String
  /// Character of the expression where it begins, from 0.
  let position: Int
}

/// Reads the regular expressions of `tokenizer.json` in Oniguruma's Ruby syntax, which Hugging
/// Face's `tokenizers` uses: classes with nesting and `&&`, `\p{…}`, greedy, lazy and possessive
/// quantifiers, groups, `(?i:…)` on ASCII letters, look-ahead, look-behind of one character,
/// anchors. Source: Oniguruma, `doc/RE`.
struct ExpressionParser {
  private let text: [Unicode.Scalar]
  private var position = 0
  private var ignoresCase = false
  private var depth = 0

  private init(_ source: String) { text = Array(source.unicodeScalars) }

  /// The tree of `source`. Throws for what is malformed or not supported.
  static func parse(_ source: String) throws(UnsupportedExpression) -> ExpressionNode {
    var parser = ExpressionParser(source)
    let node = try parser.alternatives()
    guard parser.position == parser.text.count else {
      throw parser.unsupported("a ')' without '('")
    }
    return node
  }

  private func unsupported(_ what: String) -> UnsupportedExpression {
    UnsupportedExpression(what: what, position: position)
  }

  private var next: Unicode.Scalar? { position < text.count ? text[position] : nil }

  private func follows(_ string: String) -> Bool {
    text[position...].starts(with: string.unicodeScalars)
  }

  private mutating func take(_ string: String) -> Bool {
    guard follows(string) else { return false }
    position += string.unicodeScalars.count
    return true
  }

  private mutating func alternatives() throws(UnsupportedExpression) -> ExpressionNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= 50 else { throw unsupported("nesting of more than 50 groups") }
    let ignoredCase = ignoresCase
    defer { ignoresCase = ignoredCase }
    var parts = [try sequence()]
    while take("|") { parts.append(try sequence()) }
    return parts.count == 1 ? parts[0] : .alternatives(parts)
  }

  private mutating func sequence() throws(UnsupportedExpression) -> ExpressionNode {
    var parts: [ExpressionNode] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      if follows("(?i)") {
        // Later, it would take the rest of the alternatives into a group of its own.
        guard parts.isEmpty else { throw unsupported("'(?i)' inside a sequence") }
        position += 4
        ignoresCase = true
        continue
      }
      parts.append(try quantified())
    }
    return parts.isEmpty ? .empty : parts.count == 1 ? parts[0] : .sequence(parts)
  }

  private mutating func quantified() throws(UnsupportedExpression) -> ExpressionNode {
    var node = try atom()
    while let (atLeast, atMost, isInterval) = try bounds() {
      var greed = ExpressionNode.Greed.greedy
      if next == "?" || next == "+" {
        // After an interval Ruby reads these as quantifiers of their own.
        if isInterval { throw unsupported("'\(next.map(String.init) ?? "")' after an interval") }
        greed = next == "?" ? .lazy : .possessive
        position += 1
      }
      if node.canBeEmpty, atMost == .max {
        throw unsupported("repeating what may be empty")
      }
      node = .repeated(node, atLeast: atLeast, atMost: atMost, greed)
    }
    return node
  }

  private mutating func bounds() throws(UnsupportedExpression) -> (Int, Int, Bool)? {
    if take("*") { return (0, .max, false) }
    if take("+") { return (1, .max, false) }
    if take("?") { return (0, 1, false) }
    guard next == "{" else { return nil }
    let start = position
    position += 1
    let low = number()
    let hasComma = take(",")
    let high = number()
    guard take("}"), low != nil || high != nil else {
      position = start
      throw unsupported("a '{' that begins no interval")
    }
    let bounds = (low ?? 0, hasComma ? high ?? .max : low ?? 0)
    guard bounds.0 <= bounds.1, bounds.0 <= 1000, bounds.1 == .max || bounds.1 <= 1000 else {
      throw unsupported("an interval beyond 1,000 or falling")
    }
    return (bounds.0, bounds.1, true)
  }

  private mutating func number() -> Int? {
    var value: Int?
    while let scalar = next, ("0"..."9").contains(scalar), (value ?? 0) < 100_000 {
      value = (value ?? 0) * 10 + Int(scalar.value - 0x30)
      position += 1
    }
    return value
  }

  // MARK: Atoms

  private mutating func atom() throws(UnsupportedExpression) -> ExpressionNode {
    guard let scalar = next else { throw unsupported("an expression that ends early") }
    switch scalar {
    case "(": return try group()
    case "[": return .one(try set())
    case ".":
      position += 1
      return .one(.complement(.ranges([0x0A...0x0A])))
    case "^":
      position += 1
      return .assertion(.lineStart)
    case "$":
      position += 1
      return .assertion(.lineEnd)
    case "*", "+", "?": throw unsupported("a quantifier of nothing")
    case "\\": return try escape()
    default:
      position += 1
      return .one(try literal(scalar))
    }
  }

  private mutating func group() throws(UnsupportedExpression) -> ExpressionNode {
    let start = position
    var wrap: (ExpressionNode) -> ExpressionNode = { $0 }
    var isBehind: Bool?
    let ignoredCase = ignoresCase
    defer { ignoresCase = ignoredCase }
    if take("(?:") {
    } else if take("(?i:") {
      ignoresCase = true
    } else if take("(?=") {
      wrap = { .look($0, negated: false) }
    } else if take("(?!") {
      wrap = { .look($0, negated: true) }
    } else if take("(?<=") {
      isBehind = false
    } else if take("(?<!") {
      isBehind = true
    } else if take("(?>") {
      wrap = { .atomic($0) }
    } else if follows("(?") {
      throw unsupported("this kind of group")
    } else {
      position += 1
    }
    let body = try alternatives()
    guard take(")") else {
      position = start
      throw unsupported("a '(' without ')'")
    }
    guard let negated = isBehind else { return wrap(body) }
    guard case .one(let content) = body else {
      position = start
      throw unsupported("looking behind at more than one character")
    }
    return .lookBehind(content, negated: negated)
  }

  private mutating func escape() throws(UnsupportedExpression) -> ExpressionNode {
    let assertions: [(String, ExpressionNode.Assertion)] = [
      ("\\b", .wordBoundary), ("\\B", .noWordBoundary), ("\\A", .textStart), ("\\z", .textEnd),
    ]
    for (spelling, assertion) in assertions where take(spelling) { return .assertion(assertion) }
    switch try escaped() {
    case .scalar(let scalar): return .one(try literal(scalar))
    case .set(let content): return .one(content)
    }
  }

  private enum Escaped {
    case scalar(Unicode.Scalar)
    case set(ScalarSet.Content)
  }

  /// What a backslash and its letter stand for, inside a class and outside.
  private mutating func escaped() throws(UnsupportedExpression) -> Escaped {
    position += 1
    guard let letter = next else { throw unsupported("a backslash at the end") }
    position += 1
    switch letter {
    case "n": return .scalar("\n")
    case "r": return .scalar("\r")
    case "t": return .scalar("\t")
    case "f": return .scalar("\u{0C}")
    case "v": return .scalar("\u{0B}")
    case "s": return .set(.whitespace)
    case "S": return .set(.complement(.whitespace))
    case "w": return .set(.word)
    case "W": return .set(.complement(.word))
    case "d": return .set(.categories(GeneralCategories.mask("Nd") ?? 0))
    case "D": return .set(.complement(.categories(GeneralCategories.mask("Nd") ?? 0)))
    case "p", "P": return .set(try property(negated: letter == "P"))
    case "x": return .scalar(try hexadecimal(braces: take("{"), digits: 2))
    case "u": return .scalar(try hexadecimal(braces: false, digits: 4))
    default:
      let isWordLike = CharacterClasses.of(letter.value).contains(.word) && letter != "_"
      guard !isWordLike else {
        position -= 1
        throw unsupported("'\\\(letter)'")
      }
      return .scalar(letter)
    }
  }

  private mutating func hexadecimal(braces: Bool, digits: Int) throws(UnsupportedExpression)
    -> Unicode.Scalar
  {
    var value: UInt32 = 0
    var count = 0
    while let digit = next.flatMap({ $0.isASCII ? UInt32(String($0), radix: 16) : nil }),
      count < (braces ? 6 : digits)
    {
      value = value << 4 | digit
      count += 1
      position += 1
    }
    guard count > 0, braces ? take("}") : count == digits, let scalar = Unicode.Scalar(value) else {
      throw unsupported("this number of a character")
    }
    return scalar
  }

  private mutating func property(negated: Bool) throws(UnsupportedExpression) -> ScalarSet.Content {
    guard take("{") else { throw unsupported("'\\p' without '{'") }
    let isComplement = take("^") != negated
    var name = ""
    while let scalar = next, scalar != "}" {
      name.unicodeScalars.append(scalar)
      position += 1
    }
    guard take("}") else { throw unsupported("a property without '}'") }
    let content: ScalarSet.Content
    if let mask = GeneralCategories.mask(name) {
      content = .categories(mask)
    } else if name == "Han" {
      content = .han
    } else {
      throw unsupported("the property '\(name)'")
    }
    return isComplement ? .complement(content) : content
  }

  /// The scalar, with its other case where case is ignored.
  private func literal(_ scalar: Unicode.Scalar) throws(UnsupportedExpression) -> ScalarSet.Content
  {
    guard ignoresCase else { return .ranges([scalar.value...scalar.value]) }
    guard scalar.isASCII else { throw unsupported("ignoring the case of '\(scalar)'") }
    return .ranges(Self.bothCases(scalar.value))
  }

  /// An ASCII character in both cases, and the two scalars beyond ASCII that fold to letters: ſ and
  /// the Kelvin sign.
  private static func bothCases(_ value: UInt32) -> [ClosedRange<UInt32>] {
    guard (0x41...0x5A).contains(value & ~0x20) else { return [value...value] }
    var values = [value & ~0x20, value | 0x20]
    if value | 0x20 == 0x73 { values.append(0x17F) }
    if value | 0x20 == 0x6B { values.append(0x212A) }
    return values.map { $0...$0 }
  }

  // MARK: Classes

  private mutating func set() throws(UnsupportedExpression) -> ScalarSet.Content {
    let start = position
    depth += 1
    defer { depth -= 1 }
    guard depth <= 50 else { throw unsupported("nesting of more than 50 groups") }
    position += 1
    let isComplement = take("^")
    if next == "]" { throw unsupported("a class that begins with ']'") }
    if follows("[:") { throw unsupported("a POSIX class") }
    var intersected: [ScalarSet.Content] = []
    var parts: [ScalarSet.Content] = []
    while let scalar = next, scalar != "]" {
      if take("&&") {
        intersected.append(.union(parts))
        parts = []
      } else if follows("[:") {
        throw unsupported("a POSIX class")
      } else if scalar == "[" {
        parts.append(try set())
      } else {
        parts.append(try member())
      }
    }
    guard take("]") else {
      position = start
      throw unsupported("a '[' without ']'")
    }
    var content = ScalarSet.Content.union(parts)
    if !intersected.isEmpty { content = .intersection(intersected + [content]) }
    return isComplement ? .complement(content) : content
  }

  /// One scalar, a range, or an escaped set.
  private mutating func member() throws(UnsupportedExpression) -> ScalarSet.Content {
    let low: Unicode.Scalar
    switch try classAtom() {
    case .set(let content): return content
    case .scalar(let scalar): low = scalar
    }
    let isRange =
      next == "-" && position + 1 < text.count && text[position + 1] != "]"
      && text[position + 1] != "["
    guard isRange else { return try members(low.value...low.value) }
    position += 1
    guard case .scalar(let high) = try classAtom(), low <= high else {
      throw unsupported("a range that ends in a set or falls")
    }
    return try members(low.value...high.value)
  }

  private mutating func classAtom() throws(UnsupportedExpression) -> Escaped {
    guard let scalar = next else { throw unsupported("a '[' without ']'") }
    if scalar == "\\" { return try escaped() }
    position += 1
    return .scalar(scalar)
  }

  private func members(_ range: ClosedRange<UInt32>) throws(UnsupportedExpression)
    -> ScalarSet.Content
  {
    guard ignoresCase else { return .ranges([range]) }
    guard range.upperBound < 0x80 else {
      throw unsupported("ignoring case beyond ASCII")
    }
    return .ranges(range.flatMap { Self.bothCases($0) })
  }
}
