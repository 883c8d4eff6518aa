internal import CTritKernels
public import TritCore

/// Online softmax over tiles of 64 positions, by leaves that work on a block of query rows at once.
///
/// Rung 3 of the ladder; what it adds to `streaming`: keys and values are read in the precision in
/// which the cache holds them, once for all query heads that share them; scores and weighted sums
/// are products of small matrices whose results stay in registers; tiles that nobody sees are
/// skipped; and a single query is cut over spans of 256 positions (Dao et al. 2023, "Flash-Decoding
/// for long-context inference"), folded in order. With a window it is sliding attention.
///
/// Every element of a result is a chain of multiply-adds in order of position, tiles and spans
/// begin at multiples of their size from position 0: a query's result is the same bits however its
/// prompt was cut, and whether its spans were computed in one go or apart.
///
/// Source: Milakov & Gimelshein 2018 (1805.02867), alg. 3; Dao et al. 2022 (2205.14135), alg. 1.
public struct FlashAttention: SplitAttention, WindowedAttention, CappedAttention {
  /// `flash`, or `sliding` with a window.
  public var name: String { window == nil ? "flash" : "sliding" }
  /// Keys that a query sees, its own included; nil is all of them.
  public let window: Int?

  /// What the leaves may use of the CPU.
  public let features: CPUFeatures

  var ops: tk_attention_tile_ops { tk_attention_tile_for(features.rawValue).pointee }
  static let tile = StoredKeysAndValues.tile
  /// Positions of a span: whole tiles, few enough that five key heads keep two threads busy at 512.
  static let span = 256
  /// Query rows (tokens times heads of a group) of a block: what shares one widened tile.
  static let blockRows = 128

  /// Full causal attention, or over the last `window` positions (at least 1). `features` is for
  /// tests and races of instruction sets: fewer than the CPU has, none for plain C.
  public init(window: Int? = nil, features: CPUFeatures = .here) {
    precondition(window.map { $0 >= 1 } ?? true, "a window has at least one position")
    self.window = window
    self.features = features.intersection(.here)
  }

  /// See `WindowedAttention`.
  public func limited(to window: Int) -> any Attention {
    FlashAttention(window: min(window, self.window ?? window), features: features)
  }

  /// The leaves make weights of scores in registers and know no cap: capped scores are those of
  /// `StreamingAttention`.
  public func capped(at cap: Float) -> any Attention {
    StreamingAttention(window: window, cap: cap)
  }

  /// A block's queries, sums of all spans and of one, scores and statistics; a widened tile; one
  /// row of weights for a probe.
  public func scratchCount(context: AttentionContext, capacity: Int, tokens: Int) -> Int {
    FlashScratch.count(
      rows: max(Self.blockRows, context.heads), d: context.headDimension, capacity: capacity)
  }

  /// See `Attention.attend`.
  public func attend(
    _ queries: MatrixView<Float>, context: AttentionContext, cache: any KVCache,
    heads: Range<Int>, scratch: UnsafeMutablePointer<Float>, into output: MutableMatrixView<Float>,
    probe: AttentionProbe?
  ) {
    let group = AttentionCall.check(queries, context, cache, heads, output)
    let d = context.headDimension
    let scratch = FlashScratch(scratch, rows: max(Self.blockRows, context.heads), d: d)
    let tokensPerBlock = max(1, Self.blockRows / group)
    for keyHead in (heads.lowerBound / group)..<(heads.upperBound / group) {
      var token = 0
      while token < queries.rows {
        let block = token..<min(token + tokensPerBlock, queries.rows)
        var call = FlashBlock(
          queries, block, keyHead: keyHead, group: group, window: window, context: context,
          cache: cache, scratch: scratch, ops: ops)
        call.computeAll()
        for token in block {
          for member in 0..<group {
            let row = (token - block.lowerBound) * group + member
            VectorMath.scale(
              scratch.output + row * d, by: 1 / scratch.sums[row],
              into: output.base + token * output.stride + (keyHead * group + member) * d, count: d)
          }
        }
        if let probe { call.report(block, to: probe) }
        token = block.upperBound
      }
    }
  }

  /// The spans from the first visible position to `position`.
  public func spans(position: Int) -> Range<Int> {
    firstVisible(position) / Self.span..<position / Self.span + 1
  }

  /// Maxima, sums and weighted sums of a group's heads.
  public func partialCount(group: Int, headDimension: Int) -> Int { group * (headDimension + 2) }

  /// See `SplitAttention`.
  public func attend(
    _ query: MatrixView<Float>, context: AttentionContext, cache: any KVCache, keyHead: Int,
    span: Int, scratch: UnsafeMutablePointer<Float>, into partial: UnsafeMutablePointer<Float>
  ) {
    precondition(
      query.rows == 1 && query.columns == context.heads * context.headDimension
        && context.headDimension == cache.headDimension && (0..<cache.heads).contains(keyHead)
        && context.firstPosition >= 0 && context.firstPosition < cache.capacity,
      "split attention: one query row over a key head and positions of the cache")
    let group = context.heads / cache.heads
    let scratch = FlashScratch(
      scratch, rows: max(Self.blockRows, context.heads), d: context.headDimension)
    var call = FlashBlock(
      query, 0..<1, keyHead: keyHead, group: group, window: window, context: context, cache: cache,
      scratch: scratch, ops: ops)
    call.compute(
      span: span, maxima: partial, sums: partial + group, output: partial + 2 * group)
  }

  /// See `SplitAttention`.
  public func fold(
    _ partials: UnsafeMutablePointer<Float>, count: Int, group: Int, headDimension d: Int,
    into output: UnsafeMutablePointer<Float>
  ) {
    let ops = ops
    for index in 1..<max(count, 1) {
      let other = partials + index * partialCount(group: group, headDimension: d)
      ops.merge(
        group, d, partials, partials + group, partials + 2 * group, other, other + group,
        other + 2 * group)
    }
    for row in 0..<group {
      VectorMath.scale(
        partials + 2 * group + row * d, by: 1 / partials[group + row], into: output + row * d,
        count: d)
    }
  }

  /// The first position that a query at `position` sees.
  private func firstVisible(_ position: Int) -> Int {
    window.map { max(0, position - $0 + 1) } ?? 0
  }
}
