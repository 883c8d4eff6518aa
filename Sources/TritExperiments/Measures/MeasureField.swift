public import TritCore
public import TritEvaluation

/// A setting of a section of `measure:`: from it come decoding, validation, the schema, digests and
/// documentation.
public struct MeasureField: Sendable {
  /// What a setting may hold.
  public enum Form: Sendable {
    /// A whole number in a range.
    case integer(ClosedRange<Int>)
    /// A number in a range.
    case real(ClosedRange<Double>)
    /// true or false.
    case flag
    /// One of some words, each with what it means (or nothing).
    case word([(name: String, summary: String)])
    /// Any text that is not empty.
    case text
    /// A text to read: a file, a folder, JSONL, or the name of a data set.
    case data
    /// Questions: a JSONL file or a built-in name.
    case questions
    /// Whole numbers in a range.
    case integers(ClosedRange<Int>)
    /// Words of a form: what is expected, a regular expression of JSON Schema, and what is legal.
    case words(expected: String, pattern: String, isLegal: @Sendable (String) -> Bool)
    /// Prompts: texts, or `{text: …}`.
    case prompts
    /// How tokens are drawn.
    case sampler
    /// Windows of a text: how many at most, or which: `a:b`, half open and from 0
    /// (`WindowSelection`).
    case windows(ClosedRange<Int>)
  }

  /// What holds where the file says nothing.
  public enum Standard: Sendable {
    /// Nothing: the measure decides.
    case none
    /// This value.
    case value(SettingValue)
    /// The seed of the experiment.
    case seedOfExperiment
    /// The setting of the same name of another section, unless `unless` is written here.
    case section(String, unless: String?)
    /// The file has to say it: what is expected, and what to write.
    case required(expected: String, advice: String?)
  }

  /// The key.
  public let name: String
  /// One line: what it does, with its unit.
  public let summary: String
  /// What it may hold.
  public let form: Form
  /// What holds where the file says nothing.
  public let standard: Standard

  /// A setting that may be left out; then it is `standard`.
  public init(_ name: String, _ summary: String, _ form: Form, standard: SettingValue) {
    self.init(name, summary, form, .value(standard))
  }

  /// A setting.
  public init(_ name: String, _ summary: String, _ form: Form, _ standard: Standard = .none) {
    self.name = name
    self.summary = summary
    self.form = form
    self.standard = standard
  }

  /// The field as listings show parameters.
  var descriptor: ParameterDescriptor {
    let domain: ParameterDescriptor.Domain =
      switch form {
      case .integer(let range): .integer(range)
      case .real(let range): .real(range)
      case .flag: .flag
      case .word(let words): .choice(words.map(\.name))
      case .text: .text("text")
      case .data: .text("a file, a folder, or the name of a data set")
      case .questions: .text("a JSONL file or a built-in name")
      case .integers(let range): .text("a list of integers \(range.lowerBound)…\(range.upperBound)")
      case .words(let expected, _, _): .text("a list of: \(expected)")
      case .prompts: .text("a list of texts")
      case .sampler: .text("a sampler, or processors in order")
      case .windows(let range): .text("\(range.lowerBound)…, or a part of the windows, a:b")
      }
    let standard: ParameterValue =
      switch self.standard {
      case .none: .text("as the measure says")
      case .value(let value): .text(value.text)
      case .seedOfExperiment: .text("the experiment's")
      case .section(let name, _): .text("as \(name)")
      case .required: .text("none, it has to be given")
      }
    return ParameterDescriptor(name, summary, domain, default: standard)
  }
}

/// The value of a setting.
public enum SettingValue: Sendable, Hashable {
  /// A whole number.
  case integer(Int)
  /// A number.
  case real(Double)
  /// A switch.
  case flag(Bool)
  /// A word or a text.
  case text(String)
  /// A place of a text or of questions.
  case place(PathReference)
  /// Whole numbers.
  case integers([Int])
  /// Words, or prompts.
  case texts([String])
  /// How tokens are drawn.
  case sampler(SamplerSettings)
  /// A part of the windows of a text.
  case windows(WindowSelection)

  /// The value as it would be written.
  public var text: String {
    switch self {
    case .integer(let value): "\(value)"
    case .real(let value): "\(value)"
    case .flag(let value): "\(value)"
    case .text(let value): value
    case .place(let value): value.text
    case .integers(let list): "[" + list.map(String.init).joined(separator: ", ") + "]"
    case .texts(let list): "[" + list.joined(separator: ", ") + "]"
    case .sampler(let value): value.description
    case .windows(let value): value.description
    }
  }
}

/// The settings of one section, each checked against its field, defaults filled in.
public struct MeasureSettings: Sendable {
  /// The key of the section.
  public let section: String
  /// By name; what is absent is the measure's to decide.
  public internal(set) var values: [String: SettingValue] = [:]
  /// Where each was written, and the elements of lists as `name[0]`.
  var positions: [String: SourcePosition] = [:]
  /// Where the section was written.
  var position: SourcePosition

  init(section: String, position: SourcePosition) {
    self.section = section
    self.position = position
  }

  /// All of it as text that is equal where the settings are: what a plan is told by.
  var canonical: [String: String] {
    var list = values.mapValues { InputText.of($0) }
    list[""] = section
    return list
  }

  /// A whole number that has a default.
  public func integer(_ name: String) -> Int { integerIfGiven(name) ?? 0 }

  /// A whole number; nil where nobody gave it.
  public func integerIfGiven(_ name: String) -> Int? {
    if case .integer(let value)? = values[name] { value } else { nil }
  }

  /// A number that has a default; whole numbers count.
  public func real(_ name: String) -> Double {
    switch values[name] {
    case .real(let value)?: value
    case .integer(let value)?: Double(value)
    default: 0
    }
  }

  /// A switch that has a default.
  public func flag(_ name: String) -> Bool { values[name] == .flag(true) }

  /// A word or a text that has a default.
  public func text(_ name: String) -> String { textIfGiven(name) ?? "" }

  /// A word or a text; nil where nobody gave it.
  public func textIfGiven(_ name: String) -> String? {
    if case .text(let value)? = values[name] { value } else { nil }
  }

  /// The place of a text or of questions; nil where nobody gave it.
  public func place(_ name: String) -> PathReference? {
    if case .place(let value)? = values[name] { value } else { nil }
  }

  /// Whole numbers.
  public func integers(_ name: String) -> [Int] {
    if case .integers(let list)? = values[name] { list } else { [] }
  }

  /// Words or prompts.
  public func texts(_ name: String) -> [String] {
    if case .texts(let list)? = values[name] { list } else { [] }
  }

  /// How tokens are drawn.
  public func sampler(_ name: String) -> SamplerSettings? {
    if case .sampler(let value)? = values[name] { value } else { nil }
  }

  /// Windows of a text; all where nobody said more.
  public func windows(_ name: String) -> WindowSelection {
    if case .windows(let value)? = values[name] { return value }
    return integerIfGiven(name).map { WindowSelection(first: $0) } ?? .all
  }

  /// An error about a setting, with its place in the file. `field` may name an element:
  /// `shapes[1]`.
  public func fault(
    _ what: String, at field: String, expected: String? = nil, got: String? = nil,
    advice: String? = nil
  ) -> LabError {
    LabError(
      .badData, "measure.\(section).\(field): \(what)",
      at: (positions[field] ?? position).description, expected: expected, got: got, advice: advice)
  }
}
