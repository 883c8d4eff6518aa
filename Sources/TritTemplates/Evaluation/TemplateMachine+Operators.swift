#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension TemplateMachine {
  // MARK: Comparison

  /// Python's `==`, for lists element by element.
  func areEqual(_ left: TemplateValue, _ right: TemplateValue) throws -> Bool {
    try spend()
    switch (left, right) {
    case (.undefined, .undefined), (.none, .none): return true
    case (.text(let a), .text(let b)):
      try spend(min(a.scalars.count, b.scalars.count) / 8)
      return a.scalars == b.scalars
    case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
      return try a === b || areEqual(a.elements, b.elements)
    case (.dictionary(let a), .dictionary(let b)):
      guard a.keys.count == b.keys.count else { return false }
      for (key, value) in zip(a.keys, a.values) {
        guard let place = DictionaryKey(key), let other = b[place], try areEqual(value, other)
        else { return false }
      }
      return true
    case (.range(let a), .range(let b)):
      guard a.count == b.count else { return false }
      return a.count == 0 || (a.start == b.start && (a.count == 1 || a.step == b.step))
    case (.namespace(let a), .namespace(let b)): return a === b
    case (.macro(let a), .macro(let b)): return a === b
    case (.loop(let a), .loop(let b)): return a === b
    case (.iterator(let a), .iterator(let b)): return a === b
    default:
      if let a = left.integer, let b = right.integer { return a == b }
      guard let a = left.number, let b = right.number else { return false }
      if let whole = left.integer ?? right.integer {
        let real = left.integer == nil ? a : b
        return Int(exactly: real) == whole
      }
      return a == b
    }
  }

  func areEqual(_ left: [TemplateValue], _ right: [TemplateValue]) throws -> Bool {
    guard left.count == right.count else { return false }
    for (a, b) in zip(left, right) {
      guard try areEqual(a, b) else { return false }
    }
    return true
  }

  /// Python's `<`. Throws where the types have no order.
  func isLess(_ left: TemplateValue, _ right: TemplateValue, _ sign: String = "<") throws -> Bool {
    try spend()
    if let a = left.integer, let b = right.integer { return a < b }
    if let a = left.number, let b = right.number { return a < b }
    switch (left, right) {
    case (.undefined(let undefined), _), (_, .undefined(let undefined)): throw fault(undefined)
    case (.text(let a), .text(let b)):
      try spend(min(a.scalars.count, b.scalars.count) / 8)
      return a.scalars.lexicographicallyPrecedes(b.scalars)
    case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
      for (x, y) in zip(a.elements, b.elements) where try !areEqual(x, y) {
        return try isLess(x, y, sign)
      }
      return a.elements.count < b.elements.count
    default:
      throw TemplateFault(
        .type, "'\(sign)' not supported between instances of '\(left.type)' and '\(right.type)'")
    }
  }

  /// Whether `container` has `value`.
  func contains(_ container: TemplateValue, _ value: TemplateValue) throws -> Bool {
    switch container {
    case .text(let text):
      guard let part = value.scalars else {
        throw TemplateFault(
          .type, "'in <string>' requires string as left operand, not \(value.type)")
      }
      try spend(text.scalars.count / 8 * max(1, min(part.count, 64)))
      return text.scalars.position(of: part) != nil
    case .dictionary(let dictionary):
      guard let key = DictionaryKey(value) else {
        throw TemplateFault(.type, "unhashable type: '\(value.type)'")
      }
      return dictionary[key] != nil
    case .range(let range):
      guard let number = value.number, let whole = Int(exactly: number) else { return false }
      let offset = whole - range.start
      return offset % range.step == 0 && (0..<range.count).contains(offset / range.step)
    case .undefined, .list, .tuple, .view, .iterator:
      for element in try elements(of: container) where try areEqual(element, value) { return true }
      return false
    default:
      throw TemplateFault(.type, "argument of type '\(container.type)' is not iterable")
    }
  }

  func compare(
    _ left: TemplateValue, _ what: TemplateExpression.Comparison, _ right: TemplateValue
  ) throws -> Bool {
    switch what {
    case .equal: try areEqual(left, right)
    case .different: try !areEqual(left, right)
    case .less: try isLess(left, right)
    case .greater: try isLess(right, left, ">")
    case .lessOrEqual:
      try isNumber(left, right) { $0 <= $1 } ?? !isLess(right, left, "<=")
    case .greaterOrEqual:
      try isNumber(left, right) { $0 >= $1 } ?? !isLess(left, right, ">=")
    case .isIn: try contains(right, left)
    case .notIn: try !contains(right, left)
    }
  }

  /// Numbers that may be NaN, which no order holds for.
  private func isNumber(
    _ left: TemplateValue, _ right: TemplateValue, _ holds: (Double, Double) -> Bool
  ) -> Bool? {
    guard left.integer == nil || right.integer == nil, let a = left.number, let b = right.number
    else { return nil }
    return holds(a, b)
  }

  // MARK: Reckoning

  func signed(_ value: TemplateValue, isNegative: Bool) throws -> TemplateValue {
    if let number = value.integer {
      guard isNegative else { return .integer(number) }
      let (result, isTooLarge) = 0.subtractingReportingOverflow(number)
      guard !isTooLarge else { throw Self.tooLarge }
      return .integer(result)
    }
    switch value {
    case .real(let number): return .real(isNegative ? -number : number)
    case .undefined(let undefined): throw fault(undefined)
    default:
      throw TemplateFault(
        .type, "bad operand type for unary \(isNegative ? "-" : "+"): '\(value.type)'")
    }
  }

  static let tooLarge = TemplateFault(.unsupported, "a whole number of more than 64 bits")

  func reckon(
    _ left: TemplateValue, _ what: TemplateExpression.Arithmetic, _ right: TemplateValue
  ) throws -> TemplateValue {
    if let a = left.integer, let b = right.integer { return try whole(a, what, b) }
    if let a = left.number, let b = right.number { return .real(try real(a, what, b)) }
    switch (left, what, right) {
    case (.text(let text), .remainder, _): return try formatted(text, with: right)
    case (.undefined(let undefined), _, _), (_, _, .undefined(let undefined)):
      throw fault(undefined)
    case (.text(let a), .plus, .text(let b)):
      try grow(a.scalars.count + b.scalars.count)
      guard a.isMarkup || b.isMarkup else {
        return .text(TextValue(scalars: a.scalars + b.scalars))
      }
      return .text(
        TextValue(scalars: Self.escaped(a) + Self.escaped(b), isMarkup: true))
    case (.list(let a), .plus, .list(let b)): return try list(a.elements + b.elements)
    case (.tuple(let a), .plus, .tuple(let b)): return try tuple(a.elements + b.elements)
    case (_, .times, _):
      if let count = right.integer { return try repeated(left, count) }
      if let count = left.integer { return try repeated(right, count) }
    default: break
    }
    if case .text(let text) = left, what == .plus {
      throw TemplateFault(
        .type,
        "can only concatenate str (not \"\(right.type)\") to \(text.isMarkup ? "Markup" : "str")")
    }
    throw unsupported(left, what, right)
  }

  private func unsupported(
    _ left: TemplateValue, _ what: TemplateExpression.Arithmetic, _ right: TemplateValue
  ) -> TemplateFault {
    TemplateFault(
      .type,
      "unsupported operand type(s) for \(what.rawValue): '\(left.type)' and '\(right.type)'")
  }

  /// A sequence several times.
  private func repeated(_ value: TemplateValue, _ count: Int) throws -> TemplateValue {
    switch value {
    case .text(let text):
      try grow(text.scalars.count, times: count)
      let all = Array(repeatElement(text.scalars, count: max(0, count)).joined())
      return .text(TextValue(scalars: all, isMarkup: text.isMarkup))
    case .list(let items), .tuple(let items):
      try grow(items.elements.count, times: count, isList: true)
      let all = Array(repeatElement(items.elements, count: max(0, count)).joined())
      if case .list = value { return try list(all) }
      return try tuple(all)
    default: throw unsupported(value, .times, .integer(count))
    }
  }

  private func whole(_ a: Int, _ what: TemplateExpression.Arithmetic, _ b: Int) throws
    -> TemplateValue
  {
    let result: (partialValue: Int, overflow: Bool)
    switch what {
    case .plus: result = a.addingReportingOverflow(b)
    case .minus: result = a.subtractingReportingOverflow(b)
    case .times: result = a.multipliedReportingOverflow(by: b)
    case .divide:
      guard b != 0 else { throw TemplateFault(.division, "division by zero") }
      return .real(Double(a) / Double(b))
    case .divideDown, .remainder:
      guard b != 0 else {
        throw TemplateFault(.division, "integer division or modulo by zero")
      }
      guard a != .min || b != -1 else { throw Self.tooLarge }
      let isOff = a % b != 0 && (a < 0) != (b < 0)
      return .integer(
        what == .divideDown ? a / b - (isOff ? 1 : 0) : a % b + (isOff ? b : 0))
    case .power:
      if b < 0 { return .real(try real(Double(a), .power, Double(b))) }
      // The powers of −1, 0 and 1 repeat; all others are beyond 64 bits before the 64th.
      var power = 1
      for _ in 0..<(a.magnitude < 2 && b > 2 ? 2 - b % 2 : min(b, 64)) {
        let (next, isTooLarge) = power.multipliedReportingOverflow(by: a)
        guard !isTooLarge else { throw Self.tooLarge }
        power = next
      }
      return .integer(power)
    }
    guard !result.overflow else { throw Self.tooLarge }
    return .integer(result.partialValue)
  }

  private func real(_ a: Double, _ what: TemplateExpression.Arithmetic, _ b: Double) throws
    -> Double
  {
    switch what {
    case .plus: return a + b
    case .minus: return a - b
    case .times: return a * b
    case .divide:
      guard b != 0 else { throw TemplateFault(.division, "float division by zero") }
      return a / b
    case .divideDown, .remainder:
      guard b != 0 else { throw TemplateFault(.division, "float floor division by zero") }
      var rest = fmod(a, b)
      if rest != 0, (rest < 0) != (b < 0) { rest += b }
      if rest == 0 { rest = b < 0 ? -0.0 : 0 }
      guard what == .divideDown else { return rest }
      let quotient = (a - rest) / b
      let floor = quotient.rounded(.down)
      return quotient - floor > 0.5 ? floor + 1 : floor
    case .power:
      guard a != 0 || b >= 0 else {
        throw TemplateFault(.division, "0.0 cannot be raised to a negative power")
      }
      let result = pow(a, b)
      guard !result.isNaN || a.isNaN || b.isNaN else {
        throw TemplateFault(.unsupported, "a complex number")
      }
      guard result.isFinite || !a.isFinite || !b.isFinite else {
        throw TemplateFault(.overflow, "the result is too large")
      }
      return result
    }
  }
}
