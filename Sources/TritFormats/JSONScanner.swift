import TritCore

/// The recursive-descent parser behind `JSONReader`. One position into the bytes; line and column
/// are computed only when an error needs them.
struct JSONScanner {
  private let bytes: UnsafeBufferPointer<UInt8>
  private let path: String
  private var position = 0
  private var scratch: [UInt8] = []

  init(_ bytes: UnsafeBufferPointer<UInt8>, path: String) {
    self.bytes = bytes
    self.path = path
  }

  mutating func document() throws -> JSONValue {
    if bytes.count >= 3, bytes[0] == 0xef, bytes[1] == 0xbb, bytes[2] == 0xbf {
      throw failure("the file begins with a byte order mark", expected: "UTF-8 without one")
    }
    skipSpace()
    let value = try value(depth: 0)
    skipSpace()
    guard position == bytes.count else {
      throw failure("there is more after the end of the document", expected: "the end of the file")
    }
    return value
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x0a, 0x0d, 0x09: position += 1
      default: return
      }
    }
  }

  private mutating func value(depth: Int) throws -> JSONValue {
    switch next {
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "{"): return try object(depth: depth + 1)
    case UInt8(ascii: "["): return try array(depth: depth + 1)
    case UInt8(ascii: "t"):
      try word("true")
      return .bool(true)
    case UInt8(ascii: "f"):
      try word("false")
      return .bool(false)
    case UInt8(ascii: "n"):
      try word("null")
      return .null
    case let byte? where byte == UInt8(ascii: "-") || isDigit(byte): return .number(try number())
    default:
      throw failure("no JSON value here", expected: "a value: \", {, [, number, true, false, null")
    }
  }

  private mutating func object(depth: Int) throws -> JSONValue {
    try checkDepth(depth)
    position += 1
    var members: [(key: String, value: JSONValue)] = []
    var keys: Set<ExactString> = []
    skipSpace()
    if next == UInt8(ascii: "}") {
      position += 1
      return .object([])
    }
    while true {
      guard next == UInt8(ascii: "\"") else {
        throw failure("an object needs a key here", expected: "a string in double quotes")
      }
      let start = position
      let key = try string()
      guard isNew(key, among: members, &keys) else {
        position = start
        throw failure("the key '\(key.prefix(80))' is there twice", expected: "unique keys")
      }
      skipSpace()
      guard next == UInt8(ascii: ":") else {
        throw failure("a key is not followed by a colon", expected: "':'")
      }
      position += 1
      skipSpace()
      members.append((key, try value(depth: depth)))
      skipSpace()
      switch next {
      case UInt8(ascii: ","):
        position += 1
        skipSpace()
      case UInt8(ascii: "}"):
        position += 1
        return .object(members)
      default: throw failure("the object does not go on here", expected: "',' or '}'")
      }
    }
  }

  /// Small objects are compared pairwise; a set is made only when one grows.
  private func isNew(
    _ key: String, among members: [(key: String, value: JSONValue)], _ keys: inout Set<ExactString>
  ) -> Bool {
    if members.count < 8 {
      let exact = ExactString(key)
      return !members.contains { ExactString($0.key) == exact }
    }
    if keys.isEmpty { keys = Set(members.map { ExactString($0.key) }) }
    return keys.insert(ExactString(key)).inserted
  }

  private mutating func array(depth: Int) throws -> JSONValue {
    try checkDepth(depth)
    position += 1
    var values: [JSONValue] = []
    skipSpace()
    if next == UInt8(ascii: "]") {
      position += 1
      return .array([])
    }
    while true {
      values.append(try value(depth: depth))
      skipSpace()
      switch next {
      case UInt8(ascii: ","):
        position += 1
        skipSpace()
      case UInt8(ascii: "]"):
        position += 1
        return .array(values)
      default: throw failure("the list does not go on here", expected: "',' or ']'")
      }
    }
  }

  private func checkDepth(_ depth: Int) throws {
    guard depth <= JSONReader.maximumDepth else {
      throw failure(
        "lists and objects are nested too deeply",
        expected: "at most \(JSONReader.maximumDepth) levels")
    }
  }

  private mutating func word(_ text: StaticString) throws {
    let length = text.utf8CodeUnitCount
    guard bytes.count - position >= length,
      (0..<length).allSatisfy({ bytes[position + $0] == text.utf8Start[$0] })
    else { throw failure("unknown word", expected: "'\(text)'") }
    position += length
  }

  private mutating func number() throws -> String {
    let start = position
    if next == UInt8(ascii: "-") { position += 1 }
    if next == UInt8(ascii: "0") {
      position += 1
      if let digit = next, isDigit(digit) {
        throw failure("a number begins with a zero", expected: "no leading zeros")
      }
    } else {
      try digits()
    }
    if next == UInt8(ascii: ".") {
      position += 1
      try digits()
    }
    if let mark = next, mark | 0x20 == UInt8(ascii: "e") {
      position += 1
      if let sign = next, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
      try digits()
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

  private mutating func digits() throws {
    let start = position
    while let digit = next, isDigit(digit) { position += 1 }
    guard position > start else { throw failure("the number stops short", expected: "a digit") }
  }
}

// MARK: Strings
extension JSONScanner {
  /// A string without escapes is validated where it lies; one with escapes goes through `scratch`.
  private mutating func string() throws -> String {
    let opening = position
    position += 1
    let start = position
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        let raw = UnsafeBufferPointer(rebasing: bytes[start..<position])
        position += 1
        return try checked(String(validating: raw, as: UTF8.self), from: opening)
      }
      if byte == UInt8(ascii: "\\") { return try escapedString(opening: opening, start: start) }
      guard byte >= 0x20 else { throw controlCharacter(byte) }
      position += 1
    }
    position = opening
    throw failure("the string has no end", expected: "a closing '\"'")
  }

  private mutating func escapedString(opening: Int, start: Int) throws -> String {
    scratch.removeAll(keepingCapacity: true)
    scratch.append(contentsOf: bytes[start..<position])
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        position += 1
        return try checked(String(validating: scratch, as: UTF8.self), from: opening)
      }
      if byte == UInt8(ascii: "\\") {
        position += 1
        try escape()
      } else {
        guard byte >= 0x20 else { throw controlCharacter(byte) }
        scratch.append(byte)
        position += 1
      }
    }
    position = opening
    throw failure("the string has no end", expected: "a closing '\"'")
  }

  private mutating func escape() throws {
    guard let letter = next else { throw failure("the string has no end") }
    position += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): scratch.append(letter)
    case UInt8(ascii: "b"): scratch.append(0x08)
    case UInt8(ascii: "f"): scratch.append(0x0c)
    case UInt8(ascii: "n"): scratch.append(0x0a)
    case UInt8(ascii: "r"): scratch.append(0x0d)
    case UInt8(ascii: "t"): scratch.append(0x09)
    case UInt8(ascii: "u"):
      let start = position - 2
      var code = try fourHexDigits()
      if code & 0xfc00 == 0xd800, bytes.count - position >= 2,
        bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u")
      {
        position += 2
        let low = try fourHexDigits()
        if low & 0xfc00 == 0xdc00 { code = 0x10000 + (code & 0x3ff) << 10 + (low & 0x3ff) }
      }
      guard let scalar = Unicode.Scalar(code) else {
        position = start
        throw failure("half of a surrogate pair stands alone", expected: "\\uD8xx\\uDCxx together")
      }
      scratch.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    default:
      position -= 1
      throw failure("unknown escape", expected: "one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX")
    }
  }

  private mutating func fourHexDigits() throws -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = hexDigit(byte) else {
        throw failure("a \\u escape stops short", expected: "four hexadecimal digits")
      }
      code = code << 4 | digit
      position += 1
    }
    return code
  }

  private func hexDigit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a")) + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A")) + 10
    default: nil
    }
  }

  private mutating func checked(_ text: String?, from opening: Int) throws -> String {
    guard let text else {
      position = opening
      throw failure("the string is not valid UTF-8", expected: "UTF-8 text")
    }
    return text
  }

  private func controlCharacter(_ byte: UInt8) -> LabError {
    failure(
      "control character in a string", expected: "its escape, \\n or \\u00XX",
      got: "byte 0x" + String(byte, radix: 16))
  }

  /// An error at the present position. Columns count characters (Unicode scalars) from 1.
  private func failure(_ what: String, expected: String? = nil, got: String? = nil) -> LabError {
    let before = bytes[..<position]
    let line = 1 + before.count { $0 == 0x0a }
    let lineStart = before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
    let column = 1 + before[lineStart...].count { $0 & 0xc0 != 0x80 }
    let found = next.map { byte in
      byte >= 0x20 && byte < 0x7f
        ? "'\(Character(Unicode.Scalar(byte)))'" : "byte 0x" + String(byte, radix: 16)
    }
    return LabError(
      .badData, what, at: "\(path):\(line):\(column)", expected: expected,
      got: got ?? found ?? "the end of the file")
  }
}
