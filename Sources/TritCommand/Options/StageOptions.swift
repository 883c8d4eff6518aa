import TritLab

/// The options that choose an implementation for a stage; each takes `name` or `name:key=value,…`. They are made
/// from the lab: a kind of stage that it has more has its flag.
package enum StageOptions {
  /// The kinds that are chosen for a model, each with its flag.
  static let kinds: [(kind: StageInformation, option: OptionSpec)] =
    CommandLab.lab.kinds(in: .layer, .model).map { ($0, option($0)) }
  static let cacheValues = OptionSpec(
    "-ctv", "--cache-type-v", value: "choice", help: "", hidden: true)
  static let layers = OptionSpec(
    "--layers", value: "glob:stage=choice",
    help:
      "Another \(perLayer.dropLast().joined(separator: ", ")) or \(perLayer.last ?? "") for some "
      + "layers, as 'blk.0.*:quantizer=none'; may be repeated")
  static let reference = OptionSpec(
    flag: "--reference", help: "The fp32 reference: OpenBLAS, nothing quantized")

  static let group = OptionGroup(
    "STAGE OPTIONS ('trit list' names the choices)",
    kinds.map(\.option) + [cacheValues, layers, reference])

  /// The keys of the stages that single layers can have for themselves.
  private static let perLayer = CommandLab.lab.kinds(in: .layer).map(\.key.rawValue)

  /// The flag of a kind.
  static func option<Product>(_ kind: StageKind<Product>) -> OptionSpec {
    guard let known = kinds.first(where: { $0.kind.key == kind.key }) else {
      preconditionFailure("the lab has no '\(kind.key.rawValue)' to choose")
    }
    return known.option
  }

  private static func option(_ kind: StageInformation) -> OptionSpec {
    OptionSpec(
      names: kind.flags + ["--\(kind.key.rawValue)"], value: "choice", help: kind.help,
      default: standard(kind))
  }

  private static func standard(_ kind: StageInformation) -> String {
    guard kind.key != .head else {
      return "exact; generate and bench: the fastest that leaves top-k text as it is"
    }
    return kind.standard?.description ?? "as the model says"
  }

  /// The head of a command that needs the `count` greatest logits alone, if it says how many: the fastest that
  /// has them exactly.
  static func head(deciding count: Int?) -> StageChoice? {
    count.flatMap {
      (1...100_000).contains($0) ? try? StageChoice(parsing: "auto:loss=tail,k=\($0)") : nil
    }
  }

  /// The selection that the options make; `head` is used where they name none. `model` leaves a stage to the
  /// checkpoint.
  package static func selection(_ arguments: ParsedArguments, head preferred: StageChoice? = nil)
    throws
    -> StageSelection
  {
    if arguments.flag(reference) {
      let others = kinds.map(\.option) + [cacheValues, layers]
      if let other = others.first(where: arguments.has) {
        throw ParserError.conflict(reference, other)
      }
      return .reference
    }
    var selection = StageSelection()
    if let preferred { selection.head = preferred }
    if let values = try choice(cacheValues, arguments) { selection.cache = values }
    for (kind, option) in kinds {
      if let choice = try choice(option, arguments) { selection.choose(choice, for: kind.key) }
    }
    if let values = try choice(cacheValues, arguments), values != selection.cache {
      throw LabError(
        .usage, "keys and values are cached in one precision", at: "-ctv",
        expected: selection.cache.description, got: values.description,
        advice: "give --cache alone")
    }
    selection.layers = try arguments.all(layers).map(layerOverride)
    return selection
  }

  private static func choice(_ option: OptionSpec, _ arguments: ParsedArguments) throws
    -> StageChoice?
  {
    guard let text = arguments.text(option), text != StageKey.asTheModelSays else { return nil }
    return try StageChoice(parsing: text)
  }

  /// `blk.0.*:quantizer=none;kernel=openblas`.
  private static func layerOverride(_ text: String) throws -> LayerOverride {
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
