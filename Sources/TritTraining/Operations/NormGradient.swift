import TritCore

/// Backward of the root-mean-square norm `y = w · x · r`, `r = 1/√(mean(x²) + ε)`.
///
/// With `t = w · dy`: `dx = r · t − x · r³ · mean(t · x)` and `dw = Σ dy · x · r`.
/// Source: the derivative of Zhang and Sennrich 2019 (arXiv:1910.07467), eq. 4.
enum NormGradient {
  /// Adds the gradients of the rows of `x` `[tokens, width]`.
  ///
  /// `dx[n]` is set to `base[n] + …` (`base` is the residual's gradient; nil stands for 0);
  /// `dWeight` `[width]` is added to. `scratch` has room for `width` values. `dx` may be `base`,
  /// and may be `dy`.
  static func backward(
    x: MatrixView<Float>, weight: UnsafePointer<Float>, epsilon: Float, dy: MatrixView<Float>,
    adding base: MatrixView<Float>?, into dx: MutableMatrixView<Float>,
    dWeight: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    let width = x.columns
    for row in 0..<x.rows {
      let values = x.base + row * x.stride
      let gradient = dy.base + row * dy.stride
      let out = dx.base + row * dx.stride
      let mean = VectorMath.sumOfSquares(values, count: width) / Double(width)
      let inverse = Float(1 / (mean + Double(epsilon)).squareRoot())
      VectorMath.multiply(gradient, values, into: scratch, count: width)
      VectorMath.axpy(inverse, scratch, into: dWeight, count: width)
      let projection = VectorMath.dot(scratch, weight, count: width)
      let pull = -inverse * inverse * inverse * projection / Float(width)
      VectorMath.multiply(gradient, weight, into: scratch, count: width)
      if let base {
        let residual = base.base + row * base.stride
        if out != UnsafeMutablePointer(mutating: residual) {
          out.update(from: residual, count: width)
        }
        VectorMath.axpy(inverse, scratch, into: out, count: width)
      } else {
        VectorMath.scale(scratch, by: inverse, into: out, count: width)
      }
      VectorMath.axpy(pull, values, into: out, count: width)
    }
  }
}
