internal import TritCore
internal import TritSampling

/// Reads the choices of stages: `absmean`, `absmean:group=64`, `{name: absmean, group: 64}`.
struct StageDecoding {
  let lab: Lab
  let problems: Problems

  /// One choice, checked against the registry of its stage.
  func choice(_ node: YAMLNode, _ path: String, _ key: StageKey) -> StageChoice? {
    let label = key.rawValue
    guard let kind = lab.kind(key) else {
      problems.add("there is no stage '\(label)'", path, at: node.position)
      return nil
    }
    guard let (choice, parameters) = split(node, path, label: label, names: kind.names)
    else { return nil }
    if kind.words.contains(choice.name) {
      for (name, _, position) in parameters {
        problems.add(
          "'\(choice.name)' takes no parameters", "\(path).\(name)", at: position)
      }
      return StageChoice(choice.name)
    }
    return check(
      choice, parameters, node, path, label: label, among: kind.descriptors, names: kind.names)
  }

  private typealias Parameter = (name: String, value: ParameterValue, position: SourcePosition)

  /// The name and the parameters of any of the three forms.
  private func split(
    _ node: YAMLNode, _ path: String, label: String, names: [String]
  ) -> (StageChoice, [Parameter])? {
    let expected = "a name, name:key=value, or {name: …, key: value}"
    switch node.content {
    case .scalar:
      guard case .string(let text)? = node.scalar else {
        problems.wrongType(
          node, path, expected: expected, advice: "known: \(names.joined(separator: ", "))")
        return nil
      }
      do {
        let choice = try StageChoice(parsing: text)
        let parameters = choice.parameters.sorted { $0.key < $1.key }
          .map { (name: $0.key, value: $0.value, position: node.position) }
        return (choice, parameters)
      } catch let error as LabError {
        problems.add(
          error.what, path, at: node.position, expected: error.expected, got: error.got,
          advice: error.advice)
      } catch {
        problems.add("\(error)", path, at: node.position)
      }
      return nil
    case .mapping(let entries):
      guard let name = node["name"] else {
        problems.add(
          "a \(label) in long form needs its name", "\(path).name", at: node.position,
          expected: "{name: …, key: value}, name one of: \(names.joined(separator: ", "))")
        return nil
      }
      guard let text = problems.text(name, "\(path).name", expected: "a name") else { return nil }
      var parameters: [Parameter] = []
      for entry in entries where entry.key != "name" {
        if let value = parameter(entry.value, "\(path).\(entry.key)") {
          parameters.append((entry.key, value, entry.keyPosition))
        }
      }
      return (StageChoice(text), parameters)
    case .sequence:
      problems.wrongType(
        node, path, expected: expected,
        advice: "to run several, move the list to 'sweep': {\(label): \(YAMLWriter.flow(node))}")
      return nil
    }
  }

  func parameter(_ node: YAMLNode, _ path: String) -> ParameterValue? {
    switch node.scalar {
    case .integer(let value)?: return .integer(value)
    case .real(let value)?: return .real(value)
    case .bool(let value)?: return .flag(value)
    case .string(let text)?: return .text(text)
    case .null?, nil:
      problems.wrongType(node, path, expected: "a number, a word, true or false")
      return nil
    }
  }

  /// Notes unknown names, parameters that the descriptor lacks, and values out of their range.
  private func check(
    _ choice: StageChoice, _ parameters: [Parameter], _ node: YAMLNode, _ path: String,
    label: String, among descriptors: [StageDescriptor], names: [String]
  ) -> StageChoice? {
    let namePosition = node["name"]?.position ?? node.position
    guard let descriptor = descriptors.named(choice.name) else {
      problems.add(
        "unknown \(label) '\(choice.name)'", path, at: namePosition,
        expected: "one of: \(names.joined(separator: ", "))",
        advice: Suggestion.didYouMean(choice.name, names))
      return nil
    }
    if let reason = descriptor.unavailable {
      let others = descriptors.filter { $0.unavailable == nil }.map(\.name)
      problems.add(
        "\(label) '\(choice.name)' cannot run here: \(reason)", path, at: namePosition,
        advice: "choose one of: \(others.joined(separator: ", "))")
      return nil
    }
    var result = StageChoice(descriptor.name)
    var isGood = true
    for (name, value, position) in parameters {
      guard let known = descriptor.parameters.first(where: { $0.name == name }) else {
        let all = descriptor.parameters.map(\.name)
        problems.add(
          "\(label) '\(choice.name)' has no parameter '\(name)'", "\(path).\(name)", at: position,
          expected: all.isEmpty ? "no parameters" : "one of: \(all.joined(separator: ", "))",
          advice: Suggestion.didYouMean(name, all))
        isGood = false
        continue
      }
      guard known.accepts(value) else {
        problems.add(
          "bad value", "\(path).\(name)", at: node[name]?.position ?? position,
          expected: known.domainText, got: value.description)
        isGood = false
        continue
      }
      result.parameters[name] = value
    }
    if isGood, let (name, error) = descriptor.withoutEffect(result, stage: label) {
      let position = parameters.first { $0.name == name }?.position
      problems.add(
        error.what, "\(path).\(name)", at: node[name]?.position ?? position ?? namePosition,
        expected: error.expected, got: error.got)
      return nil
    }
    return isGood ? result : nil
  }
}

extension [StageDescriptor] {
  /// The one that is called `name`, or has it as an alias.
  func named(_ name: String) -> StageDescriptor? {
    first { $0.name == name || $0.aliases.contains(name) }
  }
}

// MARK: - Samplers

extension StageDecoding {
  private var processors: [StageDescriptor] { lab[.processor].descriptors }
  private var samplers: [StageDescriptor] { lab[.sampler].descriptors }

  /// `greedy`, or a chain in the order in which it is written: `{temperature: 0.8, top-p: 0.95}`. A
  /// temperature of 0 is greedy.
  func sampler(_ node: YAMLNode, _ path: String) -> SamplerSettings? {
    if case .scalar = node.content {
      return drawing(
        node, path, orElse: ", or {temperature: …, top-p: …}"
      ).map { SamplerSettings(processors: [], sampler: $0) }
    }
    let processors = processors
    let keys = ["sampler"] + processors.flatMap { [$0.name] + $0.aliases }
    guard let fields = Fields(node, path, keys: keys, problems) else { return nil }
    var settings = SamplerSettings(processors: [], sampler: StageChoice("multinomial"))
    var isGood = true
    for entry in node.entries ?? [] {
      let entryPath = fields.keyPath(entry.key)
      if entry.key == "sampler" {
        if let choice = drawing(entry.value, entryPath) {
          settings.sampler = choice
        } else {
          isGood = false
        }
        continue
      }
      guard let descriptor = processors.named(entry.key) else {
        isGood = false
        continue
      }
      if descriptor.name == "temperature", let value = entry.value.scalar,
        value == .integer(0) || value == .real(0)
      {
        settings.sampler = StageChoice("greedy")
        continue
      }
      if let choice = processor(entry, descriptor, entryPath) {
        settings.processors.append(choice)
      } else {
        isGood = false
      }
    }
    return isGood ? settings : nil
  }

  /// What draws the token: `multinomial`, `name:key=value` or `{name: …, key: value}`.
  private func drawing(
    _ node: YAMLNode, _ path: String, orElse others: String = ""
  ) -> StageChoice? {
    let names = samplers.map(\.name)
    guard let (choice, parameters) = split(node, path, label: "sampler", names: names) else {
      return nil
    }
    guard samplers.named(choice.name) != nil else {
      problems.add(
        "unknown sampler '\(choice.name)'", path, at: node["name"]?.position ?? node.position,
        expected: "one of: \(names.joined(separator: ", "))\(others)",
        advice: Suggestion.didYouMean(choice.name, names))
      return nil
    }
    return check(
      choice, parameters, node, path, label: "sampler", among: samplers, names: names)
  }

  /// `top-k: 40` gives the first parameter; `repetition-penalty: {penalty: 1.1, last-n: 64}` names
  /// them.
  private func processor(
    _ entry: YAMLEntry, _ descriptor: StageDescriptor, _ path: String
  ) -> StageChoice? {
    var choice = StageChoice(descriptor.name)
    var isGood = true
    func take(_ parameter: ParameterDescriptor, _ node: YAMLNode, _ path: String) {
      guard let value = self.parameter(node, path) else {
        isGood = false
        return
      }
      guard parameter.accepts(value) else {
        problems.add(
          "bad value", path, at: node.position, expected: parameter.domainText,
          got: value.description)
        isGood = false
        return
      }
      choice.parameters[parameter.name] = value
    }
    guard entry.value.entries != nil else {
      guard let first = descriptor.parameters.first else {
        // Nothing to say of it: `name:`, or `name: true`.
        if entry.value.isNull || entry.value.scalar == .bool(true) { return choice }
        problems.add(
          "takes no value", path, at: entry.value.position, got: entry.value.kindText)
        return nil
      }
      take(first, entry.value, path)
      return isGood ? choice : nil
    }
    let keys = descriptor.parameters.map(\.name)
    guard let fields = Fields(entry.value, path, keys: keys, problems) else { return nil }
    for parameter in descriptor.parameters {
      if let node = fields[parameter.name] { take(parameter, node, fields.keyPath(parameter.name)) }
    }
    return isGood ? choice : nil
  }
}
