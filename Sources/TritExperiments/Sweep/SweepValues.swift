internal import Foundation
internal import TritCore
internal import TritSampling

/// Turns the value of an axis of a sweep into a list of values: what stands in lists, and what
/// ranges stand for, also those within a choice: `{name: absmean, group: [32, 64]}`,
/// `{temperature: {from: 0.2, to: 1, step: 0.2}}`.
struct SweepValues {
  let lab: Lab
  let problems: Problems
  /// The experiment's, for ranges whose values are drawn.
  let seed: UInt64

  static let rangeKeys = ["from", "to", "step", "count", "random", "scale"]
  static let scales = ["linear", "log"]
  static let expected =
    "a list of values, or a range: {from: 1, to: 8, step: 1}, or with count: N or random: N "
    + "in place of step, and scale: log"

  /// What a node stands for decides whether numbers of a range are whole.
  indirect enum Context {
    /// A number; whole or not.
    case number(isWhole: Bool)
    /// A choice of a stage, in long form.
    case stage(StageKey)
    /// Parameters by name.
    case parameters([ParameterDescriptor])
    /// Processors by name, and the sampler.
    case sampler
    /// Globs over layers, and what they choose.
    case layers
    /// Stages by key.
    case choices
    /// Anything else, which is taken as it is.
    case plain
  }

  /// The context of an axis.
  func context(of key: String) -> Context {
    switch key {
    case "threads", "seed", "training-seed": .number(isWhole: true)
    case "sampler": .sampler
    case "layers": .layers
    case "model", "i2s-layout": .plain
    default: .stage(StageKey(rawValue: key))
    }
  }

  /// The values of an axis; nil (noted) where they cannot be read.
  func axis(_ node: YAMLNode, _ path: String, key: String) -> [YAMLNode]? {
    let context = context(of: key)
    let values: [YAMLNode]
    if let elements = node.elements {
      guard !elements.isEmpty else {
        problems.add(
          "the list is empty", path, at: node.position, expected: "a value or more")
        return nil
      }
      var list: [YAMLNode] = []
      for (index, element) in elements.enumerated() {
        guard let part = expand(element, "\(path)[\(index)]", context) else { return nil }
        list += part
      }
      values = list
    } else if node.entries != nil, isRange(node) || isGrid(node) {
      guard let list = expand(node, path, context) else { return nil }
      values = list
    } else {
      problems.wrongType(
        node, path, expected: Self.expected,
        advice: "write [\(YAMLWriter.flow(node))], or move a single value to 'base'")
      return nil
    }
    guard values.count <= ExperimentPlan.maximumVariants else {
      problems.add(
        "too many values", path, at: node.position,
        expected: "at most \(ExperimentPlan.maximumVariants)", got: "\(values.count)")
      return nil
    }
    return values
  }

  private func isRange(_ node: YAMLNode) -> Bool { node["from"] != nil || node["to"] != nil }

  /// Whether a mapping has a list or a range in it.
  private func isGrid(_ node: YAMLNode) -> Bool {
    (node.entries ?? []).contains { entry in
      entry.value.elements != nil || isRange(entry.value) || isGrid(entry.value)
    }
  }

  /// All that a node stands for.
  private func expand(_ node: YAMLNode, _ path: String, _ context: Context) -> [YAMLNode]? {
    guard let entries = node.entries else { return [node] }
    if isRange(node) {
      guard case .number(let isWhole) = context else {
        problems.add(
          "a range stands for numbers", path, at: node.position,
          expected: "a range where a number stands: threads, seed, or a parameter of a stage",
          got: YAMLWriter.flow(node))
        return nil
      }
      return range(node, path, isWhole: isWhole)
    }
    var combinations: [[YAMLEntry]] = [[]]
    for entry in entries {
      let inner = "\(path).\(entry.key)"
      let context = self.context(within: context, node, entry.key)
      var values: [YAMLNode] = []
      for (index, value) in (entry.value.elements ?? [entry.value]).enumerated() {
        let place = entry.value.elements == nil ? inner : "\(inner)[\(index)]"
        guard let part = expand(value, place, context) else { return nil }
        values += part
      }
      guard !values.isEmpty else {
        problems.add(
          "the list is empty", inner, at: entry.value.position, expected: "a value or more")
        return nil
      }
      guard combinations.count * values.count <= ExperimentPlan.maximumVariants else {
        problems.add(
          "too many values", path, at: node.position,
          expected: "at most \(ExperimentPlan.maximumVariants)")
        return nil
      }
      combinations = combinations.flatMap { start in
        values.map { start + [YAMLEntry(entry.key, at: entry.keyPosition, $0)] }
      }
    }
    return combinations.map { YAMLNode(.mapping($0), at: node.position) }
  }

  private func context(within outer: Context, _ node: YAMLNode, _ key: String) -> Context {
    func parameter(_ name: String, of list: [ParameterDescriptor]) -> Context {
      guard let found = list.first(where: { $0.name == name }) else {
        return .number(isWhole: false)
      }
      if case .integer = found.domain { return .number(isWhole: true) }
      return .number(isWhole: false)
    }
    switch outer {
    case .stage(let stage):
      let descriptors = lab.kind(stage)?.descriptors ?? []
      guard let name = node["name"]?.text, let found = descriptors.named(name) else {
        return .number(isWhole: false)
      }
      return parameter(key, of: found.parameters)
    case .parameters(let list): return parameter(key, of: list)
    case .sampler:
      guard let found = lab[.processor].descriptors.named(key) else { return .stage(.sampler) }
      // A range stands for the first parameter, a mapping names them.
      return node[key].map(isRange) == true
        ? parameter(found.parameters.first?.name ?? "", of: found.parameters)
        : .parameters(found.parameters)
    case .layers: return .choices
    case .choices: return .stage(StageKey(rawValue: key))
    case .number, .plain: return .plain
    }
  }
}

// MARK: - Ranges

extension SweepValues {
  /// A range as scalars.
  private func range(_ node: YAMLNode, _ path: String, isWhole: Bool) -> [YAMLNode]? {
    guard let fields = Fields(node, path, keys: Self.rangeKeys, problems) else { return nil }
    let before = problems.list.count + problems.omitted
    for key in ["from", "to"] where fields[key] == nil {
      fields.missing(key, expected: "a number: both ends of the range belong to it")
    }
    let limit = -1e300...1e300
    func number(_ key: String) -> Double? {
      fields[key].flatMap { problems.real($0, fields.keyPath(key), limit) }
    }
    let (from, to, step) = (number("from"), number("to"), number("step"))
    let most = ExperimentPlan.maximumVariants
    let count = fields.integer("count", 2...most)
    let random = fields.integer("random", 1...most)
    let isLog = fields.word("scale", Self.scales) == "log"
    let ways = ["step", "count", "random"].filter { fields[$0] != nil }
    if ways.count != 1 {
      problems.add(
        "how many values?", path, at: node.position, expected: "one of: step, count, random",
        got: ways.isEmpty ? "none of them" : ways.joined(separator: " and "))
    }
    guard problems.list.count + problems.omitted == before, let from, let to else { return nil }
    func fail(_ what: String, _ key: String, expected: String, got: Double) -> [YAMLNode]? {
      problems.add(
        what, fields.keyPath(key), at: fields[key]?.position ?? node.position, expected: expected,
        got: Self.text(got, isWhole: false))
      return nil
    }
    guard from < to else {
      return fail("bad value", "to", expected: "more than 'from', \(Self.text(from))", got: to)
    }
    if isLog, from <= 0 {
      return fail("bad value", "from", expected: "more than 0, for scale: log", got: from)
    }
    for (key, value) in [("from", from), ("to", to)] where isWhole && value != value.rounded() {
      return fail("bad value", key, expected: "a whole number", got: value)
    }
    let values: [Double]
    if let step {
      guard isLog ? step > 1 : step > 0 else {
        return fail(
          "bad value", "step", expected: isLog ? "a factor of more than 1" : "more than 0",
          got: step)
      }
      let steps = isLog ? log(to / from) / log(step) : (to - from) / step
      guard steps < Double(most) else {
        return fail(
          "too many values", "step", expected: "a range of at most \(most) values", got: step)
      }
      // An end that is missed by a rounding is meant.
      values = (0...Int(steps + 1e-9)).map {
        isLog ? from * pow(step, Double($0)) : from + Double($0) * step
      }
    } else if let count {
      values = (0..<count).map { Self.between(from, to, Double($0) / Double(count - 1), isLog) }
    } else {
      guard let drawn = drawn(random ?? 1, from, to, isLog, isWhole: isWhole, path) else {
        return fail(
          "more values than there are", "random",
          expected: "at most \(Int(to - from) + 1) whole numbers", got: Double(random ?? 1))
      }
      values = drawn
    }
    var texts: [String] = []
    for value in values {
      let text = Self.text(value, isWhole: isWhole)
      if texts.last != text { texts.append(text) }
    }
    return texts.map { YAMLNode(.scalar($0, plain: true), at: node.position) }
  }

  private static func between(
    _ from: Double, _ to: Double, _ share: Double, _ isLog: Bool
  ) -> Double {
    if share <= 0 { return from }
    if share >= 1 { return to }
    return isLog ? from * pow(to / from, share) : from + (to - from) * share
  }

  /// Values drawn evenly over the range, or over its logarithm; the axis' path is part of the seed,
  /// so that two axes do not draw alike. nil where there are not so many whole numbers.
  private func drawn(
    _ count: Int, _ from: Double, _ to: Double, _ isLog: Bool, isWhole: Bool, _ path: String
  ) -> [Double]? {
    if isWhole, to - from + 1 < Double(count) { return nil }
    let own = UInt64(SHA256.hex(path).prefix(16), radix: 16) ?? 0
    var random = SeededRandom(seed: seed ^ own)
    var values: Set<Double> = []
    while values.count < count {
      var value = Self.between(from, to, random.uniform(), isLog)
      // Few digits, so that labels can be read.
      value = isWhole ? value.rounded() : Double(String(format: "%.4g", value)) ?? value
      values.insert(min(max(value, from), to))
    }
    return values.sorted()
  }

  /// A number as one would write it: 12 digits, so that 0.1 + 0.2 is 0.3.
  static func text(_ value: Double, isWhole: Bool = false) -> String {
    let value = isWhole ? value.rounded() : value
    if let whole = Int(exactly: value) { return "\(whole)" }
    let rounded = Double(String(format: "%.12g", value)) ?? value
    return Int(exactly: rounded).map { "\($0)" } ?? "\(rounded)"
  }
}
