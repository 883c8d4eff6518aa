import TritCore

/// Renders one template once.
final class TemplateMachine {
  let limits: TemplateLimits
  let clock: TemplateClock
  /// Where the expression that is worked on stands, for messages.
  var place = 0
  /// What has been printed.
  var output: Scalars = []
  private var steps = 0
  private var depth = 0
  /// Whose values are let go of at the end: they may hold one another in a ring.
  private var namespaces: [NamespaceValue] = []
  private var scopes: [TemplateScope] = []
  /// Loops around the current statement.
  var level = 0
  let globals: TemplateScope

  init(limits: TemplateLimits, clock: TemplateClock) {
    self.limits = limits
    self.clock = clock
    globals = TemplateScope(nil)
    globals.values = TemplateGlobals.all
  }

  /// The text of the template with the values of `context`.
  func render(_ body: [TemplateStatement], context: [(key: String, value: TemplateValue)]) throws
    -> Scalars
  {
    defer { release() }
    let outer = TemplateScope(globals)
    for (key, value) in context { outer.values[key] = value }
    let scope = TemplateScope(outer)
    remember(scope)
    _ = try run(body, scope)
    return output
  }

  private func release() {
    // Their values are held until all are empty, so that no long chain is freed in one go.
    for scope in scopes { scope.values = [:] }
    for namespace in namespaces { namespace.values = [:] }
    namespaces = []
    scopes = []
  }

  // MARK: Limits

  /// Counts `count` steps. Throws where there were too many.
  func spend(_ count: Int = 1) throws {
    let before = steps >> 14
    steps += count
    guard steps <= limits.steps else {
      throw TemplateFault(.limit, "more than \(limits.steps) steps")
    }
    if steps >> 14 != before { try Interruption.check() }
  }

  /// Counts a text or list that is made. Throws where it is too large.
  func grow(_ count: Int, isList: Bool = false) throws {
    guard count <= limits.size else {
      throw TemplateFault(
        .limit,
        "\(isList ? "a list" : "a text") of \(count) \(isList ? "values" : "code points"), "
          + "more than \(limits.size)")
    }
    try spend(isList ? count : count / 8)
  }

  /// Counts what is put behind a text that has `total` code points then.
  func grow(by count: Int, to total: Int) throws {
    if total > limits.size { try grow(total) }
    try spend(count / 8 + 1)
  }

  /// Throws where a product of sizes is too large.
  func grow(_ count: Int, times: Int, isList: Bool = false) throws {
    let (size, isTooLarge) = count.multipliedReportingOverflow(by: max(0, times))
    try grow(isTooLarge ? .max : size, isList: isList)
  }

  /// Runs `body` one level deeper.
  func deeper<T>(_ body: () throws -> T) throws -> T {
    guard depth < limits.depth else {
      throw TemplateFault(
        .limit, "more than \(limits.depth) statements, expressions and calls inside each other")
    }
    depth += 1
    defer { depth -= 1 }
    return try body()
  }

  // MARK: Values that are made

  func text(_ scalars: Scalars) throws -> TemplateValue {
    try grow(scalars.count)
    return .text(TextValue(scalars: scalars))
  }

  func list(_ elements: [TemplateValue]) throws -> TemplateValue { .list(try sequence(elements)) }

  func tuple(_ elements: [TemplateValue]) throws -> TemplateValue { .tuple(try sequence(elements)) }

  func iterator(_ elements: [TemplateValue]) throws -> TemplateValue {
    try iterator(elements, fault: nil)
  }

  /// What a generator of Python gives: `produce` adds elements one by one, and what goes wrong on
  /// the way is told to who goes through them, not before.
  func iterator(lazily produce: (inout [TemplateValue]) throws -> Void) throws -> TemplateValue {
    var elements: [TemplateValue] = []
    do {
      try produce(&elements)
    } catch var fault as TemplateFault where fault.kind != .limit && fault.kind != .unsupported {
      fault.offset = fault.offset ?? place
      return try iterator(elements, fault: fault)
    }
    return try iterator(elements, fault: nil)
  }

  private func iterator(_ elements: [TemplateValue], fault: TemplateFault?) throws -> TemplateValue
  {
    try grow(elements.count, isList: true)
    let value = IteratorValue(elements, fault: fault)
    try check(value.items.depth)
    return .iterator(value)
  }

  func sequence(_ elements: [TemplateValue]) throws -> SequenceValue {
    try grow(elements.count, isList: true)
    let value = SequenceValue(elements)
    try check(value.depth)
    return value
  }

  func dictionary(_ pairs: [(TemplateValue, TemplateValue)]) throws -> TemplateValue {
    try grow(pairs.count, isList: true)
    let value = DictionaryValue(
      try pairs.map { key, value in
        guard let place = DictionaryKey(key) else {
          throw TemplateFault(.type, "unhashable type: '\(key.type)'")
        }
        return (place, key, value)
      })
    try check(value.depth)
    return .dictionary(value)
  }

  private func check(_ depth: Int) throws {
    guard depth <= limits.nesting else {
      throw TemplateFault(.limit, "more than \(limits.nesting) values inside each other")
    }
  }

  func namespace() throws -> NamespaceValue {
    try spend(16)
    let value = NamespaceValue()
    namespaces.append(value)
    return value
  }

  /// Keeps a scope that something in it may hold.
  func remember(_ scope: TemplateScope) { scopes.append(scope) }

  // MARK: Output

  func emit(_ text: Scalars) throws {
    guard output.count + text.count <= limits.size else {
      throw TemplateFault(.limit, "a prompt of more than \(limits.size) code points")
    }
    try spend(text.count / 8)
    output += text
  }

  /// What `body` prints.
  func captured(_ body: () throws -> Void) throws -> Scalars {
    var outer: Scalars = []
    swap(&outer, &output)
    defer { swap(&outer, &output) }
    try body()
    return output
  }
}
