internal import TritCore
internal import TritKernels
internal import TritModel
internal import TritQuantization

extension LabBackend {
  /// Tries the choices on the first block, and on the first layer that each override matches: what a
  /// kernel says there it says of every block, since all have the same shapes. Windows and prompts that
  /// cannot fit the cache are found too.
  func check(_ request: SessionRequest, _ measure: Measurements) throws {
    let checkpoint = try checkpoint(request.model.path)
    let configuration = checkpoint.configuration
    let selection = request.settings.selection
    let resolver = try LayerResolver(
      checkpoint: checkpoint, selection: selection, registries: registries)
    try checkPairs(resolver, selection)
    try Self.checkSizes(
      measure, context: request.context ?? min(configuration.contextLength, 4096))
  }

  /// Prepares the layers of the first block, and the first that each override matches.
  private func checkPairs(_ resolver: LayerResolver, _ selection: StageSelection) throws {
    let configuration = resolver.checkpoint.configuration
    // `auto` finds a kernel for whatever comes: no need to read weights for it.
    let kernels = [selection.kernel] + selection.layers.compactMap(\.kernel)
    guard kernels.contains(where: { $0.name != "auto" }), configuration.layers > 0 else { return }
    let globs = selection.layers.map { Glob($0.pattern, layers: configuration.layers) }
    for role in LinearRole.allCases {
      var blocks: Set<Int> = [0]
      for glob in globs {
        let match = (0..<configuration.layers).first {
          glob.matches(LayerResolver.name(role, layer: $0))
        }
        if let match { blocks.insert(match) }
      }
      for block in blocks.sorted() {
        let resolved = try resolver.resolve(role, layer: block)
        guard resolved.kernel.name != "auto" else { continue }
        do {
          _ = try resolved.kernel.prepare(resolved.weights, for: resolved.activations.form)
        } catch let error as LabError {
          throw error.inside(resolved.name)
        }
      }
    }
  }

  /// Throws for windows and prompts that are longer than the KV cache.
  private static func checkSizes(_ measure: Measurements, context: Int) throws {
    let windows = [
      ("measure.perplexity.context", measure.perplexity?.context),
      ("measure.divergence.context", measure.divergence?.context),
    ]
    for case (let key, let tokens?) in windows where tokens > context {
      throw LabError(
        .badData, "\(key): a window does not fit the context of the model",
        expected: "at most \(context)", got: "\(tokens)",
        advice: "lower it, or raise 'context' at the top of the file")
    }
    if let speed = measure.speed, speed.prompt + speed.tokens > context {
      throw LabError(
        .badData, "measure.speed: prompt and tokens do not fit the context of the model",
        expected: "prompt + tokens at most \(context)", got: "\(speed.prompt + speed.tokens)",
        advice: "lower them, or raise 'context' at the top of the file")
    }
  }
}
