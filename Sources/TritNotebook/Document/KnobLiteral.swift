import Foundation

/// A literal of Swift, as a knob has it: its kind, and whether a text is another of that kind.
indirect enum KnobLiteral: Equatable {
  /// A whole number; `range` is that of its type.
  case integer(ClosedRange<Int>)
  /// A number with a point.
  case decimal
  /// `true` or `false`.
  case flag
  /// A string.
  case text
  /// A case of an enumeration, with its point: `.row`.
  case member
  /// `[…]` of one kind; nil for an empty one whose type is not written.
  case list(KnobLiteral?)
  /// What may also be `nil`.
  case optional(KnobLiteral?)

  /// What a person is asked for.
  var words: String {
    switch self {
    case .integer(let range):
      range == Int.min...Int.max
        ? "a whole number" : "a whole number of \(range.lowerBound)…\(range.upperBound)"
    case .decimal: "a number"
    case .flag: "true or false"
    case .text: "a text"
    case .member: "a case, as .name"
    case .list(let kind): "a list in brackets" + (kind.map { ", each \($0.words)" } ?? "")
    case .optional(let kind): (kind.map { "\($0.words), or " } ?? "") + "nil"
    }
  }

  // MARK: Reading

  /// The literal that `text` begins with, and where it ends; nil where it begins with something
  /// else, as a name or a call.
  static func scan(_ text: Substring) -> (kind: KnobLiteral, end: String.Index)? {
    if let match = text.prefixMatch(of: /"(?:[^"\\]|\\[^(])*"/), !text.hasPrefix("\"\"\"") {
      return (.text, match.range.upperBound)
    }
    if let match = text.prefixMatch(of: /(?:true|false)\b/) {
      return (.flag, match.range.upperBound)
    }
    if let match = text.prefixMatch(of: /nil\b/) { return (.optional(nil), match.range.upperBound) }
    let decimal = /[+-]?[0-9][0-9_]*(?:\.[0-9][0-9_]*(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)/
    if let match = text.prefixMatch(of: decimal) { return (.decimal, match.range.upperBound) }
    let integer = /[+-]?(?:0x[0-9A-Fa-f_]+|0b[01_]+|0o[0-7_]+|[0-9][0-9_]*)/
    if let match = text.prefixMatch(of: integer) {
      return (.integer(Int.min...Int.max), match.range.upperBound)
    }
    if let match = text.prefixMatch(of: /\.[A-Za-z_][A-Za-z0-9_]*/) {
      return (.member, match.range.upperBound)
    }
    return text.hasPrefix("[") ? scanList(text) : nil
  }

  private static func scanList(_ text: Substring) -> (kind: KnobLiteral, end: String.Index)? {
    var rest = text.dropFirst()
    var kind: KnobLiteral?
    func skipSpaces() { rest = rest.drop { $0 == " " } }
    skipSpaces()
    while let first = rest.first, first != "]" {
      guard let item = scan(rest) else { return nil }
      // One with a point makes all of them numbers with a point.
      switch (kind, item.kind) {
      case (nil, _), (.integer, .decimal): kind = item.kind
      case (.decimal, .integer): break
      case (let known?, let found): if known != found { return nil }
      }
      rest = rest[item.end...]
      skipSpaces()
      if rest.first == "," {
        rest.removeFirst()
        skipSpaces()
      } else if rest.first != "]" {
        return nil
      }
    }
    return rest.first == "]" ? (.list(kind), rest.index(after: rest.startIndex)) : nil
  }

  /// The kind that a written type asks for; nil for one that is not known here.
  static func ofType(_ type: String) -> KnobLiteral? {
    let type = type.filter { $0 != " " }
    if type.hasSuffix("?") { return .optional(ofType(String(type.dropLast()))) }
    if type.hasPrefix("["), type.hasSuffix("]"), !type.contains(":") {
      return .list(ofType(String(type.dropFirst().dropLast())))
    }
    if type.hasPrefix("Array<"), type.hasSuffix(">") {
      return .list(ofType(String(type.dropFirst(6).dropLast())))
    }
    let integers: [String: ClosedRange<Int>] = [
      "Int": Int.min...Int.max, "Int8": -128...127, "Int16": -32768...32767,
      "Int32": Int(Int32.min)...Int(Int32.max), "Int64": Int.min...Int.max, "UInt": 0...Int.max,
      "UInt8": 0...255, "UInt16": 0...65_535, "UInt32": 0...Int(UInt32.max), "UInt64": 0...Int.max,
    ]
    if let range = integers[type] { return .integer(range) }
    switch type {
    case "Double", "Float", "Float16", "Float32", "Float64", "CGFloat", "TimeInterval":
      return .decimal
    case "Bool": return .flag
    case "String", "Substring": return .text
    default: return nil
    }
  }

  // MARK: Writing

  /// `text`, as a person gives it, as a literal of this kind in Swift; nil where it is none.
  func literal(_ text: String) -> String? {
    switch self {
    case .integer(let range): return Self.integer(text, in: range)
    case .decimal: return Self.decimal(text)
    case .flag: return text == "true" || text == "false" ? text : nil
    case .text: return String(reflecting: text)
    case .member:
      let name = text.hasPrefix(".") ? text.dropFirst() : text[...]
      return name.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]*/) == nil ? nil : "." + name
    case .optional(let kind): return text == "nil" ? text : kind?.literal(text)
    case .list(let kind): return Self.list(text, kind)
    }
  }

  private static func integer(_ text: String, in range: ClosedRange<Int>) -> String? {
    guard let match = text.wholeMatch(of: /([+-]?)(0x|0b|0o)?([0-9A-Fa-f_]+)/),
      !match.3.hasPrefix("_")
    else { return nil }
    let radix = ["0x": 16, "0b": 2, "0o": 8][match.2.map(String.init) ?? ""] ?? 10
    guard let value = Int("\(match.1)\(match.3.filter { $0 != "_" })", radix: radix),
      range.contains(value)
    else { return nil }
    return text.hasPrefix("+") ? String(text.dropFirst()) : text
  }

  private static func decimal(_ text: String) -> String? {
    let bare = text.hasPrefix("+") ? String(text.dropFirst()) : text
    guard bare.allSatisfy({ $0.isASCII && ($0.isNumber || "+-._eE".contains($0)) }),
      let value = Double(bare.filter { $0 != "_" }), value.isFinite
    else { return nil }
    if bare.wholeMatch(of: /-?[0-9][0-9_]*(?:\.[0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)/) != nil
    {
      return bare
    }
    // A whole number would make an integer of the constant.
    return bare.wholeMatch(of: /-?[0-9]+/) != nil ? bare + ".0" : "\(value)"
  }

  private static func list(_ text: String, _ kind: KnobLiteral?) -> String? {
    guard text.hasPrefix("["), text.hasSuffix("]"), text.count >= 2 else { return nil }
    var items: [String] = []
    for part in parts(text.dropFirst().dropLast()) {
      let bare = part.trimmingCharacters(in: .whitespaces)
      if kind == .text {
        // Quotes may be there or not: shells take them away.
        let isQuoted = bare.count >= 2 && bare.hasPrefix("\"") && bare.hasSuffix("\"")
        items.append(String(reflecting: isQuoted ? String(bare.dropFirst().dropLast()) : bare))
        continue
      }
      let own = kind ?? scan(bare[...]).flatMap { $0.end == bare.endIndex ? $0.kind : nil }
      guard let item = own?.literal(bare) else { return nil }
      items.append(item)
    }
    return "[" + items.joined(separator: ", ") + "]"
  }

  /// What stands between the commas of a list, those within quotes and brackets apart.
  private static func parts(_ text: Substring) -> [String] {
    guard !text.allSatisfy({ $0 == " " }) else { return [] }
    var parts = [""]
    var (depth, isQuoted) = (0, false)
    for character in text {
      if character == "\"" { isQuoted.toggle() }
      if !isQuoted { depth += character == "[" ? 1 : character == "]" ? -1 : 0 }
      if character == ",", depth == 0, !isQuoted {
        parts.append("")
      } else {
        parts[parts.count - 1].append(character)
      }
    }
    return parts
  }
}
