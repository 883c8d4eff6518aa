import TritLab

/// The options that choose an implementation for a stage; each takes `name` or `name:key=value,…`.
/// They are made from a lab: a kind of stage that it has more has its flag.
package struct StageOptions: Sendable {
  /// The kinds that are chosen for a model, each with its flag.
  let kinds: [(kind: StageInformation, option: OptionSpec)]
  /// Other choices for some layers.
  let layers: OptionSpec
  /// The keys of the stages that single layers can have for themselves.
  private let perLayer: [String]

  static let cacheValues = OptionSpec(
    "-ctv", "--cache-type-v", value: "choice", help: "", hidden: true)
  static let reference = OptionSpec(
    flag: "--reference", help: "The fp32 reference: OpenBLAS, nothing quantized")

  /// The options for the stages of `lab`.
  init(_ lab: Lab) {
    kinds = lab.kinds(in: .layer, .model).map { ($0, Self.option($0)) }
    perLayer = lab.kinds(in: .layer).map(\.key.rawValue)
    let names = perLayer.dropLast().joined(separator: ", ")
    layers = OptionSpec(
      "--layers", value: "glob:stage=choice",
      help: "Another \(names.isEmpty ? "" : names + " or ")\(perLayer.last ?? "stage") for some "
        + "layers, as 'blk.0.*:quantizer=none'; may be repeated")
  }

  /// All of them under their heading.
  var group: OptionGroup {
    OptionGroup(
      "STAGE OPTIONS ('trit list' names the choices)",
      kinds.map(\.option) + [Self.cacheValues, layers, Self.reference])
  }

  /// The flag of a kind; nil where the lab has no such kind to choose.
  func option<Product>(_ kind: StageKind<Product>) -> OptionSpec? {
    kinds.first { $0.kind.key == kind.key }?.option
  }

  private static func option(_ kind: StageInformation) -> OptionSpec {
    OptionSpec(
      names: kind.flags + ["--\(kind.key.rawValue)"], value: "choice", help: kind.help,
      default: standard(kind), completion: Completion(stages: kind))
  }

  private static func standard(_ kind: StageInformation) -> String {
    guard kind.key != .head else {
      return "exact; generate and bench: the fastest that leaves top-k text as it is"
    }
    return kind.standard?.description ?? "as the model says"
  }

  /// The head of a command that needs the `count` greatest logits alone, if it says how many: the
  /// fastest that has them exactly.
  static func head(deciding count: Int?) -> StageChoice? {
    count.flatMap {
      (1...100_000).contains($0) ? try? StageChoice(parsing: "auto:loss=tail,k=\($0)") : nil
    }
  }

  /// The selection that the options make; `head` is used where they name none. `model` leaves a
  /// stage to the checkpoint.
  package func selection(_ arguments: ParsedArguments, head preferred: StageChoice? = nil) throws
    -> StageSelection
  {
    if arguments.flag(Self.reference) {
      let others = kinds.map(\.option) + [Self.cacheValues, layers]
      if let other = others.first(where: arguments.has) {
        throw ParserError.conflict(Self.reference, other)
      }
      return .reference
    }
    var selection = StageSelection()
    if let preferred { selection.head = preferred }
    if let values = try choice(Self.cacheValues, arguments) { selection.cache = values }
    for (kind, option) in kinds {
      if let choice = try choice(option, arguments) { selection.choose(choice, for: kind) }
    }
    if let values = try choice(Self.cacheValues, arguments), values != selection.cache {
      throw LabError(
        .usage, "keys and values are cached in one precision", at: "-ctv",
        expected: selection.cache.description, got: values.description,
        advice: "give --cache alone")
    }
    selection.layers = try arguments.all(layers).map(layerOverride)
    return selection
  }

  private func choice(_ option: OptionSpec, _ arguments: ParsedArguments) throws
    -> StageChoice?
  {
    guard let text = arguments.text(option), text != StageKey.asTheModelSays else { return nil }
    return try StageChoice(parsing: text)
  }

  /// `blk.0.*:quantizer=none;kernel=openblas`.
  private func layerOverride(_ text: String) throws -> LayerOverride {
    let sides = text.split(separator: ":", maxSplits: 1).map(String.init)
    let invalid = ParserError.invalidValue(
      layers, value: text, expected: "GLOB:stage=choice[;stage=choice], as 'blk.0.*:quantizer=none'"
    )
    guard sides.count == 2 else { throw invalid }
    var result = LayerOverride(pattern: sides[0], choices: [:])
    for pair in sides[1].split(separator: ";") {
      let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { throw invalid }
      guard perLayer.contains(parts[0]) else {
        throw LabError(
          .usage, "unknown stage '\(parts[0])' for single layers", at: "--layers \(text)",
          expected: perLayer.joined(separator: ", "),
          advice: Suggestion.didYouMean(parts[0], perLayer))
      }
      result.choices[StageKey(rawValue: parts[0])] = try StageChoice(parsing: parts[1])
    }
    return result
  }
}
