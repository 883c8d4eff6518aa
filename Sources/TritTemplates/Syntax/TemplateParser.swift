/// Reads the tokens of a template, by the grammar of Jinja 3.1.
struct TemplateParser {
  /// Expressions or statements inside each other that are accepted; bounds the stack.
  static let deepest = 48

  let tokens: [PlacedToken]
  var index = 0
  var depth = 0
  /// Loops around the current statement, within its macro.
  var loops = 0
  /// Names of filters and tests that do not exist, where that is known only once the template has
  /// been read: in a branch they are errors when they are reached, else at once.
  var unknown: [TemplateFault] = []
  /// Those that are errors whatever stands around them.
  var wrong: [TemplateFault] = []
  /// Of the names that a macro may read, those that were read since its beginning.
  var read: Set<String> = []

  init(_ tokens: [PlacedToken]) { self.tokens = tokens }

  /// The statements of the whole template.
  static func parse(_ tokens: [PlacedToken]) throws -> [TemplateStatement] {
    var parser = TemplateParser(tokens)
    let body = try parser.statements(until: [], opened: "", at: 0)
    let first = (parser.wrong + parser.unknown).min { ($0.offset ?? 0) < ($1.offset ?? 0) }
    if let first { throw first }
    return body
  }

  // MARK: Tokens

  var token: TemplateToken { tokens[index].token }
  var place: Int { tokens[index].at }
  /// The token behind the current one.
  var following: TemplateToken { tokens[min(index + 1, tokens.count - 1)].token }

  mutating func advance() { if index + 1 < tokens.count { index += 1 } }

  func isMark(_ mark: String) -> Bool { token == .mark(mark) }
  func isName(_ name: String) -> Bool { token == .name(name) }

  mutating func skip(_ wanted: TemplateToken) -> Bool {
    guard token == wanted else { return false }
    advance()
    return true
  }

  mutating func expect(_ wanted: TemplateToken) throws {
    guard skip(wanted) else { throw unexpected(expected: wanted.words) }
  }

  mutating func expectName() throws -> String {
    guard case .name(let name) = token else { throw unexpected(expected: "a name") }
    advance()
    return name
  }

  func unexpected(expected: String) -> TemplateFault {
    let what =
      token == .end
      ? "unexpected end of template, expected \(expected)"
      : "expected \(expected), got \(token.words)"
    return TemplateFault(.syntax, what, at: place)
  }

  /// Runs `body` one level deeper. Throws where that is too deep.
  mutating func deeper<T>(_ body: (inout Self) throws -> T) throws -> T {
    guard depth < Self.deepest else {
      throw TemplateFault(
        .limit, "more than \(Self.deepest) parentheses or statements inside each other", at: place)
    }
    depth += 1
    defer { depth -= 1 }
    return try body(&self)
  }

  // MARK: Statements

  /// Statements up to a tag that `ends` names, which is left as the current token; all of them
  /// where it names none.
  mutating func statements(until ends: [String], opened tag: String, at begin: Int) throws
    -> [TemplateStatement]
  {
    try deeper { parser in
      var body: [TemplateStatement] = []
      while true {
        switch parser.token {
        case .data(let text):
          body.append(.data(text))
          parser.advance()
        case .variableBegin:
          parser.advance()
          body.append(.output(try parser.tuple()))
          try parser.expect(.variableEnd)
        case .blockBegin:
          parser.advance()
          if case .name(let name) = parser.token, ends.contains(name) { return body }
          body.append(try parser.statement())
        default:
          guard ends.isEmpty else {
            throw TemplateFault(
              .syntax,
              "unexpected end of template: '\(tag)' needs \(ends.joined(separator: " or "))",
              at: begin)
          }
          return body
        }
      }
    }
  }

  /// The body of a tag up to `{% endNAME %}`, which is passed over.
  mutating func body(of tag: String, at begin: Int) throws -> [TemplateStatement] {
    let body = try statements(until: ["end" + tag], opened: tag, at: begin)
    advance()
    try expect(.blockEnd)
    return body
  }

  /// The same where an unknown filter inside is an error whatever stands around.
  mutating func innerBody(of tag: String, at begin: Int) throws -> [TemplateStatement] {
    let before = unknown.count
    let result = try body(of: tag, at: begin)
    harden(from: before)
    return result
  }

  /// Unknown names since `count` are errors.
  mutating func harden(from count: Int) {
    wrong += unknown[count...]
    unknown.removeLast(unknown.count - count)
  }

  /// Unknown names since `count` are errors only where they are reached.
  mutating func soften(from count: Int) { unknown.removeLast(unknown.count - count) }

  private mutating func statement() throws -> TemplateStatement {
    let begin = place
    guard case .name(let name) = token else { throw unexpected(expected: "a tag") }
    advance()
    switch name {
    case "if": return try choice(begin)
    case "for": return try loop(begin)
    case "set": return try set(begin)
    case "macro": return .macro(try macro(begin))
    case "call": return try call(begin)
    case "with": return try with(begin)
    case "filter":
      let filters = try filters(startsInline: true)
      try expect(.blockEnd)
      return .filter(filters, try innerBody(of: name, at: begin))
    case "generation":
      try expect(.blockEnd)
      let outer = loops
      loops = 0
      defer { loops = outer }
      return .scope(try innerBody(of: name, at: begin))
    case "print":
      let values = try tuple()
      try expect(.blockEnd)
      guard case .tuple(let parts) = values else { return .output(values) }
      return .output(.concatenation(parts))
    case "break", "continue":
      guard loops > 0 else {
        throw TemplateFault(.syntax, "'\(name)' outside of a loop", at: begin)
      }
      try expect(.blockEnd)
      return name == "break" ? .leave : .next
    case "block", "extends", "include", "import", "from", "autoescape":
      throw TemplateFault(.unsupported, "the tag '\(name)'", at: begin)
    default: throw TemplateFault(.syntax, "unknown tag '\(name)'", at: begin)
    }
  }

  private mutating func choice(_ begin: Int) throws -> TemplateStatement {
    let before = unknown.count
    var branches: [(test: TemplateExpression, body: [TemplateStatement])] = []
    var otherwise: [TemplateStatement] = []
    while true {
      let test = try tuple(withChoice: false)
      try expect(.blockEnd)
      let body = try statements(until: ["elif", "else", "endif"], opened: "if", at: begin)
      branches.append((test, body))
      if skip(.name("elif")) { continue }
      if skip(.name("else")) {
        try expect(.blockEnd)
        otherwise = try statements(until: ["endif"], opened: "else", at: begin)
      }
      advance()
      try expect(.blockEnd)
      soften(from: before)
      return .choice(branches, otherwise)
    }
  }

  private mutating func loop(_ begin: Int) throws -> TemplateStatement {
    let target = try target(endsAtIn: true)
    try expect(.name("in"))
    let values = try tuple(withChoice: false, endsAtRecursive: true)
    let before = unknown.count
    let test = skip(.name("if")) ? try expression() : nil
    let isRecursive = skip(.name("recursive"))
    try expect(.blockEnd)
    loops += 1
    let body = try statements(until: ["endfor", "else"], opened: "for", at: begin)
    loops -= 1
    var otherwise: [TemplateStatement] = []
    if skip(.name("else")) {
      try expect(.blockEnd)
      otherwise = try statements(until: ["endfor"], opened: "else", at: begin)
    }
    advance()
    try expect(.blockEnd)
    harden(from: before)
    return .loop(
      TemplateLoop(
        target: target, values: values, test: test, isRecursive: isRecursive, body: body,
        otherwise: otherwise, at: begin))
  }

  private mutating func set(_ begin: Int) throws -> TemplateStatement {
    let target = try target(endsAtIn: false)
    if skip(.mark("=")) {
      let value = try tuple()
      try expect(.blockEnd)
      return .set(target, value, at: begin)
    }
    let filters = try filters(startsInline: false)
    try expect(.blockEnd)
    return .setBlock(target, filters, try innerBody(of: "set", at: begin), at: begin)
  }

  private mutating func with(_ begin: Int) throws -> TemplateStatement {
    var pairs: [(target: TemplateTarget, value: TemplateExpression)] = []
    while token != .blockEnd {
      if !pairs.isEmpty { try expect(.mark(",")) }
      let target = try singleTarget(allowsAttribute: false)
      try expect(.mark("="))
      pairs.append((target, try expression()))
    }
    try expect(.blockEnd)
    return .with(pairs, try innerBody(of: "with", at: begin), at: begin)
  }

  // MARK: Macros

  private mutating func macro(_ begin: Int) throws -> TemplateMacro {
    let name = try expectName()
    let parameters = try parameters()
    try expect(.blockEnd)
    return try macro(name, parameters, tag: "macro", begin)
  }

  private mutating func call(_ begin: Int) throws -> TemplateStatement {
    let parameters = isMark("(") ? try parameters() : []
    let value = try expression()
    guard case .postfix(_, let chain) = value, case .call = chain.last else {
      throw TemplateFault(.syntax, "expected a call", at: begin)
    }
    try expect(.blockEnd)
    return .call(try macro("caller", parameters, tag: "call", begin), value)
  }

  private mutating func macro(
    _ name: String, _ parameters: [(name: String, standard: TemplateExpression?)], tag: String,
    _ begin: Int
  ) throws -> TemplateMacro {
    let outer = (loops, read)
    (loops, read) = (0, [])
    let body = try innerBody(of: tag, at: begin)
    let reads = read
    (loops, read) = (outer.0, outer.1.union(tag == "call" ? reads : []))
    return TemplateMacro(
      name: name, parameters: parameters, body: body, reads: reads, at: begin)
  }

  private mutating func parameters() throws -> [(name: String, standard: TemplateExpression?)] {
    var result: [(name: String, standard: TemplateExpression?)] = []
    try expect(.mark("("))
    while !isMark(")") {
      if !result.isEmpty { try expect(.mark(",")) }
      let place = place
      guard case .name(let name) = try singleTarget(allowsAttribute: false) else {
        throw TemplateFault(.syntax, "expected the name of a parameter", at: place)
      }
      guard !result.contains(where: { $0.name == name }) else {
        throw TemplateFault(.syntax, "two parameters have the name '\(name)'", at: place)
      }
      if skip(.mark("=")) {
        result.append((name, try expression()))
      } else if result.last?.standard != nil {
        throw TemplateFault(
          .syntax, "a parameter without a default behind one that has one", at: place)
      } else {
        result.append((name, nil))
      }
    }
    advance()
    return result
  }

  // MARK: Targets

  private static let constants: Set<String> = ["true", "false", "none", "True", "False", "None"]

  /// A name, an attribute of a namespace, or a list of them.
  private mutating func target(endsAtIn: Bool) throws -> TemplateTarget {
    var parts: [TemplateTarget] = []
    var isTuple = false
    while true {
      if !parts.isEmpty { try expect(.mark(",")) }
      let isOver =
        token == .blockEnd || isMark(")") || isMark("=") || (endsAtIn && isName("in"))
      if isOver && !parts.isEmpty { break }
      parts.append(try singleTarget(allowsAttribute: !endsAtIn))
      guard isMark(",") else { break }
      isTuple = true
    }
    return isTuple || parts.count != 1 ? .tuple(parts) : parts[0]
  }

  private mutating func singleTarget(allowsAttribute: Bool) throws -> TemplateTarget {
    if isMark("(") {
      return try deeper { parser in
        parser.advance()
        let inner = try parser.target(endsAtIn: !allowsAttribute)
        try parser.expect(.mark(")"))
        return inner
      }
    }
    let place = place
    guard case .name(let name) = token else {
      throw token == .blockEnd
        ? TemplateFault(.syntax, "expected an expression, got \(token.words)", at: place)
        : TemplateFault(.syntax, "cannot assign to \(token.words)", at: place)
    }
    guard !Self.constants.contains(name) else {
      throw TemplateFault(.syntax, "cannot assign to '\(name)'", at: place)
    }
    advance()
    if allowsAttribute, skip(.mark(".")) { return .attribute(of: name, try expectName()) }
    return .name(name)
  }
}
