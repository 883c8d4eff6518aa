public import TritCore

/// One choice for every stage of an engine: what a variant of an experiment resolves to.
///
/// What is not chosen is the standard of its kind (`StageKind.standard`): the fastest lossless
/// kernel, flash attention, an f32 cache, a head in the narrowest format that loses nothing. (An
/// f16 cache alone moves int8 roundings enough to quadruple the distance to PyTorch on small
/// models.) Kinds without a standard are as the model says: a ternary checkpoint keeps its trits,
/// BitNet masters are quantized by absmean, dense checkpoints stay dense; activations are int8
/// where the model was trained so. Files and flags write `model` for that.
public struct StageSelection: Sendable, Hashable {
  /// What was chosen, by kind.
  public private(set) var choices: [StageKey: StageChoice] = [:]
  /// Overrides for single layers, later ones win.
  public var layers: [LayerOverride] = []

  /// Nothing is chosen.
  public init() {}

  /// The choice for a kind; nil is as the checkpoint says. Setting `model` or nil takes a choice
  /// back, and so does setting the standard: equal selections compare equal, however they were
  /// made.
  public subscript<Product: Sendable>(kind: StageKind<Product>) -> StageChoice? {
    get { choices[kind.key] ?? kind.standard }
    set { set(newValue, for: kind.key, standard: kind.standard) }
  }

  /// The choice for a kind of a lab; nil is as the checkpoint says.
  public func choice(_ kind: StageInformation) -> StageChoice? {
    choices[kind.key] ?? kind.standard
  }

  /// Chooses for a kind of a lab; what is the standard there is no choice.
  public mutating func choose(_ choice: StageChoice?, for kind: StageInformation) {
    set(choice, for: kind.key, standard: kind.standard)
  }

  /// Chooses for the kind of `lab` that has this key; a key of no kind has no standard.
  public mutating func choose(_ choice: StageChoice?, for key: StageKey, in lab: Lab) {
    set(choice, for: key, standard: lab.kind(key)?.standard)
  }

  /// The same selection with the standards of `lab` written down where they are others than the
  /// lab's own: what an engine runs with.
  package func completed(by lab: Lab) -> StageSelection {
    var result = self
    for kind in lab.kinds(in: .layer, .model) where choices[kind.key] == nil {
      guard let standard = kind.standard, standard != Lab.stages.kind(kind.key)?.standard else {
        continue
      }
      result.choices[kind.key] = standard
    }
    return result
  }

  private mutating func set(_ choice: StageChoice?, for key: StageKey, standard: StageChoice?) {
    choices[key] = choice == .asTheModelSays || choice == standard ? nil : choice
  }
}

/// Other choices for the linear layers whose name matches a glob.
public struct LayerOverride: Sendable, Hashable {
  /// Glob over `blk.N.attn_q`, `blk.N.ffn_down`…; `*` any run, `?` one character; `blk.-1.*` counts
  /// layers from the end.
  public var pattern: String
  /// What is chosen for them, by kind (`StageScope.layer`); `model` is as the checkpoint says.
  public var choices: [StageKey: StageChoice]

  /// Overrides what is given for layers that match `pattern`.
  public init(pattern: String, choices: [StageKey: StageChoice]) {
    self.pattern = pattern
    self.choices = choices
  }
}

extension StageChoice {
  /// The word that leaves a stage of a layer to the checkpoint, where the other layers have a
  /// choice of their own.
  package static let asTheModelSays = StageChoice(StageKey.asTheModelSays)
}
