import TritLab

/// What `trit new` writes for one stage in one language: a plug-in that is right as it stands, and
/// an experiment that puts it beside what the lab has.
struct StageTemplate: Sendable {
  /// What a plug-in is written in.
  enum Language: String, Sendable, CaseIterable {
    /// One C file against `trit_kernel.h`: kernels alone.
    case c
    /// One Swift file that imports TritLab: any stage.
    case swift
  }

  /// The stage that it adds to.
  let key: StageKey
  /// What it is written in.
  let language: Language
  /// The text of the plug-in.
  let source: @Sendable (TemplateName) -> String
  /// The experiment without its first lines: what is swept, what is measured.
  let experiment: @Sendable (TemplateName) -> String
  /// What the experiment asks, in one line.
  let question: @Sendable (TemplateName) -> String

  /// A template for every kind of stage; where there are two for one, the usual one comes first.
  static let all: [StageTemplate] = [
    quantizer, activations, packing, kernelInC, kernelInSwift, attention, cache, head, processor,
    sampler, measure, figure,
  ]

  /// The kinds of stages that can be begun.
  static let keys: [String] = all.map(\.key.rawValue).reduce(into: []) { list, key in
    if list.last != key { list.append(key) }
  }

  /// The template of a stage; nil where it has none in `language`, which is the usual one where
  /// nil.
  static func find(_ key: String, in language: Language?) -> StageTemplate? {
    all.first { $0.key.rawValue == key && (language == nil || $0.language == language) }
  }

  /// The plug-in and the experiment as they are written.
  func files(_ name: String) -> [(name: String, text: String)] {
    let name = TemplateName(name, ending: language.rawValue)
    let head = """
      # \(question(name))
      #
      #   trit run \(name.experiment) --plugin \(name.file)
      name: "\(name.text)"
      model: builtin:storyteller

      """
    return [(name.file, source(name)), (name.experiment, head + experiment(name))]
  }
}

/// The name of a stage in the forms in which a template needs it.
struct TemplateName: Sendable {
  /// As it was given, and as it stands in flags and files: letters, digits, `_`, `-` and `.`.
  let text: String
  /// The plug-in's file.
  let file: String
  /// The experiment's file.
  let experiment: String
  /// A type that no type of the lab is called: `MyMine` for `mine`.
  let type: String

  init(_ text: String, ending: String) {
    self.text = text
    file = "\(text).\(ending)"
    experiment = "\(text).yaml"
    let words = text.split { !$0.isASCII || !($0.isLetter || $0.isNumber) }
    let joined = words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    type = joined.hasPrefix("My") && joined.count > 2 ? joined : "My" + joined
  }
}
