import TritCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Causal grouped-query attention over one whole sequence, forward and backward.
///
/// Queries `[tokens, heads · d]`, keys and values `[tokens, keyValueHeads · d]`, rotated. Scores are
/// `scale · q · k`, softly capped by `cap · tanh(s / cap)` where there is a cap, of the keys of the
/// last `window` positions, the query's own included. They are made for blocks of query rows, up to
/// the diagonal only; the backward pass makes them again from the logarithm of each row's sum
/// instead of keeping them. Source: Vaswani et al. 2017 (arXiv:1706.03762), eq. 1; backward as in
/// Dao et al. 2022 (arXiv:2205.14135), §3; the cap of Gemma 2 (arXiv:2408.00118), §2.
struct CausalAttention: Sendable {
  let heads: Int
  let keyValueHeads: Int
  let headDimension: Int
  /// Multiplies the scores.
  let scale: Float
  /// Keys that a query sees; nil is all up to its own.
  let window: Int?
  /// The soft cap of scores.
  let cap: Float?

  /// Query rows of a block.
  static let block = 64

  /// Floats of scratch for sequences of `length` tokens.
  static func scratchCount(length: Int) -> Int { 2 * block * length }

  private var group: Int { heads / keyValueHeads }

  /// Where a query head's columns begin.
  private func queryColumn(_ head: Int) -> Int { head * headDimension }
  /// Where the columns of its key and value head begin.
  private func keyColumn(_ head: Int) -> Int { head / group * headDimension }

  private func part(
    _ x: MatrixView<Float>, _ rows: Range<Int>, column: Int
  ) -> MatrixView<Float> {
    MatrixView(
      base: x.base + rows.lowerBound * x.stride + column, rows: rows.count,
      columns: headDimension, stride: x.stride)
  }

  private func part(
    _ x: MutableMatrixView<Float>, _ rows: Range<Int>, column: Int
  ) -> MutableMatrixView<Float> {
    MutableMatrixView(
      base: x.base + rows.lowerBound * x.stride + column, rows: rows.count,
      columns: headDimension, stride: x.stride)
  }

  /// The keys that the queries of a block see, all together.
  private func keys(of rows: Range<Int>) -> Range<Int> {
    let first = window.map { max(0, rows.lowerBound + 1 - $0) } ?? 0
    return first..<rows.upperBound
  }

  /// Puts scores beyond the diagonal and before the window so low that their exponentials are 0.
  /// Whole rows then go through the vector loops, whose remainders cost more than what lies beyond
  /// the diagonal of a block. `scores` begins at the first of `keys`.
  private func mask(_ scores: UnsafeMutablePointer<Float>, _ row: Int, keys: Range<Int>) {
    (scores + row + 1 - keys.lowerBound).update(
      repeating: -1e30, count: keys.upperBound - row - 1)
    guard let window else { return }
    let before = row + 1 - window - keys.lowerBound
    if before > 0 { scores.update(repeating: -1e30, count: before) }
  }

  /// `cap · tanh(s / cap)` in place.
  private func soften(_ scores: MutableMatrixView<Float>) {
    guard let cap else { return }
    for index in 0..<scores.rows * scores.columns {
      scores.base[index] = cap * tanhf(scores.base[index] / cap)
    }
  }

  /// `out` `[tokens, heads · d]` and `logSums` `[heads, tokens]`: log Σ e^score of each row.
  func forward(
    query: MatrixView<Float>, key: MatrixView<Float>, value: MatrixView<Float>,
    into out: MutableMatrixView<Float>, logSums: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let length = query.rows
    for head in 0..<heads {
      for start in stride(from: 0, to: length, by: Self.block) {
        let rows = start..<min(start + Self.block, length)
        let keys = keys(of: rows)
        let width = keys.count
        let scores = MutableMatrixView(base: scratch, rows: rows.count, columns: width)
        MatrixProduct.timesTransposed(
          part(query, rows, column: queryColumn(head)), part(key, keys, column: keyColumn(head)),
          alpha: scale, into: scores)
        soften(scores)
        let sums = scratch + Self.block * length
        for row in rows {
          let values = scratch + (row - start) * width
          mask(values, row, keys: keys)
          let largest = VectorMath.maximum(values, count: width)
          let total = VectorMath.exp(values, minus: largest, into: values, count: width)
          sums[row - start] = Float(1 / total)
          logSums[head * length + row] = Float(Double(largest) + log(total))
        }
        let target = part(out, rows, column: queryColumn(head))
        MatrixProduct.times(
          scores.readOnly, part(value, keys, column: keyColumn(head)), into: target)
        for row in 0..<target.rows {
          let values = target.base + row * target.stride
          VectorMath.scale(values, by: sums[row], into: values, count: headDimension)
        }
      }
    }
  }

  /// What the backward pass reads: the inputs and the output of the forward pass, the gradient of
  /// the output, and the logarithms of the sums.
  struct Forward {
    let query: MatrixView<Float>, key: MatrixView<Float>, value: MatrixView<Float>
    let out: MatrixView<Float>, dOut: MatrixView<Float>
    let logSums: UnsafePointer<Float>
  }

  /// The gradients of queries, keys and values.
  func backward(
    _ of: Forward, dQuery: MutableMatrixView<Float>, dKey: MutableMatrixView<Float>,
    dValue: MutableMatrixView<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    let length = of.query.rows
    for target in [dKey, dValue] {
      for row in 0..<length {
        (target.base + row * target.stride).update(repeating: 0, count: target.columns)
      }
    }
    for head in 0..<heads {
      for start in stride(from: 0, to: length, by: Self.block) {
        let rows = start..<min(start + Self.block, length)
        let seen = keys(of: rows)
        let width = seen.count
        let scores = MutableMatrixView(base: scratch, rows: rows.count, columns: width)
        let gradients = MutableMatrixView(
          base: scratch + Self.block * length, rows: rows.count, columns: width)
        let queries = part(of.query, rows, column: queryColumn(head))
        let keys = part(of.key, seen, column: keyColumn(head))
        let incoming = part(of.dOut, rows, column: queryColumn(head))
        MatrixProduct.timesTransposed(queries, keys, alpha: scale, into: scores)
        soften(scores)
        MatrixProduct.timesTransposed(
          incoming, part(of.value, seen, column: keyColumn(head)), into: gradients)
        let outgoing = part(of.out, rows, column: queryColumn(head))
        for row in rows {
          let at = row - start
          let weights = scores.base + at * width
          let slopes = gradients.base + at * width
          let shared = VectorMath.dot(
            incoming.base + at * incoming.stride, outgoing.base + at * outgoing.stride,
            count: headDimension)
          if let cap {
            // The slope of cap · tanh(s / cap) is 1 − tanh², of scores that are not weights yet.
            for column in 0..<width {
              let bent = weights[column] / cap
              slopes[column] = (slopes[column] - shared) * (1 - bent * bent)
            }
          }
          mask(weights, row, keys: seen)
          VectorMath.exp(
            weights, minus: of.logSums[head * length + row], into: weights, count: width)
          if cap == nil {
            for column in 0..<width { slopes[column] = (slopes[column] - shared) * weights[column] }
          } else {
            for column in 0..<width { slopes[column] *= weights[column] }
          }
        }
        MatrixProduct.transposedTimes(
          scores.readOnly, incoming, beta: 1, into: part(dValue, seen, column: keyColumn(head)))
        MatrixProduct.transposedTimes(
          gradients.readOnly, queries, alpha: scale, beta: 1,
          into: part(dKey, seen, column: keyColumn(head)))
        MatrixProduct.times(
          gradients.readOnly, keys, alpha: scale,
          into: part(dQuery, rows, column: queryColumn(head)))
      }
    }
  }
}
