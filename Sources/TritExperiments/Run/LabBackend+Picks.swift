internal import TritAttention
internal import TritCore
internal import TritKernels
internal import TritModel

extension LabBackend {
  /// Resolves `auto` heads and caches that may lose something, by the measurement that the engine
  /// would make. What loses nothing is left to the engine: any pick gives the same figures.
  func picks(_ request: SessionRequest) throws -> [StageKey: StageChoice] {
    let selection = request.settings.selection(in: lab).completed(by: lab)
    let head = try lab[.head].make(selection.head) as? AutoHead
    let cache = try lab[.cache].make(selection.cache) as? AutoKVCacheKind
    guard (head.map { $0.loss != .none } ?? false) || (cache.map { $0.loss != .none } ?? false)
    else { return [:] }
    let checkpoint = try checkpoint(request)
    let configuration = checkpoint.configuration
    var picks: [StageKey: StageChoice] = [:]
    if let head, head.loss != .none {
      let pool = WorkerPool(threads: request.threads)
      var rows = try checkpoint.headRows()
      rows.isReadFromMemory =
        AutoKernel.Conditions.model(
          weights: configuration.linearWeights, threads: request.threads
        ).fromMemory
      picks[.head] = Self.choice(try head.pick(rows, on: pool))
    }
    if let cache, cache.loss != .none {
      let kind = try cache.pick(
        heads: configuration.keyValueHeads, headDimension: configuration.headDimension,
        capacity: request.context ?? min(configuration.contextLength, 4096))
      picks[.cache] = StageChoice(kind.name)
    }
    return picks
  }

  /// The choice that gives `head`, one of those that `auto` tries.
  private static func choice(_ head: any OutputHead) -> StageChoice {
    guard let screened = head as? ScreenedHead else { return StageChoice(head.name) }
    return StageChoice(
      head.name,
      [
        "k": .integer(screened.k), "bits": .integer(screened.bits),
        "exact": .text(screened.exact?.rawValue ?? "auto"),
      ])
  }
}
