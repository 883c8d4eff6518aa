/// Functions that every template has.
enum TemplateGlobals {
  static let mostOfRange = 100_000

  static var all: [String: TemplateValue] {
    var values: [String: TemplateValue] = [:]
    func add(_ name: String, _ body: @escaping FunctionValue.Body) {
      values[name] = .function(FunctionValue(name, body))
    }
    add("raise_exception") { machine, call in
      let message = try call.bound(["message"], required: 1)[0] ?? .none
      throw TemplateFault(.raised, try machine.shown(message).string)
    }
    add("strftime_now") { machine, call in
      let format = try call.bound(["format"], required: 1)[0] ?? .none
      let text = try TextMethods.scalars(format, call.name)
      try machine.grow(text.count, times: 16)
      return .text(Scalars(try machine.clock.text(text)))
    }
    add("namespace") { machine, call in
      let namespace = try machine.namespace()
      for value in call.positional {
        guard case .dictionary(let dictionary) = value else {
          throw TemplateFault(.type, "namespace() takes a mapping")
        }
        for (key, value) in zip(dictionary.keys, dictionary.values) {
          namespace.set(key.scalars?.string ?? "", value)
        }
      }
      for (name, value) in call.named { namespace.set(name, value) }
      return .namespace(namespace)
    }
    add("dict") { machine, call in
      var pairs: [(TemplateValue, TemplateValue)] = []
      for value in call.positional.prefix(1) {
        if case .dictionary(let dictionary) = value {
          pairs += zip(dictionary.keys, dictionary.values)
        } else {
          for pair in try machine.elements(of: value) {
            let parts = try machine.elements(of: pair)
            guard parts.count == 2 else {
              throw TemplateFault(.value, "dict() takes pairs, not \(parts.count) values")
            }
            pairs.append((parts[0], parts[1]))
          }
        }
      }
      guard call.positional.count <= 1 else {
        throw TemplateFault(.type, "dict expected at most 1 argument")
      }
      return try machine.dictionary(pairs + call.named.map { (.text($0.name), $0.value) })
    }
    add("range") { machine, call in
      let numbers = try call.unnamed(1...3).map { value in
        guard let number = value.integer else {
          if case .undefined(let undefined) = value { throw machine.fault(undefined) }
          throw TemplateFault(
            .type, "'\(value.type)' object cannot be interpreted as an integer")
        }
        return max(-(1 << 60), min(1 << 60, number))
      }
      let step = numbers.count > 2 ? numbers[2] : 1
      guard step != 0 else { throw TemplateFault(.value, "range() arg 3 must not be zero") }
      let range = RangeValue(
        start: numbers.count > 1 ? numbers[0] : 0,
        stop: numbers.count > 1 ? numbers[1] : numbers[0],
        step: step)
      guard range.count <= mostOfRange else {
        throw TemplateFault(
          .overflow, "range too big: the sandbox blocks more than \(mostOfRange) numbers")
      }
      return .range(range)
    }
    add("cycler") { _, call in
      guard !call.positional.isEmpty else {
        throw TemplateFault(.runtime, "at least one item has to be provided")
      }
      return .cycler(CyclerValue(call.positional))
    }
    add("joiner") { _, call in
      .joiner(JoinerValue(try call.bound(["sep"])[0] ?? .text(", ")))
    }
    add("lipsum") { _, _ in throw TemplateFault(.unsupported, "the function 'lipsum'") }
    return values
  }
}
