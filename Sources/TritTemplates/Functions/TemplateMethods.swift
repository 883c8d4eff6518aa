/// Methods of Python's objects, as far as templates call them.
enum TemplateMethods {
  /// Whether the method `name` would change the object, which the immutable sandbox forbids.
  static func changes(_ value: TemplateValue, _ name: String) -> Bool {
    switch value {
    case .list:
      ["append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"].contains(name)
    case .dictionary: ["clear", "pop", "popitem", "setdefault", "update"].contains(name)
    default: false
    }
  }

  /// The method `name` of `value`; nil where Python has none. One that is not here is an error when
  /// it is called.
  static func method(_ value: TemplateValue, _ name: String) -> TemplateValue? {
    switch value {
    case .text(let text):
      if let body = TextMethods.body(name) {
        return .function(FunctionValue(name) { try body(text, $1, $0) })
      }
      return TextMethods.missing.contains(name) ? unsupported("str.\(name)") : nil
    case .dictionary(let dictionary): return method(of: dictionary, name)
    case .list(let items), .tuple(let items):
      let isList = if case .list = value { true } else { false }
      return method(of: items, name, isList: isList)
    case .integer, .bool:
      switch name {
      case "real", "numerator": return .integer(value.integer ?? 0)
      case "imag": return .integer(0)
      case "denominator": return .integer(1)
      case "bit_length", "bit_count", "conjugate", "to_bytes", "from_bytes", "as_integer_ratio",
        "is_integer":
        return unsupported("int.\(name)")
      default: return nil
      }
    case .real(let number):
      switch name {
      case "real": return value
      case "imag": return .real(0)
      case "is_integer":
        return .function(FunctionValue(name) { _, _ in .bool(number.rounded() == number) })
      case "hex", "fromhex", "conjugate", "as_integer_ratio": return unsupported("float.\(name)")
      default: return nil
      }
    case .range(let range):
      switch name {
      case "start": return .integer(range.start)
      case "stop": return .integer(range.stop)
      case "step": return .integer(range.step)
      case "count", "index": return unsupported("range.\(name)")
      default: return nil
      }
    case .view: return ["isdisjoint", "mapping"].contains(name) ? unsupported(name) : nil
    case .iterator: return ["send", "throw", "close"].contains(name) ? unsupported(name) : nil
    default: return nil
    }
  }

  private static func unsupported(_ name: String) -> TemplateValue {
    .function(
      FunctionValue(name) { _, _ in throw TemplateFault(.unsupported, "the method '\(name)'") })
  }

  private static func method(of dictionary: DictionaryValue, _ name: String) -> TemplateValue? {
    func view(_ type: String, _ elements: @escaping () -> [TemplateValue]) -> TemplateValue {
      .function(
        FunctionValue(name) { machine, call in
          _ = try call.unnamed(0...0)
          return .view(try machine.sequence(elements()), type: type)
        })
    }
    switch name {
    case "items": return view("dict_items") { dictionary.pairs }
    case "keys": return view("dict_keys") { dictionary.keys }
    case "values": return view("dict_values") { dictionary.values }
    case "copy":
      return .function(
        FunctionValue(name) { _, call in
          _ = try call.unnamed(0...0)
          return .dictionary(dictionary)
        })
    case "get":
      return .function(
        FunctionValue(name) { _, call in
          let values = try call.unnamed(1...2)
          guard let key = DictionaryKey(values[0]) else {
            throw TemplateFault(.type, "unhashable type: '\(values[0].type)'")
          }
          return dictionary[key] ?? (values.count > 1 ? values[1] : .none)
        })
    case "fromkeys": return unsupported("dict.fromkeys")
    default: return nil
    }
  }

  private static func method(of items: SequenceValue, _ name: String, isList: Bool)
    -> TemplateValue?
  {
    switch name {
    case "index":
      return .function(
        FunctionValue(name) { machine, call in
          let wanted = try call.unnamed(1...1)[0]
          for (index, element) in items.elements.enumerated()
          where try machine.areEqual(element, wanted) {
            return .integer(index)
          }
          throw TemplateFault(.value, "the value is not in the \(isList ? "list" : "tuple")")
        })
    case "count":
      return .function(
        FunctionValue(name) { machine, call in
          let wanted = try call.unnamed(1...1)[0]
          return .integer(
            try items.elements.filter { try machine.areEqual($0, wanted) }.count)
        })
    case "copy" where isList:
      return .function(
        FunctionValue(name) { _, call in
          _ = try call.unnamed(0...0)
          return .list(items)
        })
    default: return nil
    }
  }
}
