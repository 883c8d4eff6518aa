import TritCore

/// What the forward pass of one layer keeps for the backward pass, all `[tokens, …]`.
struct LayerActivations: Sendable {
  /// Quantized input of query, key and value, `[tokens, hidden]`.
  let projectionInput: AlignedBuffer<Float>
  /// Rotated queries, rotated keys, values, `[tokens, projectionSize]`.
  let projection: AlignedBuffer<Float>
  /// Output of attention, `[tokens, querySize]`.
  let attention: AlignedBuffer<Float>
  /// Logarithms of the attention sums, `[sequences][heads, length]`.
  let logSums: AlignedBuffer<Float>
  /// Quantized input of the attention output, `[tokens, querySize]`.
  let outputInput: AlignedBuffer<Float>
  /// The residual stream between attention and feed-forward, `[tokens, hidden]`.
  let middle: AlignedBuffer<Float>
  /// Quantized input of gate and up, `[tokens, hidden]`.
  let unitInput: AlignedBuffer<Float>
  /// Gates and ups, `[tokens, 2 · feedForward]`.
  let gateUp: AlignedBuffer<Float>
  /// Quantized input of down, `[tokens, feedForward]`.
  let downInput: AlignedBuffer<Float>

  init(_ shape: ModelShape, tokens: Int) {
    projectionInput = AlignedBuffer(count: tokens * shape.hidden)
    projection = AlignedBuffer(count: tokens * shape.projectionSize)
    attention = AlignedBuffer(count: tokens * shape.querySize)
    logSums = AlignedBuffer(count: tokens * shape.heads)
    outputInput = AlignedBuffer(count: tokens * shape.querySize)
    middle = AlignedBuffer(count: tokens * shape.hidden)
    unitInput = AlignedBuffer(count: tokens * shape.hidden)
    gateUp = AlignedBuffer(count: tokens * 2 * shape.feedForward)
    downInput = AlignedBuffer(count: tokens * shape.feedForward)
  }
}

/// Gradients of intermediates; one layer at a time uses them. Allocated by the first backward pass.
struct GradientBuffers: Sendable {
  /// Of the residual stream after, between and before the halves of a layer, `[tokens, hidden]`.
  var after: AlignedBuffer<Float>
  let middle: AlignedBuffer<Float>
  var before: AlignedBuffer<Float>
  /// Of gates and ups, `[tokens, 2 · feedForward]`.
  let gateUp: AlignedBuffer<Float>
  /// Of queries, keys and values, `[tokens, projectionSize]`.
  let projection: AlignedBuffer<Float>
  /// Of the norms' gains, a row for each sequence: `[sequences, width]`.
  let attentionNorm: Matrix<Float>
  let attentionSubNorm: Matrix<Float>
  let feedForwardNorm: Matrix<Float>
  let feedForwardSubNorm: Matrix<Float>

  init(_ shape: ModelShape, sequences: Int, length: Int) {
    let tokens = sequences * length
    after = AlignedBuffer(count: tokens * shape.hidden)
    middle = AlignedBuffer(count: tokens * shape.hidden)
    before = AlignedBuffer(count: tokens * shape.hidden)
    gateUp = AlignedBuffer(count: tokens * 2 * shape.feedForward)
    projection = AlignedBuffer(count: tokens * shape.projectionSize)
    attentionNorm = Matrix(rows: sequences, columns: shape.hidden)
    attentionSubNorm = Matrix(rows: sequences, columns: shape.querySize)
    feedForwardNorm = Matrix(rows: sequences, columns: shape.hidden)
    feedForwardSubNorm = Matrix(rows: sequences, columns: shape.feedForward)
  }
}

/// What one worker writes over while it runs a sequence through a layer.
struct WorkerScratch: Sendable {
  /// Two matrices `[length, widest]`.
  let first: AlignedBuffer<Float>
  let second: AlignedBuffer<Float>
  /// One row of any width.
  let row: AlignedBuffer<Float>
  let attention: AlignedBuffer<Float>
  /// Quantized rows by width: hidden, queries, feed-forward.
  let hiddenRows: QuantizedRows
  let queryRows: QuantizedRows
  let feedForwardRows: QuantizedRows

  init(_ shape: ModelShape, length: Int) {
    let widest = max(shape.hidden, shape.querySize, shape.feedForward)
    first = AlignedBuffer(count: length * widest)
    second = AlignedBuffer(count: length * widest)
    row = AlignedBuffer(count: widest)
    attention = AlignedBuffer(count: CausalAttention.scratchCount(length: length))
    hiddenRows = QuantizedRows(capacity: length, columns: shape.hidden)
    queryRows = QuantizedRows(capacity: length, columns: shape.querySize)
    feedForwardRows = QuantizedRows(capacity: length, columns: shape.feedForward)
  }

  func rows(columns: Int, _ shape: ModelShape) -> QuantizedRows {
    if columns == shape.hidden { return hiddenRows }
    return columns == shape.querySize ? queryRows : feedForwardRows
  }
}

/// Quantized values as the floats that they stand for, without a new allocation.
enum Dequantization {
  /// Writes the weights `[rows, columns]` to `out`.
  static func write(_ weights: QuantizedWeights, into out: UnsafeMutablePointer<Float>) {
    switch weights {
    case .dense(let matrix):
      out.update(from: matrix.storage.base, count: matrix.rows * matrix.columns)
    case .ternary(let matrix):
      write(
        matrix.trits, rows: matrix.rows, columns: matrix.columns, scales: matrix.scales,
        granularity: matrix.granularity, into: out)
    case .integer(let matrix):
      write(
        matrix.values, rows: matrix.rows, columns: matrix.columns, scales: matrix.scales,
        granularity: matrix.granularity, into: out)
    }
  }

  private static func write(
    _ values: AlignedBuffer<Int8>, rows: Int, columns: Int, scales: [Float],
    granularity: ScaleGranularity, into out: UnsafeMutablePointer<Float>
  ) {
    out.update(repeating: 0, count: rows * columns)
    let span = min(granularity.span(columns: columns), columns)
    for row in 0..<rows {
      for start in stride(from: 0, to: columns, by: span) {
        let at = row * columns + start
        let scale = scales[granularity.scaleIndex(row: row, column: start, columns: columns)]
        VectorMath.axpy(
          scale, int8: values.base + at, into: out + at, count: min(span, columns - start))
      }
    }
  }

  /// Writes the rows in use to `out`, `[rows, columns]` without gaps.
  static func write(_ rows: QuantizedRows, into out: UnsafeMutablePointer<Float>) {
    let columns = rows.columns
    if rows.form == .float32 {
      out.update(from: rows.floats.base, count: rows.rows * columns)
      return
    }
    out.update(repeating: 0, count: rows.rows * columns)
    for row in 0..<rows.rows {
      VectorMath.axpy(
        rows.scales[row], int8: rows.row(row), into: out + row * columns, count: columns)
    }
  }
}
