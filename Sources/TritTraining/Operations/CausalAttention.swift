import TritCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Causal grouped-query attention over one whole sequence, forward and backward.
///
/// A row of `qkv` `[tokens, (heads + 2 · keyValueHeads) · d]` holds queries, keys, values, rotated.
/// Scores are made for blocks of query rows, up to the diagonal only; the backward pass makes them
/// again from the logarithm of each row's sum instead of keeping them. Source: Vaswani et al. 2017
/// (arXiv:1706.03762), eq. 1; backward as in Dao et al. 2022 (arXiv:2205.14135), §3.
struct CausalAttention {
  let heads: Int
  let keyValueHeads: Int
  let headDimension: Int

  /// Query rows of a block.
  static let block = 64

  /// Floats of scratch for sequences of `length` tokens.
  static func scratchCount(length: Int) -> Int { 2 * block * length }

  private var scale: Float { 1 / Float(headDimension).squareRoot() }
  private var group: Int { heads / keyValueHeads }

  /// Where a head's columns begin in `qkv`.
  private func queryColumn(_ head: Int) -> Int { head * headDimension }
  private func keyColumn(_ head: Int) -> Int { (heads + head / group) * headDimension }
  private func valueColumn(_ head: Int) -> Int {
    (heads + keyValueHeads + head / group) * headDimension
  }

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

  /// Puts scores beyond the diagonal so low that their exponentials are 0. Whole rows then go
  /// through the vector loops, whose remainders cost more than what lies beyond the diagonal of a
  /// block.
  private func mask(_ scores: UnsafeMutablePointer<Float>, after row: Int, _ end: Int) {
    (scores + row + 1).update(repeating: -1e30, count: end - row - 1)
  }

  /// `out` `[tokens, heads · d]` and `logSums` `[heads, tokens]`: log Σ e^score of each row.
  func forward(
    _ qkv: MatrixView<Float>, into out: MutableMatrixView<Float>,
    logSums: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    let length = qkv.rows
    for head in 0..<heads {
      for start in stride(from: 0, to: length, by: Self.block) {
        let end = min(start + Self.block, length)
        let scores = MutableMatrixView(base: scratch, rows: end - start, columns: end)
        MatrixProduct.timesTransposed(
          part(qkv, start..<end, column: queryColumn(head)),
          part(qkv, 0..<end, column: keyColumn(head)), alpha: scale, into: scores)
        let sums = scratch + Self.block * length
        for row in start..<end {
          let values = scratch + (row - start) * end
          mask(values, after: row, end)
          let largest = VectorMath.maximum(values, count: end)
          let total = VectorMath.exp(values, minus: largest, into: values, count: end)
          sums[row - start] = Float(1 / total)
          logSums[head * length + row] = Float(Double(largest) + log(total))
        }
        let target = part(out, start..<end, column: queryColumn(head))
        MatrixProduct.times(
          scores.readOnly, part(qkv, 0..<end, column: valueColumn(head)), into: target)
        for row in 0..<target.rows {
          let values = target.base + row * target.stride
          VectorMath.scale(values, by: sums[row], into: values, count: headDimension)
        }
      }
    }
  }

  /// The gradient `dQKV` of `qkv` from the gradient `dOut` of `out`.
  func backward(
    _ qkv: MatrixView<Float>, out: MatrixView<Float>, dOut: MatrixView<Float>,
    logSums: UnsafePointer<Float>, into dQKV: MutableMatrixView<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let length = qkv.rows
    let keys = heads * headDimension
    for row in 0..<length {
      (dQKV.base + row * dQKV.stride + keys).update(
        repeating: 0, count: 2 * keyValueHeads * headDimension)
    }
    for head in 0..<heads {
      for start in stride(from: 0, to: length, by: Self.block) {
        let rows = start..<min(start + Self.block, length)
        let end = rows.upperBound
        let scores = MutableMatrixView(base: scratch, rows: rows.count, columns: end)
        let gradients = MutableMatrixView(
          base: scratch + Self.block * length, rows: rows.count, columns: end)
        let queries = part(qkv, rows, column: queryColumn(head))
        let keys = part(qkv, 0..<end, column: keyColumn(head))
        let incoming = part(dOut, rows, column: queryColumn(head))
        MatrixProduct.timesTransposed(queries, keys, alpha: scale, into: scores)
        MatrixProduct.timesTransposed(
          incoming, part(qkv, 0..<end, column: valueColumn(head)), into: gradients)
        let outgoing = part(out, rows, column: queryColumn(head))
        for row in rows {
          let at = row - start
          let weights = scores.base + at * end
          let slopes = gradients.base + at * end
          mask(weights, after: row, end)
          VectorMath.exp(weights, minus: logSums[head * length + row], into: weights, count: end)
          let shared = VectorMath.dot(
            incoming.base + at * incoming.stride, outgoing.base + at * outgoing.stride,
            count: headDimension)
          for column in 0..<end { slopes[column] = (slopes[column] - shared) * weights[column] }
        }
        MatrixProduct.transposedTimes(
          scores.readOnly, incoming, beta: 1,
          into: part(dQKV, 0..<end, column: valueColumn(head)))
        MatrixProduct.transposedTimes(
          gradients.readOnly, queries, alpha: scale, beta: 1,
          into: part(dQKV, 0..<end, column: keyColumn(head)))
        MatrixProduct.times(
          gradients.readOnly, keys, alpha: scale,
          into: part(dQKV, rows, column: queryColumn(head)))
      }
    }
  }
}
