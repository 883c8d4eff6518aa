public import TritCore

/// Checks the laws of a measure, without a model:
///
/// 1. its key, and the names of its settings, can stand as keys in an experiment file, each once;
/// 2. what holds where a file says nothing is what a file could have said;
/// 3. it can be made of that, unless a setting has to be given;
/// 4. its columns are of its own metrics, `KEY.name`, each once.
///
/// Returns what was broken; empty means that all laws hold.
public func checkMeasure(_ definition: MeasureDefinition) -> [LawViolation] {
  var broken: [LawViolation] = []
  func note(_ law: String, _ evidence: String) {
    broken.append(LawViolation(law, "measure '\(definition.key)': \(evidence)"))
  }
  if !PlainName.isPlain(definition.key) {
    note("a key is letters, digits, '-' and '_'", "'\(definition.key)'")
  }
  var names: Set<String> = []
  for field in definition.fields {
    if !PlainName.isPlain(field.name) {
      note("the name of a setting is letters, digits, '-' and '_'", "'\(field.name)'")
    }
    if !names.insert(field.name).inserted {
      note("settings have names of their own", "'\(field.name)' twice")
    }
    if case .value(let value) = field.standard, !field.form.accepts(value) {
      note(
        "a default is a value that a file may give",
        "'\(field.name)' is \(value.text), of \(field.descriptor.domainText)")
    }
  }
  var metrics: Set<String> = []
  for column in definition.columns {
    if !column.key.hasPrefix(definition.key + ".") {
      note("columns are of the measure's own metrics", "'\(column.key)'")
    }
    if !metrics.insert(column.key).inserted {
      note("each metric has one column", "'\(column.key)' twice")
    }
  }
  guard broken.isEmpty, let settings = MeasureSettings(standardsOf: definition) else {
    return broken
  }
  do {
    _ = try definition.make(settings)
  } catch {
    note("a measure can be made of its defaults", "\(error)")
  }
  return broken
}

/// Checks the laws of a figure, without records: its key is the name of its files in `plots/`, in
/// letters, digits, `-` and `_`, and no file of the lab's own; its template is not empty.
///
/// Returns what was broken; empty means that all laws hold.
public func checkFigure(_ definition: FigureDefinition) -> [LawViolation] {
  var broken: [LawViolation] = []
  func note(_ law: String, _ evidence: String) {
    broken.append(LawViolation(law, "figure '\(definition.key)': \(evidence)"))
  }
  if !PlainName.isPlain(definition.key) {
    note("a key is letters, digits, '-' and '_'", "'\(definition.key)'")
  }
  if definition.key == "style" {
    note("a figure is no file that all figures read", "style.gp")
  }
  if let template = definition.template, template.allSatisfy(\.isWhitespace) {
    note("a template draws something", "it is empty")
  }
  return broken
}

/// Names that are keys of files, and names of files.
enum PlainName {
  static func isPlain(_ name: String) -> Bool {
    name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9_-]*/) != nil
  }
}

extension MeasureField.Form {
  /// Whether a file could have given `value`.
  fileprivate func accepts(_ value: SettingValue) -> Bool {
    switch (self, value) {
    case (.integer(let range), .integer(let number)), (.windows(let range), .integer(let number)):
      range.contains(number)
    case (.real(let range), .real(let number)): range.contains(number)
    case (.real(let range), .integer(let number)): range.contains(Double(number))
    case (.word(let words), .text(let text)): words.contains { $0.name == text }
    case (.text, .text(let text)): !text.isEmpty
    case (.integers(let range), .integers(let list)): list.allSatisfy(range.contains)
    case (.words(_, _, let isLegal), .texts(let list)): list.allSatisfy(isLegal)
    case (.flag, .flag), (.data, .place), (.questions, .place), (.prompts, .texts),
      (.sampler, .sampler), (.windows, .windows):
      true
    default: false
    }
  }
}

extension MeasureSettings {
  /// What holds where a file says nothing but the section's name; nil where it has to say more.
  fileprivate init?(standardsOf definition: MeasureDefinition) {
    self.init(section: definition.key, position: .file("", line: 0, column: 0))
    for field in definition.fields {
      switch field.standard {
      case .none: break
      case .value(let value): values[field.name] = value
      case .seedOfExperiment: values[field.name] = .integer(0)
      // What a file has to say, there or in another section.
      case .section, .required: return nil
      }
    }
  }
}
