extension TemplateMachine {
  // MARK: Elements

  /// What going through a value gives. Throws for what Python cannot go through.
  func elements(of value: TemplateValue) throws -> [TemplateValue] {
    switch value {
    // Also what the sandbox hides: it is an error where it is called, or asked for more.
    case .undefined: return []
    case .list(let items), .tuple(let items), .view(let items, _): return items.elements
    case .text(let text):
      try grow(text.scalars.count, isList: true)
      return text.scalars.map { .text(TextValue(scalars: [$0])) }
    case .dictionary(let dictionary): return dictionary.keys
    case .range(let range):
      try grow(range.count, isList: true)
      return (0..<range.count).map { range[$0] }
    case .iterator(let iterator): return try iterator.drain()
    default: throw TemplateFault(.type, "'\(value.type)' object is not iterable")
    }
  }

  /// Python's `len`; nil for what has none.
  func length(_ value: TemplateValue) -> Int? {
    switch value {
    case .undefined: 0
    case .text(let text): text.scalars.count
    case .list(let items), .tuple(let items), .view(let items, _): items.elements.count
    case .dictionary(let dictionary): dictionary.keys.count
    case .range(let range): range.count
    case .loop(let loop): loop.items.count
    default: nil
    }
  }

  // MARK: Attributes and items

  /// `value.name`: the object's own attribute first, then its item of that name.
  func attribute(_ value: TemplateValue, _ name: String) throws -> TemplateValue {
    if case .undefined(let undefined) = value {
      // What every object of Python has, an undefined one too.
      if !undefined.isForbidden, Self.ofEveryObject.contains(name) { return forbidden(value, name) }
      throw fault(undefined)
    }
    if let own = try own(value, name) { return own }
    if case .dictionary(let dictionary) = value, let item = dictionary[name] { return item }
    return missing(value, name)
  }

  /// `value[key]`: the item first, then the object's own attribute of that name.
  func item(_ value: TemplateValue, _ key: TemplateValue) throws -> TemplateValue {
    if case .undefined(let undefined) = value { throw fault(undefined) }
    if case .dictionary(let dictionary) = value, let place = DictionaryKey(key),
      let item = dictionary[place]
    {
      return item
    }
    if case .namespace(let namespace) = value, let name = key.scalars?.string {
      if let item = namespace.values[name] { return item }
    }
    if let index = key.integer, let item = element(value, at: index) { return item }
    if let name = key.scalars?.string {
      if let own = try own(value, name) { return own }
      return missing(value, name)
    }
    return .undefined(
      UndefinedValue(message: "\(value.owner) has no element \(try represented(key).string)"))
  }

  private static let ofEveryObject: Set<String> = [
    "__class__", "__init__", "__doc__", "__module__", "__dict__", "__eq__", "__ne__", "__hash__",
    "__str__", "__repr__", "__reduce__", "__reduce_ex__", "__getattribute__", "__subclasshook__",
    "__init_subclass__", "__new__", "__sizeof__", "__dir__", "__format__", "__len__", "__iter__",
    "__bool__",
  ]

  private func missing(_ value: TemplateValue, _ name: String) -> TemplateValue {
    .undefined(UndefinedValue(message: "'\(value.owner)' has no attribute '\(name)'"))
  }

  /// The element at an index, counted from the end where it is negative.
  private func element(_ value: TemplateValue, at index: Int) -> TemplateValue? {
    let count: Int
    switch value {
    case .list(let items), .tuple(let items): count = items.elements.count
    case .text(let text): count = text.scalars.count
    case .range(let range): count = range.count
    default: return nil
    }
    let place = index < 0 ? index + count : index
    guard (0..<count).contains(place) else { return nil }
    switch value {
    case .list(let items), .tuple(let items): return items.elements[place]
    case .text(let text):
      return .text(TextValue(scalars: [text.scalars[place]], isMarkup: text.isMarkup))
    case .range(let range): return range[place]
    default: return nil
    }
  }

  /// What the object itself has by that name: methods, and the values of loops and namespaces.
  private func own(_ value: TemplateValue, _ name: String) throws -> TemplateValue? {
    if name.hasPrefix("__"), name.hasSuffix("__") { return forbidden(value, name) }
    switch value {
    case .namespace(let namespace): return namespace.values[name]
    case .loop(let loop): return try attribute(of: loop, name)
    case .macro(let macro):
      switch name {
      case "name": return .text(macro.definition.name)
      case "arguments":
        return try tuple(macro.definition.parameters.map { .text($0.name) })
      case "caller", "catch_kwargs", "catch_varargs":
        let read = ["caller": "caller", "catch_kwargs": "kwargs", "catch_varargs": "varargs"]
        return .bool(macro.definition.reads.contains(read[name] ?? ""))
      default: return nil
      }
    case .cycler(let cycler): return attribute(of: cycler, name)
    default: break
    }
    if TemplateMethods.changes(value, name) { return forbidden(value, name) }
    return TemplateMethods.method(value, name)
  }

  private func forbidden(_ value: TemplateValue, _ name: String) -> TemplateValue {
    .undefined(
      UndefinedValue(
        message: "access to attribute '\(name)' of '\(value.type)' object is unsafe",
        isForbidden: true))
  }

  private func attribute(of loop: LoopValue, _ name: String) throws -> TemplateValue? {
    let count = loop.items.count
    switch name {
    case "index": return .integer(loop.index + 1)
    case "index0": return .integer(loop.index)
    case "revindex": return .integer(count - loop.index)
    case "revindex0": return .integer(count - loop.index - 1)
    case "first": return .bool(loop.index == 0)
    case "last": return .bool(loop.index == count - 1)
    case "length": return .integer(count)
    case "depth": return .integer(loop.level + 1)
    case "depth0": return .integer(loop.level)
    case "previtem":
      return loop.index > 0
        ? loop.items[loop.index - 1]
        : .undefined(UndefinedValue(message: "there is no previous item"))
    case "nextitem":
      return loop.index + 1 < count
        ? loop.items[loop.index + 1]
        : .undefined(UndefinedValue(message: "there is no next item"))
    case "cycle":
      return .function(
        FunctionValue("cycle") { _, call in
          guard !call.positional.isEmpty else {
            throw TemplateFault(.type, "no items for cycling given")
          }
          return call.positional[loop.index % call.positional.count]
        })
    case "changed":
      return .function(
        FunctionValue("changed") { machine, call in
          if let last = loop.last, try machine.areEqual(last, call.positional) {
            return .bool(false)
          }
          loop.last = call.positional
          return .bool(true)
        })
    default: return nil
    }
  }

  private func attribute(of cycler: CyclerValue, _ name: String) -> TemplateValue? {
    switch name {
    case "current": return cycler.items[cycler.index]
    case "next":
      return .function(
        FunctionValue("next") { _, call in
          _ = try call.unnamed(0...0)
          defer { cycler.index = (cycler.index + 1) % cycler.items.count }
          return cycler.items[cycler.index]
        })
    case "reset":
      return .function(
        FunctionValue("reset") { _, call in
          _ = try call.unnamed(0...0)
          cycler.index = 0
          return .none
        })
    default: return nil
    }
  }

  // MARK: Slices

  /// `value[from:to:step]`, bounds as Python cuts them to size. Unlike a wrong index, a slice of what
  /// has none is an error.
  func slice(_ value: TemplateValue, _ bounds: [TemplateValue?]) throws -> TemplateValue {
    if case .undefined(let undefined) = value { throw fault(undefined) }
    func whole(_ index: Int) throws -> Int? {
      guard index < bounds.count, let bound = bounds[index], !TextMethods.isNone(bound) else {
        return nil
      }
      guard let number = bound.integer else {
        throw TemplateFault(
          .type, "slice indices must be integers or None, not \(bound.type)")
      }
      return max(-(1 << 60), min(1 << 60, number))
    }
    switch value {
    case .list, .tuple, .text, .range: break
    case .dictionary: throw TemplateFault(.type, "unhashable type: 'slice'")
    default: throw TemplateFault(.type, "'\(value.type)' object is not subscriptable")
    }
    let (from, to, by) = (try whole(0), try whole(1), try whole(2))
    guard by != 0 else { throw TemplateFault(.value, "slice step cannot be zero") }
    func ends(_ count: Int) -> (start: Int, stop: Int, step: Int) {
      let step = by ?? 1
      func bound(_ given: Int?, _ standard: Int) -> Int {
        guard var place = given else { return standard }
        if place < 0 { place += count }
        return step > 0 ? min(max(place, 0), count) : min(max(place, -1), count - 1)
      }
      return step > 0
        ? (bound(from, 0), bound(to, count), step) : (bound(from, count - 1), bound(to, -1), step)
    }
    func places(_ count: Int) -> StrideTo<Int> {
      let (start, stop, step) = ends(count)
      return stride(from: start, to: stop, by: step)
    }
    switch value {
    case .list(let items):
      return try list(places(items.elements.count).map { items.elements[$0] })
    case .tuple(let items):
      return try tuple(places(items.elements.count).map { items.elements[$0] })
    case .text(let text):
      let part = places(text.scalars.count).map { text.scalars[$0] }
      try grow(part.count)
      return .text(TextValue(scalars: part, isMarkup: text.isMarkup))
    case .range(let range):
      let (start, stop, step) = ends(range.count)
      return .range(
        RangeValue(
          start: range.start + start * range.step, stop: range.start + stop * range.step,
          step: range.step * step))
    default: return value
    }
  }
}
