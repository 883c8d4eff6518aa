import TritCore
import TritModel

/// What the forward pass of one layer keeps for the backward pass (`LayerProgram.kept`).
struct LayerActivations: Sendable {
  /// Matrices `[tokens, …]`.
  let kept: [AlignedBuffer<Float>]
  /// The residual stream between the halves of the layer, `[tokens, hidden]` each.
  let between: [AlignedBuffer<Float>]

  init(_ program: LayerProgram, hidden: Int, tokens: Int) {
    kept = program.kept.map { AlignedBuffer(count: tokens * $0) }
    between = (1..<max(program.sums, 1)).map { _ in AlignedBuffer(count: tokens * hidden) }
  }
}

/// Gradients of intermediates; one layer at a time uses them. Allocated by the first backward pass.
struct GradientBuffers: Sendable {
  /// Of the residual stream before, between and after the halves of a layer, `[tokens, hidden]`.
  var streams: [AlignedBuffer<Float>]
  /// Of what the program of a layer shares with the others, `[tokens, …]`.
  let shared: [AlignedBuffer<Float>]
  /// Of gains and biases, a row for each sequence: `[sequences, width]`.
  let partials: [Matrix<Float>]
  /// The same of the last norm.
  let finalNorm: Matrix<Float>

  init(_ programs: [LayerProgram], hidden: Int, sequences: Int, length: Int) {
    let tokens = sequences * length
    let sums = programs.map(\.sums).max() ?? 0
    streams = (0...sums).map { _ in AlignedBuffer(count: tokens * hidden) }
    shared = Self.widest(programs.map(\.shared)).map { AlignedBuffer(count: tokens * $0) }
    partials = Self.widest(programs.map { $0.partials.map(\.width) }).map {
      Matrix(rows: sequences, columns: $0)
    }
    finalNorm = Matrix(rows: sequences, columns: hidden)
  }

  /// The widest of each, by its place in the lists.
  static func widest(_ lists: [[Int]]) -> [Int] {
    (0..<(lists.map(\.count).max() ?? 0)).map { index in
      lists.map { index < $0.count ? $0[index] : 0 }.max() ?? 0
    }
  }
}

/// What one worker writes over while it runs a sequence through a layer.
struct WorkerScratch: Sendable {
  /// Two matrices `[length, widest]`.
  let matrices: [AlignedBuffer<Float>]
  /// One row of any width.
  let row: AlignedBuffer<Float>
  let attention: AlignedBuffer<Float>
  /// Quantized rows, by the widths that linear layers have.
  private let quantized: [QuantizedRows]

  init(_ shape: ModelShape, length: Int) {
    let configuration = shape.configuration
    let widths = Set(shape.plan.block.linears.map { $0.shape(configuration).columns }).sorted()
    let widest = max(widths.last ?? 0, configuration.querySize, shape.hidden)
    matrices = (0..<2).map { _ in AlignedBuffer(count: length * widest) }
    // The slopes of capped logits are a row of the vocabulary.
    row = AlignedBuffer(
      count: configuration.logitSoftCap == nil ? widest : max(widest, shape.vocabulary))
    attention = AlignedBuffer(count: CausalAttention.scratchCount(length: length))
    quantized = widths.map { QuantizedRows(capacity: length, columns: $0) }
  }

  func rows(columns: Int) -> QuantizedRows {
    for rows in quantized where rows.columns == columns { return rows }
    preconditionFailure("no linear layer has \(columns) inputs")
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
