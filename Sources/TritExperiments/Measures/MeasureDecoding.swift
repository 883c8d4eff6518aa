internal import TritCore
internal import TritEvaluation

/// What an experiment measures: its sections, in the order in which they run.
public struct Measurements: Sendable {
  /// A section.
  public struct Section: Sendable {
    /// Its key.
    public let key: String
    /// Its settings.
    public let settings: MeasureSettings
    /// What they stand for.
    public let measure: any Measure
    /// What it is made from.
    let definition: MeasureDefinition

    /// The section with `seed` wherever the file names none.
    func seeded(_ seed: UInt64) throws -> Section {
      var settings = settings
      for field in definition.fields where settings.positions[field.name] == nil {
        guard case .seedOfExperiment = field.standard else { continue }
        settings.values[field.name] = .integer(Int(clamping: seed))
      }
      return Section(
        key: key, settings: settings, measure: try definition.make(settings),
        definition: definition)
    }
  }

  /// The sections.
  public var sections: [Section] = []
  /// The keys of those that the file has, also of those that are wrong.
  var asked: Set<String> = []

  /// Nothing is measured.
  public init() {}

  /// The keys of the sections.
  public var keys: [String] { sections.map(\.key) }

  /// The section of a type; nil where the file has none.
  public func first<M: Measure>(_ type: M.Type) -> M? {
    sections.lazy.compactMap { $0.measure as? M }.first
  }
}

extension ExperimentDecoder {
  static let tokenRange = 1...1_048_576

  /// The `measure` section.
  func measurements(_ node: YAMLNode, seed: UInt64) -> Measurements {
    var result = Measurements()
    let definitions = stages.lab.measures
    let keys = definitions.map(\.key)
    guard let fields = Fields(node, "measure", keys: keys, problems) else { return result }
    var decoded: [String: MeasureSettings] = [:]
    for definition in definitions {
      guard let section = section(fields, definition) else { continue }
      result.asked.insert(definition.key)
      let before = problems.list.count
      let settings = settings(section, definition, seed: seed, others: decoded)
      decoded[definition.key] = settings
      // What is wrong with single settings has been told; what they mean together is nobody's guess
      // then.
      guard problems.list.count == before, problems.omitted == 0 else { continue }
      do {
        result.sections.append(
          Measurements.Section(
            key: definition.key, settings: settings, measure: try definition.make(settings),
            definition: definition))
      } catch let error as LabError {
        problems.add(error)
      } catch let errors as LabErrors {
        for error in errors.problems { problems.add(error) }
      } catch {
        problems.add("\(error)", "measure.\(definition.key)", at: section.node.position)
      }
    }
    if result.sections.isEmpty, problems.list.isEmpty {
      problems.add(
        "measures nothing", "measure", at: node.position,
        expected: "one of: \(keys.joined(separator: ", "))")
    }
    return result
  }

  /// A section as its fields; `true` and nothing are `{}`, `false` turns it off.
  private func section(_ fields: Fields, _ definition: MeasureDefinition) -> Fields? {
    guard let node = fields[definition.key] else { return nil }
    let (path, keys) = (fields.keyPath(definition.key), definition.fields.map(\.name))
    if case .bool(let isOn)? = node.scalar {
      guard isOn else { return nil }
      let empty = YAMLNode(.mapping([]), at: node.position)
      return Fields(empty, path, keys: keys, problems)
    }
    return Fields(
      node, path, keys: keys,
      expected: keys.isEmpty
        ? "{}" : "a mapping with keys of: \(keys.joined(separator: ", ")); or true, false",
      nullIsEmpty: true, problems)
  }

  private func settings(
    _ fields: Fields, _ definition: MeasureDefinition, seed: UInt64,
    others: [String: MeasureSettings]
  ) -> MeasureSettings {
    var settings = MeasureSettings(section: definition.key, position: fields.node.position)
    for field in definition.fields {
      if let node = fields[field.name] {
        settings.positions[field.name] = node.position
        for (index, item) in (node.elements ?? []).enumerated() {
          settings.positions["\(field.name)[\(index)]"] = item.position
        }
        settings.values[field.name] = value(node, field, fields.keyPath(field.name))
        continue
      }
      switch field.standard {
      case .none: break
      case .value(let value): settings.values[field.name] = value
      case .seedOfExperiment: settings.values[field.name] = .integer(Int(clamping: seed))
      case .section(let name, let unless):
        guard unless.map({ fields[$0] == nil }) ?? true else { continue }
        settings.values[field.name] = others[name]?.values[field.name]
      case .required(let expected, let advice):
        fields.missing(field.name, expected: expected, advice: advice)
      }
    }
    return settings
  }

  private func value(_ node: YAMLNode, _ field: MeasureField, _ path: String) -> SettingValue? {
    switch field.form {
    case .integer(let range): return problems.integer(node, path, range).map { .integer($0) }
    case .real(let range): return problems.real(node, path, range).map { .real($0) }
    case .flag: return problems.flag(node, path).map { .flag($0) }
    case .word(let words): return problems.word(node, path, words.map(\.name)).map { .text($0) }
    case .text: return problems.text(node, path).map { .text($0) }
    case .data, .questions: return pathReference(node, path).map { .place($0) }
    case .sampler: return stages.sampler(node, path).map { .sampler($0) }
    case .windows(let range): return windows(node, path, range)
    case .integers(let range):
      return list(node, path, expected: "a list of numbers, as [\(range.lowerBound), …]") {
        problems.integer($0, $1, range)
      }.map { .integers($0) }
    case .words(let expected, _, let isLegal):
      return list(node, path, expected: "a list of: \(expected)") { item, path in
        guard let text = problems.text(item, path, expected: expected) else { return nil }
        guard isLegal(text) else {
          problems.add("bad value", path, at: item.position, expected: expected, got: text)
          return nil
        }
        return text
      }.map { .texts($0) }
    case .prompts:
      return list(
        node, path, expected: "a list of prompts: [Once upon a time, {text: The cat}]", prompt
      ).map { .texts($0) }
    }
  }

  /// A number of windows, or a part of them.
  private func windows(
    _ node: YAMLNode, _ path: String, _ range: ClosedRange<Int>
  ) -> SettingValue? {
    guard case .string(let text)? = node.scalar else {
      return problems.integer(node, path, range).map { .integer($0) }
    }
    guard let selection = WindowSelection(text), selection.isPart else {
      problems.add(
        "bad value", path, at: node.position,
        expected: "how many windows, or a part of them, half open and from 0: 0:8, 8:16, 16:",
        got: text)
      return nil
    }
    return .windows(selection)
  }

  /// A list that is not empty.
  private func list<Element>(
    _ node: YAMLNode, _ path: String, expected: String,
    _ element: (YAMLNode, String) -> Element?
  ) -> [Element]? {
    guard let list = node.elements, !list.isEmpty else {
      problems.wrongType(node, path, expected: expected)
      return nil
    }
    return list.enumerated().compactMap { element($1, "\(path)[\($0)]") }
  }

  private func prompt(_ node: YAMLNode, _ path: String) -> String? {
    var text: String?
    if node.entries != nil {
      guard let fields = Fields(node, path, keys: ["text"], problems) else { return nil }
      guard fields["text"] != nil else {
        fields.missing("text", expected: "the prompt")
        return nil
      }
      text = fields.text("text")
    } else {
      text = problems.text(node, path, expected: "a prompt: text, or {text: …}")
    }
    if let text, text.allSatisfy(\.isWhitespace) {
      problems.add("the prompt is empty", path, at: node.position, expected: "some text")
      return nil
    }
    return text
  }
}
