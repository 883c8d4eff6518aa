public import TritCore

/// Where one call of attention stands in the model.
public struct AttentionContext: Sendable {
  /// Layer index.
  public var layer: Int
  /// Position of the first query row; the keys of positions `0…` up to each query are in the cache.
  public var firstPosition: Int
  /// Query heads; a multiple of the cache's heads.
  public var heads: Int
  /// Elements of one head.
  public var headDimension: Int
  /// Multiplies the scores; usually `1 / sqrt(headDimension)`.
  public var scale: Float

  /// Describes a call.
  public init(
    layer: Int, firstPosition: Int, heads: Int, headDimension: Int, scale: Float? = nil
  ) {
    self.layer = layer
    self.firstPosition = firstPosition
    self.heads = heads
    self.headDimension = headDimension
    self.scale = scale ?? 1 / Float(headDimension).squareRoot()
  }
}

/// Receives the softmax weights of one query: layer, query head, query position, weights by key
/// position from `firstKey`.
public typealias AttentionProbe = (
  _ layer: Int, _ head: Int, _ position: Int, _ firstKey: Int, _ weights: UnsafeBufferPointer<Float>
) -> Void

/// Causal attention of query rows over cached keys and values, grouped-query aware.
///
/// Laws (`checkAttention`): equal to the naive double-precision formula within the float32 bound; a
/// query's result does not depend on how the prompt was cut into chunks, nor on which thread
/// computes which heads; causal: later keys change nothing.
public protocol Attention: Sendable {
  /// The registered name: `naive`, `streaming`, `flash`, `sliding`.
  var name: String { get }
  /// Float32 scratch elements that one worker needs.
  func scratchCount(context: AttentionContext, capacity: Int, tokens: Int) -> Int
  /// Computes `output[t, h·d…]` for query heads in `heads` (whole groups that share a key head)
  /// from `queries` `[tokens, heads · d]`. Disjoint head ranges may run on different threads, each
  /// with its own `scratch`.
  func attend(
    _ queries: MatrixView<Float>, context: AttentionContext, cache: any KVCache,
    heads: Range<Int>, scratch: UnsafeMutablePointer<Float>, into output: MutableMatrixView<Float>,
    probe: AttentionProbe?)
}

/// Attention whose scores can be capped softly, `cap · tanh(s / cap)` before the softmax, for
/// models that do so (Gemma 2, 2408.00118, §2).
public protocol CappedAttention: Attention {
  /// The same with scores capped at `cap`, a finite number above 0.
  func capped(at cap: Float) -> any Attention
}

/// Attention that can be limited to the last positions, for models whose layers see a window.
public protocol WindowedAttention: Attention {
  /// The same over the last `window` positions (at least 1), a query's own included; over fewer
  /// where it was limited already.
  func limited(to window: Int) -> any Attention
}
