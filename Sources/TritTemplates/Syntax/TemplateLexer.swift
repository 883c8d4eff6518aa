/// Cuts a template into tokens, with `trim_blocks` and `lstrip_blocks` as Hugging Face sets them.
///
/// Rules of white space: one newline after `%}` and `#}` is dropped; blanks before `{%` and `{#` at
/// the start of a line are dropped; `-` drops all white space on its side; `+` switches the first
/// two off. Source: Jinja 3.1, `lexer.py`, by its documentation and observed results.
struct TemplateLexer {
  let source: Scalars
  var index = 0
  var tokens: [PlacedToken] = []
  /// Whether what was matched last ended with a newline, or nothing was.
  private var isAtLineStart = true

  /// A lexer of `source`, whose line ends are newlines.
  init(_ source: Scalars) { self.source = source }

  /// The text with `\r\n` and `\r` as newlines, and without one newline at its end.
  static func normalized(_ text: Scalars) -> Scalars {
    var result: Scalars = []
    result.reserveCapacity(text.count)
    for (index, scalar) in text.enumerated() {
      if scalar == "\r" {
        result.append("\n")
      } else if scalar != "\n" || index == 0 || text[index - 1] != "\r" {
        result.append(scalar)
      }
    }
    if result.last == "\n" { result.removeLast() }
    return result
  }

  /// All tokens, `.end` last.
  mutating func run() throws -> [PlacedToken] {
    while index < source.count {
      let begin = nextBegin(from: index)
      guard let begin else {
        append(.data(Array(source[index...])), at: index)
        break
      }
      let kind = source[begin + 1]
      if kind == "%", let body = rawBegin(begin) {
        data(index..<begin, sign: sign(begin + 2), stripsLine: true)
        isAtLineStart = body > 0 && source[body - 1] == "\n"
        index = body
        try raw(begin: begin)
        continue
      }
      let sign = sign(begin + 2)
      data(index..<begin, sign: sign, stripsLine: kind != "{")
      index = begin + 2 + (sign == nil ? 0 : 1)
      switch kind {
      case "#": try comment(begin: begin)
      case "%":
        append(.blockBegin, at: begin)
        try tags(isBlock: true)
      default:
        append(.variableBegin, at: begin)
        try tags(isBlock: false)
      }
    }
    append(.end, at: source.count)
    return tokens
  }

  mutating func append(_ token: TemplateToken, at place: Int) {
    if case .data(let text) = token, text.isEmpty { return }
    tokens.append(PlacedToken(token: token, at: place))
  }

  private func nextBegin(from start: Int) -> Int? {
    var place = start
    while place + 1 < source.count {
      if source[place] == "{", ["%", "{", "#"].contains(source[place + 1]) { return place }
      place += 1
    }
    return nil
  }

  /// `-` or `+` at `place`.
  private func sign(_ place: Int) -> Unicode.Scalar? {
    guard place < source.count, source[place] == "-" || source[place] == "+" else { return nil }
    return source[place]
  }

  /// Text before a tag: `-` takes white space away at its end; else blanks at the start of a line
  /// go, unless there is a `+` or the tag prints.
  private mutating func data(_ range: Range<Int>, sign: Unicode.Scalar?, stripsLine: Bool) {
    var end = range.upperBound
    if sign == "-" {
      while end > range.lowerBound, PythonCharacter.isSpace(source[end - 1]) { end -= 1 }
    } else if sign == nil, stripsLine {
      let text = source[range]
      let line = text.lastIndex(of: "\n").map { $0 + 1 } ?? range.lowerBound
      if line > range.lowerBound || isAtLineStart,
        source[line..<range.upperBound].allSatisfy(PythonCharacter.isSpace)
      {
        end = line
      }
    }
    append(.data(Array(source[range.lowerBound..<end])), at: range.lowerBound)
  }

  private func skippingSpace(_ place: Int) -> Int {
    var place = place
    while place < source.count, PythonCharacter.isSpace(source[place]) { place += 1 }
    return place
  }

  /// Where the text behind `{% raw %}` begins, if that stands at `begin`.
  private func rawBegin(_ begin: Int) -> Int? {
    var place = skippingSpace(begin + 2 + (sign(begin + 2) == nil ? 0 : 1))
    guard source.matches("raw", at: place) else { return nil }
    place = skippingSpace(place + 3)
    if source.matches("-%}", at: place) { return skippingSpace(place + 3) }
    return source.matches("%}", at: place) ? place + 2 : nil
  }

  /// Text up to `{% endraw %}`.
  private mutating func raw(begin: Int) throws {
    let start = index
    var place = index
    while place < source.count {
      defer { place += 1 }
      guard source.matches("{%", at: place) else { continue }
      let sign = sign(place + 2)
      let word = skippingSpace(place + 2 + (sign == nil ? 0 : 1))
      guard source.matches("endraw", at: word),
        let end = closing(skippingSpace(word + 6), "}", "%")
      else { continue }
      data(start..<place, sign: sign, stripsLine: true)
      finish(end)
      return
    }
    throw TemplateFault(.syntax, "missing end of raw directive", at: begin)
  }

  private mutating func comment(begin: Int) throws {
    var place = index
    while place < source.count {
      if let end = closing(place, "}", "#") { return finish(end) }
      place += 1
    }
    throw TemplateFault(.syntax, "missing end of comment tag", at: begin)
  }

  /// Where the text goes on behind `%}` or `#}` at `place`, with its sign; nil where there is none.
  private func closing(_ place: Int, _ brace: Unicode.Scalar, _ mark: Unicode.Scalar) -> Int? {
    func stands(_ place: Int) -> Bool {
      place + 1 < source.count && source[place] == mark && source[place + 1] == brace
    }
    if stands(place) {
      let end = place + 2
      return end < source.count && source[end] == "\n" ? end + 1 : end
    }
    guard let sign = sign(place), stands(place + 1) else { return nil }
    return sign == "-" ? skippingSpace(place + 3) : place + 3
  }

  private mutating func finish(_ end: Int) {
    isAtLineStart = source[end - 1] == "\n"
    index = end
  }

  // MARK: Inside of tags

  /// Tokens up to the end of the tag. Braces that are open keep `}}` from ending it.
  private mutating func tags(isBlock: Bool) throws {
    var open: [Unicode.Scalar] = []
    while index < source.count {
      let place = index
      if open.isEmpty, let end = end(isBlock: isBlock) {
        append(isBlock ? .blockEnd : .variableEnd, at: place)
        return finish(end)
      }
      if PythonCharacter.isSpace(source[index]) {
        index = skippingSpace(index)
      } else if let token = try number() ?? name() ?? string() {
        append(token, at: place)
      } else {
        try mark(&open)
      }
    }
  }

  private func end(isBlock: Bool) -> Int? {
    if isBlock { return closing(index, "}", "%") }
    if source.matches("-}}", at: index) { return skippingSpace(index + 3) }
    return source.matches("}}", at: index) ? index + 2 : nil
  }

  private mutating func name() throws -> TemplateToken? {
    let start = index
    while index < source.count, PythonCharacter.isWord(source[index]) { index += 1 }
    guard index > start else { return nil }
    guard PythonCharacter.beginsName(source[start]) else {
      throw TemplateFault(.syntax, "invalid character in identifier", at: start)
    }
    return .name(Array(source[start..<index]).string)
  }

  /// An operator or a brace; braces must match.
  private mutating func mark(_ open: inout [Unicode.Scalar]) throws {
    let place = index
    let long = ["//", "**", "==", "!=", ">=", "<="]
    let two = Array(source[index..<min(index + 2, source.count)]).string
    if long.contains(two) {
      index += 2
      return append(.mark(two), at: place)
    }
    let scalar = source[index]
    guard "+-/*%~[](){}><=.:|,;".unicodeScalars.contains(scalar) else {
      throw TemplateFault(.syntax, "unexpected character '\(scalar)'", at: place)
    }
    switch scalar {
    case "(": open.append(")")
    case "[": open.append("]")
    case "{": open.append("}")
    case ")", "]", "}":
      guard let expected = open.popLast() else {
        throw TemplateFault(.syntax, "unexpected '\(scalar)'", at: place)
      }
      guard expected == scalar else {
        throw TemplateFault(
          .syntax, "unexpected '\(scalar)', expected '\(expected)'", at: place)
      }
    default: break
    }
    index += 1
    append(.mark(String(scalar)), at: place)
  }
}
