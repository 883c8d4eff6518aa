import TritCore

/// What every attention does at its door: the checks of one call, and where keys and values are
/// read.
enum AttentionCall {
  /// Checks shapes; gives the number of query heads that share a key head.
  static func check(
    _ queries: MatrixView<Float>, _ context: AttentionContext, _ cache: any KVCache,
    _ heads: Range<Int>, _ output: MutableMatrixView<Float>
  ) -> Int {
    let width = context.heads * context.headDimension
    precondition(
      context.headDimension == cache.headDimension && context.heads > 0
        && context.heads.isMultiple(of: cache.heads),
      "attention: query heads must be whole groups over the cache's heads, of the same size")
    precondition(
      queries.columns == width && output.columns == width && output.rows == queries.rows,
      "attention: queries and output need [tokens, heads * d]")
    precondition(
      context.firstPosition >= 0 && context.firstPosition + queries.rows <= cache.capacity,
      "attention: positions outside the cache")
    let group = context.heads / cache.heads
    precondition(
      heads.lowerBound >= 0 && heads.upperBound <= context.heads
        && heads.lowerBound.isMultiple(of: group) && heads.upperBound.isMultiple(of: group),
      "attention: a head range must be whole groups of \(group)")
    return group
  }

  /// The keys of `positions`: in place where the cache holds float32, else widened into `scratch`.
  @inline(__always) static func keys(
    _ cache: any KVCache, _ layer: Int, _ head: Int, _ positions: Range<Int>,
    _ scratch: UnsafeMutablePointer<Float>
  ) -> (base: UnsafePointer<Float>, stride: Int) {
    if let held = cache.floatKeys(layer: layer, head: head) {
      return (held.base + positions.lowerBound * held.stride, held.stride)
    }
    cache.loadKeys(layer: layer, head: head, positions: positions, into: scratch)
    return (UnsafePointer(scratch), cache.headDimension)
  }

  /// The values of `positions`: in place where the cache holds float32, else widened into
  /// `scratch`.
  @inline(__always) static func values(
    _ cache: any KVCache, _ layer: Int, _ head: Int, _ positions: Range<Int>,
    _ scratch: UnsafeMutablePointer<Float>
  ) -> (base: UnsafePointer<Float>, stride: Int) {
    if let held = cache.floatValues(layer: layer, head: head) {
      return (held.base + positions.lowerBound * held.stride, held.stride)
    }
    cache.loadValues(layer: layer, head: head, positions: positions, into: scratch)
    return (UnsafePointer(scratch), cache.headDimension)
  }
}
