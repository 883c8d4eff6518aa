import TritAttention
import TritCore
import TritKernels
import TritQuantization

/// Every buffer that a forward pass writes, allocated once for the largest chunk.
final class Workspace {
  /// Tokens of a chunk.
  let tokens: Int
  /// Rows of logits computed together; few where the vocabulary is large.
  let headTokens: Int
  /// Residual stream `[tokens, hidden]`.
  let hidden: Matrix<Float>
  /// Normed input of a projection `[tokens, widest input]`; used at that input's own width.
  private let normedStorage: AlignedBuffer<Float>
  /// Inner-normed input, for linears with a norm of their own.
  private let innerStorage: AlignedBuffer<Float>
  /// Query rows.
  let query: Matrix<Float>
  /// Key rows.
  let key: Matrix<Float>
  /// Value rows.
  let value: Matrix<Float>
  /// Attention output rows.
  let attended: Matrix<Float>
  /// Gate rows; then the product of gate and up.
  let gate: Matrix<Float>
  /// Up rows.
  let up: Matrix<Float>
  /// Output of o and down.
  let projected: Matrix<Float>
  /// Logits `[headTokens, vocabulary]`.
  let logits: Matrix<Float>
  /// Attention scratch, one piece a worker.
  let scratch: AlignedBuffer<Float>
  /// Scratch elements of one worker.
  let scratchStride: Int
  /// Partial results of attention that is cut over positions, one piece a key head and span.
  let partials: AlignedBuffer<Float>
  private var rows: [QuantizedRows] = []

  init(
    configuration: ModelConfiguration, tokens: Int, threads: Int, attention: any Attention,
    context: Int
  ) {
    self.tokens = tokens
    headTokens = Self.headTokens(configuration, tokens: tokens)
    let widest = max(
      configuration.hiddenSize, configuration.querySize, configuration.feedForwardSize)
    hidden = Matrix(rows: tokens, columns: configuration.hiddenSize)
    normedStorage = AlignedBuffer(count: tokens * widest)
    innerStorage = AlignedBuffer(count: tokens * widest)
    query = Matrix(rows: tokens, columns: configuration.querySize)
    key = Matrix(rows: tokens, columns: configuration.keyValueSize)
    value = Matrix(rows: tokens, columns: configuration.keyValueSize)
    attended = Matrix(rows: tokens, columns: configuration.querySize)
    gate = Matrix(rows: tokens, columns: configuration.feedForwardSize)
    up = Matrix(rows: tokens, columns: configuration.feedForwardSize)
    projected = Matrix(rows: tokens, columns: configuration.hiddenSize)
    logits = Matrix(rows: headTokens, columns: configuration.vocabularySize)
    scratchStride = Self.scratchStride(
      configuration, tokens: tokens, attention: attention, context: context)
    scratch = AlignedBuffer(count: scratchStride * threads)
    partials = AlignedBuffer(
      count: Self.partialCount(
        configuration, threads: threads, attention: attention, context: context))
    for width in Self.widths(configuration) {
      rows.append(QuantizedRows(capacity: tokens, columns: width))
    }
  }

  /// The inputs that linear layers have, each width once.
  static func widths(_ configuration: ModelConfiguration) -> Set<Int> {
    [configuration.hiddenSize, configuration.querySize, configuration.feedForwardSize]
  }

  /// Scratch elements of one worker, in whole cache lines.
  private static func scratchStride(
    _ configuration: ModelConfiguration, tokens: Int, attention: any Attention, context: Int
  ) -> Int {
    let call = AttentionContext(
      layer: 0, firstPosition: 0, heads: configuration.heads,
      headDimension: configuration.headDimension)
    let needed = attention.scratchCount(context: call, capacity: context, tokens: tokens)
    return Size.quotient(needed, 16) > Int.max / 16 ? .max : Size.quotient(needed, 16) * 16
  }

  /// Elements of the partial results of attention that is cut over positions; a single thread cuts
  /// nothing.
  private static func partialCount(
    _ configuration: ModelConfiguration, threads: Int, attention: any Attention, context: Int
  ) -> Int {
    guard threads > 1, let split = attention as? any SplitAttention else { return 0 }
    return Size.product(
      split.partialCount(
        group: configuration.heads / configuration.keyValueHeads,
        headDimension: configuration.headDimension),
      split.spans(position: context - 1).upperBound, configuration.keyValueHeads)
  }

  /// Rows of logits that are computed together.
  static func headTokens(_ configuration: ModelConfiguration, tokens: Int) -> Int {
    max(1, min(tokens, (16 << 20) / configuration.vocabularySize))
  }

  /// Bytes of a workspace, what kernels add to it apart (`lazyBytes`); `Int.max` beyond its range.
  static func bytes(
    _ configuration: ModelConfiguration, tokens: Int, threads: Int, attention: any Attention,
    context: Int
  ) -> Int {
    let hidden = configuration.hiddenSize
    let query = configuration.querySize
    let forward = configuration.feedForwardSize
    let widest = max(hidden, query, forward)
    let columns = 2 * hidden + 2 * widest + 2 * query + 2 * configuration.keyValueSize + 2 * forward
    var rows = 0
    for width in widths(configuration) {
      let (bytes, overflows) = QuantizedRows.byteCount(capacity: tokens, columns: width)
      rows = overflows ? .max : Size.sum(rows, bytes)
    }
    let scratch = scratchStride(
      configuration, tokens: tokens, attention: attention, context: context)
    let partials = partialCount(
      configuration, threads: threads, attention: attention, context: context)
    return Size.sum(
      Size.product(4, tokens, columns), rows,
      Size.product(
        4, headTokens(configuration, tokens: tokens), configuration.vocabularySize),
      Size.product(4, scratch, threads), Size.product(4, partials))
  }

  /// Bytes that the layers of `blocks` make the quantized rows take beside their int8 values, once
  /// a chunk of `tokens` has run: float32 rows, and what kernels lay out of their input.
  static func lazyBytes(_ blocks: [Block], _ configuration: ModelConfiguration, tokens: Int) -> Int
  {
    var floats: Set<Int> = []
    var layouts: [Int: Set<String>] = [:]
    var bytes = 0
    for block in blocks {
      let inputs = [
        (block.attentionInput, configuration.hiddenSize),
        (block.attentionOutput, configuration.querySize),
        (block.feedForwardInput, configuration.hiddenSize),
        (block.feedForwardOutput, configuration.feedForwardSize),
      ]
      for (groups, width) in inputs {
        for group in groups {
          if group.activations.form == .float32, floats.insert(width).inserted {
            bytes = Size.sum(bytes, Size.product(4, tokens, width))
          }
          for layout in group.layouts
          where layouts[width, default: []].insert(layout.id).inserted {
            bytes = Size.sum(bytes, layout.byteCount(rows: tokens, columns: width))
          }
        }
      }
    }
    return bytes
  }

  /// The buffer for normed rows of `width`.
  func normed(rows: Int, width: Int) -> MutableMatrixView<Float> {
    MutableMatrixView(base: normedStorage.base, rows: rows, columns: width)
  }

  /// The buffer for inner-normed rows of `width`.
  func inner(rows: Int, width: Int) -> MutableMatrixView<Float> {
    MutableMatrixView(base: innerStorage.base, rows: rows, columns: width)
  }

  /// The buffer for quantized rows of `width`.
  func quantized(width: Int) -> QuantizedRows {
    for candidate in rows where candidate.columns == width { return candidate }
    preconditionFailure("no layer of this model has \(width) inputs")
  }
}
