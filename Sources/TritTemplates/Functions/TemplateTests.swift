/// What may stand behind `is`.
enum TemplateTests {
  private static let names: Set<String> = [
    "boolean", "callable", "defined", "divisibleby", "escaped", "even", "false", "filter", "float",
    "in", "integer", "iterable", "lower", "mapping", "none", "number", "odd", "sameas", "sequence",
    "string", "test", "true", "undefined", "upper",
  ]
  private static let comparisons: [String: TemplateExpression.Comparison] = [
    "==": .equal, "eq": .equal, "equalto": .equal, "!=": .different, "ne": .different,
    "<": .less, "lt": .less, "lessthan": .less, "<=": .lessOrEqual, "le": .lessOrEqual,
    ">": .greater, "gt": .greater, "greaterthan": .greater, ">=": .greaterOrEqual,
    "ge": .greaterOrEqual,
  ]

  static func isKnown(_ name: String) -> Bool { names.contains(name) || comparisons[name] != nil }

  /// Whether `value` passes the test `name`.
  static func holds(
    _ name: String, _ value: TemplateValue, _ call: TemplateCall, _ machine: TemplateMachine
  ) throws -> Bool {
    if let comparison = comparisons[name] {
      return try machine.compare(value, comparison, try call.unnamed(1...1)[0])
    }
    switch name {
    case "divisibleby":
      let by = try call.unnamed(1...1)[0]
      let rest = try machine.reckon(value, .remainder, by)
      return try machine.areEqual(rest, .integer(0))
    case "in": return try machine.contains(try call.unnamed(1...1)[0], value)
    case "sameas": return try isSame(value, try call.unnamed(1...1)[0], machine)
    default: _ = try call.unnamed(0...0)
    }
    switch name {
    case "odd", "even":
      let rest = try machine.reckon(value, .remainder, .integer(2))
      return try machine.areEqual(rest, .integer(name == "odd" ? 1 : 0))
    case "lower", "upper":
      let text = try machine.shown(value)
      return name == "lower" ? TextMethods.isLower(text) : TextMethods.isUpper(text)
    case "filter": return value.scalars.map { TemplateFilters.isKnown($0.string) } ?? false
    case "test": return value.scalars.map { isKnown($0.string) } ?? false
    default: return try isOfKind(name, value)
    }
  }

  private static func isOfKind(_ name: String, _ value: TemplateValue) throws -> Bool {
    switch (name, value) {
    case ("undefined", .undefined), ("none", .none), ("boolean", .bool), ("true", .bool(true)),
      ("false", .bool(false)), ("float", .real), ("integer", .integer), ("string", .text),
      ("mapping", .dictionary), ("number", .integer), ("number", .real), ("number", .bool):
      true
    case ("defined", _): if case .undefined = value { false } else { true }
    case ("escaped", .text(let text)): text.isMarkup
    case ("callable", .macro), ("callable", .function), ("callable", .loop),
      ("callable", .joiner), ("callable", .undefined):
      true
    case ("sequence", .text), ("sequence", .list), ("sequence", .tuple),
      ("sequence", .dictionary), ("sequence", .range), ("sequence", .undefined):
      true
    case ("iterable", .text), ("iterable", .list), ("iterable", .tuple), ("iterable", .dictionary),
      ("iterable", .range), ("iterable", .view), ("iterable", .iterator), ("iterable", .loop),
      ("iterable", .undefined):
      true
    default: false
    }
  }

  /// Python's `is`, where it can be told: constants and objects, not numbers and texts.
  private static func isSame(
    _ left: TemplateValue, _ right: TemplateValue, _ machine: TemplateMachine
  ) throws -> Bool {
    switch (left, right) {
    case (.none, .none): return true
    case (.bool(let a), .bool(let b)): return a == b
    case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)): return a === b
    case (.dictionary(let a), .dictionary(let b)): return a === b
    case (.integer(let a), .integer(let b)) where a != b || (-5...256).contains(a): return a == b
    case (.integer, .integer), (.real, .real), (.text, .text):
      throw TemplateFault(.unsupported, "the test 'sameas' of numbers and texts")
    default: return left.type == right.type ? try machine.areEqual(left, right) : false
    }
  }
}
