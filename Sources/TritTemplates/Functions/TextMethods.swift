/// Methods of Python's `str`.
enum TextMethods {
  typealias Body = @Sendable (TextValue, TemplateCall, TemplateMachine) throws -> TemplateValue

  /// Methods that Python has and that are not here.
  static let missing: Set<String> = [
    "encode", "expandtabs", "format_map", "isidentifier", "maketrans", "translate",
  ]

  /// The method `name`; nil where there is none.
  static func body(_ name: String) -> Body? {
    switch name {
    case "strip": return { try strip($0, $1, $2, left: true, right: true) }
    case "lstrip": return { try strip($0, $1, $2, left: true, right: false) }
    case "rstrip": return { try strip($0, $1, $2, left: false, right: true) }
    case "split": return { try split($0, $1, $2, fromRight: false) }
    case "rsplit": return { try split($0, $1, $2, fromRight: true) }
    case "splitlines": return { try lines($0, $1, $2) }
    case "partition": return { try partition($0, $1, $2, fromRight: false) }
    case "rpartition": return { try partition($0, $1, $2, fromRight: true) }
    case "replace":
      return { text, call, machine in
        let values = try call.bound(["old", "new", "count"], required: 2)
        return try replaced(text, values, machine)
      }
    case "upper": return { try plain($0, $1, $2) { $0.uppercased } }
    case "lower": return { try plain($0, $1, $2) { $0.lowercased } }
    case "casefold": return { try plain($0, $1, $2) { $0.flatMap(folded) } }
    case "capitalize": return { try plain($0, $1, $2) { $0.capitalized } }
    case "title": return { try plain($0, $1, $2, titled) }
    case "swapcase": return { try plain($0, $1, $2, swapped) }
    case "startswith": return { try isEnd($0, $1, $2, ofStart: true) }
    case "endswith": return { try isEnd($0, $1, $2, ofStart: false) }
    case "removeprefix":
      return { text, call, _ in
        let part = try scalars(try call.unnamed(1...1)[0], call.name)
        let has = !part.isEmpty && text.scalars.matches(part, at: 0)
        return .text(
          TextValue(
            scalars: has ? Array(text.scalars.dropFirst(part.count)) : text.scalars,
            isMarkup: text.isMarkup))
      }
    case "removesuffix":
      return { text, call, _ in
        let part = try scalars(try call.unnamed(1...1)[0], call.name)
        let has = !part.isEmpty && text.scalars.matches(part, at: text.scalars.count - part.count)
        return .text(
          TextValue(
            scalars: has ? Array(text.scalars.dropLast(part.count)) : text.scalars,
            isMarkup: text.isMarkup))
      }
    case "find": return { .integer(try place($0, $1, $2, fromRight: false) ?? -1) }
    case "rfind": return { .integer(try place($0, $1, $2, fromRight: true) ?? -1) }
    case "index": return { try index($0, $1, $2, fromRight: false) }
    case "rindex": return { try index($0, $1, $2, fromRight: true) }
    case "count":
      return { text, call, machine in
        let values = try call.unnamed(1...3)
        let part = try scalars(values[0], call.name)
        let range = try range(values, text.scalars.count)
        try machine.spend(text.scalars.count / 8)
        guard let range else { return .integer(0) }
        return .integer(Array(text.scalars[range]).occurrences(of: part))
      }
    case "join":
      return { text, call, machine in
        var result: Scalars = []
        for (index, value) in try machine.elements(of: try call.unnamed(1...1)[0]).enumerated() {
          guard let part = value.scalars else {
            throw TemplateFault(
              .type, "sequence item \(index): expected str instance, \(value.type) found")
          }
          if index > 0 { result += text.scalars }
          result += part
          try machine.grow(by: part.count + text.scalars.count, to: result.count)
        }
        return .text(TextValue(scalars: result, isMarkup: text.isMarkup))
      }
    case "center": return { try padded($0, $1, $2, left: true, right: true) }
    case "ljust": return { try padded($0, $1, $2, left: false, right: true) }
    case "rjust": return { try padded($0, $1, $2, left: true, right: false) }
    case "zfill":
      return { text, call, machine in
        guard let width = try call.unnamed(1...1)[0].integer else { throw notWhole(call.name) }
        try machine.grow(max(0, width))
        var result = text.scalars
        let hasSign = result.first == "-" || result.first == "+"
        let zeros = Scalars(repeating: "0", count: max(0, width - result.count))
        result.insert(contentsOf: zeros, at: hasSign ? 1 : 0)
        return .text(TextValue(scalars: result))
      }
    case "format": return { try TextFormat.braces($0, $1, $2) }
    case "isdigit":
      return { try holds($0, $1, $2) { $0.properties.numericType == .digit || isDecimal($0) } }
    case "isdecimal": return { try holds($0, $1, $2, isDecimal) }
    case "isnumeric": return { try holds($0, $1, $2) { $0.properties.numericType != nil } }
    case "isalpha": return { try holds($0, $1, $2, isLetter) }
    case "isalnum":
      return { try holds($0, $1, $2) { isLetter($0) || $0.properties.numericType != nil } }
    case "isspace": return { try holds($0, $1, $2, PythonCharacter.isSpace) }
    case "isascii":
      return { text, call, _ in
        _ = try call.unnamed(0...0)
        return .bool(text.scalars.allSatisfy(\.isASCII))
      }
    case "isprintable":
      return { text, call, _ in
        _ = try call.unnamed(0...0)
        return .bool(text.scalars.allSatisfy(PythonCharacter.isPrintable))
      }
    case "isupper":
      return { text, call, _ in
        _ = try call.unnamed(0...0)
        return .bool(isUpper(text.scalars))
      }
    case "islower":
      return { text, call, _ in
        _ = try call.unnamed(0...0)
        return .bool(isLower(text.scalars))
      }
    case "istitle":
      return { text, call, _ in
        _ = try call.unnamed(0...0)
        let hasCase = text.scalars.contains { $0.properties.isCased }
        return .bool(hasCase && titled(text.scalars) == text.scalars)
      }
    default: return nil
    }
  }

  static func isUpper(_ text: Scalars) -> Bool {
    text.contains { $0.properties.isUppercase }
      && !text.contains {
        $0.properties.isLowercase || $0.properties.generalCategory == .titlecaseLetter
      }
  }

  static func isLower(_ text: Scalars) -> Bool {
    text.contains { $0.properties.isLowercase }
      && !text.contains {
        $0.properties.isUppercase || $0.properties.generalCategory == .titlecaseLetter
      }
  }

  private static func isDecimal(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.generalCategory == .decimalNumber
  }

  private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
    default: false
    }
  }

  private static func notWhole(_ name: String) -> TemplateFault {
    TemplateFault(.type, "\(name)() needs a whole number")
  }

  private static func holds(
    _ text: TextValue, _ call: TemplateCall, _ machine: TemplateMachine,
    _ condition: (Unicode.Scalar) -> Bool
  ) throws -> TemplateValue {
    _ = try call.unnamed(0...0)
    try machine.spend(text.scalars.count / 8)
    return .bool(!text.scalars.isEmpty && text.scalars.allSatisfy(condition))
  }

  private static func plain(
    _ text: TextValue, _ call: TemplateCall, _ machine: TemplateMachine,
    _ change: (Scalars) -> Scalars
  ) throws -> TemplateValue {
    _ = try call.unnamed(0...0)
    let result = change(text.scalars)
    try machine.grow(result.count)
    return .text(TextValue(scalars: result, isMarkup: text.isMarkup))
  }

  /// Full case folding: the lower case of the upper case, which differs from it for letters such as
  /// ß only.
  private static func folded(_ scalar: Unicode.Scalar) -> Scalars {
    scalar.properties.uppercaseMapping.unicodeScalars.flatMap {
      Scalars($0.properties.lowercaseMapping)
    }
  }

  /// `str.title`: each letter behind one that has no case in title case, others in lower case.
  static func titled(_ text: Scalars) -> Scalars {
    var result: Scalars = []
    var isInside = false
    for scalar in text {
      let mapping = scalar.properties
      result += (isInside ? mapping.lowercaseMapping : mapping.titlecaseMapping).unicodeScalars
      isInside = mapping.isCased
    }
    return result
  }

  private static func swapped(_ text: Scalars) -> Scalars {
    text.flatMap { scalar -> Scalars in
      let mapping = scalar.properties
      if mapping.isUppercase { return Scalars(mapping.lowercaseMapping) }
      return mapping.isLowercase ? Scalars(mapping.uppercaseMapping) : [scalar]
    }
  }

  /// The code points of an argument that must be text.
  static func scalars(_ value: TemplateValue, _ name: String) throws -> Scalars {
    guard let scalars = value.scalars else {
      throw TemplateFault(.type, "\(name)() argument must be str, not \(value.type)")
    }
    return scalars
  }

  private static func strip(
    _ text: TextValue, _ call: TemplateCall, _ machine: TemplateMachine, left: Bool, right: Bool
  ) throws -> TemplateValue {
    let values = try call.unnamed(0...1)
    return .text(
      try stripped(text, values.first, call.name, machine, left: left, right: right))
  }

  /// Without white space, or without the code points of a text that is given.
  static func stripped(
    _ text: TextValue, _ characters: TemplateValue?, _ name: String, _ machine: TemplateMachine,
    left: Bool = true, right: Bool = true
  ) throws -> TextValue {
    try machine.spend(text.scalars.count / 8)
    guard let characters, !isNone(characters) else {
      return TextValue(
        scalars: text.scalars.stripped(left: left, right: right), isMarkup: text.isMarkup)
    }
    let set = Set(try scalars(characters, name))
    return TextValue(
      scalars: text.scalars.stripped(left: left, right: right) { set.contains($0) },
      isMarkup: text.isMarkup)
  }

  static func isNone(_ value: TemplateValue) -> Bool {
    if case .none = value { true } else { false }
  }

  private static func split(
    _ text: TextValue, _ call: TemplateCall, _ machine: TemplateMachine, fromRight: Bool
  ) throws -> TemplateValue {
    let values = try call.bound(["sep", "maxsplit"])
    guard let most = (values[1] ?? .integer(-1)).integer else { throw notWhole(call.name) }
    let limit = most < 0 ? Int.max : most
    let scalars = text.scalars
    try machine.grow(scalars.count)
    var parts: [Scalars]
    if let separator = values[0], !isNone(separator) {
      let separator = try Self.scalars(separator, call.name)
      guard !separator.isEmpty else { throw TemplateFault(.value, "empty separator") }
      parts = fromRight ? splitRight(scalars, separator, limit) : split(scalars, separator, limit)
    } else {
      parts = fromRight ? wordsRight(scalars, limit) : words(scalars, limit)
    }
    return try machine.list(
      parts.map { .text(TextValue(scalars: $0, isMarkup: text.isMarkup)) })
  }

  private static func split(_ text: Scalars, _ separator: Scalars, _ limit: Int) -> [Scalars] {
    var parts: [Scalars] = []
    var start = 0
    while parts.count < limit, let next = text.position(of: separator, from: start) {
      parts.append(Array(text[start..<next]))
      start = next + separator.count
    }
    return parts + [Array(text[start...])]
  }

  private static func splitRight(_ text: Scalars, _ separator: Scalars, _ limit: Int) -> [Scalars] {
    var parts: [Scalars] = []
    var end = text.count
    while parts.count < limit, let next = text.lastPosition(of: separator, before: end) {
      parts.append(Array(text[(next + separator.count)..<end]))
      end = next
    }
    return (parts + [Array(text[..<end])]).reversed()
  }

  private static func words(_ text: Scalars, _ limit: Int) -> [Scalars] {
    var parts: [Scalars] = []
    var index = 0
    while true {
      while index < text.count, PythonCharacter.isSpace(text[index]) { index += 1 }
      guard index < text.count else { return parts }
      if parts.count == limit {
        return parts + [Array(text[index...])]
      }
      let start = index
      while index < text.count, !PythonCharacter.isSpace(text[index]) { index += 1 }
      parts.append(Array(text[start..<index]))
    }
  }

  private static func wordsRight(_ text: Scalars, _ limit: Int) -> [Scalars] {
    words(text.reversed(), limit).map { $0.reversed() }.reversed()
  }

  private static func lines(_ text: TextValue, _ call: TemplateCall, _ machine: TemplateMachine)
    throws -> TemplateValue
  {
    let keeps = try call.bound(["keepends"])[0]?.isTrue ?? false
    try machine.spend(text.scalars.count / 8)
    return try machine.list(
      lines(text.scalars, keeps: keeps).map {
        .text(TextValue(scalars: $0, isMarkup: text.isMarkup))
      })
  }

  /// `str.splitlines`: what ends a line for Unicode and some controls, each line with its end where
  /// `keeps`.
  static func lines(_ text: Scalars, keeps: Bool = false) -> [Scalars] {
    var parts: [Scalars] = []
    var start = 0
    var index = 0
    while index < text.count {
      defer { index += 1 }
      switch text[index].value {
      case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: break
      default: continue
      }
      let end = index
      if text[index] == "\r", index + 1 < text.count, text[index + 1] == "\n" { index += 1 }
      parts.append(Array(text[start..<(keeps ? index + 1 : end)]))
      start = index + 1
    }
    if start < text.count { parts.append(Array(text[start...])) }
    return parts
  }

  private static func partition(
    _ text: TextValue, _ call: TemplateCall, _ machine: TemplateMachine, fromRight: Bool
  ) throws -> TemplateValue {
    let separator = try scalars(try call.unnamed(1...1)[0], call.name)
    guard !separator.isEmpty else { throw TemplateFault(.value, "empty separator") }
    let all = text.scalars
    func part(_ scalars: Scalars) -> TemplateValue {
      .text(TextValue(scalars: scalars, isMarkup: text.isMarkup))
    }
    let place =
      fromRight
      ? all.lastPosition(of: separator, before: all.count) : all.position(of: separator)
    guard let place else {
      return try machine.tuple(
        fromRight ? [part([]), part([]), .text(text)] : [.text(text), part([]), part([])])
    }
    return try machine.tuple([
      part(Array(all[..<place])), part(separator), part(Array(all[(place + separator.count)...])),
    ])
  }

  /// `replace` of the values old, new and count.
  static func replaced(
    _ text: TextValue, _ values: [TemplateValue?], _ machine: TemplateMachine
  ) throws -> TemplateValue {
    let old = try scalars(values[0] ?? .none, "replace")
    let new = try scalars(values[1] ?? .none, "replace")
    var most = Int.max
    if let count = values[2], !isNone(count) {
      guard let number = count.integer else { throw notWhole("replace") }
      most = number < 0 ? .max : number
    }
    try machine.spend(text.scalars.count / 8)
    let found = min(most, text.scalars.occurrences(of: old))
    if new.count > old.count {
      try machine.grow(found, times: new.count - old.count)
    }
    let result = text.scalars.replacing(old, with: new, atMost: most)
    try machine.grow(result.count)
    return .text(TextValue(scalars: result, isMarkup: text.isMarkup))
  }

  /// The part of a text that the optional start and end of a call name.
  private static func range(_ values: [TemplateValue], _ count: Int) throws -> Range<Int>? {
    func bound(_ index: Int, _ standard: Int) throws -> Int {
      guard index < values.count, !isNone(values[index]) else { return standard }
      guard let number = values[index].integer else {
        throw TemplateFault(.type, "slice indices must be integers or None")
      }
      return number < 0 ? max(0, max(number, -count) + count) : number
    }
    let start = try bound(1, 0)
    let end = min(try bound(2, count), count)
    return start <= end ? start..<end : nil
  }

  private static func isEnd(
    _ text: TextValue, _ call: TemplateCall, _ machine: TemplateMachine, ofStart: Bool
  ) throws -> TemplateValue {
    let values = try call.unnamed(1...3)
    guard let range = try range(values, text.scalars.count) else { return .bool(false) }
    let part = Array(text.scalars[range])
    try machine.spend(part.count / 8)
    let options: [TemplateValue]
    if case .tuple(let items) = values[0] {
      options = items.elements
    } else {
      options = [values[0]]
    }
    for option in options {
      guard let wanted = option.scalars else {
        throw TemplateFault(
          .type, "\(call.name) first arg must be str or a tuple of str, not \(option.type)")
      }
      if part.matches(wanted, at: ofStart ? 0 : part.count - wanted.count) { return .bool(true) }
    }
    return .bool(false)
  }

  private static func place(
    _ text: TextValue, _ call: TemplateCall, _ machine: TemplateMachine, fromRight: Bool
  ) throws -> Int? {
    let values = try call.unnamed(1...3)
    let part = try scalars(values[0], call.name)
    guard let range = try range(values, text.scalars.count) else { return nil }
    try machine.spend(range.count / 8)
    let found =
      fromRight
      ? text.scalars.lastPosition(of: part, before: range.upperBound)
      : text.scalars.position(of: part, from: range.lowerBound)
    guard let found, found >= range.lowerBound, found + part.count <= range.upperBound else {
      return nil
    }
    return found
  }

  private static func index(
    _ text: TextValue, _ call: TemplateCall, _ machine: TemplateMachine, fromRight: Bool
  ) throws -> TemplateValue {
    guard let place = try place(text, call, machine, fromRight: fromRight) else {
      throw TemplateFault(.value, "substring not found")
    }
    return .integer(place)
  }

  private static func padded(
    _ text: TextValue, _ call: TemplateCall, _ machine: TemplateMachine, left: Bool, right: Bool
  ) throws -> TemplateValue {
    let values = try call.unnamed(1...2)
    guard let width = values[0].integer else { throw notWhole(call.name) }
    var fill: Unicode.Scalar = " "
    if values.count > 1 {
      let given = try scalars(values[1], call.name)
      guard given.count == 1 else {
        throw TemplateFault(.type, "the fill character must be exactly one character long")
      }
      fill = given[0]
    }
    try machine.grow(max(0, width))
    return .text(
      TextValue(
        scalars: centered(text.scalars, width, fill, left: left, right: right),
        isMarkup: text.isMarkup))
  }

  /// Padded to `width` on the sides that are asked for. In the middle the odd blank goes to the
  /// left where the width is odd, as in CPython.
  static func centered(
    _ text: Scalars, _ width: Int, _ fill: Unicode.Scalar, left: Bool, right: Bool
  ) -> Scalars {
    let missing = max(0, width - text.count)
    let before = !right ? missing : !left ? 0 : missing / 2 + (missing & width & 1)
    return Scalars(repeating: fill, count: before) + text
      + Scalars(repeating: fill, count: missing - before)
  }
}
