/// What may stand behind `|`.
enum TemplateFilters {
  typealias Body = @Sendable (TemplateCall, TemplateMachine) throws -> TemplateValue

  /// Filters that Jinja has and that are not here.
  private static let missing: Set<String> = [
    "filesizeformat", "pprint", "random", "striptags", "urlize", "wordwrap", "xmlattr",
  ]

  private static let all: [String: Body] = text.merging(sequences) { one, _ in one }
    .merging(numbers) { one, _ in one }

  static func isKnown(_ name: String) -> Bool { all[name] != nil || missing.contains(name) }

  /// The value of a filter; the value before the bar is the first of the call.
  static func apply(_ name: String, _ call: TemplateCall, _ machine: TemplateMachine) throws
    -> TemplateValue
  {
    if let body = all[name] {
      return try body(call, machine)
    }
    guard missing.contains(name) else {
      throw TemplateFault(.runtime, "no filter has the name '\(name)'")
    }
    throw TemplateFault(.unsupported, "the filter '\(name)'")
  }

  // MARK: Help

  /// Text as it is, anything else as Python's `str`.
  static func soft(_ value: TemplateValue, _ machine: TemplateMachine) throws -> TextValue {
    if case .text(let text) = value { return text }
    return TextValue(scalars: try machine.shown(value))
  }

  /// A whole number that was given, or the standard.
  static func whole(_ value: TemplateValue?, _ standard: Int, _ name: String) throws -> Int {
    guard let value else { return standard }
    guard let number = value.integer else {
      throw TemplateFault(.type, "\(name) needs a whole number, not \(value.type)")
    }
    return number
  }

  /// Whether an argument that was left out or is none.
  static func isAbsent(_ value: TemplateValue?) -> Bool { value.map(TextMethods.isNone) ?? true }

  // MARK: Text

  private static func plain(_ change: @escaping @Sendable (Scalars) -> Scalars) -> Body {
    { call, machine in
      let text = try soft(try call.bound(["s"], required: 1)[0] ?? .none, machine)
      let result = change(text.scalars)
      try machine.grow(result.count)
      return .text(TextValue(scalars: result, isMarkup: text.isMarkup))
    }
  }

  private static let text: [String: Body] = [
    "capitalize": plain { $0.capitalized },
    "lower": plain { $0.lowercased },
    "upper": plain { $0.uppercased },
    "title": plain(titled),
    "string": { call, machine in
      .text(try soft(try call.bound(["object"], required: 1)[0] ?? .none, machine))
    },
    "trim": { call, machine in
      let values = try call.bound(["value", "chars"], required: 1)
      return .text(
        try TextMethods.stripped(
          try soft(values[0] ?? .none, machine), values[1], "strip", machine))
    },
    "safe": { call, machine in
      var text = try soft(try call.bound(["value"], required: 1)[0] ?? .none, machine)
      text.isMarkup = true
      return .text(text)
    },
    "e": escape, "escape": escape,
    "forceescape": { call, machine in
      let text = try machine.shown(try call.bound(["value"], required: 1)[0] ?? .none)
      let result = TemplateMachine.escaped(TextValue(scalars: text))
      try machine.grow(result.count)
      return .text(TextValue(scalars: result, isMarkup: true))
    },
    "replace": { call, machine in
      var values = try call.bound(["s", "old", "new", "count"], required: 3)
      let text = TextValue(scalars: try machine.shown(values.removeFirst() ?? .none))
      values[0] = .text(try machine.shown(values[0] ?? .none))
      values[1] = .text(try machine.shown(values[1] ?? .none))
      return try TextMethods.replaced(text, values, machine)
    },
    "indent": indent,
    "center": { call, machine in
      let values = try call.bound(["value", "width"], required: 1)
      let text = try soft(values[0] ?? .none, machine)
      let width = try whole(values[1], 80, "center")
      try machine.grow(max(0, width))
      return .text(
        TextValue(
          scalars: TextMethods.centered(text.scalars, width, " ", left: true, right: true),
          isMarkup: text.isMarkup))
    },
    "format": { call, machine in
      var call = call
      let text = try soft(call.positional.removeFirst(), machine)
      guard call.positional.isEmpty || call.named.isEmpty else {
        throw TemplateFault(
          .argument, "format takes values by position or by name, not both")
      }
      let values =
        call.named.isEmpty
        ? try machine.tuple(call.positional)
        : try machine.dictionary(call.named.map { (.text($0.name), $0.value) })
      return try machine.formatted(text, with: values)
    },
    "truncate": truncate,
    "wordcount": { call, machine in
      let text = try machine.shown(try call.bound(["s"], required: 1)[0] ?? .none)
      var count = 0
      var isInside = false
      for scalar in text {
        if !isInside, PythonCharacter.isWord(scalar) { count += 1 }
        isInside = PythonCharacter.isWord(scalar)
      }
      return .integer(count)
    },
    "urlencode": urlencode,
    "tojson": { call, machine in
      let values = try call.bound(
        ["x", "ensure_ascii", "indent", "separators", "sort_keys"], required: 1)
      var style = JSONStyle()
      style.isASCII = values[1]?.isTrue ?? false
      style.sortsKeys = values[4]?.isTrue ?? false
      if let indent = values[2], !TextMethods.isNone(indent) {
        let width = indent.integer ?? indent.scalars?.count ?? 0
        guard width <= 1000 else { throw TemplateFault(.limit, "an indentation of \(width)") }
        style.indent = indent.scalars ?? Scalars(repeating: " ", count: max(0, width))
        style.item = [","]
      }
      if let separators = values[3], !TextMethods.isNone(separators) {
        let parts = try machine.elements(of: separators).map {
          try TextMethods.scalars($0, "separators")
        }
        guard parts.count == 2 else {
          throw TemplateFault(.value, "separators are two texts, not \(parts.count)")
        }
        (style.item, style.key) = (parts[0], parts[1])
      }
      return .text(try machine.json(values[0] ?? .none, style))
    },
  ]

  private static let escape: Body = { call, machine in
    let text = try soft(try call.bound(["value"], required: 1)[0] ?? .none, machine)
    let result = TemplateMachine.escaped(text)
    try machine.grow(result.count)
    return .text(TextValue(scalars: result, isMarkup: true))
  }

  /// Jinja's `title`: the first letter behind white space or one of `-([{<` in upper case.
  private static func titled(_ text: Scalars) -> Scalars {
    var result: Scalars = []
    var isFirst = true
    for scalar in text {
      let mapping = scalar.properties
      result += (isFirst ? mapping.uppercaseMapping : mapping.lowercaseMapping).unicodeScalars
      isFirst = PythonCharacter.isSpace(scalar) || "-([{<".unicodeScalars.contains(scalar)
    }
    return result
  }

  private static let indent: Body = { call, machine in
    let values = try call.bound(["s", "width", "first", "blank"], required: 1)
    let value = values[0] ?? .none
    guard case .text(let text) = value else {
      if case .undefined(let undefined) = value { throw machine.fault(undefined) }
      if case .list = value {
        throw TemplateFault(.attribute, "'list' object has no attribute 'splitlines'")
      }
      throw TemplateFault(
        .type, "unsupported operand type(s) for +=: '\(value.type)' and 'str'")
    }
    var indention: Scalars
    if let given = values[1]?.scalars {
      indention = given
    } else {
      let width = max(0, try whole(values[1], 4, "indent"))
      try machine.grow(width)
      indention = Scalars(repeating: " ", count: width)
    }
    let indentsBlank = values[3]?.isTrue ?? false
    let lines = TextMethods.lines(text.scalars + ["\n"])
    try machine.grow(indention.count, times: lines.count)
    var result: Scalars = values[2]?.isTrue ?? false ? indention : []
    for (index, line) in lines.enumerated() {
      if index > 0 {
        result.append("\n")
        if indentsBlank || !line.isEmpty { result += indention }
      }
      result += line
    }
    try machine.grow(result.count)
    return .text(TextValue(scalars: result, isMarkup: text.isMarkup))
  }

  private static let truncate: Body = { call, machine in
    let values = try call.bound(["s", "length", "killwords", "end", "leeway"], required: 1)
    let value = values[0] ?? .none
    let length = try whole(values[1], 255, "truncate")
    let end = try values[3].map { try machine.shown($0) } ?? Scalars("...")
    let leeway = isAbsent(values[4]) ? 5 : try whole(values[4], 5, "truncate")
    guard length >= end.count, leeway >= 0 else {
      throw TemplateFault(.argument, "truncate needs a length of at least \(end.count)")
    }
    guard let count = machine.length(value) else {
      throw TemplateFault(.type, "object of type '\(value.type)' has no len()")
    }
    if count - leeway <= length { return value }
    guard case .text(let text) = value else {
      throw TemplateFault(.attribute, "'\(value.type)' object has no attribute 'rsplit'")
    }
    var kept = Array(text.scalars.prefix(length - end.count))
    if !(values[2]?.isTrue ?? false), let blank = kept.lastIndex(of: " ") {
      kept = Array(kept[..<blank])
    }
    return try machine.text(kept + end)
  }

  private static let urlencode: Body = { call, machine in
    let value = try call.bound(["value"], required: 1)[0] ?? .none
    func quoted(_ value: TemplateValue, isPath: Bool) throws -> Scalars {
      Scalars(
        try machine.shown(value).string.utf8.map { byte -> String in
          let scalar = Unicode.Scalar(byte)
          let isKept =
            PythonCharacter.isASCIILetter(scalar) || PythonCharacter.isDigit(scalar)
            || "_.-~".unicodeScalars.contains(scalar) || (isPath && scalar == "/")
          if byte == 0x20, !isPath { return "+" }
          let digits = String(byte, radix: 16, uppercase: true)
          return isKept ? String(scalar) : "%" + (byte < 16 ? "0" : "") + digits
        }.joined())
    }
    switch value {
    case .dictionary, .list, .tuple, .view, .iterator:
      var pairs = try machine.elements(of: value)
      if case .dictionary(let dictionary) = value { pairs = dictionary.pairs }
      let parts = try pairs.map { pair -> Scalars in
        let parts = try machine.elements(of: pair)
        guard parts.count == 2 else { throw TemplateFault(.value, "urlencode needs pairs") }
        return try quoted(parts[0], isPath: false) + ["="] + quoted(parts[1], isPath: false)
      }
      return try machine.text(Array(parts.joined(separator: ["&"])))
    default: return try machine.text(try quoted(value, isPath: true))
    }
  }

  // MARK: Numbers

  private static let numbers: [String: Body] = [
    "abs": { call, machine in
      let value = try call.bound(["x"], required: 1)[0] ?? .none
      if let number = value.integer {
        guard number != .min else { throw TemplateMachine.tooLarge }
        return .integer(abs(number))
      }
      if case .real(let number) = value { return .real(number.magnitude) }
      if case .undefined(let undefined) = value { throw machine.fault(undefined) }
      throw TemplateFault(.type, "bad operand type for abs(): '\(value.type)'")
    },
    "int": { call, machine in
      let values = try call.bound(["value", "default", "base"], required: 1)
      let standard = values[1] ?? .integer(0)
      let value = values[0] ?? .none
      if let number = value.integer { return .integer(number) }
      if case .undefined(let undefined) = value { throw machine.fault(undefined) }
      let base = try whole(values[2], 10, "int")
      if case .text(let text) = value,
        let number = try whole(text.scalars, base: base)
      {
        return .integer(number)
      }
      let real: Double? =
        if case .text(let text) = value { PythonFloat.read(text.scalars) } else { value.number }
      guard let real, real.isFinite else {
        if case .real = value { return standard }
        return standard
      }
      guard let number = Int(exactly: real.rounded(.towardZero)) else {
        throw TemplateMachine.tooLarge
      }
      return .integer(number)
    },
    "float": { call, machine in
      let values = try call.bound(["value", "default"], required: 1)
      let value = values[0] ?? .none
      let standard = values[1] ?? .real(0)
      if let number = value.number { return .real(number) }
      if case .undefined(let undefined) = value { throw machine.fault(undefined) }
      guard case .text(let text) = value else { return standard }
      return PythonFloat.read(text.scalars).map { .real($0) } ?? standard
    },
    "round": { call, machine in
      let values = try call.bound(["value", "precision", "method"], required: 1)
      let precision = try whole(values[1], 0, "round")
      let method = values[2]?.scalars?.string ?? "common"
      guard ["common", "ceil", "floor"].contains(method) else {
        throw TemplateFault(.argument, "method must be common, ceil or floor")
      }
      let value = values[0] ?? .none
      guard let number = value.number else {
        throw TemplateFault(.type, "type \(value.type) doesn't define __round__ method")
      }
      if method == "common", let whole = value.integer, precision >= 0 { return .integer(whole) }
      guard let result = PythonFloat.rounded(number, precision, method) else {
        throw TemplateFault(.unsupported, "such a precision of round")
      }
      if value.integer != nil, method == "common", let whole = Int(exactly: result) {
        return .integer(whole)
      }
      return .real(result)
    },
  ]

  /// The whole number that a text is to Python's `int(text, base)`, for bases 10, 16, 8 and 2.
  private static func whole(_ text: Scalars, base: Int) throws -> Int? {
    var digits = text.stripped().string
    guard !digits.hasPrefix("_"), !digits.hasSuffix("_"), !digits.contains("__") else { return nil }
    digits = digits.filter { $0 != "_" }
    var sign = ""
    if let first = digits.first, first == "-" || first == "+" {
      sign = first == "-" ? "-" : ""
      digits.removeFirst()
    }
    let prefix = [16: "0x", 8: "0o", 2: "0b"][base] ?? ""
    if !prefix.isEmpty, digits.lowercased().hasPrefix(prefix) { digits.removeFirst(2) }
    guard (2...36).contains(base), digits.first != "-", digits.first != "+", !digits.isEmpty else {
      return nil
    }
    guard let number = Int(sign + digits, radix: base) else {
      let isNumber = digits.allSatisfy {
        $0.isASCII && $0.hexDigitValue != nil && base == 10 && $0.isNumber
      }
      if isNumber { throw TemplateMachine.tooLarge }
      return nil
    }
    return number
  }
}

/// Floats as Python reads and rounds them.
enum PythonFloat {
  /// `float(text)`; nil for what is no number.
  static func read(_ text: Scalars) -> Double? {
    let word = text.stripped().string.lowercased()
    let bare = word.hasPrefix("-") || word.hasPrefix("+") ? String(word.dropFirst()) : word
    if ["inf", "infinity", "nan"].contains(bare) {
      return bare == "nan" ? .nan : word.hasPrefix("-") ? -.infinity : .infinity
    }
    let allowed = Set("0123456789.e+-_")
    guard word.allSatisfy(allowed.contains), !word.contains("__"), !word.hasPrefix("_"),
      !word.hasSuffix("_")
    else { return nil }
    return Double(word.filter { $0 != "_" })
  }

  /// Rounded to decimals: to nearest by the exact decimal value (Python's `round`), or up or down
  /// by Jinja's `func(value * 10**precision) / 10**precision`. nil for precisions out of range.
  static func rounded(_ value: Double, _ precision: Int, _ method: String) -> Double? {
    guard (-300...300).contains(precision), value.isFinite else {
      return value.isFinite ? nil : value
    }
    if method == "common" { return exactly(value, precision) }
    var factor = 1.0
    for _ in 0..<precision.magnitude { factor *= 10 }
    if precision < 0 { factor = 1 / factor }
    let scaled = value * factor
    return (method == "ceil" ? scaled.rounded(.up) : scaled.rounded(.down)) / factor
  }

  private static func exactly(_ value: Double, _ precision: Int) -> Double? {
    if precision < 0 {
      var factor = 1.0
      for _ in 0..<precision.magnitude { factor *= 10 }
      return (value / factor).rounded(.toNearestOrEven) * factor
    }
    return Double(TextFormat.decimal(value, digits: precision))
  }
}
