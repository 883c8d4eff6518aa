#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Text with places for values: `'%s' % x`, `'{}'.format(x)`.
enum TextFormat {
  /// One `%` place: flags, width, precision.
  struct Place {
    var flags: Set<Unicode.Scalar> = []
    var width = 0
    var precision: Int?
  }

  /// `'{} {name}'.format(…)`: places by order, number or name, without a format of their own.
  static func braces(_ text: TextValue, _ call: TemplateCall, _ machine: TemplateMachine) throws
    -> TemplateValue
  {
    var result: Scalars = []
    var next = 0
    var index = 0
    let scalars = text.scalars
    while index < scalars.count {
      let scalar = scalars[index]
      let isDouble = index + 1 < scalars.count && scalars[index + 1] == scalar
      switch scalar {
      case "{" where !isDouble:
        guard let end = scalars[index...].firstIndex(of: "}") else {
          throw TemplateFault(.value, "expected '}' before end of string")
        }
        let name = Array(scalars[(index + 1)..<end]).string
        guard name.unicodeScalars.allSatisfy(PythonCharacter.isWord) else {
          throw TemplateFault(.unsupported, "the place '{\(name)}' of str.format")
        }
        result += try machine.shown(try value(name, call, &next))
        index = end + 1
      case "}" where !isDouble:
        throw TemplateFault(.value, "single '}' encountered in format string")
      case "{", "}":
        result.append(scalar)
        index += 2
      default:
        result.append(scalar)
        index += 1
      }
      try machine.grow(by: 0, to: result.count)
    }
    try machine.grow(result.count)
    return .text(TextValue(scalars: result, isMarkup: text.isMarkup))
  }

  private static func value(_ name: String, _ call: TemplateCall, _ next: inout Int) throws
    -> TemplateValue
  {
    if let number = name.isEmpty ? next : Int(name) {
      if name.isEmpty { next += 1 }
      guard call.positional.indices.contains(number) else {
        throw TemplateFault(.index, "replacement index \(number) out of range")
      }
      return call.positional[number]
    }
    guard let found = call.named.first(where: { $0.name == name }) else {
      throw TemplateFault(.key, "'\(name)'")
    }
    return found.value
  }
}

extension TemplateMachine {
  /// Python's `%`: a tuple gives one value a place, a dictionary values by name, others are the one
  /// value.
  func formatted(_ text: TextValue, with value: TemplateValue) throws -> TemplateValue {
    var result: Scalars = []
    var values: [TemplateValue]
    if case .tuple(let items) = value { values = items.elements } else { values = [value] }
    values.reverse()
    func take() throws -> TemplateValue {
      guard let value = values.popLast() else {
        throw TemplateFault(.type, "not enough arguments for format string")
      }
      return value
    }
    let scalars = text.scalars
    var index = 0
    var usesNames = false
    while index < scalars.count {
      guard scalars[index] == "%" else {
        result.append(scalars[index])
        index += 1
        continue
      }
      index += 1
      var named: TemplateValue?
      if index < scalars.count, scalars[index] == "(" {
        guard let end = scalars[index...].firstIndex(of: ")") else {
          throw TemplateFault(.value, "incomplete format key")
        }
        guard case .dictionary(let dictionary) = value else {
          throw TemplateFault(.type, "format requires a mapping")
        }
        let name = Array(scalars[(index + 1)..<end])
        guard let found = dictionary[.text(name)] else {
          throw TemplateFault(.key, "'\(name.string)'")
        }
        named = found
        usesNames = true
        index = end + 1
      }
      var place = TextFormat.Place()
      while index < scalars.count, "-+ #0".unicodeScalars.contains(scalars[index]) {
        place.flags.insert(scalars[index])
        index += 1
      }
      place.width = try formatNumber(scalars, &index, take) ?? 0
      if place.width < 0 {
        place.flags.insert("-")
        place.width = -place.width
      }
      if index < scalars.count, scalars[index] == "." {
        index += 1
        place.precision = max(0, try formatNumber(scalars, &index, take) ?? 0)
      }
      guard index < scalars.count else { throw TemplateFault(.value, "incomplete format") }
      let letter = scalars[index]
      index += 1
      if letter == "%" {
        result.append("%")
      } else {
        try grow(place.width)
        result += try formatted(try named ?? take(), letter, place, isMarkup: text.isMarkup)
      }
      try grow(by: 0, to: result.count)
    }
    // Python takes whatever has items for a mapping here, but tuples and texts.
    let isMapping =
      switch value {
      case .dictionary, .list, .range: true
      default: false
      }
    guard values.isEmpty || usesNames || isMapping else {
      throw TemplateFault(.type, "not all arguments converted during string formatting")
    }
    try grow(result.count)
    return .text(TextValue(scalars: result, isMarkup: text.isMarkup))
  }

  /// Digits, or `*` for the next value.
  private func formatNumber(
    _ scalars: Scalars, _ index: inout Int, _ take: () throws -> TemplateValue
  ) throws -> Int? {
    if index < scalars.count, scalars[index] == "*" {
      index += 1
      guard let number = try take().integer, number.magnitude <= UInt(limits.size) else {
        throw TemplateFault(.type, "* wants int")
      }
      return number
    }
    var number: Int?
    while index < scalars.count, PythonCharacter.isDigit(scalars[index]) {
      number = min((number ?? 0) * 10 + Int(scalars[index].value - 0x30), limits.size + 1)
      index += 1
    }
    return number
  }

  private func formatted(
    _ value: TemplateValue, _ letter: Unicode.Scalar, _ place: TextFormat.Place, isMarkup: Bool
  ) throws -> Scalars {
    switch letter {
    case "s", "r", "a":
      var text = letter == "s" ? try shown(value) : try represented(value)
      if letter == "a" {
        text = text.flatMap { $0.isASCII ? [$0] : Scalars(PythonWriter.escape($0)) }
      }
      if isMarkup {
        let isSafe = if case .text(let inner) = value { inner.isMarkup } else { false }
        text = Self.escaped(TextValue(scalars: text, isMarkup: isSafe))
      }
      if let most = place.precision { text = Array(text.prefix(most)) }
      return padded(text, place)
    case "c":
      if let text = value.scalars, text.count == 1 { return padded(text, place) }
      guard let code = value.integer,
        let scalar = UInt32(exactly: code).flatMap(Unicode.Scalar.init)
      else { throw TemplateFault(.type, "%c requires int or char") }
      return padded([scalar], place)
    case "d", "i", "u", "x", "X", "o": return try whole(value, letter, place)
    case "f", "F", "e", "E", "g", "G":
      guard let number = value.number else {
        throw TemplateFault(.type, "must be real number, not \(value.type)")
      }
      guard (place.precision ?? 6) <= 500, !place.flags.contains("#") else {
        throw TemplateFault(.unsupported, "such a precision of a number")
      }
      return padded(Scalars(Self.real(number, letter, place)), place, isNumber: number.isFinite)
    default:
      throw TemplateFault(.value, "unsupported format character '\(letter)'")
    }
  }

  private func whole(
    _ value: TemplateValue, _ letter: Unicode.Scalar, _ place: TextFormat.Place
  ) throws -> Scalars {
    let isDecimal = ["d", "i", "u"].contains(letter)
    var number = value.integer
    if number == nil, isDecimal, case .real(let real) = value {
      number = Int(exactly: real.rounded(.towardZero))
    }
    guard let number else {
      throw TemplateFault(
        .type,
        "%\(letter) format: \(isDecimal ? "a real number" : "an integer") is required, not \(value.type)"
      )
    }
    let radix = isDecimal ? 10 : letter == "o" ? 8 : 16
    var digits = String(number.magnitude, radix: radix, uppercase: letter == "X")
    if let least = place.precision, digits.count < least {
      try grow(least)
      digits = String(repeating: "0", count: least - digits.count) + digits
    }
    if place.flags.contains("#"), !isDecimal { digits = "0\(letter)" + digits }
    let sign =
      number < 0 ? "-" : place.flags.contains("+") ? "+" : place.flags.contains(" ") ? " " : ""
    return padded(Scalars(sign + digits), place, isNumber: true)
  }

  /// As C's printf writes it, which Python's result equals.
  private static func real(_ value: Double, _ letter: Unicode.Scalar, _ place: TextFormat.Place)
    -> String
  {
    guard value.isFinite else {
      let name = value.isNaN ? "nan" : value < 0 ? "-inf" : "inf"
      return letter.properties.isUppercase ? name.uppercased() : name
    }
    var format = "%"
    if place.flags.contains("+") {
      format += "+"
    } else if place.flags.contains(" ") {
      format += " "
    }
    format += ".*" + String(letter)
    var buffer = [CChar](repeating: 0, count: 1024)
    let count = withVaList([Int32(place.precision ?? 6), value]) {
      vsnprintf(&buffer, buffer.count, format, $0)
    }
    return String(decoding: buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private func padded(_ text: Scalars, _ place: TextFormat.Place, isNumber: Bool = false) -> Scalars
  {
    let missing = max(0, place.width - text.count)
    guard missing > 0 else { return text }
    if place.flags.contains("-") { return text + Scalars(repeating: " ", count: missing) }
    guard isNumber, place.flags.contains("0") else {
      return Scalars(repeating: " ", count: missing) + text
    }
    let hasSign = ["-", "+", " "].contains(text.first)
    let zeros = Scalars(repeating: "0", count: missing)
    return hasSign ? text.prefix(1) + zeros + text.dropFirst() : zeros + text
  }
}

extension TextFormat {
  /// `value` with `digits` decimals, rounded from its exact value.
  static func decimal(_ value: Double, digits: Int) -> String {
    var buffer = [CChar](repeating: 0, count: 1024)
    let count = withVaList([Int32(truncatingIfNeeded: digits), value]) {
      vsnprintf(&buffer, buffer.count, "%.*f", $0)
    }
    return String(decoding: buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
