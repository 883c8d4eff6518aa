internal import CTritKernels
import Synchronization
import TritCore

/// Picks the kind of cache that one query reads fastest by `flash`, from memory, among those that lose no
/// more than `loss`.
///
/// The more exact kind is kept unless another is clearly faster, so that noise does not change the pick. Kinds
/// round differently: the pick changes results within what `loss` allows.
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

  /// Makes a cache of the kind that measures fastest; some ten milliseconds a candidate. Throws what the
  /// kinds throw.
  public func make(layers: Int, heads: Int, headDimension: Int, capacity: Int) throws -> any KVCache
  {
    try pick(heads: heads, headDimension: headDimension, capacity: capacity).make(
      layers: layers, heads: heads, headDimension: headDimension, capacity: capacity)
  }

  /// The kind that measures fastest. Throws what the kinds throw.
  package func pick(heads: Int, headDimension: Int, capacity: Int) throws -> any KVCacheKind {
    let positions = max(1, min(capacity, Self.positions))
    var timings: [(kind: any KVCacheKind, nanoseconds: Double)] = []
    if candidates.count > 1 {
      for kind in candidates {
        let cache = try kind.make(
          layers: 1, heads: heads, headDimension: headDimension, capacity: positions)
        timings.append((kind, Self.nanoseconds(cache, positions: positions)))
      }
    }
    var best: (kind: any KVCacheKind, nanoseconds: Double) = (candidates[0], .infinity)
    for timing in timings where timing.nanoseconds < 0.93 * best.nanoseconds { best = timing }
    let list = timings.sorted { $0.nanoseconds < $1.nanoseconds }
      .map { "\($0.kind.name) \(Int($0.nanoseconds / 1000)) µs" }.joined(separator: ", ")
    let reason =
      timings.isEmpty
      ? "the only kind that loses no more than '\(loss.rawValue)'"
      : "fastest of \(timings.count) that lose no more than '\(loss.rawValue)' "
        + "(one query, \(positions) positions from memory, one thread): \(list)"
    Self.log.withLock {
      $0.append("cache \(heads) × \(headDimension): \(best.kind.name), \(reason)")
    }
    return best.kind
  }

  /// Every choice of this process, in sentences.
  public static var decisions: [String] { log.withLock { $0 } }

  private static let log = Mutex<[String]>([])
  /// Positions that are attended to: enough that reading them is what takes the time.
  private static let positions = 1024
  /// Query heads that share a key head, as in the larger models.
  private static let group = 4

  /// The median of a few attentions of one query to all of a layer's positions.
  private static func nanoseconds(_ cache: any KVCache, positions: Int) -> Double {
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
    let query = noise(1, width * group)
    let output = Matrix<Float>(rows: 1, columns: width * group)
    let context = AttentionContext(
      layer: 0, firstPosition: positions - 1, heads: cache.heads * group,
      headDimension: cache.headDimension)
    let flash = FlashAttention()
    let scratch = AlignedBuffer<Float>(
      count: flash.scratchCount(context: context, capacity: positions, tokens: 1))
    var samples: [Double] = []
    for _ in 0..<9 {
      evict(cache, positions: positions)
      let start = MonotonicClock.nanoseconds()
      flash.attend(
        query.view, context: context, cache: cache, heads: 0..<cache.heads * group,
        scratch: scratch.base, into: output.mutableView, probe: nil)
      samples.append(Double(MonotonicClock.nanoseconds() - start))
    }
    withExtendedLifetime((block, query, output, scratch)) {}
    return samples.sorted()[samples.count / 2]
  }

  /// Throws what the attention will read out of the caches, where the machine can.
  private static func evict(_ cache: any KVCache, positions: Int) {
    for head in 0..<cache.heads {
      guard let stored = cache.stored(layer: 0, head: head) else { continue }
      let bytes = positions * cache.headDimension * stored.element.bytes
      _ = tk_evict(stored.keys, bytes)
      _ = tk_evict(stored.values, bytes)
    }
  }
}
