internal import TritCore
internal import TritKernels
internal import TritModel
internal import TritQuantization

extension LabBackend {
  /// Tries every combination of choices on the first layer of each role that has it: what a kernel
  /// says there it says of every such layer, since all of a role have the same shape. Windows and
  /// prompts that cannot fit the cache are found too.
  func check(_ request: SessionRequest, _ measure: Measurements) throws {
    let checkpoint = try checkpoint(request)
    let configuration = checkpoint.configuration
    let selection = request.settings.selection(in: lab)
    let resolver = try LayerResolver(
      checkpoint: checkpoint, selection: selection, lab: lab)
    try checkPairs(resolver)
    let context = request.context ?? min(configuration.contextLength, 4096)
    for section in measure.sections { try section.measure.check(context: context) }
    try measure.first(GenerateMeasure.self)?.check(checkpoint)
  }

  /// Prepares the first layer of each role with each combination of choices, as the engine will.
  private func checkPairs(_ resolver: LayerResolver) throws {
    for role in LinearRole.allCases {
      // Beside trits a checkpoint may have layers that were never converted.
      var tried: [Bool: Set<LayerChoices>] = [:]
      for layer in 0..<resolver.checkpoint.configuration.layers {
        let choices = resolver.choices(role, layer: layer)
        // `auto` finds a kernel for whatever comes: no need to read weights for it.
        let isUnconverted = resolver.checkpoint.isUnconverted(role, layer: layer)
        guard tried[isUnconverted, default: []].insert(choices).inserted,
          !(try lab[.kernel].make(choices.kernel) is AutoKernel)
        else { continue }
        let resolved = try resolver.resolve(role, layer: layer)
        do {
          _ = try resolved.prepared()
        } catch let error as LabError {
          throw error.inside(resolved.name)
        }
      }
    }
  }
}
