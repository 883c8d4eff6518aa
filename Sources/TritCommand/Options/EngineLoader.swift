import TritLab

/// From the options of a command to a running engine.
enum EngineLoader {
  /// Loads the model of `-m` with the stages of the flags. `context` is how many positions the
  /// command needs where `-c` does not say, `head` the one where `--head` does not.
  static func load(
    _ arguments: ParsedArguments, context: Int? = nil, head: StageChoice? = nil
  ) throws -> Engine {
    let selection = try arguments.stages.selection(arguments, head: head)
    let checkpoint = try ModelOptions.checkpoint(arguments)
    return try load(checkpoint, selection: selection, arguments, context: context)
  }

  /// The same with choices made elsewhere.
  static func load(
    _ checkpoint: Checkpoint, selection: StageSelection, _ arguments: ParsedArguments,
    context: Int? = nil
  ) throws -> Engine {
    let options = try ModelOptions.engineOptions(
      arguments, trained: checkpoint.configuration.contextLength, context: context)
    let engine = try Engine(
      checkpoint: checkpoint, selection: selection, lab: arguments.lab,
      options: options)
    explain(arguments)
    if arguments.flag(ModelOptions.verbose) {
      for path in engine.imagePaths { Terminal.note("images: prepared weights from \(path)") }
    }
    return engine
  }

  /// Says on standard error what runs, above all what `auto` picked.
  static func announce(_ engine: Engine) {
    for note in engine.notes { Terminal.note(note) }
    let configuration = engine.configuration
    Terminal.note(
      "model: \(engine.path) (\(configuration.architecture), \(configuration.layers) layers, "
        + "hidden \(configuration.hiddenSize), vocabulary \(configuration.vocabularySize))")
    let kernels = counted(engine.layers.map(\.kernel))
    let activations = counted(engine.layers.map(\.activations))
    Terminal.note(
      "stages: kernel \(kernels); activations \(activations); cache \(engine.cacheName); "
        + "attention \(engine.selection.attention); head \(engine.headReport.kernel); "
        + "threads \(engine.threads)")
    if engine.contextLength > configuration.contextLength {
      Terminal.note(
        "note: the context of \(engine.contextLength) is longer than the "
          + "\(configuration.contextLength) that the model was trained with; text gets worse beyond"
      )
    }
  }

  /// Says on standard error what `auto` measured and why it picked what it picked, for `--verbose`.
  static func explain(_ arguments: ParsedArguments) {
    for note in AutoMemory.shared.notes { Terminal.note(note) }
    guard arguments.flag(ModelOptions.verbose) else { return }
    for decision in AutoMemory.shared.decisions { Terminal.note("auto: \(decision)") }
    for decision in AutoHead.decisions { Terminal.note("auto: \(decision)") }
    for decision in AutoKVCacheKind.decisions { Terminal.note("auto: \(decision)") }
  }

  /// `i2_s/avx2 x 56, openblas x 2`, the most frequent first.
  static func counted(_ names: [String]) -> String {
    var counts: [String: Int] = [:]
    for name in names { counts[name, default: 0] += 1 }
    return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { counts.count == 1 ? $0.key : "\($0.key) x \($0.value)" }.joined(separator: ", ")
  }
}
