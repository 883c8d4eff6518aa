/// What of a text in C others can use, as a header: bodies of functions become semicolons, initial
/// values of variables go, and what is static stays out unless it is constant.
///
/// Every function and variable gets a symbol of its own by a label, so that a cell that is run
/// again never calls the one before. Macros, types and enumerations stay as they are.
struct CPrototypes {
  /// The header.
  private(set) var header = ""
  /// Functions and variables that the text defines for others.
  private(set) var symbols: [String] = []

  /// Reads `text`; symbols are called `prefix` and their name.
  init(of text: String, prefix: String) {
    var scanner = Scanner(text: Array(text.unicodeScalars))
    while let unit = scanner.next() {
      switch unit {
      case .directive(let line): header += line + "\n"
      case .function(let declaration):
        guard !Self.isStatic(declaration), let name = Self.functionName(declaration) else {
          continue
        }
        define(name)
        header += "\(declaration) __asm__(\"\(prefix)\(name)\");\n"
      case .declaration(let declaration, let isInitialised):
        add(declaration, isInitialised: isInitialised, prefix)
      }
    }
  }

  /// Branches of the preprocessor may define a name more than once.
  private mutating func define(_ name: String) {
    if !symbols.contains(name) { symbols.append(name) }
  }

  private mutating func add(_ declaration: String, isInitialised: Bool, _ prefix: String) {
    let words = Self.words(declaration)
    if declaration.isEmpty { return }
    if let first = words.first, ["typedef", "struct", "union", "enum", "extern"].contains(first),
      !isInitialised
    {
      header += declaration + ";\n"
      return
    }
    // The call of a macro that defines something, as TRIT_KERNELS, defines it once.
    if words.contains("static") || declaration.contains("{") { return }
    // A prototype of a function that is defined elsewhere, or a macro's call.
    guard !declaration.hasSuffix(")") else {
      header += declaration + ";\n"
      return
    }
    guard let name = Self.variableName(declaration) else { return }
    define(name)
    header += "extern \(declaration) __asm__(\"\(prefix)\(name)\");\n"
  }

  private static func words(_ text: String) -> [Substring] {
    text.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
  }

  private static func isStatic(_ declaration: String) -> Bool {
    words(declaration).contains("static")
  }

  /// The name before the last list of parameters.
  private static func functionName(_ declaration: String) -> String? {
    var depth = 0
    var rest = Substring(declaration)
    repeat {
      guard let character = rest.popLast() else { return nil }
      if character == ")" { depth += 1 }
      if character == "(" { depth -= 1 }
    } while depth > 0
    while rest.last?.isWhitespace == true { rest.removeLast() }
    let name = rest.reversed().prefix { $0.isLetter || $0.isNumber || $0 == "_" }.reversed()
    return name.isEmpty ? nil : String(name)
  }

  /// The last word before brackets.
  private static func variableName(_ declaration: String) -> String? {
    words(String(declaration.prefix { $0 != "[" })).last.map(String.init)
  }

  /// A piece of a text at its top level.
  private enum Unit {
    /// A line of the preprocessor, and those that continue it.
    case directive(String)
    /// What stands before the body of a function.
    case function(String)
    /// What ends in a semicolon, without an initial value.
    case declaration(String, isInitialised: Bool)
  }

  /// Cuts a text into units.
  private struct Scanner {
    let text: [Unicode.Scalar]
    var at = 0

    init(text: [Unicode.Scalar]) { self.text = text }

    /// Whether only blanks stand before this place in its line.
    private var isAtLineStart: Bool {
      var before = at - 1
      while before >= 0, text[before] == " " || text[before] == "\t" { before -= 1 }
      return before < 0 || text[before] == "\n"
    }

    private func looking(at word: String) -> Bool {
      text[at...].starts(with: word.unicodeScalars)
    }

    mutating func next() -> Unit? {
      var unit = String.UnicodeScalarView()
      var depth = 0
      var isInitialised = false
      while at < text.count {
        if skipComment() {
          unit.append(" ")
          continue
        }
        let scalar = text[at]
        // What stands before a directive and has no end is the call of a macro: nothing that others
        // could use.
        if scalar == "#", depth == 0, isAtLineStart { return directive() }
        if scalar == "\"" || scalar == "'" {
          let literal = self.literal()
          if !isInitialised { unit.append(contentsOf: literal) }
          continue
        }
        at += 1
        switch scalar {
        case "{" where depth == 0 && String(unit).trimmed.hasSuffix(")") && !isInitialised:
          skipBody()
          return .function(String(unit).trimmed)
        case "{", "(", "[":
          depth += 1
          if !isInitialised { unit.append(scalar) }
        case "}", ")", "]":
          depth -= 1
          if !isInitialised { unit.append(scalar) }
        case "=" where depth == 0:
          isInitialised = true
        case ";" where depth <= 0:
          return .declaration(String(unit).trimmed, isInitialised: isInitialised)
        default:
          if !isInitialised { unit.append(scalar) }
        }
      }
      return nil
    }

    /// Skips a comment that begins here; false where none does.
    private mutating func skipComment() -> Bool {
      if looking(at: "//") {
        while at < text.count, text[at] != "\n" { at += 1 }
        return true
      }
      guard looking(at: "/*") else { return false }
      at += 2
      while at < text.count, !looking(at: "*/") { at += 1 }
      at = min(at + 2, text.count)
      return true
    }

    /// A string or character, quotes included.
    private mutating func literal() -> String.UnicodeScalarView {
      var result = String.UnicodeScalarView()
      let quote = text[at]
      repeat {
        result.append(text[at])
        if text[at] == "\\", at + 1 < text.count {
          at += 1
          result.append(text[at])
        }
        at += 1
      } while at < text.count && text[at] != quote && text[at] != "\n"
      if at < text.count {
        result.append(text[at])
        at += 1
      }
      return result
    }

    private mutating func directive() -> Unit {
      var line = String.UnicodeScalarView()
      while at < text.count, text[at] != "\n" {
        if text[at] == "\\", at + 1 < text.count, text[at + 1] == "\n" {
          line.append(contentsOf: "\\\n".unicodeScalars)
          at += 2
          continue
        }
        if skipComment() { continue }
        line.append(text[at])
        at += 1
      }
      return .directive(String(line))
    }

    /// Skips to the end of a body whose brace has been read.
    private mutating func skipBody() {
      var depth = 1
      while at < text.count, depth > 0 {
        if skipComment() { continue }
        if text[at] == "\"" || text[at] == "'" {
          _ = literal()
          continue
        }
        if text[at] == "{" { depth += 1 }
        if text[at] == "}" { depth -= 1 }
        at += 1
      }
    }
  }
}

extension String {
  /// Without white space at its ends.
  fileprivate var trimmed: String {
    var text = Substring(self)
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
