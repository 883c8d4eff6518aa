public import TritCore

/// The formula: for each query all scores, their softmax, and the weighted sum of all values.
///
/// `softmax(q Kᵀ · scale) V` over the keys up to the query's own position (Vaswani et al. 2017, eq.
/// 1, with a causal mask), the maximum subtracted before the exponential. Rung 1 of the ladder.
public struct NaiveAttention: WindowedAttention, CappedAttention {
  /// `naive`.
  public let name = "naive"
  /// Keys that a query sees, its own included; nil is all of them.
  public let window: Int?

  /// The soft cap of scores; nil is none.
  public let cap: Float?

  /// Full causal attention, or over the last `window` positions (at least 1); with scores capped
  /// softly where there is a `cap`.
  public init(window: Int? = nil, cap: Float? = nil) {
    precondition(window.map { $0 >= 1 } ?? true, "a window has at least one position")
    self.window = window
    self.cap = cap
  }

  /// See `CappedAttention`.
  public func capped(at cap: Float) -> any Attention { NaiveAttention(window: window, cap: cap) }

  /// See `WindowedAttention`.
  public func limited(to window: Int) -> any Attention {
    NaiveAttention(window: min(window, self.window ?? window), cap: cap)
  }

  /// One row of scores, and one head's keys and values widened whole.
  public func scratchCount(context: AttentionContext, capacity: Int, tokens: Int) -> Int {
    capacity + 2 * capacity * context.headDimension
  }

  /// See `Attention.attend`.
  public func attend(
    _ queries: MatrixView<Float>, context: AttentionContext, cache: any KVCache,
    heads: Range<Int>, scratch: UnsafeMutablePointer<Float>, into output: MutableMatrixView<Float>,
    probe: AttentionProbe?
  ) {
    let group = AttentionCall.check(queries, context, cache, heads, output)
    guard queries.rows > 0 else { return }
    let d = context.headDimension
    let positions = context.firstPosition + queries.rows
    let scores = scratch
    let keyScratch = scratch + cache.capacity
    let valueScratch = keyScratch + cache.capacity * d
    for keyHead in (heads.lowerBound / group)..<(heads.upperBound / group) {
      let (keys, keyStride) = AttentionCall.keys(
        cache, context.layer, keyHead, 0..<positions, keyScratch)
      let (values, valueStride) = AttentionCall.values(
        cache, context.layer, keyHead, 0..<positions, valueScratch)
      for head in (keyHead * group)..<((keyHead + 1) * group) {
        for token in 0..<queries.rows {
          let position = context.firstPosition + token
          let first = window.map { max(0, position + 1 - $0) } ?? 0
          let visible = position + 1 - first
          RowLoops.scores(
            queries.base + token * queries.stride + head * d, keys: keys + first * keyStride,
            stride: keyStride, count: visible, d: d, scale: context.scale, into: scores)
          RowLoops.soften(scores, cap: cap, count: visible)
          VectorMath.softmax(scores, count: visible)
          probe?(
            context.layer, head, position, first,
            UnsafeBufferPointer(start: scores, count: visible))
          let row = output.base + token * output.stride + head * d
          row.update(repeating: 0, count: d)
          RowLoops.accumulate(
            scores, values: values + first * valueStride, stride: valueStride, count: visible, d: d,
            decay: 1, into: row)
        }
      }
    }
  }
}
