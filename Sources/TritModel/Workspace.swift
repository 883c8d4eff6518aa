import TritAttention
import TritCore
import TritKernels

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
    let call = AttentionContext(
      layer: 0, firstPosition: 0, heads: configuration.heads,
      headDimension: configuration.headDimension)
    let needed = attention.scratchCount(context: call, capacity: context, tokens: tokens)
    scratchStride = (needed + 15) / 16 * 16
    scratch = AlignedBuffer(count: scratchStride * threads)
    let split = threads > 1 ? attention as? any SplitAttention : nil
    partials = AlignedBuffer(
      count: split.map {
        $0.partialCount(
          group: configuration.heads / configuration.keyValueHeads,
          headDimension: configuration.headDimension)
          * $0.spans(position: context - 1).upperBound * configuration.keyValueHeads
      } ?? 0)
    for width in Set([
      configuration.hiddenSize, configuration.querySize, configuration.feedForwardSize,
    ]) {
      rows.append(QuantizedRows(capacity: tokens, columns: width))
    }
  }

  /// Rows of logits that are computed together.
  static func headTokens(_ configuration: ModelConfiguration, tokens: Int) -> Int {
    max(1, min(tokens, (16 << 20) / configuration.vocabularySize))
  }

  /// Bytes of a workspace, kernels' own input layouts apart; `Int.max` beyond its range.
  static func bytes(
    _ configuration: ModelConfiguration, tokens: Int, threads: Int, attention: any Attention,
    context: Int
  ) -> Int {
    let hidden = configuration.hiddenSize
    let query = configuration.querySize
    let forward = configuration.feedForwardSize
    let widest = max(hidden, query, forward)
    let columns = 2 * hidden + 2 * widest + 2 * query + 2 * configuration.keyValueSize + 2 * forward
    let call = AttentionContext(
      layer: 0, firstPosition: 0, heads: configuration.heads,
      headDimension: configuration.headDimension)
    let scratch = attention.scratchCount(context: call, capacity: context, tokens: tokens)
    return Size.sum(
      Size.product(4, tokens, columns), Size.product(tokens, hidden + query + forward),
      Size.product(
        4, headTokens(configuration, tokens: tokens), configuration.vocabularySize),
      Size.product(4, scratch, threads))
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
