/// Colours code for reading: comments, strings, numbers, words of the language, types, directives.
///
/// It reads tokens, no grammar: what it does not know stays plain, and whatever it is given comes
/// out as the same text. Linear in the length of the text.
enum CodeHighlighter {
  /// Languages it knows.
  enum Language: String {
    case swift, c, yaml

    init?(fence: String) {
      switch fence.lowercased() {
      case "swift": self = .swift
      case "c", "h": self = .c
      case "yaml", "yml", "experiment": self = .yaml
      default: return nil
      }
    }
  }

  /// `code` as HTML: spans of class `c` comment, `s` string, `n` number, `k` keyword, `t` type, `p`
  /// directive or key.
  static func html(_ code: String, language: Language) -> String {
    var scanner = Scanner(bytes: Array(code.utf8), language: language)
    return String(decoding: scanner.html(), as: UTF8.self)
  }

  private static let swiftWords: Set<String> = [
    "actor", "any", "as", "associatedtype", "async", "await", "borrowing", "break", "case", "catch",
    "class", "consuming", "continue", "default", "defer", "deinit", "do", "else", "enum",
    "extension", "fallthrough", "false", "fileprivate", "final", "for", "func", "guard", "if",
    "import", "in", "indirect", "init", "inout", "internal", "is", "isolated", "lazy", "let",
    "mutating", "nil", "nonisolated", "nonmutating", "open", "operator", "override", "package",
    "private", "protocol", "public", "repeat", "rethrows", "return", "self", "Self", "some",
    "static", "struct", "subscript", "super", "switch", "throw", "throws", "true", "try",
    "typealias", "unowned", "var", "weak", "where", "while",
  ]
  private static let cWords: Set<String> = [
    "auto", "break", "case", "const", "continue", "default", "do", "else", "enum", "extern", "for",
    "goto", "if", "inline", "register", "restrict", "return", "sizeof", "static", "struct",
    "switch",
    "typedef", "union", "volatile", "while", "NULL",
  ]
  private static let cTypes: Set<String> = [
    "bool", "char", "double", "float", "int", "long", "short", "signed", "unsigned", "void",
  ]
  private static let yamlWords: Set<String> = ["true", "false", "null", "~"]

  private struct Scanner {
    let bytes: [UInt8]
    let language: Language
    var output: [UInt8] = []
    var index = 0
    /// Whether only blanks stand before on the line.
    var isLineStart = true

    func byte(_ index: Int) -> UInt8? { index < bytes.count ? bytes[index] : nil }

    func starts(_ word: String) -> Bool { bytes[index...].starts(with: word.utf8) }

    mutating func span(_ kind: String, to end: Int) {
      let end = min(end, bytes.count)
      output += "<span class=\"\(kind)\">".utf8
      MarkdownText.escape(bytes[index..<end], into: &output)
      output += "</span>".utf8
      index = end
    }

    mutating func html() -> [UInt8] {
      output.reserveCapacity(bytes.count * 2)
      while index < bytes.count {
        let byte = bytes[index]
        let wasLineStart = isLineStart
        if byte == .newline { isLineStart = true } else if !byte.isBlank { isLineStart = false }
        if language == .yaml ? yaml(byte, wasLineStart) : code(byte, wasLineStart) { continue }
        MarkdownText.escape(CollectionOfOne(byte), into: &output)
        index += 1
      }
      return output
    }

    // MARK: Swift and C

    mutating func code(_ byte: UInt8, _ isLineStart: Bool) -> Bool {
      if starts("//") {
        span("c", to: lineEnd())
        return true
      }
      if starts("/*") {
        span("c", to: commentEnd())
        return true
      }
      if let end = stringEnd() {
        span("s", to: end)
        return true
      }
      if byte == UInt8(ascii: "#"), language == .swift || isLineStart {
        let end = wordEnd(index + 1)
        guard end > index + 1 else { return false }
        span("p", to: end)
        return true
      }
      if byte == UInt8(ascii: "@"), language == .swift {
        span("p", to: wordEnd(index + 1))
        return true
      }
      return number(byte) || word(byte)
    }

    mutating func word(_ byte: UInt8) -> Bool {
      guard isWord(byte) else { return false }
      let end = wordEnd(index)
      let word = String(decoding: bytes[index..<end], as: UTF8.self)
      let isMember = index > 0 && bytes[index - 1] == UInt8(ascii: ".")
      let isUpper = (0x41...0x5a).contains(byte)
      switch language {
      case .swift:
        if swiftWords.contains(word), !isMember || word == "self" || word == "init" {
          span("k", to: end)
        } else if isUpper {
          span("t", to: end)
        } else {
          plain(to: end)
        }
      default:
        if cWords.contains(word) {
          span("k", to: end)
        } else if cTypes.contains(word) || word.hasSuffix("_t") || word.hasPrefix("__m") {
          span("t", to: end)
        } else {
          plain(to: end)
        }
      }
      return true
    }

    mutating func plain(to end: Int) {
      MarkdownText.escape(bytes[index..<end], into: &output)
      index = end
    }

    mutating func number(_ byte: UInt8) -> Bool {
      guard byte.isDigit else { return false }
      var end = index
      let isHex = byte == UInt8(ascii: "0") && self.byte(index + 1).map { $0 | 0x20 } == 0x78
      while let next = self.byte(end) {
        if next.isDigit || next.isLetter || next == UInt8(ascii: "_") {
          end += 1
          let isExponent = (next | 0x20) == (isHex ? 0x70 : 0x65)
          if isExponent, let sign = self.byte(end), sign == 0x2b || sign == 0x2d,
            self.byte(end + 1)?.isDigit == true
          {
            end += 1
          }
        } else if next == UInt8(ascii: "."), self.byte(end + 1)?.isDigit == true {
          end += 1
        } else {
          break
        }
      }
      span("n", to: end)
      return true
    }

    func isWord(_ byte: UInt8) -> Bool {
      byte.isLetter || byte.isDigit || byte == UInt8(ascii: "_") || byte >= 0x80
    }

    func wordEnd(_ start: Int) -> Int {
      var end = start
      while let byte = byte(end), isWord(byte) { end += 1 }
      return end
    }

    func lineEnd() -> Int { bytes[index...].firstIndex(of: .newline) ?? bytes.count }

    /// Comments of Swift hold others.
    func commentEnd() -> Int {
      var depth = 1
      var end = index + 2
      while end < bytes.count {
        if bytes[end] == UInt8(ascii: "*"), byte(end + 1) == UInt8(ascii: "/") {
          depth -= 1
          end += 2
          if depth == 0 { return end }
        } else if language == .swift, bytes[end] == UInt8(ascii: "/"),
          byte(end + 1) == UInt8(ascii: "*")
        {
          depth += 1
          end += 2
        } else {
          end += 1
        }
      }
      return bytes.count
    }

    // MARK: Strings

    /// The end of the string that begins here: of C up to its line's end, of Swift with hashes,
    /// with three quotes, and with interpolations that hold strings.
    func stringEnd() -> Int? {
      let quote = UInt8(ascii: "\"")
      if language == .c {
        guard bytes[index] == quote || bytes[index] == UInt8(ascii: "'") else { return nil }
        return shortEnd(index + 1, bytes[index])
      }
      // A run of hashes is looked at once.
      if bytes[index] == UInt8(ascii: "#"), index > 0, bytes[index - 1] == bytes[index] {
        return nil
      }
      let hashes = bytes[index...].prefix { $0 == UInt8(ascii: "#") }.count
      let start = index + hashes
      guard byte(start) == quote else { return nil }
      let isLong = byte(start + 1) == quote && byte(start + 2) == quote
      var end = start + (isLong ? 3 : 1)
      while end < bytes.count {
        switch bytes[end] {
        case .newline where !isLong: return end
        case UInt8(ascii: "\\"):
          let marks = bytes[(end + 1)...].prefix { $0 == UInt8(ascii: "#") }.count
          if hashes == 0, byte(end + 1) == UInt8(ascii: "(") {
            end = interpolationEnd(end + 2)
          } else if marks == hashes, byte(end + 1 + marks) == UInt8(ascii: "(") {
            end = interpolationEnd(end + 2 + marks)
          } else {
            end += hashes == 0 ? 2 : 1
          }
        case quote:
          if isLong, byte(end + 1) != quote || byte(end + 2) != quote {
            end += 1
            continue
          }
          let close = end + (isLong ? 3 : 1)
          let marks = bytes[min(close, bytes.count)...].prefix(hashes)
            .prefix { $0 == UInt8(ascii: "#") }.count
          if marks == hashes { return close + hashes }
          end += 1
        default: end += 1
        }
      }
      return bytes.count
    }

    func shortEnd(_ start: Int, _ quote: UInt8) -> Int {
      var end = start
      while let byte = byte(end), byte != .newline {
        if byte == quote { return end + 1 }
        end += byte == UInt8(ascii: "\\") ? 2 : 1
      }
      return min(end, bytes.count)
    }

    /// Behind the parenthesis that closes an interpolation, or the end of its line.
    func interpolationEnd(_ start: Int) -> Int {
      var depth = 1
      var end = start
      while let byte = byte(end), byte != .newline {
        switch byte {
        case UInt8(ascii: "("): depth += 1
        case UInt8(ascii: ")"):
          depth -= 1
          if depth == 0 { return end + 1 }
        case UInt8(ascii: "\""):
          end = shortEnd(end + 1, byte)
          continue
        default: break
        }
        end += 1
      }
      return end
    }

    // MARK: YAML

    mutating func yaml(_ byte: UInt8, _ isLineStart: Bool) -> Bool {
      let before = index > 0 ? bytes[index - 1] : .newline
      if byte == UInt8(ascii: "#"), before.isSpacing {
        span("c", to: lineEnd())
        return true
      }
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'"),
        before.isSpacing || "[{,:".utf8.contains(before)
      {
        span("s", to: shortEnd(index + 1, byte))
        return true
      }
      guard isWord(byte) || byte == UInt8(ascii: "~") || byte == UInt8(ascii: "-"),
        before.isSpacing || "[{,(".utf8.contains(before)
      else { return false }
      var end = index
      while let next = self.byte(end), !next.isSpacing, !",]}".utf8.contains(next) {
        if next == UInt8(ascii: ":"), self.byte(end + 1)?.isSpacing ?? true { break }
        end += 1
      }
      guard end > index else { return false }
      let word = String(decoding: bytes[index..<end], as: UTF8.self)
      if self.byte(end) == UInt8(ascii: ":") {
        span("p", to: end)
      } else if yamlWords.contains(word) {
        span("k", to: end)
      } else if Double(word) != nil, byte.isDigit || byte == UInt8(ascii: "-") {
        span("n", to: end)
      } else {
        plain(to: end)
      }
      return true
    }
  }
}
