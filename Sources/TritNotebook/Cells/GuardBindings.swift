import Foundation

/// A `guard` at the top level of a cell. What it binds stays in scope, and yet the compiler counts
/// it as part of the code there, not of the module: later cells do not see it, and functions that use
/// it cannot be called by them. So its names are bound under others (`_name`), and a line behind it
/// makes variables of the module of them: `}; let name = _name`.
struct GuardBindings {
  /// A condition: the names that it binds, in their order, with `let` or `var`.
  typealias Condition = [(name: String, kind: String)]

  /// UTF-8 offsets: of the word `guard`, of the body's brace, and of the brace that closes it.
  let start: Int
  let body: Int
  let end: Int
  let conditions: [Condition]

  /// A change of the text: bytes from `offset` on are replaced.
  struct Edit: Equatable {
    var offset: Int
    var length: Int
    var text: String
  }

  /// The changes; nil where a name is bound to what it means outside, and that is not known: the
  /// variable would hide it. `outer` gives what else the name of an earlier cell can be called.
  func edits(of bytes: [UInt8], outer: (String) -> String?) -> [Edit]? {
    guard start >= 0, body <= end, end < bytes.count, start < body else { return nil }
    let text = String(decoding: bytes, as: UTF8.self)
    var aliases: [String: String] = [:]
    for (name, _) in conditions.joined() {
      var alias = "_" + name
      while text.contains(alias) { alias = "_" + alias }
      aliases[name] = alias
    }
    var edits: [Edit] = []
    var bound: Set<String> = []
    var tokens = GuardTokens(bytes: bytes, range: (start + "guard".utf8.count)..<body)
    for condition in conditions {
      let own = Set(condition.map(\.name))
      let later = Set(aliases.keys).subtracting(bound).subtracting(own)
      var isPattern = false
      var found: Set<String> = []
      var hasValue = false
      var isFirst = true
      while let token = tokens.next() {
        if case .comma = token { break }
        guard case .word(let word, let offset, let isLabel, let isInClosure) = token else {
          if case .equals = token, isPattern { (isPattern, hasValue) = (false, true) }
          isFirst = false
          continue
        }
        if ["let", "var", "case"].contains(word), isFirst || isPattern {
          isPattern = true
          // The variable behind it is the one that changes.
          if word == "var" { edits.append(Edit(offset: offset, length: 3, text: "let")) }
          isFirst = false
          continue
        }
        isFirst = false
        guard !isLabel, let alias = aliases[word] else { continue }
        if isPattern, own.contains(word), !found.contains(word) {
          found.insert(word)
          edits.append(Edit(offset: offset, length: word.utf8.count, text: alias))
        } else if bound.contains(word) {
          edits.append(Edit(offset: offset, length: word.utf8.count, text: alias))
        } else if own.contains(word) || later.contains(word) {
          // In a closure it may be a parameter.
          guard !isInClosure, let other = outer(word) else { return nil }
          edits.append(Edit(offset: offset, length: word.utf8.count, text: other))
        }
      }
      guard found == own else { return nil }
      // `guard let name`: its value is what the name means outside.
      if !hasValue, let name = condition.first?.name {
        guard condition.count == 1, let other = outer(name), let last = edits.last else {
          return nil
        }
        edits[edits.count - 1].text = last.text + " = " + other
      }
      bound.formUnion(own)
    }
    let lines = conditions.joined().map { "; \($0.kind) \($0.name) = \(aliases[$0.name] ?? "")" }
    edits.append(Edit(offset: end + 1, length: 0, text: lines.joined()))
    return edits
  }

  /// `bytes` with the changes, which are in order and do not overlap.
  static func applied(_ edits: [Edit], to bytes: ArraySlice<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    var at = bytes.startIndex
    for edit in edits where edit.offset >= at && edit.offset + edit.length <= bytes.endIndex {
      result += bytes[at..<edit.offset] + Array(edit.text.utf8)
      at = edit.offset + edit.length
    }
    return result + bytes[at...]
  }
}

/// Words of the conditions of a `guard`, and what parts them.
private struct GuardTokens {
  enum Token {
    /// A name or a keyword; whether it is the label of an argument, and whether it stands in a
    /// closure.
    case word(String, offset: Int, isLabel: Bool, isInClosure: Bool)
    /// `=` outside of brackets.
    case equals
    /// `,` outside of brackets.
    case comma
    case other
  }

  let bytes: [UInt8]
  var position: Int
  let end: Int
  private var depth = 0
  private var braces = 0
  /// For each text that is open around an interpolation, the depth that it began at.
  private var texts: [Int] = []
  private var last: UInt8 = 0

  init(bytes: [UInt8], range: Range<Int>) {
    self.bytes = bytes
    (position, end) = (range.lowerBound, range.upperBound)
  }

  private func byte(_ index: Int) -> UInt8 { index >= 0 && index < end ? bytes[index] : 0 }

  private static func isOfName(_ byte: UInt8) -> Bool {
    byte >= 0x80 || byte == UInt8(ascii: "_") || (48...57).contains(byte)
      || (65...90).contains(byte) || (97...122).contains(byte)
  }

  mutating func next() -> Token? {
    while position < end {
      let byte = bytes[position]
      switch byte {
      case 9, 10, 13, 32:
        position += 1
        continue
      case UInt8(ascii: "/") where self.byte(position + 1) == UInt8(ascii: "/"):
        while position < end, bytes[position] != 10 { position += 1 }
        continue
      case UInt8(ascii: "/") where self.byte(position + 1) == UInt8(ascii: "*"):
        while position < end, !(bytes[position] == 42 && self.byte(position + 1) == 47) {
          position += 1
        }
        position += 2
        continue
      case UInt8(ascii: "\""):
        position += 1
        skipText()
        last = byte
        return .other
      default: break
      }
      defer { last = byte }
      if Self.isOfName(byte) { return word() }
      position += 1
      switch byte {
      case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "{"):
        depth += 1
        braces += 1
      case UInt8(ascii: ")") where texts.last == depth:
        // An interpolation ends, and its text goes on.
        texts.removeLast()
        depth -= 1
        skipText()
      case UInt8(ascii: ")"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: "}"):
        depth -= 1
        braces -= 1
      case UInt8(ascii: ",") where depth == 0: return .comma
      case UInt8(ascii: "=") where depth == 0:
        let before = self.byte(position - 2), after = self.byte(position)
        let isOperator = "=!<>~+-*/&|^%?.".utf8.contains(before) || after == byte
        if !isOperator || before == UInt8(ascii: "?") { return .equals }
        if after == byte { position += 1 }
      default: break
      }
      return .other
    }
    return nil
  }

  private mutating func word() -> Token {
    let start = position
    while position < end, Self.isOfName(bytes[position]) { position += 1 }
    let word = String(decoding: bytes[start..<position], as: UTF8.self)
    let isMember =
      last == UInt8(ascii: ".") && byte(start - 1) == last && byte(start - 2) != last
    let isOther = [UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "@")].contains(
      byte(start - 1))
    let isLabel =
      byte(position) == UInt8(ascii: ":")
      && (last == UInt8(ascii: "(") || last == UInt8(ascii: ","))
    return isMember || isOther
      ? .other : .word(word, offset: start, isLabel: isLabel, isInClosure: braces > 0)
  }

  /// Goes to the end of a text, or to where code is put into it.
  private mutating func skipText() {
    while position < end {
      let byte = bytes[position]
      position += 1
      if byte == UInt8(ascii: "\"") { return }
      guard byte == UInt8(ascii: "\\") else { continue }
      if self.byte(position) == UInt8(ascii: "(") {
        depth += 1
        texts.append(depth)
        position += 1
        return
      }
      position += 1
    }
  }
}
