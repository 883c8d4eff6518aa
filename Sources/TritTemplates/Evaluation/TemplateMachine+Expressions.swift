extension TemplateMachine {
  /// The value of an expression.
  func evaluate(_ expression: TemplateExpression, _ scope: TemplateScope) throws -> TemplateValue {
    try spend()
    switch expression {
    case .none: return .none
    case .bool(let value): return .bool(value)
    case .integer(let value): return .integer(value)
    case .real(let value): return .real(value)
    case .text(let text): return .text(TextValue(scalars: text))
    case .name(let name, let at):
      place = at
      return scope.value(name) ?? UndefinedValue.name(name)
    default: return try deeper { try compound(expression, scope) }
    }
  }

  private func compound(_ expression: TemplateExpression, _ scope: TemplateScope) throws
    -> TemplateValue
  {
    switch expression {
    case .list(let parts): return try list(try parts.map { try evaluate($0, scope) })
    case .tuple(let parts): return try tuple(try parts.map { try evaluate($0, scope) })
    case .dictionary(let pairs, let at):
      let values = try pairs.map { (try evaluate($0.key, scope), try evaluate($0.value, scope)) }
      place = at
      return try dictionary(values)
    case .choice(let test, let value, let other):
      if try evaluate(test, scope).isTrue { return try evaluate(value, scope) }
      return try other.map { try evaluate($0, scope) }
        ?? .undefined(
          UndefinedValue(message: "the inline if-expression evaluated to false and has no else"))
    case .or(let parts):
      for part in parts.dropLast() {
        let value = try evaluate(part, scope)
        if value.isTrue { return value }
      }
      return try evaluate(parts[parts.count - 1], scope)
    case .and(let parts):
      for part in parts.dropLast() {
        let value = try evaluate(part, scope)
        if !value.isTrue { return value }
      }
      return try evaluate(parts[parts.count - 1], scope)
    case .not(let value): return .bool(!(try evaluate(value, scope).isTrue))
    case .compare(let first, let rest):
      var left = try evaluate(first, scope)
      for operand in rest {
        let right = try evaluate(operand.right, scope)
        place = operand.at
        guard try compare(left, operand.what, right) else { return .bool(false) }
        left = right
      }
      return .bool(true)
    case .arithmetic(let first, let rest):
      var value = try evaluate(first, scope)
      for operand in rest {
        let right = try evaluate(operand.right, scope)
        place = operand.at
        value = try reckon(value, operand.what, right)
      }
      return value
    case .concatenation(let parts):
      var result: Scalars = []
      for part in parts {
        let text = try shown(try evaluate(part, scope))
        try grow(by: text.count, to: result.count + text.count)
        result += text
      }
      return .text(TextValue(scalars: result))
    case .sign(let value, let isNegative, let at):
      let value = try evaluate(value, scope)
      place = at
      return try signed(value, isNegative: isNegative)
    case .postfix(let base, let chain):
      return try postfix(try evaluate(base, scope), chain, scope)
    default: return try evaluate(expression, scope)
    }
  }

  /// A value with what stands behind it.
  func postfix(_ base: TemplateValue, _ chain: [TemplatePostfix], _ scope: TemplateScope) throws
    -> TemplateValue
  {
    var value = base
    for part in chain {
      try spend()
      switch part {
      case .attribute(let name, let at):
        place = at
        value = try attribute(value, name)
      case .item(let key, let at):
        let key = try evaluate(key, scope)
        place = at
        value = try item(value, key)
      case .slice(let parts, let at):
        let bounds = try parts.map { try $0.map { try evaluate($0, scope) } }
        place = at
        value = try slice(value, bounds)
      case .call(let arguments, let at):
        let call = try call(arguments, scope, name: "call")
        place = at
        value = try invoke(value, call)
      case .filter(let name, let arguments, let at):
        var call = try call(arguments, scope, name: name)
        call.positional.insert(value, at: 0)
        place = at
        value = try TemplateFilters.apply(name, call, self)
      case .test(let name, let arguments, let isNegated, let at):
        let call = try call(arguments, scope, name: name)
        place = at
        value = .bool(try TemplateTests.holds(name, value, call, self) != isNegated)
      }
    }
    return value
  }

  /// The values of a call, from left to right.
  func call(_ arguments: TemplateArguments, _ scope: TemplateScope, name: String) throws
    -> TemplateCall
  {
    var call = TemplateCall(
      name: name, positional: try arguments.positional.map { try evaluate($0, scope) },
      named: try arguments.named.map { ($0.name, try evaluate($0.value, scope)) })
    if let list = arguments.list {
      call.positional += try elements(of: try evaluate(list, scope))
    }
    if let mapping = arguments.mapping {
      guard case .dictionary(let values) = try evaluate(mapping, scope) else {
        throw TemplateFault(.type, "argument after ** must be a mapping")
      }
      for (key, value) in zip(values.keys, values.values) {
        guard let key = key.scalars else {
          throw TemplateFault(.type, "keywords must be strings")
        }
        guard !call.named.contains(where: { $0.name == key.string }) else {
          throw TemplateFault(.type, "two values for the keyword argument '\(key.string)'")
        }
        call.named.append((key.string, value))
      }
    }
    return call
  }

  /// Calls a value.
  func invoke(_ value: TemplateValue, _ call: TemplateCall) throws -> TemplateValue {
    try deeper {
      switch value {
      case .undefined(let undefined): throw fault(undefined)
      case .macro(let macro): return try run(macro, call)
      case .function(let function):
        var call = call
        call.name = function.name
        return try function.body(self, call)
      case .loop(let loop):
        guard let recursion = loop.recursion else {
          throw TemplateFault(
            .type, "the loop must have the 'recursive' marker to be called")
        }
        let values = try call.unnamed(1...1)[0]
        return try text(
          try captured { try run(recursion.loop, over: values, recursion.scope) })
      case .joiner(let joiner):
        defer { joiner.isUsed = true }
        return joiner.isUsed ? joiner.separator : .text([])
      default: throw TemplateFault(.type, "'\(value.type)' object is not callable")
      }
    }
  }

  /// The error of an undefined value that is used.
  func fault(_ undefined: UndefinedValue) -> TemplateFault {
    TemplateFault(undefined.isForbidden ? .sandbox : .undefined, undefined.message)
  }
}
