/// The key of a kind of stage, without the type of its implementations: `kernel`, `cache`.
public struct StageKey: RawRepresentable, Hashable, Sendable, Comparable {
  /// As it stands in files and flags.
  public let rawValue: String

  /// A key.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// The word that leaves a stage to the checkpoint, where that has an opinion
  /// (`StageKind.isLeftToModels`).
  public static let asTheModelSays = "model"

  /// Alphabetical.
  public static func < (a: StageKey, b: StageKey) -> Bool { a.rawValue < b.rawValue }
}

/// Where stages of a kind are chosen.
public enum StageScope: String, Sendable, Hashable, CaseIterable {
  /// For each linear layer of a model.
  case layer
  /// Once for a model.
  case model
  /// In a chain that draws tokens.
  case sampling
  /// In experiment files: measures and figures.
  case experiment
}

/// A kind of stage: the typed key under which a `Lab` holds its implementations. A module that has
/// such a kind declares one, as `StageKind<any LinearKernel>.kernel`, and one line of a lab adds
/// it: selections, flags, listings, the schema of files, their validation and digests are made from
/// what stands here.
public struct StageKind<Product: Sendable>: Sendable {
  /// The key in files and flags.
  public let key: StageKey
  /// The stage in the singular, in words: `weight quantizer`.
  public let stage: String
  /// Where it is chosen.
  public let scope: StageScope
  /// What is chosen where nobody chooses; nil leaves it to the checkpoint, or is nothing.
  public let standard: StageChoice?
  /// Other spellings of its flag beside `--key`: `-ctk`.
  public let flags: [String]
  /// What its flag is for, in a line of help.
  public let help: String
  /// The laws of the kind: what an implementation broke of them. nil where there are none.
  let laws: (@Sendable (Product) -> [LawViolation])?
  /// Adds the implementations that stand for others, such as `auto`, to all that are registered.
  let derive: @Sendable (inout Registry<Product>) -> Void

  /// Declares a kind.
  public init(
    _ key: String, stage: String, scope: StageScope, standard: StageChoice? = nil,
    flags: [String] = [], help: String = "",
    laws: (@Sendable (Product) -> [LawViolation])? = nil,
    derive: @escaping @Sendable (inout Registry<Product>) -> Void = { _ in }
  ) {
    self.key = StageKey(rawValue: key)
    self.stage = stage
    self.scope = scope
    self.standard = standard
    self.flags = flags
    self.help = help
    self.laws = laws
    self.derive = derive
  }

  /// Whether a checkpoint decides where nobody chooses; `model` is then a legal word.
  public var isLeftToModels: Bool { scope == .layer && standard == nil }
}

/// A kind of stage and what a lab has of it, without types: for listings, flags, schemas and
/// documentation.
public struct StageInformation: Sendable {
  /// The key in files and flags.
  public let key: StageKey
  /// The stage in words.
  public let stage: String
  /// Where it is chosen.
  public let scope: StageScope
  /// What is chosen where nobody chooses; nil leaves it to the checkpoint, or is nothing.
  public let standard: StageChoice?
  /// Other spellings of its flag.
  public let flags: [String]
  /// What its flag is for.
  public let help: String
  /// Whether `model` leaves the choice to the checkpoint.
  public let isLeftToModels: Bool
  /// Its implementations, reference first.
  public let descriptors: [StageDescriptor]

  init<Product: Sendable>(_ registry: Registry<Product>) {
    let kind = registry.kind
    key = kind.key
    stage = kind.stage
    scope = kind.scope
    standard = kind.standard
    flags = kind.flags
    help = kind.help
    isLeftToModels = kind.isLeftToModels
    descriptors = registry.descriptors
  }

  /// Names that are legal beside the registered ones, without parameters.
  public var words: [String] { isLeftToModels ? [StageKey.asTheModelSays] : [] }

  /// Every legal name.
  public var names: [String] { words + descriptors.map(\.name) }

  /// The implementation that is called `name`, or has it as an alias.
  public func descriptor(_ name: String) -> StageDescriptor? {
    descriptors.first { $0.name == name } ?? descriptors.first { $0.aliases.contains(name) }
  }
}
