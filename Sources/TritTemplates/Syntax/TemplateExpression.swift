/// An expression of a template. Chains of operators are lists, so that a long one is not deep.
indirect enum TemplateExpression: Sendable {
  case none
  case bool(Bool)
  case integer(Int)
  case real(Double)
  case text(Scalars)
  case name(String, at: Int)
  case list([TemplateExpression])
  case tuple([TemplateExpression])
  case dictionary([(key: TemplateExpression, value: TemplateExpression)], at: Int)
  /// `value if test else other`; undefined without `other` where the test fails.
  case choice(test: TemplateExpression, value: TemplateExpression, other: TemplateExpression?)
  case or([TemplateExpression])
  case and([TemplateExpression])
  case not(TemplateExpression)
  case compare(TemplateExpression, [Operand<Comparison>])
  case arithmetic(TemplateExpression, [Operand<Arithmetic>])
  /// `a ~ b`: the texts of the values, one behind the other.
  case concatenation([TemplateExpression])
  case sign(TemplateExpression, isNegative: Bool, at: Int)
  case postfix(TemplateExpression, [TemplatePostfix])

  /// An operator and what stands to its right.
  struct Operand<Operator: Sendable>: Sendable {
    let what: Operator
    let right: TemplateExpression
    let at: Int
  }

  /// What compares.
  enum Comparison: String, Sendable {
    case equal = "=="
    case different = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case isIn = "in"
    case notIn = "not in"
  }

  /// What reckons.
  enum Arithmetic: String, Sendable {
    case plus = "+"
    case minus = "-"
    case times = "*"
    case divide = "/"
    case divideDown = "//"
    case remainder = "%"
    case power = "**"
  }
}

/// What may stand behind a value.
enum TemplatePostfix: Sendable {
  /// `.name`.
  case attribute(String, at: Int)
  /// `[value]`.
  case item(TemplateExpression, at: Int)
  /// `[from:to:step]`.
  case slice([TemplateExpression?], at: Int)
  /// `(values)`.
  case call(TemplateArguments, at: Int)
  /// `| name(values)`.
  case filter(String, TemplateArguments, at: Int)
  /// `is name(values)`.
  case test(String, TemplateArguments, isNegated: Bool, at: Int)
}

/// The values between the parentheses of a call.
struct TemplateArguments: Sendable {
  var positional: [TemplateExpression] = []
  var named: [(name: String, value: TemplateExpression)] = []
  /// `*values`.
  var list: TemplateExpression?
  /// `**values`.
  var mapping: TemplateExpression?
}

/// A statement of a template.
indirect enum TemplateStatement: Sendable {
  /// Text as it stands.
  case data(Scalars)
  /// `{{ value }}`.
  case output(TemplateExpression)
  /// `{% set target = value %}`.
  case set(TemplateTarget, TemplateExpression, at: Int)
  /// `{% set target | filters %}…{% endset %}`.
  case setBlock(TemplateTarget, [TemplatePostfix], [TemplateStatement], at: Int)
  /// `{% if %}…{% elif %}…{% else %}…{% endif %}`.
  case choice([(test: TemplateExpression, body: [TemplateStatement])], [TemplateStatement])
  case loop(TemplateLoop)
  case macro(TemplateMacro)
  /// `{% call(parameters) value %}…{% endcall %}`: the body is the `caller` of the call.
  case call(TemplateMacro, TemplateExpression)
  /// `{% filter name %}…{% endfilter %}`.
  case filter([TemplatePostfix], [TemplateStatement])
  /// `{% with a = 1 %}…{% endwith %}`.
  case with([(target: TemplateTarget, value: TemplateExpression)], [TemplateStatement], at: Int)
  /// A body with names of its own: `{% generation %}`.
  case scope([TemplateStatement])
  case leave
  case next
}

/// What a value is assigned to.
indirect enum TemplateTarget: Sendable {
  case name(String)
  case tuple([TemplateTarget])
  /// An attribute of a namespace.
  case attribute(of: String, String)
}

/// `{% for target in values if test %}…{% else %}…{% endfor %}`.
struct TemplateLoop: Sendable {
  let target: TemplateTarget
  let values: TemplateExpression
  let test: TemplateExpression?
  let isRecursive: Bool
  let body: [TemplateStatement]
  let otherwise: [TemplateStatement]
  let at: Int
}

/// `{% macro name(parameters) %}…{% endmacro %}`.
struct TemplateMacro: Sendable {
  let name: String
  let parameters: [(name: String, standard: TemplateExpression?)]
  let body: [TemplateStatement]
  /// Whether the body reads `varargs`, `kwargs`, `caller`, which decides what calls may give.
  let reads: Set<String>
  let at: Int
}
