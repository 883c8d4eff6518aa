import TritAttention
import TritCore
import TritKernels
import TritQuantization

/// The sizes of every buffer that a forward pass writes, from the plan of the model. The workspace
/// allocates what stands here, and its byte count is the sum of it: they cannot differ. Buffers of
/// which one is done with before the other begins share memory: q and k with gate, for one.
struct WorkspaceLayout: Sendable {
  /// Tokens of a chunk.
  let tokens: Int
  /// Rows of logits computed together; few where the vocabulary is large.
  let headTokens: Int
  /// Columns of every piece of memory that buffers lie in.
  private(set) var pieces: [Int] = []
  /// Buffers that operations name: their columns, and the piece that they lie in.
  private(set) var buffers: [BlockBuffer: (columns: Int, piece: Int)] = [:]
  /// Elements of a row that a layer's own norm or rotation writes; 0 where no layer has one.
  let prepared: Int
  /// Widths of the inputs that linear layers have, each once.
  let widths: [Int]
  /// Columns of the logits.
  let vocabulary: Int
  /// Scratch elements of attention for one worker, in whole cache lines.
  let scratchStride: Int
  /// Workers.
  let threads: Int
  /// Elements of the partial results of attention that is cut over positions.
  let partials: Int

  init(
    _ plan: ModelPlan, tokens: Int, threads: Int, attention: any Attention, context: Int
  ) {
    let configuration = plan.configuration
    self.tokens = tokens
    self.threads = threads
    vocabulary = configuration.vocabularySize
    headTokens = max(1, min(tokens, (16 << 20) / configuration.vocabularySize))
    widths = Set(plan.block.linears.map { $0.shape(configuration).columns }).sorted()
    prepared = plan.preparesInputs ? widths.max() ?? 0 : 0
    let call = AttentionContext(
      layer: 0, firstPosition: 0, heads: configuration.heads,
      headDimension: configuration.headDimension)
    let needed = attention.scratchCount(context: call, capacity: context, tokens: tokens)
    let lines = Size.quotient(needed, 16)
    scratchStride = lines > Int.max / 16 ? .max : lines * 16
    // A single thread cuts nothing.
    if threads > 1, let split = attention as? any SplitAttention {
      partials = Size.product(
        split.partialCount(
          group: configuration.heads / configuration.keyValueHeads,
          headDimension: configuration.headDimension),
        split.spans(position: context - 1).upperBound, configuration.keyValueHeads)
    } else {
      partials = 0
    }
    place(plan)
  }

  /// Puts the widest buffers first, each into the first piece in which nothing lives meanwhile.
  private mutating func place(_ plan: ModelPlan) {
    var tenants: [[ClosedRange<Int>]] = []
    let all = BlockBuffer.allCases.map { ($0, $0.width(plan.configuration)) }
      .sorted { $0.1 > $1.1 }
    for (buffer, columns) in all {
      guard let life = plan.block.life(of: buffer) else { continue }
      if let piece = tenants.firstIndex(where: { !$0.contains { $0.overlaps(life) } }) {
        tenants[piece].append(life)
        buffers[buffer] = (columns, piece)
      } else {
        tenants.append([life])
        buffers[buffer] = (columns, pieces.count)
        pieces.append(columns)
      }
    }
  }

  /// Bytes of all of it, what kernels add apart (`Workspace.lazyBytes`); `Int.max` beyond its
  /// range.
  var bytes: Int {
    var rows = 0
    for width in widths {
      let (bytes, overflows) = QuantizedRows.byteCount(capacity: tokens, columns: width)
      rows = overflows ? .max : Size.sum(rows, bytes)
    }
    let columns = pieces.reduce(prepared, +)
    return Size.sum(
      Size.product(4, tokens, columns), rows, Size.product(4, headTokens, vocabulary),
      Size.product(4, scratchStride, threads), Size.product(4, partials))
  }
}
