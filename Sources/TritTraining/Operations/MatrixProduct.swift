internal import COpenBLAS
import TritCore

/// Matrix products of training by OpenBLAS, on the calling thread, row-major.
///
/// OpenBLAS picks its code path, and with it the order of a sum, by the shape of a call. Callers cut their
/// work by the shape of the model alone, never by the number of threads, so results do not depend on it.
enum MatrixProduct {
  /// `y[m, n] = alpha · Σ_k a[m, k] · b[n, k] + beta · y[m, n]`: a linear layer forward.
  static func timesTransposed(
    _ a: MatrixView<Float>, _ b: MatrixView<Float>, alpha: Float = 1, beta: Float = 0,
    into y: MutableMatrixView<Float>
  ) {
    assert(a.columns == b.columns && y.rows == a.rows && y.columns == b.rows)
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, blasint(a.rows), blasint(b.rows),
      blasint(a.columns), alpha, a.base, blasint(a.stride), b.base, blasint(b.stride), beta, y.base,
      blasint(y.stride))
  }

  /// `y[m, n] = alpha · Σ_k a[m, k] · b[k, n] + beta · y[m, n]`: the gradient of a layer's input.
  static func times(
    _ a: MatrixView<Float>, _ b: MatrixView<Float>, alpha: Float = 1, beta: Float = 0,
    into y: MutableMatrixView<Float>
  ) {
    assert(a.columns == b.rows && y.rows == a.rows && y.columns == b.columns)
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(a.rows), blasint(b.columns),
      blasint(a.columns), alpha, a.base, blasint(a.stride), b.base, blasint(b.stride), beta, y.base,
      blasint(y.stride))
  }

  /// `y[m, n] = alpha · Σ_k a[k, m] · b[k, n] + beta · y[m, n]`: the gradient of a layer's weights.
  static func transposedTimes(
    _ a: MatrixView<Float>, _ b: MatrixView<Float>, alpha: Float = 1, beta: Float = 0,
    into y: MutableMatrixView<Float>
  ) {
    assert(a.rows == b.rows && y.rows == a.columns && y.columns == b.columns)
    cblas_sgemm(
      CblasRowMajor, CblasTrans, CblasNoTrans, blasint(a.columns), blasint(b.columns),
      blasint(a.rows), alpha, a.base, blasint(a.stride), b.base, blasint(b.stride), beta, y.base,
      blasint(y.stride))
  }

  /// Rows of a weight gradient `[rows, …]` that one call computes.
  static func gradientBlock(rows: Int) -> Int { max(16, min(256, (rows / 4 + 15) / 16 * 16)) }

  /// `gradient[r, c] = Σ_n dy[n, r] · x[n, c] (+ gradient[r, c])` over all workers of `pool`.
  static func weightGradient(
    _ dy: MatrixView<Float>, _ x: MatrixView<Float>, accumulate: Bool,
    into gradient: MutableMatrixView<Float>, pool: WorkerPool
  ) {
    let block = gradientBlock(rows: gradient.rows)
    pool.run(count: gradient.rows, alignment: block) { range, _ in
      for start in stride(from: range.lowerBound, to: range.upperBound, by: block) {
        let end = min(start + block, range.upperBound)
        transposedTimes(
          MatrixView(
            base: dy.base + start, rows: dy.rows, columns: end - start, stride: dy.stride),
          x, beta: accumulate ? 1 : 0, into: gradient.rows(start..<end))
      }
    }
  }
}
