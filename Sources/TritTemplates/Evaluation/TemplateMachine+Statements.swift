/// What a statement does to the loop around it.
enum TemplateFlow {
  case onward
  case leaves
  case nextRound
}

extension TemplateMachine {
  /// Runs statements in order.
  func run(_ body: [TemplateStatement], _ scope: TemplateScope) throws -> TemplateFlow {
    try deeper {
      for statement in body {
        let flow = try run(statement, scope)
        guard case .onward = flow else { return flow }
      }
      return .onward
    }
  }

  private func run(_ statement: TemplateStatement, _ scope: TemplateScope) throws -> TemplateFlow {
    try spend()
    switch statement {
    case .data(let text): try emit(text)
    case .output(let value): try emit(try shown(try evaluate(value, scope)))
    case .set(let target, let value, let at):
      let value = try evaluate(value, scope)
      place = at
      try assign(value, to: target, scope)
    case .setBlock(let target, let filters, let body, let at):
      let text = try block(body, scope)
      let value = try postfix(try self.text(text), filters, scope)
      place = at
      try assign(value, to: target, scope)
    case .choice(let branches, let otherwise):
      for branch in branches where try evaluate(branch.test, scope).isTrue {
        return try run(branch.body, scope)
      }
      return try run(otherwise, scope)
    case .loop(let loop):
      try run(loop, over: try evaluate(loop.values, scope), scope)
    case .macro(let definition):
      remember(scope)
      scope.values[definition.name] = .macro(MacroValue(definition, scope))
    case .call(let caller, let value):
      try call(caller, value, scope)
    case .filter(let filters, let body):
      let value = try postfix(try text(try block(body, scope)), filters, scope)
      // What a block gives is put between texts as it is.
      guard let scalars = value.scalars else {
        throw TemplateFault(
          .type, "sequence item 0: expected str instance, \(value.type) found")
      }
      try emit(scalars)
    case .with(let pairs, let body, let at):
      let inner = TemplateScope(scope)
      for pair in pairs {
        let value = try evaluate(pair.value, scope)
        place = at
        try assign(value, to: pair.target, inner)
      }
      return try run(body, inner)
    case .scope(let body): return try run(body, TemplateScope(scope))
    case .leave: return .leaves
    case .next: return .nextRound
    }
    return .onward
  }

  /// What a body with names of its own prints.
  private func block(_ body: [TemplateStatement], _ scope: TemplateScope) throws -> Scalars {
    try captured { _ = try run(body, TemplateScope(scope)) }
  }

  // MARK: Assignment

  func assign(_ value: TemplateValue, to target: TemplateTarget, _ scope: TemplateScope) throws {
    switch target {
    case .name(let name): scope.values[name] = value
    case .attribute(let owner, let name):
      guard case .namespace(let namespace) = scope.value(owner) else {
        throw TemplateFault(
          .runtime, "'\(owner)' is no namespace: its attribute '\(name)' cannot be set")
      }
      namespace.set(name, value)
    case .tuple(let targets):
      guard let values = try? elements(of: value) else {
        throw TemplateFault(.type, "cannot unpack non-iterable \(value.type) object")
      }
      guard values.count == targets.count else {
        throw TemplateFault(
          .value, "\(values.count) values for \(targets.count) names")
      }
      for (target, value) in zip(targets, values) { try assign(value, to: target, scope) }
    }
  }

  // MARK: Loops

  /// Runs a loop over what `values` has.
  func run(_ loop: TemplateLoop, over values: TemplateValue, _ scope: TemplateScope) throws {
    place = loop.at
    var items = try elements(of: values)
    if let test = loop.test {
      items = try items.filter { item in
        try spend()
        let inner = TemplateScope(scope)
        inner.values["loop"] = .undefined(
          UndefinedValue(message: "'loop' is undefined in the filter of a loop"))
        place = loop.at
        try assign(item, to: loop.target, inner)
        return try evaluate(test, inner).isTrue
      }
    }
    guard !items.isEmpty else {
      _ = try run(loop.otherwise, TemplateScope(scope))
      return
    }
    let state = LoopValue(
      items, level: level, recursion: loop.isRecursive ? (loop, scope) : nil)
    level += 1
    defer { level -= 1 }
    for (index, item) in items.enumerated() {
      try spend()
      state.index = index
      let round = TemplateScope(scope)
      if loop.isRecursive { remember(round) }
      round.values["loop"] = .loop(state)
      place = loop.at
      try assign(item, to: loop.target, round)
      if case .leaves = try run(loop.body, round) { break }
    }
  }

  // MARK: Macros

  /// `{% call %}`: a call that can print the body.
  private func call(_ caller: TemplateMacro, _ value: TemplateExpression, _ scope: TemplateScope)
    throws
  {
    guard case .postfix(let base, let chain) = value, case .call(let arguments, let at) = chain.last
    else { return }
    let called = try postfix(try evaluate(base, scope), Array(chain.dropLast()), scope)
    var call = try self.call(arguments, scope, name: "call")
    call.named.append(("caller", .macro(MacroValue(caller, scope))))
    remember(scope)
    place = at
    try emit(try shown(try invoke(called, call)))
  }

  /// Runs a macro and gives what it prints.
  func run(_ macro: MacroValue, _ call: TemplateCall) throws -> TemplateValue {
    let definition = macro.definition
    let scope = TemplateScope(macro.scope)
    let names = definition.parameters.map(\.name)
    var named = call.named
    for (index, parameter) in definition.parameters.enumerated() {
      if index < call.positional.count {
        scope.values[parameter.name] = call.positional[index]
        guard !named.contains(where: { $0.name == parameter.name }) else {
          throw TemplateFault(
            .type, "macro '\(definition.name)' got two values for '\(parameter.name)'")
        }
      } else if let given = named.firstIndex(where: { $0.name == parameter.name }) {
        scope.values[parameter.name] = named.remove(at: given).value
      } else if let standard = parameter.standard {
        scope.values[parameter.name] = try evaluate(standard, scope)
      } else {
        scope.values[parameter.name] = .undefined(
          UndefinedValue(message: "parameter '\(parameter.name)' was not provided"))
      }
    }
    if definition.reads.contains("caller"), !names.contains("caller") {
      let given = named.firstIndex { $0.name == "caller" }
      scope.values["caller"] =
        given.map { named.remove(at: $0).value }
        ?? .undefined(UndefinedValue(message: "no caller was given to the macro"))
    }
    if definition.reads.contains("kwargs") {
      scope.values["kwargs"] = try dictionary(named.map { (.text($0.name), $0.value) })
    } else if let unknown = named.first {
      throw TemplateFault(
        .type, "macro '\(definition.name)' takes no keyword argument '\(unknown.name)'")
    }
    let rest = Array(call.positional.dropFirst(names.count))
    if definition.reads.contains("varargs") {
      scope.values["varargs"] = try tuple(rest)
    } else if !rest.isEmpty {
      throw TemplateFault(
        .type,
        "macro '\(definition.name)' takes not more than \(names.count) arguments"
      )
    }
    let before = level
    level = 0
    defer { level = before }
    return try text(try captured { _ = try run(definition.body, scope) })
  }
}
