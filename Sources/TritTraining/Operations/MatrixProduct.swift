import TritCore
import TritKernels

/// Matrix products of training by OpenBLAS, on the calling thread, row-major.
///
/// OpenBLAS picks its code path, and with it the order of a sum, by the shape of a call. Callers
/// cut their work by the shape of the model alone, never by the number of threads, so results do
/// not depend on it.
enum MatrixProduct {
  /// `y[m, n] = alpha · Σ_k a[m, k] · b[n, k] + beta · y[m, n]`: a linear layer forward.
  static func timesTransposed(
    _ a: MatrixView<Float>, _ b: MatrixView<Float>, alpha: Float = 1, beta: Float = 0,
    into y: MutableMatrixView<Float>
  ) {
    assert(a.columns == b.columns && y.rows == a.rows && y.columns == b.rows)
    BLAS.multiply(
      BLAS.Input(a.base, stride: a.stride), BLAS.Input(b.base, stride: b.stride, .transposed),
      m: a.rows, n: b.rows, k: a.columns, alpha: alpha, beta: beta, into: y.base, stride: y.stride)
  }

  /// `y[m, n] = alpha · Σ_k a[m, k] · b[k, n] + beta · y[m, n]`: the gradient of a layer's input.
  static func times(
    _ a: MatrixView<Float>, _ b: MatrixView<Float>, alpha: Float = 1, beta: Float = 0,
    into y: MutableMatrixView<Float>
  ) {
    assert(a.columns == b.rows && y.rows == a.rows && y.columns == b.columns)
    BLAS.multiply(
      BLAS.Input(a.base, stride: a.stride), BLAS.Input(b.base, stride: b.stride), m: a.rows,
      n: b.columns, k: a.columns, alpha: alpha, beta: beta, into: y.base, stride: y.stride)
  }

  /// `y[m, n] = alpha · Σ_k a[k, m] · b[k, n] + beta · y[m, n]`: the gradient of a layer's weights.
  static func transposedTimes(
    _ a: MatrixView<Float>, _ b: MatrixView<Float>, alpha: Float = 1, beta: Float = 0,
    into y: MutableMatrixView<Float>
  ) {
    assert(a.rows == b.rows && y.rows == a.columns && y.columns == b.columns)
    BLAS.multiply(
      BLAS.Input(a.base, stride: a.stride, .transposed), BLAS.Input(b.base, stride: b.stride),
      m: a.columns, n: b.columns, k: a.rows, alpha: alpha, beta: beta, into: y.base,
      stride: y.stride)
  }

  /// One weight gradient: `gradient[r, c] = Σ_n dy[n, r] · x[n, c] (+ gradient[r, c])`.
  struct WeightGradient {
    let dy: MatrixView<Float>
    let x: MatrixView<Float>
    let gradient: MutableMatrixView<Float>
  }

  /// Rows of a weight gradient that one call computes. A call copies all of `x` into its own order
  /// first, which fewer rows do not repay: 64 of them reach two thirds of the rate of 256.
  static let gradientBlock = 256

  /// Weight gradients of one input and output each, over all workers of `pool`: the blocks of all
  /// matrices are shared out together, so that small matrices leave no worker idle.
  static func weightGradients(
    _ products: [WeightGradient], accumulate: Bool, pool: WorkerPool
  ) {
    let blocks = products.flatMap { product in
      stride(from: 0, to: product.gradient.rows, by: gradientBlock).map { start in
        (product, start..<min(start + gradientBlock, product.gradient.rows))
      }
    }
    pool.run(count: blocks.count) { range, _ in
      for (product, rows) in blocks[range] {
        let dy = product.dy
        transposedTimes(
          MatrixView(
            base: dy.base + rows.lowerBound, rows: dy.rows, columns: rows.count, stride: dy.stride),
          product.x, beta: accumulate ? 1 : 0, into: product.gradient.rows(rows))
      }
    }
  }
}
