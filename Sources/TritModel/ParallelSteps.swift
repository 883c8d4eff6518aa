import TritAttention
import TritCore
import TritKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The regions that run on several threads even for a single token: building input layouts,
/// multiplying a group of layers, attention, and the head.
///
/// Each is a value that is made for the call and says all that the threads need; nothing is left
/// here when it is done.
struct ParallelSteps {
  let pool: WorkerPool
  let cache: any KVCache
  let head: any PreparedHead
  let workspace: Workspace
  let keyHeads: Int
  let headDimension: Int
  /// Query heads that share a key head.
  let group: Int

  /// Multiply-adds below which a region runs on the caller alone: half a microsecond of int8
  /// arithmetic, about what it costs to involve another thread.
  private static let smallWork = 1 << 18

  /// Weights below which a layer group is not worth another part a thread: 128 KB of 2-bit weights
  /// take some ten microseconds to read, hundreds of times what a part costs.
  private static let weightsPerPart = 1 << 19
  /// Parts a thread of products of many tokens, whose tiles want many rows.
  private static let fewParts = 4

  init(
    pool: WorkerPool, configuration: ModelConfiguration, cache: any KVCache,
    head: any PreparedHead, workspace: Workspace
  ) {
    self.pool = pool
    self.cache = cache
    self.head = head
    self.workspace = workspace
    keyHeads = configuration.keyValueHeads
    headDimension = configuration.headDimension
    group = configuration.heads / configuration.keyValueHeads
  }

  /// Builds `layout` from `rows`.
  func build(_ layout: any InputLayout, from rows: QuantizedRows) {
    let region = LayoutRegion(layout, from: rows)
    // A lookup table costs some 16 additions a column.
    let isSmall = rows.rows * rows.columns * 16 < Self.smallWork
    run(region, count: region.parts, alignment: isSmall ? region.parts : 1)
    rows.markBuilt(layout)
  }

  /// Multiplies `rows` with every layer of `group`; all layers in one region. But for the one that
  /// writes output `skipped`.
  func multiply(
    _ group: ProjectionGroup, _ rows: QuantizedRows, into outputs: ProjectionOutputs,
    skipping skipped: Int? = nil
  ) {
    let weights = group.layers.reduce(0) { $0 + $1.linear.rows * $1.linear.columns }
    // A thread that falls behind, as one does whose core is shared, keeps the others waiting for a
    // part at most.
    let most = rows.rows > 8 ? Self.fewParts : WorkerPool.mostPartsPerThread
    let each = min(most, weights / (pool.threads * Self.weightsPerPart))
    let parts =
      weights * rows.rows < Self.smallWork || pool.threads == 1
      ? 1 : pool.threads * max(each, 1)
    run(
      GroupRegion(
        layers: group.layers, skipped: skipped, rows: rows, outputs: outputs, parts: parts),
      count: parts)
  }

  /// Multiplies `rows` with `linear`, whose outputs are wanted where `gate` is above 0; the others
  /// become 0 or what they are.
  func multiply(
    _ linear: any SelectiveLinear, _ rows: QuantizedRows, where gate: MatrixView<Float>,
    into output: MutableMatrixView<Float>
  ) {
    let isSmall = linear.rows * linear.columns * rows.rows < Self.smallWork
    run(
      SelectiveProductRegion(linear, rows, where: gate, into: output), count: linear.rows,
      alignment: isSmall ? linear.rows : linear.rowAlignment)
  }

  /// Attention of `query` over the cache, split over key heads and blocks of queries, or, for a
  /// single query, over key heads and spans of positions. With a probe all queries run on this
  /// thread, in order.
  func attend(
    _ query: MatrixView<Float>, _ attention: LayerAttention, layer: Int, first: Int,
    into output: MutableMatrixView<Float>, probe: AttentionProbe?
  ) {
    let context = AttentionContext(
      layer: layer, firstPosition: first, heads: keyHeads * group, headDimension: headDimension,
      scale: attention.scale)
    let visible = min(first + query.rows, attention.window ?? .max)
    let work = 2 * query.rows * query.columns * visible
    let isAlone = probe != nil || work < Self.smallWork || pool.threads == 1
    // The workspace has room for parts of one only where there are threads to share them.
    if let split = attention.split, !isAlone, query.rows == 1 {
      return attendSplit(split, query, context, into: output)
    }
    let parts = isAlone ? 1 : pool.threads * Self.fewParts
    let region = AttentionRegion(
      attention: attention.attention, cache: cache, query: query, output: output,
      context: context, keyHeads: keyHeads, parts: parts, scratch: workspace.scratch,
      scratchStride: workspace.scratchStride)
    if let probe {
      region.attend(0..<parts, worker: 0, probe: probe)
    } else {
      run(region, count: parts)
    }
  }

  /// One query: every span of every key head apart, then folded by the caller in order.
  private func attendSplit(
    _ split: any SplitAttention, _ query: MatrixView<Float>, _ context: AttentionContext,
    into output: MutableMatrixView<Float>
  ) {
    let spans = split.spans(position: context.firstPosition)
    let stride = split.partialCount(group: group, headDimension: headDimension)
    run(
      SpanRegion(
        attention: split, cache: cache, query: query, context: context, spans: spans,
        partials: workspace.partials, partialStride: stride, scratch: workspace.scratch,
        scratchStride: workspace.scratchStride), count: keyHeads * spans.count)
    for keyHead in 0..<keyHeads {
      split.fold(
        workspace.partials.base + keyHead * spans.count * stride, count: spans.count,
        group: group, headDimension: headDimension,
        into: output.base + keyHead * group * headDimension)
    }
  }

  /// Multiplies normed hidden states with the output head.
  func project(_ normed: MatrixView<Float>, into logits: MutableMatrixView<Float>) {
    run(
      HeadRegion(head, normed, into: logits), count: head.rows, alignment: head.rowAlignment)
    head.finish(normed, logits: logits, on: pool)
  }

  /// What a family does to its logits.
  func finish(_ logits: MutableMatrixView<Float>, multiplier: Float, cap: Float?) {
    guard multiplier != 1 || cap != nil else { return }
    run(
      LogitsRegion(logits: logits, multiplier: multiplier, cap: cap), count: logits.columns,
      alignment: 4096)
  }

  private func run(_ region: some PoolRegion, count: Int, alignment: Int = 1) {
    pool.run(
      region, count: count, alignment: alignment, partsPerThread: WorkerPool.mostPartsPerThread)
  }
}

/// Multiplies quantized rows with all layers of a group, but for the one that writes output
/// `skipped`, in `parts` parts.
private struct GroupRegion: PoolRegion {
  let layers: [(linear: any PreparedLinear, output: Int)]
  let skipped: Int?
  let rows: QuantizedRows
  let outputs: ProjectionOutputs
  let parts: Int

  /// The layers' rows count as one sequence, so that a thread's parts follow one another in memory:
  /// each change of stream costs about a microsecond.
  func run(_ range: Range<Int>, worker: Int) {
    var total = 0
    for (linear, index) in layers where index != skipped { total += linear.rows }
    for part in range {
      var start = 0
      for (linear, index) in layers where index != skipped {
        let first = Self.cut(total * part / parts - start, linear)
        let last = Self.cut(total * (part + 1) / parts - start, linear)
        if first < last { linear.multiply(rows, rows: first..<last, into: outputs[index]) }
        start += linear.rows
      }
    }
  }

  /// `row` moved into the layer's rows and down to where a part of it may begin.
  private static func cut(_ row: Int, _ linear: any PreparedLinear) -> Int {
    if row >= linear.rows { return linear.rows }
    return max(row, 0) / linear.rowAlignment * linear.rowAlignment
  }
}

/// Attention of queries over the cache, in `parts` parts of key heads and blocks of queries.
private struct AttentionRegion: PoolRegion {
  let attention: any Attention
  let cache: any KVCache
  let query: MatrixView<Float>
  let output: MutableMatrixView<Float>
  let context: AttentionContext
  let keyHeads: Int
  let parts: Int
  let scratch: AlignedBuffer<Float>
  let scratchStride: Int
  /// Queries of a block.
  private static let block = 32

  func run(_ range: Range<Int>, worker: Int) { attend(range, worker: worker, probe: nil) }

  func attend(_ range: Range<Int>, worker: Int, probe: AttentionProbe?) {
    let block = Self.block
    let blocks = (query.rows + block - 1) / block
    let group = context.heads / keyHeads
    let scratch = scratch.base + worker * scratchStride
    for part in range {
      let units = WorkerPool.range(of: part, parts: parts, count: keyHeads * blocks, alignment: 1)
      for unit in units {
        let keyHead = unit / blocks
        // Later blocks see more: alternate from both ends, so that any half of a head is half its
        // work.
        let place = unit % blocks
        let start =
          (parts == 1 ? place : place.isMultiple(of: 2) ? place / 2 : blocks - 1 - place / 2)
          * block
        let tokens = start..<min(start + block, query.rows)
        var context = context
        context.firstPosition += start
        attention.attend(
          query.rows(tokens), context: context, cache: cache,
          heads: (keyHead * group)..<((keyHead + 1) * group), scratch: scratch,
          into: output.rows(tokens), probe: probe)
      }
    }
  }
}

/// Attention of one query over spans of positions, one unit a key head and span.
private struct SpanRegion: PoolRegion {
  let attention: any SplitAttention
  let cache: any KVCache
  let query: MatrixView<Float>
  let context: AttentionContext
  let spans: Range<Int>
  let partials: AlignedBuffer<Float>
  let partialStride: Int
  let scratch: AlignedBuffer<Float>
  let scratchStride: Int

  func run(_ range: Range<Int>, worker: Int) {
    for unit in range {
      attention.attend(
        query, context: context, cache: cache, keyHead: unit / spans.count,
        span: spans.lowerBound + unit % spans.count,
        scratch: scratch.base + worker * scratchStride,
        into: partials.base + unit * partialStride)
    }
  }
}

/// Where the layers of a group write: at most three, since q, k and v are the most that share an
/// input.
struct ProjectionOutputs: Sendable {
  private let first: MutableMatrixView<Float>
  private let second: MutableMatrixView<Float>
  private let third: MutableMatrixView<Float>

  /// The outputs by index.
  init(_ outputs: [MutableMatrixView<Float>]) {
    precondition((1...3).contains(outputs.count), "one to three layers share an input")
    first = outputs[0]
    second = outputs.count > 1 ? outputs[1] : first
    third = outputs.count > 2 ? outputs[2] : first
  }

  private init(_ all: ProjectionOutputs, rows: Range<Int>) {
    first = all.first.rows(rows)
    second = all.second.rows(rows)
    third = all.third.rows(rows)
  }

  /// The same of some rows.
  func rows(_ rows: Range<Int>) -> ProjectionOutputs { ProjectionOutputs(self, rows: rows) }

  /// Output `index`, 0…2.
  subscript(index: Int) -> MutableMatrixView<Float> {
    index == 0 ? first : index == 1 ? second : third
  }
}

/// The attention of one layer: what it sees, and what its scores are multiplied by.
struct LayerAttention {
  let attention: any Attention
  /// The same, where a query of its own can be cut over positions.
  let split: (any SplitAttention)?
  /// Keys that a query sees; nil is all.
  let window: Int?
  /// Multiplies the scores.
  let scale: Float

  init(_ attention: any Attention, window: Int?, scale: Float) {
    self.attention = attention
    split = attention as? any SplitAttention
    self.window = window
    self.scale = scale
  }
}

/// Multiplies logits by a factor and caps them softly, `cap · tanh(x / cap)`, by blocks of columns.
struct LogitsRegion: PoolRegion {
  let logits: MutableMatrixView<Float>
  let multiplier: Float
  let cap: Float?

  func run(_ range: Range<Int>, worker: Int) {
    for row in 0..<logits.rows {
      let values = logits.base + row * logits.stride + range.lowerBound
      if multiplier != 1 {
        VectorMath.scale(values, by: multiplier, into: values, count: range.count)
      }
      guard let cap else { continue }
      for index in 0..<range.count { values[index] = cap * tanhf(values[index] / cap) }
    }
  }
}
