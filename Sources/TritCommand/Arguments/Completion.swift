import TritLab

/// What a shell offers for the value of an option or for an argument. Other values may be legal
/// too.
package struct Completion: Sendable {
  /// Which files are offered beside words.
  enum Files: Sendable, Equatable {
    /// None.
    case none
    /// All.
    case any
    /// Those whose names end so, and folders.
    case ending([String])
  }

  /// What is offered.
  var words: [String]
  /// The key of the stage whose implementations are offered; nil for other words.
  var stage: String?
  /// What may stand behind the colon of a word: `group=`, `mode=row`.
  var parameters: [(name: String, words: [String])]
  /// Which files.
  var files: Files

  /// Words alone, and files where nothing else is known.
  init(
    words: [String] = [], stage: String? = nil,
    parameters: [(name: String, words: [String])] = [], files: Files? = nil
  ) {
    self.words = words
    self.stage = stage
    self.parameters = parameters
    self.files = files ?? (words.isEmpty ? .any : .none)
  }

  /// The legal words of a closed list; files where there is none.
  init(choices: [String]) { self.init(words: choices) }

  /// The implementations of a stage with their parameters.
  init(stages kind: StageInformation) {
    let parameters = kind.descriptors.filter { !$0.parameters.isEmpty }.map { descriptor in
      (name: descriptor.name, words: descriptor.parameters.flatMap(Self.words))
    }
    self.init(
      words: kind.names, stage: kind.key.rawValue, parameters: parameters, files: Files.none)
  }

  /// `group=`, or all values where they are few.
  private static func words(_ parameter: ParameterDescriptor) -> [String] {
    switch parameter.domain {
    case .choice(let words): words.map { "\(parameter.name)=\($0)" }
    case .flag: ["true", "false"].map { "\(parameter.name)=\($0)" }
    case .integer, .real, .text: ["\(parameter.name)="]
    }
  }

  /// Models: those that ship with the lab, and files.
  static let models = Completion(
    words: BuiltinModels.names.map { "builtin:\($0)" }, files: .any)

  /// YAML files.
  static let yaml = Completion(files: .ending([".yaml", ".yml"]))
}
