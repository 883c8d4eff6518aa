internal import CTritKernels
import TritCore

/// Where a block of flash attention keeps what it works on; all of it in one worker's scratch.
struct FlashScratch {
  /// Scaled query rows `[rows, d]`.
  let queries: UnsafeMutablePointer<Float>
  /// Weighted sums over all spans `[rows, d]`.
  let output: UnsafeMutablePointer<Float>
  /// The same of one span.
  let spanOutput: UnsafeMutablePointer<Float>
  /// Scores of a tile `[rows, 64]`.
  let scores: UnsafeMutablePointer<Float>
  /// Statistics of each row over all spans, and of one span.
  let maxima: UnsafeMutablePointer<Float>
  let sums: UnsafeMutablePointer<Float>
  let spanMaxima: UnsafeMutablePointer<Float>
  let spanSums: UnsafeMutablePointer<Float>
  /// A tile of keys `[d, 64]` and of values `[64, d]` in float32.
  let keys: UnsafeMutablePointer<Float>
  let values: UnsafeMutablePointer<Float>
  /// One row of weights, for a probe.
  let weights: UnsafeMutablePointer<Float>

  static func count(rows: Int, d: Int, capacity: Int) -> Int {
    rows * (3 * d + FlashAttention.tile + 4) + 2 * FlashAttention.tile * d + capacity
  }

  init(_ base: UnsafeMutablePointer<Float>, rows: Int, d: Int) {
    queries = base
    output = queries + rows * d
    spanOutput = output + rows * d
    scores = spanOutput + rows * d
    keys = scores + rows * FlashAttention.tile
    values = keys + FlashAttention.tile * d
    maxima = values + FlashAttention.tile * d
    sums = maxima + rows
    spanMaxima = sums + rows
    spanSums = spanMaxima + rows
    weights = spanSums + rows
  }
}

/// A block of tokens of one key head's group against the positions that they see.
struct FlashBlock {
  private let ops: tk_attention_tile_ops
  private let scratch: FlashScratch
  private let cache: any KVCache
  private let stored: StoredKeysAndValues?
  private let layer: Int
  private let keyHead: Int
  private let group: Int
  private let d: Int
  private let window: Int?
  /// Position of the block's first token, and the one behind its last.
  private let first: Int
  private let end: Int
  private var job: tk_attention_tile

  /// Rows up to which a tile is read as it is stored: each element is then widened once or twice.
  /// For more rows it is widened into scratch first.
  private static let fewRows = 12

  /// Scales the query rows of `tokens` into scratch.
  init(
    _ queries: MatrixView<Float>, _ tokens: Range<Int>, keyHead: Int, group: Int, window: Int?,
    context: AttentionContext, cache: any KVCache, scratch: FlashScratch, ops: tk_attention_tile_ops
  ) {
    self.ops = ops
    self.scratch = scratch
    self.cache = cache
    self.keyHead = keyHead
    self.group = group
    self.window = window
    layer = context.layer
    d = context.headDimension
    first = context.firstPosition + tokens.lowerBound
    end = context.firstPosition + tokens.upperBound
    stored = cache.stored(layer: layer, head: keyHead)
    for token in tokens {
      VectorMath.scale(
        queries.base + token * queries.stride + keyHead * group * d, by: context.scale,
        into: scratch.queries + (token - tokens.lowerBound) * group * d, count: group * d)
    }
    job = tk_attention_tile(
      queries: scratch.queries, rows: tokens.count * group, group: group, d: d,
      keys: scratch.keys, values: scratch.values,
      kind: StoredKeysAndValues.Element.float32.rawValue, key_scales: nil,
      value_scales: nil, position: 0, window: Int64(window ?? 0), prefetch: 0,
      scores: scratch.scores, maxima: scratch.maxima, sums: scratch.sums, output: scratch.output)
  }

  /// All spans into the scratch's `maxima`, `sums` and `output`.
  mutating func computeAll() {
    let firstSpan = firstVisible(first) / FlashAttention.span
    compute(
      span: firstSpan, maxima: scratch.maxima, sums: scratch.sums, output: scratch.output)
    var span = firstSpan + 1
    while span * FlashAttention.span < end {
      compute(
        span: span, maxima: scratch.spanMaxima, sums: scratch.spanSums, output: scratch.spanOutput)
      ops.merge(
        job.rows, d, scratch.maxima, scratch.sums, scratch.output, scratch.spanMaxima,
        scratch.spanSums, scratch.spanOutput)
      span += 1
    }
  }

  /// One span, from nothing.
  mutating func compute(
    span: Int, maxima: UnsafeMutablePointer<Float>, sums: UnsafeMutablePointer<Float>,
    output: UnsafeMutablePointer<Float>
  ) {
    maxima.update(repeating: -.infinity, count: job.rows)
    sums.update(repeating: 0, count: job.rows)
    output.update(repeating: 0, count: job.rows * d)
    job.maxima = maxima
    job.sums = sums
    job.output = output
    let tile = FlashAttention.tile
    let begin = max(span * FlashAttention.span, firstVisible(first) / tile * tile)
    for start in stride(from: begin, to: min((span + 1) * FlashAttention.span, end), by: tile) {
      place(tile: start, needsValues: true)
      ops.add(&job)
    }
  }

  /// Computes the scores once more, for a probe that wants the weights: the running form never has
  /// a whole row of them.
  mutating func report(_ tokens: Range<Int>, to probe: AttentionProbe) {
    let tile = FlashAttention.tile
    let rows = job.rows
    for member in 0..<group {
      for token in tokens {
        let position = first + token - tokens.lowerBound
        let row = (token - tokens.lowerBound) * group + member
        let firstKey = firstVisible(position)
        job.rows = 1
        job.queries = UnsafePointer(scratch.queries + row * d)
        for start in stride(from: firstKey / tile * tile, through: position, by: tile) {
          place(tile: start, needsValues: false)
          ops.scores(&job)
          let from = max(firstKey, start)
          let to = min(position + 1, start + tile)
          (scratch.weights + (from - firstKey))
            .update(from: scratch.scores + (from - start), count: to - from)
        }
        let count = position + 1 - firstKey
        VectorMath.exp(
          scratch.weights, minus: scratch.maxima[row], into: scratch.weights, count: count)
        VectorMath.scale(
          scratch.weights, by: 1 / scratch.sums[row], into: scratch.weights, count: count)
        probe(
          layer, keyHead * group + member, position, firstKey,
          UnsafeBufferPointer(start: scratch.weights, count: count))
      }
    }
    job.rows = rows
    job.queries = UnsafePointer(scratch.queries)
  }

  /// Points the job at the tile that begins at position `start`, widened where that pays.
  private mutating func place(tile start: Int, needsValues: Bool) {
    let tile = FlashAttention.tile
    let count = min(tile, end - start)
    job.position = Int64(first - start)
    job.prefetch = 0
    guard let stored else { return loadTile(start, count, needsValues: needsValues) }
    let bytes = stored.element.bytes
    let keys = stored.keys + start * d * bytes
    let values = stored.values + start * d * bytes
    job.key_scales = stored.keyScales.map { $0 + start }
    job.value_scales = stored.valueScales.map { $0 + start }
    if stored.element == .float32 || job.rows <= Self.fewRows {
      job.keys = keys
      job.values = values
      job.kind = stored.element.rawValue
      job.prefetch = job.rows <= Self.fewRows ? 1 : 0
    } else {
      ops.widen(keys, stored.element.rawValue, tile * d, scratch.keys)
      if needsValues {
        ops.widen(values, stored.element.rawValue, count * d, scratch.values)
      }
    }
  }

  /// A tile of a cache that gives float32 rows only.
  private mutating func loadTile(_ start: Int, _ count: Int, needsValues: Bool) {
    cache.loadKeys(
      layer: layer, head: keyHead, positions: start..<start + count, into: scratch.values)
    for lane in 0..<count {
      KeyLane.write(UnsafePointer(scratch.values + lane * d), d: d, to: scratch.keys + lane)
    }
    if needsValues {
      cache.loadValues(
        layer: layer, head: keyHead, positions: start..<start + count, into: scratch.values)
    }
  }

  private func firstVisible(_ position: Int) -> Int {
    window.map { max(0, position - $0 + 1) } ?? 0
  }
}
