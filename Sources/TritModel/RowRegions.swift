import TritAttention
import TritCore
import TritQuantization

/// What lies between two matrix products, row by row: one region instead of one a step, so that a
/// row is in the cache for all of them. Steps are done in this order; one that is nil is left out.
struct RowSteps: Sendable {
  /// Adds what o or down gave to the residual stream.
  var residual: ResidualSum?
  /// Multiplies gate and up.
  var unit: GatedProduct?
  /// Norms what is there then.
  var norm: RowNorm?

  func apply(_ row: Int) {
    residual?.apply(row)
    unit?.apply(row)
    norm?.apply(row)
  }
}

/// `stream += added`, row by row.
struct ResidualSum: PoolRegion {
  let stream: MutableMatrixView<Float>
  let added: MatrixView<Float>

  func apply(_ row: Int) {
    let target = stream.base + row * stream.stride
    VectorMath.add(
      target, added.base + row * added.stride, into: target, count: stream.columns)
  }

  func run(_ range: Range<Int>, worker: Int) {
    for row in range { apply(row) }
  }
}

/// `gate = activation(gate) · up`, row by row.
struct GatedProduct: Sendable {
  let activation: FeedForwardActivation
  let gate: MutableMatrixView<Float>
  let up: MatrixView<Float>

  func apply(_ row: Int) {
    let g = gate.base + row * gate.stride
    let u = up.base + row * up.stride
    switch activation {
    case .silu: VectorMath.siluMultiply(gate: g, up: u, into: g, count: gate.columns)
    case .relu2: VectorMath.reluSquaredMultiply(gate: g, up: u, into: g, count: gate.columns)
    }
  }
}

/// The root-mean-square norm of `input` with `gains`, row by row.
struct RowNorm: PoolRegion {
  let input: MatrixView<Float>
  let gains: AlignedBuffer<Float>
  let epsilon: Float
  let output: MutableMatrixView<Float>

  func apply(_ row: Int) {
    VectorMath.rmsNorm(
      input.base + row * input.stride, weight: gains.base, epsilon: epsilon,
      into: output.base + row * output.stride, count: input.columns)
  }

  func run(_ range: Range<Int>, worker: Int) {
    for row in range { apply(row) }
  }
}

/// Makes the rows of `input` by `steps` and quantizes each while it is in the cache, if there is a
/// quantizer.
struct FeedRegion: PoolRegion {
  let steps: RowSteps
  let input: MatrixView<Float>
  let activations: (any ActivationQuantizer)?
  let rows: QuantizedRows

  func run(_ range: Range<Int>, worker: Int) {
    for row in range {
      steps.apply(row)
      activations?.quantize(input, rows: row..<row + 1, into: rows)
    }
  }
}

/// Quantizes rows.
struct QuantizeRegion: PoolRegion {
  let activations: any ActivationQuantizer
  let input: MatrixView<Float>
  let rows: QuantizedRows

  func run(_ range: Range<Int>, worker: Int) {
    activations.quantize(input, rows: range, into: rows)
  }
}

/// Turns queries and keys by their positions, and stores keys and values.
struct RotaryRegion: PoolRegion {
  let rotary: RotaryEmbedding
  let cache: any KVCache
  let layer: Int
  let first: Int
  let query: MutableMatrixView<Float>
  let key: MutableMatrixView<Float>
  let value: MatrixView<Float>

  func run(_ range: Range<Int>, worker: Int) {
    rotary.apply(query, tokens: range, firstPosition: first)
    rotary.apply(key, tokens: range, firstPosition: first)
    cache.store(
      layer: layer, first: first + range.lowerBound, keys: key.readOnly.rows(range),
      values: value.rows(range))
  }
}
