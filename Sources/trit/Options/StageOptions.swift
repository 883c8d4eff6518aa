import TritLab

/// The options that choose an implementation for a stage; each takes `name` or `name:key=value,…`.
enum StageOptions {
  static let quantizer = OptionSpec(
    "--quantizer", value: "choice", help: "Weight quantizer", default: "as the model says")
  static let activations = OptionSpec(
    "--activations", value: "choice", help: "Activation quantizer", default: "as the model says")
  static let kernel = OptionSpec(
    "--kernel", value: "choice", help: "Linear kernel, or a packing for its fastest kernel",
    default: "auto")
  static let attention = OptionSpec(
    "--attention", value: "choice", help: "Attention", default: "flash")
  static let cache = OptionSpec(
    "-ctk", "--cache-type-k", "--cache", value: "choice", help: "KV cache", default: "f32")
  static let cacheValues = OptionSpec(
    "-ctv", "--cache-type-v", value: "choice", help: "", hidden: true)
  static let head = OptionSpec(
    "--head", value: "choice", help: "Output head",
    default: "exact; generate and bench: the fastest that leaves top-k text as it is")
  static let layers = OptionSpec(
    "--layers", value: "glob:stage=choice",
    help: "Another quantizer, activations or kernel for some layers, as 'blk.0.*:quantizer=none'; "
      + "may be repeated")
  static let reference = OptionSpec(
    flag: "--reference", help: "The fp32 reference: OpenBLAS, nothing quantized")

  static let group = OptionGroup(
    "STAGE OPTIONS ('trit list' names the choices)",
    [
      quantizer, activations, kernel, attention, cache, cacheValues, head, layers, reference,
    ])

  private static let single = [quantizer, activations, kernel, attention, cache, cacheValues, head]

  /// The head of a command that needs the `count` greatest logits alone, if it says how many: the fastest that
  /// has them exactly.
  static func head(deciding count: Int?) -> StageChoice? {
    count.flatMap {
      (1...100_000).contains($0) ? try? StageChoice(parsing: "auto:loss=tail,k=\($0)") : nil
    }
  }

  /// The selection that the options make; `head` is used where they name none. `model` leaves a stage to the
  /// checkpoint.
  static func selection(_ arguments: ParsedArguments, head preferred: StageChoice? = nil) throws
    -> StageSelection
  {
    if arguments.flag(reference) {
      if let other = (single + [layers]).first(where: arguments.has) {
        throw ParserError.conflict(reference, other)
      }
      return .reference
    }
    var selection = StageSelection()
    selection.quantizer = try choice(quantizer, arguments)
    selection.activations = try choice(activations, arguments)
    if let kernel = try choice(kernel, arguments) { selection.kernel = kernel }
    if let attention = try choice(attention, arguments) { selection.attention = attention }
    if let cache = try choice(cache, arguments) ?? choice(cacheValues, arguments) {
      selection.cache = cache
    }
    if let values = try choice(cacheValues, arguments), values != selection.cache {
      throw LabError(
        .usage, "keys and values are cached in one precision", at: "-ctv",
        expected: selection.cache.description, got: values.description,
        advice: "give --cache alone")
    }
    if let head = try choice(head, arguments) ?? preferred { selection.head = head }
    selection.layers = try arguments.all(layers).map(layerOverride)
    return selection
  }

  private static func choice(_ option: OptionSpec, _ arguments: ParsedArguments) throws
    -> StageChoice?
  {
    guard let text = arguments.text(option), text != "model" else { return nil }
    return try StageChoice(parsing: text)
  }

  /// `blk.0.*:quantizer=none;kernel=openblas`.
  private static func layerOverride(_ text: String) throws -> LayerOverride {
    let sides = text.split(separator: ":", maxSplits: 1).map(String.init)
    let invalid = ParserError.invalidValue(
      layers, value: text, expected: "GLOB:stage=choice[;stage=choice], as 'blk.0.*:quantizer=none'"
    )
    guard sides.count == 2 else { throw invalid }
    var result = LayerOverride(pattern: sides[0])
    for pair in sides[1].split(separator: ";") {
      let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { throw invalid }
      let choice = try StageChoice(parsing: parts[1])
      switch parts[0] {
      case "quantizer": result.quantizer = choice
      case "activations": result.activations = choice
      case "kernel": result.kernel = choice
      default:
        throw LabError(
          .usage, "unknown stage '\(parts[0])' for single layers", at: "--layers \(text)",
          expected: "quantizer, activations, kernel",
          advice: Suggestion.didYouMean(parts[0], ["quantizer", "activations", "kernel"]))
      }
    }
    return result
  }
}
