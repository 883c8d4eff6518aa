/// Expressions, loosest first: choice, or, and, not, comparisons, `+ -`, `~`, `* / // %`, `**`,
/// signs, and tightest what stands behind a value.
extension TemplateParser {
  /// One value, or a tuple without parentheses.
  mutating func tuple(
    withChoice: Bool = true, endsAtRecursive: Bool = false, isInParentheses: Bool = false
  ) throws -> TemplateExpression {
    var parts: [TemplateExpression] = []
    var isTuple = false
    while true {
      if !parts.isEmpty { try expect(.mark(",")) }
      let isOver =
        token == .variableEnd || token == .blockEnd || isMark(")")
        || (endsAtRecursive && isName("recursive"))
      if isOver { break }
      parts.append(try expression(withChoice: withChoice))
      guard isMark(",") else { break }
      isTuple = true
    }
    if isTuple { return .tuple(parts) }
    if let only = parts.first { return only }
    guard isInParentheses else {
      throw TemplateFault(.syntax, "expected an expression, got \(token.words)", at: place)
    }
    return .tuple([])
  }

  /// One value.
  mutating func expression(withChoice: Bool = true) throws -> TemplateExpression {
    try deeper { try withChoice ? $0.choice() : $0.or() }
  }

  private mutating func choice() throws -> TemplateExpression {
    let before = unknown.count
    var value = try or()
    while skip(.name("if")) {
      let test = try or()
      let other = skip(.name("else")) ? try deeper { try $0.choice() } : nil
      soften(from: before)
      value = try grown(.choice(test: test, value: value, other: other))
    }
    return value
  }

  /// `a if b if c …` nests to the left: such a chain is bounded as parentheses are.
  private mutating func grown(_ value: TemplateExpression) throws -> TemplateExpression {
    var levels = 0
    var inner = value
    while case .choice(_, let next, _) = inner {
      levels += 1
      inner = next
    }
    guard levels <= 8 else {
      throw TemplateFault(.limit, "more than 8 choices without else in one", at: place)
    }
    return value
  }

  private mutating func or() throws -> TemplateExpression {
    var parts = [try and()]
    while skip(.name("or")) { parts.append(try and()) }
    return parts.count == 1 ? parts[0] : .or(parts)
  }

  private mutating func and() throws -> TemplateExpression {
    var parts = [try not()]
    while skip(.name("and")) { parts.append(try not()) }
    return parts.count == 1 ? parts[0] : .and(parts)
  }

  private mutating func not() throws -> TemplateExpression {
    var count = 0
    while skip(.name("not")) { count += 1 }
    let value = try comparison()
    guard count > 0 else { return value }
    return count % 2 == 1 ? .not(value) : .not(.not(value))
  }

  private mutating func comparison() throws -> TemplateExpression {
    let first = try sum()
    var rest: [TemplateExpression.Operand<TemplateExpression.Comparison>] = []
    while true {
      let at = place
      let what: TemplateExpression.Comparison
      if case .mark(let mark) = token, let known = TemplateExpression.Comparison(rawValue: mark) {
        advance()
        what = known
      } else if skip(.name("in")) {
        what = .isIn
      } else if isName("not"), following == .name("in") {
        advance()
        advance()
        what = .notIn
      } else {
        break
      }
      rest.append(.init(what: what, right: try sum(), at: at))
    }
    return rest.isEmpty ? first : .compare(first, rest)
  }

  private mutating func sum() throws -> TemplateExpression {
    try chain([.plus, .minus]) { try $0.concatenation() }
  }

  private mutating func concatenation() throws -> TemplateExpression {
    var parts = [try product()]
    while skip(.mark("~")) { parts.append(try product()) }
    return parts.count == 1 ? parts[0] : .concatenation(parts)
  }

  private mutating func product() throws -> TemplateExpression {
    try chain([.times, .divide, .divideDown, .remainder]) { parser in
      try parser.chain([.power]) { try $0.signed() }
    }
  }

  private mutating func chain(
    _ operators: [TemplateExpression.Arithmetic], _ part: (inout Self) throws -> TemplateExpression
  ) throws -> TemplateExpression {
    let first = try part(&self)
    var rest: [TemplateExpression.Operand<TemplateExpression.Arithmetic>] = []
    while case .mark(let mark) = token,
      let what = TemplateExpression.Arithmetic(rawValue: mark), operators.contains(what)
    {
      let at = place
      advance()
      rest.append(.init(what: what, right: try part(&self), at: at))
    }
    return rest.isEmpty ? first : .arithmetic(first, rest)
  }

  /// A value with its sign. What stands behind it belongs to the value, filters and tests to both.
  private mutating func signed(withFilters: Bool = true) throws -> TemplateExpression {
    let at = place
    var value: TemplateExpression
    if isMark("-") || isMark("+") {
      let isNegative = isMark("-")
      advance()
      value = .sign(
        try deeper { try $0.signed(withFilters: false) }, isNegative: isNegative, at: at)
    } else {
      value = try primary()
    }
    let chain = try postfix(withFilters: withFilters)
    return chain.isEmpty ? value : .postfix(value, chain)
  }

  private mutating func primary() throws -> TemplateExpression {
    let at = place
    switch token {
    case .name(let name):
      advance()
      switch name {
      case "true", "True": return .bool(true)
      case "false", "False": return .bool(false)
      case "none", "None": return .none
      default:
        if ["varargs", "kwargs", "caller"].contains(name) { read.insert(name) }
        return .name(name, at: at)
      }
    case .text(var text):
      advance()
      while case .text(let more) = token {
        text += more
        advance()
      }
      return .text(text)
    case .integer(let value):
      advance()
      return .integer(value)
    case .real(let value):
      advance()
      return .real(value)
    case .mark("("):
      advance()
      let value = try tuple(isInParentheses: true)
      try expect(.mark(")"))
      return value
    case .mark("["):
      advance()
      return .list(try items(until: "]") { try $0.expression() })
    case .mark("{"):
      advance()
      let pairs = try items(until: "}") { parser in
        let key = try parser.expression()
        try parser.expect(.mark(":"))
        return (key: key, value: try parser.expression())
      }
      return .dictionary(pairs, at: at)
    default:
      throw TemplateFault(.syntax, "expected an expression, got \(token.words)", at: at)
    }
  }

  /// Items with commas between them, up to `end`, which is passed over.
  private mutating func items<T>(until end: String, _ item: (inout Self) throws -> T) throws -> [T]
  {
    var result: [T] = []
    while !isMark(end) {
      if !result.isEmpty { try expect(.mark(",")) }
      if isMark(end) { break }
      result.append(try item(&self))
    }
    advance()
    return result
  }

  // MARK: Behind a value

  private mutating func postfix(withFilters: Bool) throws -> [TemplatePostfix] {
    var chain: [TemplatePostfix] = []
    var hasFilter = false
    while true {
      let at = place
      switch token {
      case .mark(".") where !hasFilter:
        advance()
        chain.append(try attribute(at))
      case .mark("[") where !hasFilter:
        advance()
        chain.append(try subscripts(at))
      case .mark("("):
        chain.append(.call(try arguments(), at: at))
      case .mark("|") where withFilters:
        chain.append(try filter())
        hasFilter = true
      case .name("is") where withFilters:
        chain.append(try test())
        hasFilter = true
      default: return chain
      }
    }
  }

  private mutating func attribute(_ at: Int) throws -> TemplatePostfix {
    if case .integer(let number) = token {
      advance()
      return .item(.integer(number), at: at)
    }
    return .attribute(try expectName(), at: at)
  }

  /// What stands in brackets: a value, a slice, or several of them as a tuple.
  private mutating func subscripts(_ at: Int) throws -> TemplatePostfix {
    if isMark("]") {
      throw TemplateFault(.syntax, "expected an expression, got \(token.words)", at: place)
    }
    if let slice = try slice(at) { return slice }
    let first = try expression()
    if let slice = try slice(at, from: first) { return slice }
    var parts = [first]
    while skip(.mark(",")) {
      guard !isMark("]") else { break }
      parts.append(try expression())
    }
    try expect(.mark("]"))
    return .item(parts.count == 1 ? first : .tuple(parts), at: at)
  }

  /// The rest of a slice, if the current token is its colon.
  private mutating func slice(_ at: Int, from first: TemplateExpression? = nil) throws
    -> TemplatePostfix?
  {
    guard skip(.mark(":")) else { return nil }
    var parts: [TemplateExpression?] = [first]
    parts.append(isMark(":") || isMark("]") ? nil : try expression())
    if skip(.mark(":")) { parts.append(isMark("]") ? nil : try expression()) }
    try expect(.mark("]"))
    return .slice(parts, at: at)
  }

  /// Values in parentheses.
  mutating func arguments() throws -> TemplateArguments {
    var result = TemplateArguments()
    try expect(.mark("("))
    var isFirst = true
    while !isMark(")") {
      if !isFirst { try expect(.mark(",")) }
      isFirst = false
      if isMark(")") { break }
      let at = place
      let isRight: Bool
      if skip(.mark("**")) {
        isRight = result.mapping == nil
        result.mapping = try expression()
      } else if skip(.mark("*")) {
        isRight = result.list == nil && result.mapping == nil
        result.list = try expression()
      } else if case .name(let name) = token, following == .mark("=") {
        advance()
        advance()
        isRight = result.mapping == nil && !result.named.contains { $0.name == name }
        result.named.append((name, try expression()))
      } else {
        isRight = result.named.isEmpty && result.list == nil && result.mapping == nil
        result.positional.append(try expression())
      }
      guard isRight else {
        throw TemplateFault(.syntax, "invalid syntax for the arguments of a call", at: at)
      }
    }
    advance()
    return result
  }

  /// Filters of a tag: `| upper | trim`, the first without its bar where `startsInline`.
  mutating func filters(startsInline: Bool) throws -> [TemplatePostfix] {
    var result: [TemplatePostfix] = []
    if startsInline { result.append(try filter(isInline: true)) }
    while isMark("|") { result.append(try filter()) }
    return result
  }

  private mutating func filter(isInline: Bool = false) throws -> TemplatePostfix {
    if !isInline { advance() }
    let at = place
    let name = try dottedName()
    let arguments = isMark("(") ? try arguments() : TemplateArguments()
    if !TemplateFilters.isKnown(name) {
      unknown.append(TemplateFault(.syntax, "no filter has the name '\(name)'", at: at))
    }
    return .filter(name, arguments, at: at)
  }

  private mutating func test() throws -> TemplatePostfix {
    advance()
    let isNegated = skip(.name("not"))
    let at = place
    let name = try dottedName()
    var arguments = TemplateArguments()
    if isMark("(") {
      arguments = try self.arguments()
    } else if beginsArgument {
      if isName("is") {
        throw TemplateFault(.syntax, "tests cannot be chained with 'is'", at: place)
      }
      var value = try deeper { try $0.primary() }
      let chain = try postfix(withFilters: false)
      if !chain.isEmpty { value = .postfix(value, chain) }
      arguments.positional = [value]
    }
    if !TemplateTests.isKnown(name) {
      unknown.append(TemplateFault(.syntax, "no test has the name '\(name)'", at: at))
    }
    return .test(name, arguments, isNegated: isNegated, at: at)
  }

  /// Whether the current token begins the argument of a test that has no parentheses.
  private var beginsArgument: Bool {
    switch token {
    case .name(let name): !["else", "or", "and"].contains(name)
    case .text, .integer, .real, .mark("("), .mark("["), .mark("{"): true
    default: false
    }
  }

  private mutating func dottedName() throws -> String {
    var name = try expectName()
    while skip(.mark(".")) { name += "." + (try expectName()) }
    return name
  }
}
