/// Numbers and strings, as Jinja's lexer and Python's `unicode-escape` read them.
extension TemplateLexer {
  /// A number at `index`: `1_000`, `0x1F`, `1.5`, `1e3`.
  mutating func number() throws -> TemplateToken? {
    guard PythonCharacter.isDigit(source[index]) else { return nil }
    let start = index
    if let end = realEnd(start), start == 0 || source[start - 1] != "." {
      index = end
      let text = Array(source[start..<end]).string.filter { $0 != "_" }
      guard let value = Double(text) else {
        throw TemplateFault(.syntax, "'\(text)' is no number", at: start)
      }
      return .real(value)
    }
    let (end, digits, radix) = integerEnd(start)
    index = end
    guard let value = Int(digits, radix: radix) else {
      throw TemplateFault(.unsupported, "a whole number of more than 64 bits", at: start)
    }
    return .integer(value)
  }

  /// Where digits with single `_` between them end, from `place`; nil where there is no digit.
  private func digitsEnd(_ place: Int, _ isDigit: (Unicode.Scalar) -> Bool) -> Int? {
    guard place < source.count, isDigit(source[place]) else { return nil }
    var end = place + 1
    while end < source.count {
      if isDigit(source[end]) {
        end += 1
      } else if source[end] == "_", end + 1 < source.count, isDigit(source[end + 1]) {
        end += 2
      } else {
        break
      }
    }
    return end
  }

  /// Where a number with a point or an exponent ends.
  private func realEnd(_ start: Int) -> Int? {
    guard let whole = digitsEnd(start, PythonCharacter.isDigit) else { return nil }
    var end = whole
    if end < source.count, source[end] == ".",
      let fraction = digitsEnd(end + 1, PythonCharacter.isDigit)
    {
      end = fraction
    }
    if end < source.count, source[end] == "e" || source[end] == "E" {
      var digits = end + 1
      if digits < source.count, source[digits] == "+" || source[digits] == "-" { digits += 1 }
      if let exponent = digitsEnd(digits, PythonCharacter.isDigit) { return exponent }
    }
    return end > whole ? end : nil
  }

  /// Where a whole number ends, its digits and their base.
  private func integerEnd(_ start: Int) -> (end: Int, digits: String, radix: Int) {
    func digits(_ range: Range<Int>) -> String {
      Array(source[range]).string.filter { $0 != "_" }
    }
    if source[start] == "0", start + 1 < source.count {
      let radix =
        switch source[start + 1] {
        case "x", "X": 16
        case "o", "O": 8
        case "b", "B": 2
        default: 0
        }
      if radix > 0 {
        let first = start + 2 < source.count && source[start + 2] == "_" ? start + 3 : start + 2
        let end = digitsEnd(first) {
          PythonCharacter.hexadecimal($0).map { $0 < UInt32(radix) } ?? false
        }
        if let end { return (end, digits(first..<end), radix) }
      }
    }
    let isZero = source[start] == "0"
    let end = digitsEnd(start) { isZero ? $0 == "0" : PythonCharacter.isDigit($0) } ?? start + 1
    return (end, digits(start..<end), 10)
  }

  /// A string literal at `index`; a quote that is not closed is no string.
  mutating func string() throws -> TemplateToken? {
    let quote = source[index]
    guard quote == "'" || quote == "\"" else { return nil }
    let start = index
    var end = start + 1
    while end < source.count, source[end] != quote { end += source[end] == "\\" ? 2 : 1 }
    guard end < source.count else {
      throw TemplateFault(.syntax, "the string is not closed", at: start)
    }
    index = end + 1
    return .text(try unescaped(start + 1, end))
  }

  /// The text between `start` and `end` with its escapes read.
  private func unescaped(_ start: Int, _ end: Int) throws -> Scalars {
    var result: Scalars = []
    var place = start
    while place < end {
      let scalar = source[place]
      guard scalar == "\\" else {
        result.append(scalar)
        place += 1
        continue
      }
      let next = source[place + 1]
      place += 2
      switch next {
      case "\n": break
      case "\\", "'", "\"": result.append(next)
      case "a": result.append("\u{07}")
      case "b": result.append("\u{08}")
      case "f": result.append("\u{0C}")
      case "n": result.append("\n")
      case "r": result.append("\r")
      case "t": result.append("\t")
      case "v": result.append("\u{0B}")
      case "x": result.append(try code(&place, end, digits: 2))
      case "u": result.append(try code(&place, end, digits: 4))
      case "U": result.append(try code(&place, end, digits: 8))
      case "N": throw TemplateFault(.unsupported, "the escape \\N{…}", at: place - 2)
      case "0"..."7":
        var value = next.value - 0x30
        var count = 1
        while count < 3, place < end, case "0"..."7" = source[place] {
          value = value * 8 + source[place].value - 0x30
          place += 1
          count += 1
        }
        result.append(Unicode.Scalar(value) ?? "?")
      default: result += Self.kept(next)
      }
    }
    return result
  }

  /// What is left of an escape that is none. Jinja writes what is not ASCII as an escape before it
  /// reads escapes, so that a backslash before such a character makes text of it.
  private static func kept(_ scalar: Unicode.Scalar) -> Scalars {
    guard !scalar.isASCII else { return ["\\", scalar] }
    let digits = String(scalar.value, radix: 16)
    let (letter, width) =
      scalar.value <= 0xFF ? ("x", 2) : scalar.value <= 0xFFFF ? ("u", 4) : ("U", 8)
    let padding = String(repeating: "0", count: max(0, width - digits.count))
    return Scalars("\\" + letter + padding + digits)
  }

  private func code(_ place: inout Int, _ end: Int, digits: Int) throws -> Unicode.Scalar {
    let start = place
    var value: UInt32 = 0
    for _ in 0..<digits {
      guard place < end, let digit = PythonCharacter.hexadecimal(source[place]) else {
        throw TemplateFault(.syntax, "an escape needs \(digits) hexadecimal digits", at: start - 2)
      }
      value = value << 4 | digit
      place += 1
    }
    guard let scalar = Unicode.Scalar(value) else {
      throw TemplateFault(
        .unsupported, "the code point \(String(value, radix: 16)), which is no character,",
        at: start - 2)
    }
    return scalar
  }
}
