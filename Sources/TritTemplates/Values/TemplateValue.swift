/// A value while a template is rendered: what Python has, as far as templates use it.
///
/// Everything but namespaces, loops and one-shot sequences is immutable, as in Jinja's immutable
/// sandbox.
enum TemplateValue {
  /// What is not there; printed as nothing, an error for most else.
  case undefined(UndefinedValue)
  case none
  case bool(Bool)
  case integer(Int)
  case real(Double)
  case text(TextValue)
  case list(SequenceValue)
  case tuple(SequenceValue)
  case dictionary(DictionaryValue)
  case range(RangeValue)
  /// `items()`, `keys()` or `values()` of a dictionary: no indices.
  case view(SequenceValue, type: String)
  /// What can be gone through once: `map`, `select`, `items` and other filters give it.
  case iterator(IteratorValue)
  case namespace(NamespaceValue)
  case loop(LoopValue)
  case macro(MacroValue)
  case function(FunctionValue)
  case cycler(CyclerValue)
  case joiner(JoinerValue)

  /// A plain text.
  static func text(_ scalars: Scalars) -> Self { .text(TextValue(scalars: scalars)) }

  /// A plain text.
  static func text(_ text: String) -> Self { .text(TextValue(scalars: Scalars(text))) }

  /// The name of Python's type.
  var type: String {
    switch self {
    case .undefined: "Undefined"
    case .none: "NoneType"
    case .bool: "bool"
    case .integer: "int"
    case .real: "float"
    case .text(let text): text.isMarkup ? "Markup" : "str"
    case .list: "list"
    case .tuple: "tuple"
    case .dictionary: "dict"
    case .range: "range"
    case .view(_, let type): type
    case .iterator: "generator"
    case .namespace: "Namespace"
    case .loop: "LoopContext"
    case .macro: "Macro"
    case .function: "function"
    case .cycler: "Cycler"
    case .joiner: "Joiner"
    }
  }

  /// The type as messages of undefined values write it.
  var owner: String { if case .none = self { "None" } else { "\(type) object" } }

  /// Values inside each other.
  var depth: Int {
    switch self {
    case .list(let items), .tuple(let items), .view(let items, _): items.depth
    case .dictionary(let dictionary): dictionary.depth
    case .iterator(let iterator): iterator.items.depth
    case .namespace, .loop, .macro, .function, .cycler: 1
    default: 0
    }
  }

  /// Whether Python takes it for true.
  var isTrue: Bool {
    switch self {
    case .undefined, .none: false
    case .bool(let value): value
    case .integer(let value): value != 0
    case .real(let value): value != 0
    case .text(let text): !text.scalars.isEmpty
    case .list(let items), .tuple(let items), .view(let items, _): !items.elements.isEmpty
    case .dictionary(let dictionary): !dictionary.keys.isEmpty
    case .range(let range): range.count > 0
    case .loop(let loop): !loop.items.isEmpty
    default: true
    }
  }

  /// The code points, if this is text.
  var scalars: Scalars? { if case .text(let text) = self { text.scalars } else { nil } }

  /// A whole number, also of a truth value.
  var integer: Int? {
    switch self {
    case .integer(let value): value
    case .bool(let value): value ? 1 : 0
    default: nil
    }
  }

  /// A number, also of a truth value.
  var number: Double? {
    if case .real(let value) = self { value } else { integer.map(Double.init) }
  }
}

/// Text. Markup escapes what is put together with it by `+`.
struct TextValue {
  var scalars: Scalars
  var isMarkup = false
}

/// What an undefined value says when it is used.
struct UndefinedValue {
  let message: String
  /// Whether the sandbox hides what is there.
  var isForbidden = false

  /// A name that nothing has.
  static func name(_ name: String) -> TemplateValue {
    .undefined(UndefinedValue(message: "'\(name)' is undefined"))
  }
}

/// The elements of a list or tuple.
final class SequenceValue {
  let elements: [TemplateValue]
  let depth: Int

  init(_ elements: [TemplateValue]) {
    self.elements = elements
    depth = (elements.lazy.map(\.depth).max() ?? 0) + 1
  }
}

/// A dictionary in the order in which its keys came.
final class DictionaryValue {
  let keys: [TemplateValue]
  let values: [TemplateValue]
  let depth: Int
  private let places: [DictionaryKey: Int]

  /// A later value of a key replaces an earlier one, in its place.
  init(_ pairs: [(key: DictionaryKey, shown: TemplateValue, value: TemplateValue)]) {
    var keys: [TemplateValue] = []
    var values: [TemplateValue] = []
    var places: [DictionaryKey: Int] = [:]
    for pair in pairs {
      if let place = places[pair.key] {
        values[place] = pair.value
      } else {
        places[pair.key] = keys.count
        keys.append(pair.shown)
        values.append(pair.value)
      }
    }
    (self.keys, self.values, self.places) = (keys, values, places)
    depth = (values.lazy.map(\.depth).max() ?? 0) + 1
  }

  /// The value of a key.
  subscript(key: DictionaryKey) -> TemplateValue? { places[key].map { values[$0] } }

  /// The value of a key that is text.
  subscript(name: String) -> TemplateValue? { self[.text(Scalars(name))] }

  /// Pairs of keys and values.
  var pairs: [TemplateValue] {
    keys.indices.map { .tuple(SequenceValue([keys[$0], values[$0]])) }
  }
}

/// What can be the key of a dictionary: equal numbers of different types are one key.
enum DictionaryKey: Hashable {
  case undefined
  case none
  case integer(Int)
  case real(Double)
  case text(Scalars)
  case tuple([DictionaryKey])

  /// The key for `value`; nil where Python cannot hash it.
  init?(_ value: TemplateValue) {
    switch value {
    case .undefined: self = .undefined
    case .none: self = .none
    case .bool(let value): self = .integer(value ? 1 : 0)
    case .integer(let value): self = .integer(value)
    case .real(let value): self = Int(exactly: value).map { .integer($0) } ?? .real(value)
    case .text(let text): self = .text(text.scalars)
    case .tuple(let items):
      // Shared parts could make a small value a huge key.
      guard items.depth <= 4, items.elements.count <= 64 else { return nil }
      var keys: [DictionaryKey] = []
      for element in items.elements {
        guard let key = DictionaryKey(element) else { return nil }
        keys.append(key)
      }
      self = .tuple(keys)
    default: return nil
    }
  }
}

/// `range(start, stop, step)`.
struct RangeValue {
  let start: Int
  let stop: Int
  let step: Int

  /// How many numbers there are.
  var count: Int {
    step > 0
      ? start < stop ? (stop - start - 1) / step + 1 : 0
      : start > stop ? (start - stop - 1) / -step + 1 : 0
  }

  subscript(index: Int) -> TemplateValue { .integer(start + index * step) }
}

/// A sequence that is gone through once.
final class IteratorValue {
  let items: SequenceValue
  private var next = 0
  /// What is wrong behind the last element, told to who gets that far, once.
  private var fault: TemplateFault?

  init(_ elements: [TemplateValue], fault: TemplateFault? = nil) {
    items = SequenceValue(elements)
    self.fault = fault
  }

  /// What is left; nothing is left then.
  func drain() throws -> [TemplateValue] {
    let rest = Array(items.elements[next...])
    next = items.elements.count
    if let fault {
      self.fault = nil
      throw fault
    }
    return rest
  }

  /// The next one.
  func pop() throws -> TemplateValue? {
    guard next < items.elements.count else {
      defer { fault = nil }
      if let fault { throw fault }
      return nil
    }
    next += 1
    return items.elements[next - 1]
  }
}

/// `namespace()`: values that can be assigned from inside of loops.
final class NamespaceValue {
  var names: [String] = []
  var values: [String: TemplateValue] = [:]

  func set(_ name: String, _ value: TemplateValue) {
    if values.updateValue(value, forKey: name) == nil { names.append(name) }
  }
}

/// `cycler(…)`.
final class CyclerValue {
  let items: [TemplateValue]
  var index = 0

  init(_ items: [TemplateValue]) { self.items = items }
}

/// `joiner(…)`: nothing at the first call, its text at all others.
final class JoinerValue {
  let separator: TemplateValue
  var isUsed = false

  init(_ separator: TemplateValue) { self.separator = separator }
}

/// `loop` inside of a `for`.
final class LoopValue {
  let items: [TemplateValue]
  let level: Int
  var index = 0
  /// What `changed` was called with last.
  var last: [TemplateValue]?
  /// The loop and where it stands, if it may call itself.
  let recursion: (loop: TemplateLoop, scope: TemplateScope)?

  init(_ items: [TemplateValue], level: Int, recursion: (TemplateLoop, TemplateScope)?) {
    self.items = items
    self.level = level
    self.recursion = recursion
  }
}

/// A macro, and the names around it.
final class MacroValue {
  let definition: TemplateMacro
  let scope: TemplateScope

  init(_ definition: TemplateMacro, _ scope: TemplateScope) {
    self.definition = definition
    self.scope = scope
  }
}

/// A function, or a method with its object.
final class FunctionValue {
  typealias Body = (TemplateMachine, TemplateCall) throws -> TemplateValue

  let name: String
  let body: Body

  init(_ name: String, _ body: @escaping Body) {
    self.name = name
    self.body = body
  }
}

/// Names and their values: of the template, of a loop's round, of a macro's call.
final class TemplateScope {
  let parent: TemplateScope?
  var values: [String: TemplateValue] = [:]

  init(_ parent: TemplateScope?) { self.parent = parent }

  /// The value of a name here or further out.
  func value(_ name: String) -> TemplateValue? {
    var scope: TemplateScope? = self
    while let current = scope {
      if let value = current.values[name] { return value }
      scope = current.parent
    }
    return nil
  }
}
