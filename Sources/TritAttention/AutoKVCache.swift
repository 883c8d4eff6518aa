internal import CTritKernels
import Synchronization
import TritCore

/// Picks the kind of cache that one query reads fastest by `flash`, from memory, among those that
/// lose no more than `loss`.
///
/// The more exact kind is kept unless another is clearly faster, so that noise does not change the
/// pick. Kinds round differently: the pick changes results within what `loss` allows.
public struct AutoKVCacheKind: KVCacheKind {
  /// What may be lost; each level allows those before it too.
  public enum Loss: String, Sendable, CaseIterable {
    /// Nothing: `f32`.
    case none
    /// 16 bits an element: `f16`, `bf16`.
    case half
    /// A byte an element with a scale for each head's row.
    case int8
  }

  /// `auto`.
  public let name = "auto"
  /// What may be lost.
  public let loss: Loss
  private let candidates: [any KVCacheKind]

  /// Picks among `candidates`, pairs of a level and a kind, most exact first.
  init(loss: Loss, candidates: [(loss: Loss, kind: any KVCacheKind)]) {
    self.loss = loss
    let levels = Loss.allCases.prefix { $0 != loss } + [loss]
    self.candidates = candidates.filter { levels.contains($0.loss) }.map(\.kind)
  }

  /// Makes a cache of the kind that measures fastest; some ten milliseconds a candidate. Throws
  /// what the kinds throw.
  public func make(layers: Int, heads: Int, headDimension: Int, capacity: Int) throws -> any KVCache
  {
    try pick(heads: heads, headDimension: headDimension, capacity: capacity).make(
      layers: layers, heads: heads, headDimension: headDimension, capacity: capacity)
  }

  /// The kind that measures fastest. Throws what the kinds throw.
  package func pick(heads: Int, headDimension: Int, capacity: Int) throws -> any KVCacheKind {
    let positions = max(1, min(capacity, Self.positions))
    let trials = try candidates.map { kind in
      CacheTrial(
        try kind.make(layers: 1, heads: heads, headDimension: headDimension, capacity: positions),
        positions: positions)
    }
    // One alone is not measured.
    let times =
      trials.count > 1
      ? Race().times(trials.count) { [trials[$0].nanoseconds()] }.map { $0[0] } : []
    let best = candidates[Race.winner(times) ?? 0]
    let timings = zip(candidates, times).map { (kind: $0, nanoseconds: $1) }
    let list = timings.sorted { $0.nanoseconds < $1.nanoseconds }
      .map { "\($0.kind.name) \(Int($0.nanoseconds / 1000)) µs" }.joined(separator: ", ")
    let reason =
      timings.isEmpty
      ? "the only kind that loses no more than '\(loss.rawValue)'"
      : "fastest of \(timings.count) that lose no more than '\(loss.rawValue)' "
        + "(one query, \(positions) positions from memory, one thread): \(list)"
    Self.log.withLock {
      $0.append("cache \(heads) × \(headDimension): \(best.name), \(reason)")
    }
    return best
  }

  /// Every choice of this process, in sentences.
  public static var decisions: [String] { log.withLock { $0 } }

  private static let log = Mutex<[String]>([])
  /// Positions that are attended to: enough that reading them is what takes the time.
  private static let positions = 1024
}

/// A cache that is timed on one query to all of a layer's positions.
private struct CacheTrial {
  /// Query heads that share a key head, as in the larger models.
  private static let group = 4
  private let cache: any KVCache
  private let positions: Int
  private let query: Matrix<Float>
  private let output: Matrix<Float>
  private let context: AttentionContext
  private let flash = FlashAttention()
  private let scratch: AlignedBuffer<Float>

  init(_ cache: any KVCache, positions: Int) {
    self.cache = cache
    self.positions = positions
    var random = SeededRandom(seed: 1)
    func noise(_ rows: Int, _ columns: Int) -> Matrix<Float> {
      Matrix(
        rows: rows, columns: columns,
        (0..<rows * columns).map { _ in Float(random.uniform() * 2 - 1) })
    }
    let width = cache.heads * cache.headDimension
    let block = noise(min(64, positions), width)
    for first in stride(from: 0, to: positions, by: block.rows) {
      let rows = block.view.rows(0..<min(block.rows, positions - first))
      cache.store(layer: 0, first: first, keys: rows, values: rows)
    }
    query = noise(1, width * Self.group)
    output = Matrix(rows: 1, columns: width * Self.group)
    context = AttentionContext(
      layer: 0, firstPosition: positions - 1, heads: cache.heads * Self.group,
      headDimension: cache.headDimension)
    scratch = AlignedBuffer(
      count: flash.scratchCount(context: context, capacity: positions, tokens: 1))
    withExtendedLifetime(block) {}
  }

  /// One attention, the cache read from memory where the machine can be made to.
  func nanoseconds() -> Double {
    evict()
    let start = MonotonicClock.nanoseconds()
    flash.attend(
      query.view, context: context, cache: cache, heads: 0..<cache.heads * Self.group,
      scratch: scratch.base, into: output.mutableView, probe: nil)
    return Double(MonotonicClock.nanoseconds() - start)
  }

  /// Throws what the attention will read out of the caches.
  private func evict() {
    for head in 0..<cache.heads {
      guard let stored = cache.stored(layer: 0, head: head) else { continue }
      let bytes = positions * cache.headDimension * stored.element.bytes
      _ = tk_evict(stored.keys, bytes)
      _ = tk_evict(stored.values, bytes)
    }
  }
}
