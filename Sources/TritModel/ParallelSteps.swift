import TritAttention
import TritCore
import TritKernels

/// The regions that run on several threads even for a single token: building input layouts, multiplying
/// a group of layers, attention, and the head.
///
/// Their bodies are made once and read what they work on from the properties below: handing a fresh
/// closure to other threads costs a heap allocation, and a decoded token may not have any.
final class ParallelSteps {
  private let pool: WorkerPool
  private let configuration: ModelConfiguration
  private let attention: any Attention
  private let split: (any SplitAttention)?
  private let cache: any KVCache
  private let head: any PreparedHead
  private let workspace: Workspace
  private var bodies: [Body] = []

  /// A struct: an array of bare closures would wrap each in a fresh thunk whenever one is taken out.
  private struct Body {
    let call: (Range<Int>, Int) -> Void
  }

  /// Multiply-adds below which a region runs on the caller alone: half a microsecond of int8 arithmetic,
  /// about what it costs to involve another thread.
  private static let smallWork = 1 << 18

  /// Weights below which a layer group is not worth another part a thread: 128 KB of 2-bit weights take some
  /// ten microseconds to read, hundreds of times what a part costs.
  private static let weightsPerPart = 1 << 19
  /// Parts a thread of products of many tokens, whose tiles want many rows.
  private static let fewParts = 4

  private enum Step: Int { case build, multiply, attend, attendSpan, head, multiplySelected }

  // What the current region works on.
  private var rows: QuantizedRows
  private var layout: (any InputLayout)?
  private var layoutBase: UnsafeMutableRawPointer?
  private var layers: [(linear: any PreparedLinear, output: Int)] = []
  private var skipped: Int?
  private var selective: (any SelectiveLinear)?
  private var outputs: ProjectionOutputs
  private var call: AttentionContext
  private var probe: AttentionProbe?
  private var parts = 1
  private var spans = 0..<0
  private var partialStride = 0
  private var input: MatrixView<Float>
  private var output: MutableMatrixView<Float>

  init(
    pool: WorkerPool, configuration: ModelConfiguration, attention: any Attention,
    cache: any KVCache, head: any PreparedHead, workspace: Workspace
  ) {
    self.pool = pool
    self.configuration = configuration
    self.attention = attention
    // As the workspace, which has room for parts of one only where there are threads to share them.
    split = pool.threads > 1 ? attention as? any SplitAttention : nil
    self.cache = cache
    self.head = head
    self.workspace = workspace
    rows = workspace.quantized(width: configuration.hiddenSize)
    output = workspace.projected.mutableView
    outputs = ProjectionOutputs(output)
    input = workspace.hidden.view
    call = AttentionContext(
      layer: 0, firstPosition: 0, heads: configuration.heads,
      headDimension: configuration.headDimension)
    bodies = [
      Body { [unowned self] range, _ in buildPart(range) },
      Body { [unowned self] range, _ in multiplyPart(range) },
      Body { [unowned self] range, worker in attendPart(range, worker) },
      Body { [unowned self] range, worker in attendSpans(range, worker) },
      Body { [unowned self] range, _ in head.multiply(input, rows: range, into: output) },
      Body { [unowned self] range, _ in
        selective?.multiply(rows, rows: range, where: input, into: output)
      },
    ]
  }

  /// Builds `layout` from `rows`.
  func build(_ layout: any InputLayout, from rows: QuantizedRows) {
    self.rows = rows
    self.layout = layout
    layoutBase = rows.buffer(for: layout).base
    let parts = layout.parts(rows: rows.rows, columns: rows.columns)
    // A lookup table costs some 16 additions a column.
    let isSmall = rows.rows * rows.columns * 16 < Self.smallWork
    run(.build, count: parts, alignment: isSmall ? parts : 1)
    rows.markBuilt(layout)
  }

  /// Multiplies `rows` with every layer of `group`; all layers in one region. But for the one that writes
  /// output `skipped`.
  func multiply(
    _ group: ProjectionGroup, _ rows: QuantizedRows, into outputs: ProjectionOutputs,
    skipping skipped: Int? = nil
  ) {
    self.rows = rows
    self.outputs = outputs
    layers = group.layers
    self.skipped = skipped
    let weights = layers.reduce(0) { $0 + $1.linear.rows * $1.linear.columns }
    // A thread that falls behind, as one does whose core is shared, keeps the others waiting for a part at most.
    let most = rows.rows > 8 ? Self.fewParts : WorkerPool.mostPartsPerThread
    let each = min(most, weights / (pool.threads * Self.weightsPerPart))
    parts =
      weights * rows.rows < Self.smallWork || pool.threads == 1
      ? 1 : pool.threads * max(each, 1)
    run(.multiply, count: parts)
  }

  /// Multiplies `rows` with `linear`, whose outputs are wanted where `gate` is above 0; the others become 0 or
  /// what they are.
  func multiply(
    _ linear: any SelectiveLinear, _ rows: QuantizedRows, where gate: MatrixView<Float>,
    into output: MutableMatrixView<Float>
  ) {
    self.rows = rows
    self.output = output
    input = gate
    selective = linear
    let isSmall = linear.rows * linear.columns * rows.rows < Self.smallWork
    run(
      .multiplySelected, count: linear.rows, alignment: isSmall ? linear.rows : linear.rowAlignment)
  }

  /// Attention of `query` over the cache, split over key heads and blocks of queries, or, for a single
  /// query, over key heads and spans of positions. With a probe all queries run on one thread, in order.
  func attend(
    _ query: MatrixView<Float>, layer: Int, first: Int, into output: MutableMatrixView<Float>,
    probe: AttentionProbe?
  ) {
    input = query
    self.output = output
    self.probe = probe
    call.layer = layer
    call.firstPosition = first
    let work = 2 * query.rows * query.columns * (first + query.rows)
    let isAlone = probe != nil || work < Self.smallWork || pool.threads == 1
    parts = isAlone ? 1 : pool.threads * Self.fewParts
    if let split, parts > 1, query.rows == 1 {
      attendSplit(split, first: first)
    } else {
      run(.attend, count: parts)
    }
    self.probe = nil
  }

  /// One query: every span of every key head apart, then folded by the caller in order.
  private func attendSplit(_ split: any SplitAttention, first: Int) {
    let keyHeads = configuration.keyValueHeads
    let group = configuration.heads / keyHeads
    let d = configuration.headDimension
    spans = split.spans(position: first)
    partialStride = split.partialCount(group: group, headDimension: d)
    run(.attendSpan, count: keyHeads * spans.count)
    for keyHead in 0..<keyHeads {
      split.fold(
        workspace.partials.base + keyHead * spans.count * partialStride, count: spans.count,
        group: group, headDimension: d, into: output.base + keyHead * group * d)
    }
  }

  private func attendSpans(_ range: Range<Int>, _ worker: Int) {
    guard let split else { return }
    let scratch = workspace.scratch.base + worker * workspace.scratchStride
    for unit in range {
      split.attend(
        input, context: call, cache: cache, keyHead: unit / spans.count,
        span: spans.lowerBound + unit % spans.count, scratch: scratch,
        into: workspace.partials.base + unit * partialStride)
    }
  }

  /// Multiplies normed hidden states with the output head.
  func project(_ normed: MatrixView<Float>, into logits: MutableMatrixView<Float>) {
    input = normed
    output = logits
    run(.head, count: head.rows, alignment: head.rowAlignment)
    head.finish(normed, logits: logits, on: pool)
  }

  private func run(_ step: Step, count: Int, alignment: Int = 1) {
    pool.runStored(
      count: count, alignment: alignment, partsPerThread: WorkerPool.mostPartsPerThread,
      body: bodies[step.rawValue].call)
  }

  private func buildPart(_ range: Range<Int>) {
    guard let layout, let layoutBase else { return }
    layout.build(range, from: rows, into: layoutBase)
  }

  /// The layers' rows count as one sequence, so that a thread's parts follow one another in memory: each change
  /// of stream costs about a microsecond.
  private func multiplyPart(_ range: Range<Int>) {
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

  private func attendPart(_ range: Range<Int>, _ worker: Int) {
    let block = 32
    let blocks = (input.rows + block - 1) / block
    let group = configuration.heads / configuration.keyValueHeads
    let scratch = workspace.scratch.base + worker * workspace.scratchStride
    for part in range {
      let units = WorkerPool.range(
        of: part, parts: parts, count: configuration.keyValueHeads * blocks, alignment: 1)
      for unit in units {
        let keyHead = unit / blocks
        // Later blocks see more: alternate from both ends, so that any half of a head is half its work.
        let place = unit % blocks
        let start =
          (parts == 1 ? place : place.isMultiple(of: 2) ? place / 2 : blocks - 1 - place / 2)
          * block
        let tokens = start..<min(start + block, input.rows)
        var context = call
        context.firstPosition += start
        attention.attend(
          input.rows(tokens), context: context, cache: cache,
          heads: (keyHead * group)..<((keyHead + 1) * group), scratch: scratch,
          into: output.rows(tokens), probe: probe)
      }
    }
  }
}

/// Where the layers of a group write: at most three, since q, k and v are the most that share an input.
struct ProjectionOutputs {
  private let first: MutableMatrixView<Float>
  private let second: MutableMatrixView<Float>
  private let third: MutableMatrixView<Float>

  /// The outputs by index; what is not given is never written.
  init(
    _ first: MutableMatrixView<Float>, _ second: MutableMatrixView<Float>? = nil,
    _ third: MutableMatrixView<Float>? = nil
  ) {
    self.first = first
    self.second = second ?? first
    self.third = third ?? first
  }

  /// Output `index`, 0…2.
  subscript(index: Int) -> MutableMatrixView<Float> {
    index == 0 ? first : index == 1 ? second : third
  }
}
