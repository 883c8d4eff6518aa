import TritFormats

/// Values as text: Python's `str` and `repr`, and JSON as Hugging Face's `tojson` writes it.
extension TemplateMachine {
  /// Python's `str`; undefined is nothing.
  func shown(_ value: TemplateValue) throws -> Scalars {
    switch value {
    case .text(let text): return text.scalars
    case .undefined: return []
    default: return try represented(value)
    }
  }

  /// Python's `repr`.
  func represented(_ value: TemplateValue) throws -> Scalars {
    var writer = PythonWriter(machine: self)
    try writer.write(value)
    return writer.text
  }

  /// `value` as JSON.
  func json(_ value: TemplateValue, _ style: JSONStyle) throws -> Scalars {
    var writer = JSONTextWriter(machine: self, style: style)
    try writer.write(value, level: 0)
    return writer.text
  }

  /// A value of a JSON document. Throws for nesting beyond the limit and numbers beyond 64 bits.
  func value(_ json: JSONValue, at path: String, depth: Int = 0) throws -> TemplateValue {
    guard depth <= limits.nesting else {
      throw TemplateFault(.limit, "more than \(limits.nesting) values inside each other in \(path)")
    }
    switch json {
    case .null: return .none
    case .bool(let value): return .bool(value)
    case .string(let text): return .text(text)
    case .number(let text):
      if text.contains(where: { $0 == "." || $0 == "e" || $0 == "E" }) {
        return .real(Double(text) ?? 0)
      }
      guard let number = Int(text) else {
        throw TemplateFault(
          .unsupported, "the number \(text.prefix(40)) of \(path), beyond 64 bits,")
      }
      return .integer(number)
    case .array(let values):
      return try list(
        try values.enumerated().map {
          try value($0.element, at: "\(path)[\($0.offset)]", depth: depth + 1)
        })
    case .object(let members):
      return try dictionary(
        try members.map {
          (.text($0.key), try value($0.value, at: "\(path).\($0.key)", depth: depth + 1))
        })
    }
  }

  /// Text with what means something to HTML written as entities, as markupsafe writes it.
  static func escaped(_ text: TextValue) -> Scalars {
    text.isMarkup
      ? text.scalars
      : text.scalars.flatMap { scalar -> Scalars in
        switch scalar {
        case "&": Scalars("&amp;")
        case "<": Scalars("&lt;")
        case ">": Scalars("&gt;")
        case "'": Scalars("&#39;")
        case "\"": Scalars("&#34;")
        default: [scalar]
        }
      }
  }
}

/// Numbers as Python writes them.
enum PythonNumber {
  /// `repr(value)`: the shortest digits that read back as the same number, with an exponent below
  /// 1e-4 and from 1e16 on.
  static func text(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
    guard value != 0 else { return value.sign == .minus ? "-0.0" : "0.0" }
    let sign = value < 0 ? "-" : ""
    let (digits, point) = decimal(value.magnitude)
    guard (-3...16).contains(point) else {
      let exponent = point - 1
      let rest = digits.dropFirst()
      let size = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
      return sign + digits.prefix(1) + (rest.isEmpty ? "" : "." + rest)
        + "e" + (exponent < 0 ? "-" : "+") + size
    }
    if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
    if digits.count <= point {
      return sign + digits + String(repeating: "0", count: point - digits.count) + ".0"
    }
    return sign + digits.prefix(point) + "." + digits.dropFirst(point)
  }

  /// The shortest digits of a positive number, and where the point stands behind the first.
  private static func decimal(_ value: Double) -> (digits: String, point: Int) {
    let parts = value.description.split(separator: "e")
    let halves = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let whole = halves[0]
    let fraction = halves.count > 1 ? halves[1] : ""
    var digits = whole + fraction
    var point = whole.count + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
    while digits.first == "0" {
      digits.removeFirst()
      point -= 1
    }
    while digits.last == "0" { digits.removeLast() }
    return (String(digits), point)
  }
}

/// Writes values as Python's `repr` does.
struct PythonWriter {
  let machine: TemplateMachine
  var text: Scalars = []

  mutating func write(_ value: TemplateValue) throws {
    try machine.spend()
    switch value {
    case .undefined: add("Undefined")
    case .none: add("None")
    case .bool(let value): add(value ? "True" : "False")
    case .integer(let value): add(String(value))
    case .real(let value): add(PythonNumber.text(value))
    case .text(let value):
      if value.isMarkup { add("Markup(") }
      try write(value.scalars)
      if value.isMarkup { add(")") }
    case .list(let items): try write(items.elements, "[", "]")
    case .tuple(let items):
      try write(items.elements, "(", items.elements.count == 1 ? ",)" : ")")
    case .dictionary(let dictionary):
      add("{")
      for (index, pair) in zip(dictionary.keys, dictionary.values).enumerated() {
        if index > 0 { add(", ") }
        try write(pair.0)
        add(": ")
        try write(pair.1)
      }
      add("}")
    case .range(let range):
      add("range(\(range.start), \(range.stop)" + (range.step == 1 ? ")" : ", \(range.step))"))
    case .view(let items, let type):
      add(type + "(")
      try write(items.elements, "[", "]")
      add(")")
    case .loop(let loop): add("<LoopContext \(loop.index + 1)/\(loop.items.count)>")
    case .macro(let macro): add("<Macro '\(macro.definition.name)'>")
    case .namespace, .iterator, .function, .cycler, .joiner:
      throw TemplateFault(.unsupported, "the text of a \(value.type)")
    }
    try machine.grow(by: 0, to: text.count)
  }

  private mutating func add(_ part: String) { text += part.unicodeScalars }

  private mutating func write(_ elements: [TemplateValue], _ begin: String, _ end: String) throws {
    add(begin)
    for (index, element) in elements.enumerated() {
      if index > 0 { add(", ") }
      try write(element)
    }
    add(end)
  }

  /// A text in quotes: single ones, unless it has such and no double ones.
  private mutating func write(_ scalars: Scalars) throws {
    try machine.grow(scalars.count)
    let quote: Unicode.Scalar = scalars.contains("'") && !scalars.contains("\"") ? "\"" : "'"
    text.append(quote)
    for scalar in scalars {
      switch scalar {
      case quote, "\\":
        text.append("\\")
        text.append(scalar)
      case "\n": add("\\n")
      case "\r": add("\\r")
      case "\t": add("\\t")
      default:
        if PythonCharacter.isPrintable(scalar) {
          text.append(scalar)
        } else {
          add(Self.escape(scalar))
        }
      }
    }
    text.append(quote)
  }

  static func escape(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16)
    func padded(_ count: Int) -> String {
      String(repeating: "0", count: max(0, count - digits.count)) + digits
    }
    return scalar.value <= 0xFF
      ? "\\x" + padded(2) : scalar.value <= 0xFFFF ? "\\u" + padded(4) : "\\U" + padded(8)
  }
}

/// How JSON is laid out.
struct JSONStyle {
  var isASCII = false
  /// What a level is indented by; nil for one line.
  var indent: Scalars?
  var item: Scalars = [",", " "]
  var key: Scalars = [":", " "]
  var sortsKeys = false
}

/// Writes values as Python's `json.dumps` does.
struct JSONTextWriter {
  let machine: TemplateMachine
  let style: JSONStyle
  var text: Scalars = []

  mutating func write(_ value: TemplateValue, level: Int) throws {
    try machine.spend()
    switch value {
    case .none: add("null")
    case .bool(let value): add(value ? "true" : "false")
    case .integer(let value): add(String(value))
    case .real(let value): add(Self.number(value))
    case .text(let value): try write(value.scalars)
    case .list(let items), .tuple(let items):
      guard !items.elements.isEmpty else { return add("[]") }
      add("[")
      for (index, element) in items.elements.enumerated() {
        begin(index, level + 1)
        try write(element, level: level + 1)
      }
      end(level)
      add("]")
    case .dictionary(let dictionary):
      guard !dictionary.keys.isEmpty else { return add("{}") }
      add("{")
      for (index, place) in try order(dictionary).enumerated() {
        begin(index, level + 1)
        try write(try Self.key(dictionary.keys[place]))
        text += style.key
        try write(dictionary.values[place], level: level + 1)
      }
      end(level)
      add("}")
    default:
      throw TemplateFault(.type, "Object of type \(value.type) is not JSON serializable")
    }
    try machine.grow(by: 0, to: text.count)
  }

  private func order(_ dictionary: DictionaryValue) throws -> [Int] {
    let places = Array(dictionary.keys.indices)
    guard style.sortsKeys else { return places }
    return try machine.sorted(places) {
      try machine.isLess(dictionary.keys[$0], dictionary.keys[$1])
    }
  }

  private static func number(_ value: Double) -> String {
    value.isFinite
      ? PythonNumber.text(value) : value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity"
  }

  private static func key(_ key: TemplateValue) throws -> Scalars {
    switch key {
    case .text(let text): text.scalars
    case .none: Scalars("null")
    case .bool(let value): Scalars(value ? "true" : "false")
    case .integer(let value): Scalars(String(value))
    case .real(let value): Scalars(number(value))
    default:
      throw TemplateFault(
        .type, "keys must be str, int, float, bool or None, not \(key.type)")
    }
  }

  private mutating func begin(_ index: Int, _ level: Int) {
    if index > 0 { text += style.item }
    newline(level)
  }

  private mutating func end(_ level: Int) { newline(level) }

  private mutating func newline(_ level: Int) {
    guard let indent = style.indent else { return }
    text.append("\n")
    for _ in 0..<level { text += indent }
  }

  private mutating func add(_ part: String) { text += part.unicodeScalars }

  private mutating func write(_ scalars: Scalars) throws {
    try machine.grow(scalars.count)
    text.append("\"")
    for scalar in scalars {
      switch scalar {
      case "\"", "\\":
        text.append("\\")
        text.append(scalar)
      case "\n": add("\\n")
      case "\r": add("\\r")
      case "\t": add("\\t")
      case "\u{08}": add("\\b")
      case "\u{0C}": add("\\f")
      default:
        if scalar.value < 0x20 || (style.isASCII && !(0x20...0x7E).contains(scalar.value)) {
          for unit in String(scalar).utf16 {
            let digits = String(unit, radix: 16)
            add("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
          }
        } else {
          text.append(scalar)
        }
      }
    }
    text.append("\"")
  }
}
