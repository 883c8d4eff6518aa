/// Filters of lists, dictionaries and what else has elements.
extension TemplateFilters {
  static let sequences: [String: Body] = [
    "length": count, "count": count,
    "default": standard, "d": standard,
    "items": { call, machine in
      let value = try call.bound(["value"], required: 1)[0] ?? .none
      return try machine.iterator { pairs in
        switch value {
        case .undefined: break
        case .dictionary(let dictionary): pairs = dictionary.pairs
        default: throw TemplateFault(.type, "Can only get item pairs from a mapping.")
        }
      }
    },
    "list": { call, machine in
      try machine.list(try machine.elements(of: try call.bound(["value"], required: 1)[0] ?? .none))
    },
    "first": { call, machine in
      let value = try call.bound(["seq"], required: 1)[0] ?? .none
      if case .iterator(let iterator) = value { return try iterator.pop() ?? empty("first") }
      return try machine.elements(of: value).first ?? empty("first")
    },
    "last": { call, machine in
      let value = try call.bound(["seq"], required: 1)[0] ?? .none
      if case .iterator = value {
        throw TemplateFault(.type, "'generator' object is not reversible")
      }
      return try machine.elements(of: value).last ?? empty("last")
    },
    "reverse": { call, machine in
      let value = try call.bound(["value"], required: 1)[0] ?? .none
      if case .text(let text) = value {
        return .text(TextValue(scalars: text.scalars.reversed(), isMarkup: text.isMarkup))
      }
      let all: [TemplateValue]
      do {
        all = try machine.elements(of: value)
      } catch let fault as TemplateFault where fault.kind == .type {
        throw TemplateFault(.argument, "argument must be iterable")
      }
      let elements: [TemplateValue] = all.reversed()
      if case .iterator = value { return try machine.list(elements) }
      return try machine.iterator(elements)
    },
    "join": { call, machine in
      let values = try call.bound(["value", "d", "attribute"], required: 1)
      let separator = try values[1].map { try machine.shown($0) } ?? []
      var elements = try machine.elements(of: values[0] ?? .none)
      if let attribute = values[2], !TextMethods.isNone(attribute) {
        elements = try elements.map { try TemplateFilters.attribute($0, attribute, nil, machine) }
      }
      var result: Scalars = []
      for (index, element) in elements.enumerated() {
        if index > 0 { result += separator }
        let part = try machine.shown(element)
        result += part
        try machine.grow(by: part.count + separator.count, to: result.count)
      }
      return .text(TextValue(scalars: result))
    },
    "map": map,
    "select": { try selected($0, $1, keeps: true, byAttribute: false) },
    "reject": { try selected($0, $1, keeps: false, byAttribute: false) },
    "selectattr": { try selected($0, $1, keeps: true, byAttribute: true) },
    "rejectattr": { try selected($0, $1, keeps: false, byAttribute: true) },
    "attr": { call, machine in
      let values = try call.bound(["obj", "name"], required: 2)
      let name = try TextMethods.scalars(values[1] ?? .none, "attr").string
      // Jinja's attr looks for an attribute alone, never for an item.
      if case .dictionary(let dictionary) = values[0] ?? .none, dictionary[name] != nil,
        TemplateMethods.method(.dictionary(dictionary), name) == nil
      {
        return .undefined(
          UndefinedValue(message: "'dict object' has no attribute '\(name)'"))
      }
      return try machine.attribute(values[0] ?? .none, name)
    },
    "sort": { call, machine in
      let values = try call.bound(["value", "reverse", "case_sensitive", "attribute"], required: 1)
      let elements = try machine.elements(of: values[0] ?? .none)
      let keys = try elements.map {
        try TemplateFilters.keys(
          $0, values[3], isCaseSensitive: values[2]?.isTrue ?? false, machine)
      }
      return try machine.list(
        try machine.sorted(elements, by: keys, isReversed: values[1]?.isTrue ?? false))
    },
    "dictsort": { call, machine in
      let values = try call.bound(["value", "case_sensitive", "by", "reverse"], required: 1)
      guard case .dictionary(let dictionary) = values[0] ?? .none else {
        if case .undefined(let undefined)? = values[0] { throw machine.fault(undefined) }
        throw TemplateFault(
          .attribute, "'\(values[0]?.type ?? "")' object has no attribute 'items'")
      }
      let by = values[2]?.scalars?.string ?? "key"
      guard by == "key" || by == "value" else {
        throw TemplateFault(.argument, "You can only sort by either \"key\" or \"value\"")
      }
      let isCaseSensitive = values[1]?.isTrue ?? false
      let keys = (by == "key" ? dictionary.keys : dictionary.values).map {
        isCaseSensitive ? $0 : folded($0)
      }
      return try machine.list(
        try machine.sorted(dictionary.pairs, by: keys, isReversed: values[3]?.isTrue ?? false))
    },
    "unique": { call, machine in
      let values = try call.bound(["value", "case_sensitive", "attribute"], required: 1)
      return try machine.iterator { kept in
        var seen: Set<DictionaryKey> = []
        for element in try machine.elements(of: values[0] ?? .none) {
          let value = try key(
            element, values[2], isCaseSensitive: values[1]?.isTrue ?? false, machine)
          guard let key = DictionaryKey(value) else {
            throw TemplateFault(.type, "unhashable type: '\(value.type)'")
          }
          if seen.insert(key).inserted { kept.append(element) }
        }
      }
    },
    "min": { try extreme($0, $1, isLess: true) },
    "max": { try extreme($0, $1, isLess: false) },
    "sum": { call, machine in
      let values = try call.bound(["iterable", "attribute", "start"], required: 1)
      var total = values[2] ?? .integer(0)
      for element in try machine.elements(of: values[0] ?? .none) {
        let value =
          try isAbsent(values[1])
          ? element : attribute(element, values[1] ?? .none, nil, machine)
        if case .text = total {
          throw TemplateFault(.type, "sum() can't sum strings [use ''.join(seq) instead]")
        }
        total = try machine.reckon(total, .plus, value)
      }
      return total
    },
    "batch": { call, machine in
      let values = try call.bound(["value", "linecount", "fill_with"], required: 2)
      return try machine.iterator { rows in
        let elements = try machine.elements(of: values[0] ?? .none)
        let size = try whole(values[1], 1, "batch")
        guard size > 0 else { throw TemplateFault(.unsupported, "batch of \(size)") }
        for start in stride(from: 0, to: elements.count, by: size) {
          var row = Array(elements[start..<min(start + size, elements.count)])
          if let fill = values[2], !TextMethods.isNone(fill), row.count < size {
            try machine.grow(size, isList: true)
            row += Array(repeating: fill, count: size - row.count)
          }
          rows.append(try machine.list(row))
        }
      }
    },
    "slice": { call, machine in
      let values = try call.bound(["value", "slices", "fill_with"], required: 2)
      return try machine.iterator { rows in
        let elements = try machine.elements(of: values[0] ?? .none)
        let count = try whole(values[1], 1, "slice")
        guard count > 0 else {
          throw TemplateFault(.division, "integer division or modulo by zero")
        }
        try machine.grow(count, isList: true)
        let (size, extra) = elements.count.quotientAndRemainder(dividingBy: count)
        for index in 0..<count {
          let start = index * size + min(index, extra)
          var row = Array(elements[start..<(start + size + (index < extra ? 1 : 0))])
          if let fill = values[2], !TextMethods.isNone(fill), index >= extra { row.append(fill) }
          rows.append(try machine.list(row))
        }
      }
    },
    "groupby": { call, machine in
      let values = try call.bound(
        ["value", "attribute", "default", "case_sensitive"], required: 2)
      let isCaseSensitive = values[3]?.isTrue ?? false
      let elements = try machine.elements(of: values[0] ?? .none)
      let plain = try elements.map {
        try attribute($0, values[1] ?? .none, values[2], machine)
      }
      let keys = isCaseSensitive ? plain : plain.map(folded)
      let order = try machine.order(of: keys, isReversed: false)
      var groups: [(key: TemplateValue, shown: TemplateValue, members: [TemplateValue])] = []
      for place in order {
        if let last = groups.last, try machine.areEqual(last.key, keys[place]) {
          groups[groups.count - 1].members.append(elements[place])
        } else {
          groups.append((keys[place], plain[place], [elements[place]]))
        }
      }
      return try machine.list(
        try groups.map { try machine.tuple([$0.shown, try machine.list($0.members)]) })
    },
  ]

  private static func empty(_ name: String) -> TemplateValue {
    .undefined(UndefinedValue(message: "No \(name) item, sequence was empty."))
  }

  private static let count: Body = { call, machine in
    let value = try call.bound(["obj"], required: 1)[0] ?? .none
    guard let length = machine.length(value) else {
      throw TemplateFault(.type, "object of type '\(value.type)' has no len()")
    }
    return .integer(length)
  }

  private static let standard: Body = { call, machine in
    let values = try call.bound(["value", "default_value", "boolean"], required: 1)
    let value = values[0] ?? .none
    let isMissing = if case .undefined = value { true } else { false }
    guard isMissing || (values[2]?.isTrue == true && !value.isTrue) else { return value }
    return values[1] ?? .text([])
  }

  // MARK: Attributes and keys

  /// The attribute that a filter's argument names: `a.b` and numbers are a way of items.
  static func attribute(
    _ value: TemplateValue, _ path: TemplateValue, _ standard: TemplateValue?,
    _ machine: TemplateMachine
  ) throws -> TemplateValue {
    var result = value
    let parts: [TemplateValue]
    if let text = path.scalars {
      parts = text.split(separator: ".", omittingEmptySubsequences: false).map { part in
        let word = Array(part).string
        let isNumber = !word.isEmpty && word.unicodeScalars.allSatisfy(PythonCharacter.isDigit)
        return isNumber ? .integer(Int(word) ?? .max) : .text(word)
      }
    } else {
      parts = [path]
    }
    for part in parts {
      try machine.spend()
      result = try machine.item(result, part)
      if let standard, case .undefined = result { result = standard }
    }
    return result
  }

  /// Text in lower case, anything else as it is.
  private static func folded(_ value: TemplateValue) -> TemplateValue {
    value.scalars.map { .text($0.lowercased) } ?? value
  }

  private static func key(
    _ value: TemplateValue, _ path: TemplateValue?, isCaseSensitive: Bool,
    _ machine: TemplateMachine
  ) throws -> TemplateValue {
    let result = try isAbsent(path) ? value : attribute(value, path ?? .none, nil, machine)
    return isCaseSensitive ? result : folded(result)
  }

  /// The key of `sort`, whose attribute may name several with commas between them.
  private static func keys(
    _ value: TemplateValue, _ path: TemplateValue?, isCaseSensitive: Bool,
    _ machine: TemplateMachine
  ) throws -> TemplateValue {
    // A list also of one: equal keys are told before they are ordered, and need no order then.
    guard let text = path?.scalars else {
      return try machine.list([
        try key(value, path, isCaseSensitive: isCaseSensitive, machine)
      ])
    }
    return try machine.list(
      try text.split(separator: ",", omittingEmptySubsequences: false).map {
        try key(value, .text(Array($0)), isCaseSensitive: isCaseSensitive, machine)
      })
  }

  private static func extreme(_ call: TemplateCall, _ machine: TemplateMachine, isLess: Bool) throws
    -> TemplateValue
  {
    let values = try call.bound(["value", "case_sensitive", "attribute"], required: 1)
    let elements = try machine.elements(of: values[0] ?? .none)
    guard var best = elements.first else {
      return .undefined(UndefinedValue(message: "No aggregated item, sequence was empty."))
    }
    let isCaseSensitive = values[1]?.isTrue ?? false
    var bestKey = try key(best, values[2], isCaseSensitive: isCaseSensitive, machine)
    for element in elements.dropFirst() {
      let key = try key(element, values[2], isCaseSensitive: isCaseSensitive, machine)
      if try isLess ? machine.isLess(key, bestKey) : machine.isLess(bestKey, key, ">") {
        (best, bestKey) = (element, key)
      }
    }
    return best
  }

  // MARK: Choosing and mapping

  private static let map: Body = { call, machine in
    var call = call
    let value = call.positional.removeFirst()
    return try machine.iterator { results in
      // Of what is false nothing is asked, not even what to do with it.
      guard value.isTrue else { return }
      if call.positional.isEmpty,
        let attribute = call.named.first(where: { $0.name == "attribute" })
      {
        let standard = call.named.first { $0.name == "default" }?.value
        if let other = call.named.first(where: { $0.name != "attribute" && $0.name != "default" }) {
          throw TemplateFault(.argument, "Unexpected keyword argument '\(other.name)'")
        }
        for element in try machine.elements(of: value) {
          results.append(
            try TemplateFilters.attribute(element, attribute.value, standard, machine))
        }
        return
      }
      guard let name = call.positional.first?.scalars?.string else {
        throw TemplateFault(.argument, "map requires a filter argument")
      }
      guard isKnown(name) else {
        throw TemplateFault(.runtime, "no filter has the name '\(name)'")
      }
      call.positional.removeFirst()
      call.name = name
      for element in try machine.elements(of: value) {
        try machine.spend()
        var inner = call
        inner.positional.insert(element, at: 0)
        results.append(try apply(name, inner, machine))
      }
    }
  }

  private static func selected(
    _ call: TemplateCall, _ machine: TemplateMachine, keeps: Bool, byAttribute: Bool
  ) throws -> TemplateValue {
    var call = call
    let value = call.positional.removeFirst()
    return try machine.iterator { kept in
      // As with `map`.
      guard value.isTrue else { return }
      var path: TemplateValue?
      if byAttribute {
        guard !call.positional.isEmpty else {
          throw TemplateFault(.argument, "Missing parameter for attribute name")
        }
        path = call.positional.removeFirst()
      }
      var name: String?
      if !call.positional.isEmpty {
        name = try TextMethods.scalars(call.positional.removeFirst(), "select").string
        guard TemplateTests.isKnown(name ?? "") else {
          throw TemplateFault(.runtime, "no test has the name '\(name ?? "")'")
        }
      }
      call.name = name ?? "select"
      for element in try machine.elements(of: value) {
        try machine.spend()
        let value = try path.map { try attribute(element, $0, nil, machine) } ?? element
        let holds = try name.map { try TemplateTests.holds($0, value, call, machine) }
        if (holds ?? value.isTrue) == keeps { kept.append(element) }
      }
    }
  }
}

extension TemplateMachine {
  /// `elements` in the order of their keys; equal ones keep theirs, also backwards.
  func sorted(_ elements: [TemplateValue], by keys: [TemplateValue], isReversed: Bool) throws
    -> [TemplateValue]
  {
    try order(of: keys, isReversed: isReversed).map { elements[$0] }
  }

  /// The places of `keys` in their order.
  func order(of keys: [TemplateValue], isReversed: Bool) throws -> [Int] {
    let places = try sorted(Array(keys.indices)) {
      isReversed ? try isLess(keys[$1], keys[$0]) : try isLess(keys[$0], keys[$1])
    }
    return places
  }

  /// A stable merge sort by a comparison that may throw.
  func sorted(_ places: [Int], by isLess: (Int, Int) throws -> Bool) throws -> [Int] {
    guard places.count > 1 else { return places }
    let middle = places.count / 2
    let left = try sorted(Array(places[..<middle]), by: isLess)
    let right = try sorted(Array(places[middle...]), by: isLess)
    var result: [Int] = []
    result.reserveCapacity(places.count)
    var (a, b) = (0, 0)
    while a < left.count, b < right.count {
      if try isLess(right[b], left[a]) {
        result.append(right[b])
        b += 1
      } else {
        result.append(left[a])
        a += 1
      }
    }
    return result + left[a...] + right[b...]
  }
}
