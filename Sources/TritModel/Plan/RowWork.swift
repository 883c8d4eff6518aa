import TritAttention
import TritCore
import TritQuantization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// One operation on rows, bound to the buffers of an engine. A row does not depend on another one,
/// nor on which thread computes it.
enum RowWork: Sendable {
  /// `target += multiplier · added`.
  case add(MutableMatrixView<Float>, MutableMatrixView<Float>, multiplier: Float)
  /// Norm of a row with `gains`.
  case norm(
    MatrixView<Float>, AlignedBuffer<Float>, epsilon: Float, into: MutableMatrixView<Float>)
  /// Norm of each `gains.count` elements of a row.
  case headNorm(MutableMatrixView<Float>, AlignedBuffer<Float>, epsilon: Float)
  /// Adds a bias.
  case bias(MutableMatrixView<Float>, AlignedBuffer<Float>)
  /// Turns the heads of a row by its position.
  case rotate(MutableMatrixView<Float>, RotaryEmbedding)
  /// Puts a key and a value into the cache.
  case store(MatrixView<Float>, MatrixView<Float>, any KVCache, layer: Int)
  /// `gate = activation(gate) · up`; what is left in `up` is nobody's.
  case gate(FeedForwardActivation, MutableMatrixView<Float>, MutableMatrixView<Float>)
  /// Rotates the inputs of a layer whose weights are rotated.
  case hadamard(MatrixView<Float>, HadamardRotation, into: MutableMatrixView<Float>)

  /// Computes `row`, which stands at `position`.
  func apply(_ row: Int, position: Int) {
    switch self {
    case .add(let stream, let added, let multiplier):
      let source = added.base + row * added.stride
      if multiplier != 1 {
        VectorMath.scale(source, by: multiplier, into: source, count: stream.columns)
      }
      let target = stream.base + row * stream.stride
      VectorMath.add(target, source, into: target, count: stream.columns)
    case .norm(let input, let gains, let epsilon, let output):
      VectorMath.rmsNorm(
        input.base + row * input.stride, weight: gains.base, epsilon: epsilon,
        into: output.base + row * output.stride, count: input.columns)
    case .headNorm(let rows, let gains, let epsilon):
      let heads = rows.base + row * rows.stride
      for start in stride(from: 0, to: rows.columns, by: gains.count) {
        VectorMath.rmsNorm(
          heads + start, weight: gains.base, epsilon: epsilon, into: heads + start,
          count: gains.count)
      }
    case .bias(let rows, let bias):
      let target = rows.base + row * rows.stride
      VectorMath.add(target, bias.base, into: target, count: rows.columns)
    case .rotate(let rows, let rotary):
      rotary.apply(rows, tokens: row..<row + 1, firstPosition: position - row)
    case .store(let keys, let values, let cache, let layer):
      cache.store(
        layer: layer, first: position, keys: keys.rows(row..<row + 1),
        values: values.rows(row..<row + 1))
    case .gate(let activation, let gate, let up):
      activation.multiply(
        gate: gate.base + row * gate.stride, up: up.base + row * up.stride, count: gate.columns)
    case .hadamard(let input, let rotation, let output):
      rotation.apply(
        input.base + row * input.stride, into: output.base + row * output.stride,
        count: input.columns)
    }
  }

  /// What a probe is shown when it is done, over all rows.
  var result: MatrixView<Float> {
    switch self {
    case .add(let stream, _, _): stream.readOnly
    case .norm(_, _, _, let output), .hadamard(_, _, let output): output.readOnly
    case .headNorm(let rows, _, _), .bias(let rows, _), .rotate(let rows, _): rows.readOnly
    case .store(let keys, _, _, _): keys
    case .gate(_, let gate, _): gate.readOnly
    }
  }
}

/// An operation on rows with the name that a probe sees its result under; nil where it sees none.
struct RowStep: Sendable {
  let work: RowWork
  var name: String?
}

/// What quantizes rows when they are made, while they are in the cache.
struct RowFeed: Sendable {
  let activations: any ActivationQuantizer
  let input: MatrixView<Float>
  let rows: QuantizedRows
}

/// What lies between two matrix products, row by row: one region instead of one an operation.
struct RowRegion: PoolRegion {
  let steps: ArraySlice<RowStep>
  let feed: RowFeed?
  /// Position of row 0.
  let first: Int

  func run(_ range: Range<Int>, worker: Int) {
    for row in range {
      for step in steps { step.work.apply(row, position: first + row) }
      if let feed {
        feed.activations.quantize(feed.input, rows: row..<row + 1, into: feed.rows)
      }
    }
  }
}

/// One operation on rows alone, whose position does not matter.
struct OneRowRegion: PoolRegion {
  let work: RowWork

  func run(_ range: Range<Int>, worker: Int) {
    for row in range { work.apply(row, position: row) }
  }
}

extension FeedForwardActivation {
  /// `gate = activation(gate) · up`; `up` may be used as scratch.
  package func multiply(
    gate: UnsafeMutablePointer<Float>, up: UnsafeMutablePointer<Float>, count: Int
  ) {
    switch self {
    case .silu: VectorMath.siluMultiply(gate: gate, up: up, into: gate, count: count)
    case .relu2: VectorMath.reluSquaredMultiply(gate: gate, up: up, into: gate, count: count)
    case .geluTanh:
      // ½ x (1 + tanh z) = x · sigmoid(2z), and silu(2z) = 2z · sigmoid(2z): the leaf of SiLU gives
      // it from 2z = 2√(2/π) · x (1 + 0.044715 x²) and up · x / 2z.
      let slope = 2 * (2 / Float.pi).squareRoot()
      for index in 0..<count {
        let x = gate[index]
        // Beyond 1e4 the sigmoid is 0 or 1; the square stays finite.
        let bounded = min(max(x, -1e4), 1e4)
        let factor = slope * (1 + 0.044715 * bounded * bounded)
        gate[index] = x * factor
        up[index] /= factor
      }
      VectorMath.siluMultiply(gate: gate, up: up, into: gate, count: count)
    case .gelu:
      for index in 0..<count {
        let x = gate[index]
        gate[index] = 0.5 * x * (1 + erff(x * Float(0.5).squareRoot())) * up[index]
      }
    }
  }
}
