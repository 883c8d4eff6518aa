public import TritCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Attention in one pass over tiles of positions, with a running maximum and a running sum.
///
/// Online softmax (Milakov & Gimelshein 2018, algorithm 3; Dao et al. 2022, FlashAttention): when a
/// tile raises the maximum from `m` to `m'`, what was summed so far is multiplied by `exp(m − m')`.
/// A tile of keys and values is widened once for all query heads that share it and for a block of
/// tokens, and stays in the first-level cache. Rung 2 of the ladder (rung 3: `FlashAttention`);
/// with a window it is sliding attention.
///
/// Tiles begin at multiples of the tile size from position 0, whatever the call begins with, so
/// that a query's result is the same bits however its prompt was cut.
public struct StreamingAttention: WindowedAttention, CappedAttention {
  /// `streaming`, or `sliding` with a window.
  public var name: String { window == nil ? "streaming" : "sliding" }
  /// Keys that a query sees, its own included; nil is all of them.
  public let window: Int?

  /// The soft cap of scores; nil is none.
  public let cap: Float?

  /// Positions a tile: keys and values of 64 positions of a 128-element head are 64 KiB in float32.
  private static let tile = 64
  /// Query rows (tokens times heads of a group) that share a widened tile.
  private static let blockRows = 32

  /// Full causal attention, or over the last `window` positions (at least 1); with scores capped
  /// softly where there is a `cap`.
  public init(window: Int? = nil, cap: Float? = nil) {
    precondition(window.map { $0 >= 1 } ?? true, "a window has at least one position")
    self.window = window
    self.cap = cap
  }

  /// See `CappedAttention`.
  public func capped(at cap: Float) -> any Attention {
    StreamingAttention(window: window, cap: cap)
  }

  /// See `WindowedAttention`.
  public func limited(to window: Int) -> any Attention {
    StreamingAttention(window: min(window, self.window ?? window), cap: cap)
  }

  /// A tile of keys and of values, its scores, the running statistics of a block, and one row of
  /// weights for a probe.
  public func scratchCount(context: AttentionContext, capacity: Int, tokens: Int) -> Int {
    2 * Self.tile * context.headDimension + Self.tile + 2 * max(Self.blockRows, context.heads)
      + capacity
  }

  /// See `Attention.attend`.
  public func attend(
    _ queries: MatrixView<Float>, context: AttentionContext, cache: any KVCache,
    heads: Range<Int>, scratch: UnsafeMutablePointer<Float>, into output: MutableMatrixView<Float>,
    probe: AttentionProbe?
  ) {
    let group = AttentionCall.check(queries, context, cache, heads, output)
    let tokensPerBlock = max(1, Self.blockRows / group)
    for keyHead in (heads.lowerBound / group)..<(heads.upperBound / group) {
      var token = 0
      while token < queries.rows {
        let block = token..<min(token + tokensPerBlock, queries.rows)
        attend(
          block, keyHead: keyHead, group: group, queries: queries, context: context, cache: cache,
          scratch: scratch, output: output)
        if let probe {
          report(
            block, keyHead: keyHead, group: group, queries: queries, context: context,
            cache: cache, scratch: scratch, probe: probe)
        }
        token = block.upperBound
      }
    }
  }

  /// The first position that a query at `position` sees.
  @inline(__always) private func firstVisible(_ position: Int) -> Int {
    guard let window else { return 0 }
    return max(0, position - window + 1)
  }

  /// One block of tokens against all tiles of one key head.
  private func attend(
    _ block: Range<Int>, keyHead: Int, group: Int, queries: MatrixView<Float>,
    context: AttentionContext, cache: any KVCache, scratch: UnsafeMutablePointer<Float>,
    output: MutableMatrixView<Float>
  ) {
    let d = context.headDimension
    let tile = Self.tile
    let keyScratch = scratch
    let valueScratch = keyScratch + tile * d
    let scores = valueScratch + tile * d
    let maxima = scores + tile
    let sums = maxima + max(Self.blockRows, context.heads)
    let rows = block.count * group
    maxima.update(repeating: -.infinity, count: rows)
    sums.update(repeating: 0, count: rows)
    for token in block {
      (output.base + token * output.stride + keyHead * group * d)
        .update(repeating: 0, count: group * d)
    }
    let end = context.firstPosition + block.upperBound
    var start = firstVisible(context.firstPosition + block.lowerBound) / tile * tile
    while start < end {
      let positions = start..<min(start + tile, end)
      let (keys, keyStride) = AttentionCall.keys(
        cache, context.layer, keyHead, positions, keyScratch)
      let (values, valueStride) = AttentionCall.values(
        cache, context.layer, keyHead, positions, valueScratch)
      for token in block {
        let position = context.firstPosition + token
        let first = max(positions.lowerBound, firstVisible(position))
        let count = min(positions.upperBound, position + 1) - first
        guard count > 0 else { continue }
        let skip = first - start
        for member in 0..<group {
          let head = keyHead * group + member
          let row = (token - block.lowerBound) * group + member
          RowLoops.scores(
            queries.base + token * queries.stride + head * d, keys: keys + skip * keyStride,
            stride: keyStride, count: count, d: d, scale: context.scale, into: scores)
          RowLoops.soften(scores, cap: cap, count: count)
          let greatest = max(maxima[row], VectorMath.maximum(scores, count: count))
          // Nothing but -inf so far has no weight: exp(-inf - 0) is 0, exp(-inf + inf) would be
          // NaN.
          let shift = greatest == -.infinity ? 0 : greatest
          let decay = expf(maxima[row] - shift)
          let sum = VectorMath.exp(scores, minus: shift, into: scores, count: count)
          maxima[row] = greatest
          sums[row] = sums[row] * decay + Float(sum)
          RowLoops.accumulate(
            scores, values: values + skip * valueStride, stride: valueStride, count: count, d: d,
            decay: decay, into: output.base + token * output.stride + head * d)
        }
      }
      start = positions.upperBound
    }
    for token in block {
      for member in 0..<group {
        let inverse = 1 / sums[(token - block.lowerBound) * group + member]
        let row = output.base + token * output.stride + (keyHead * group + member) * d
        for index in 0..<d { row[index] *= inverse }
      }
    }
  }

  /// Computes the scores of a block once more, for a probe that wants the weights: the running form
  /// never has a whole row of them.
  private func report(
    _ block: Range<Int>, keyHead: Int, group: Int, queries: MatrixView<Float>,
    context: AttentionContext, cache: any KVCache, scratch: UnsafeMutablePointer<Float>,
    probe: AttentionProbe
  ) {
    let d = context.headDimension
    let tile = Self.tile
    let maxima = scratch + 2 * tile * d + tile
    let sums = maxima + max(Self.blockRows, context.heads)
    let weights = sums + max(Self.blockRows, context.heads)
    for member in 0..<group {
      let head = keyHead * group + member
      for token in block {
        let position = context.firstPosition + token
        let row = (token - block.lowerBound) * group + member
        let first = firstVisible(position)
        var start = first
        while start <= position {
          let positions = start..<min((start / tile + 1) * tile, position + 1)
          let (keys, stride) = AttentionCall.keys(
            cache, context.layer, keyHead, positions, scratch)
          RowLoops.scores(
            queries.base + token * queries.stride + head * d, keys: keys, stride: stride,
            count: positions.count, d: d, scale: context.scale, into: weights + start - first)
          start = positions.upperBound
        }
        let count = position + 1 - first
        RowLoops.soften(weights, cap: cap, count: count)
        VectorMath.exp(weights, minus: maxima[row], into: weights, count: count)
        VectorMath.scale(weights, by: 1 / sums[row], into: weights, count: count)
        probe(
          context.layer, head, position, first, UnsafeBufferPointer(start: weights, count: count))
      }
    }
  }
}
