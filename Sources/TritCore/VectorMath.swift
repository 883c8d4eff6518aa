internal import CTritKernels

/// Float arithmetic over runs of elements: norms, activation functions, rows to int8, dot products,
/// conversions. Every function works on the calling thread, allocates nothing, and takes bare
/// pointers (whoever calls owns the memory; `count` elements are valid).
///
/// The leaves come in a plain (on ARM: NEON), an AVX2 and an AVX-512 form and the best that the CPU
/// has is taken. Sums may differ between CPUs in their last bits, but for one CPU a result depends
/// on the arguments alone.
public enum VectorMath {
  private static let ops = Leaves.float

  /// Root-mean-square norm: `out[i] = weight[i] · (x[i] / √(mean(x²) + epsilon))`; the mean is
  /// summed in double. `out` may be `x`. Without `weight` all weights are one.
  ///
  /// Source: Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019, eq. 4.
  public static func rmsNorm(
    _ x: UnsafePointer<Float>, weight: UnsafePointer<Float>?, epsilon: Float,
    into out: UnsafeMutablePointer<Float>, count: Int
  ) {
    guard count > 0 else { return }
    let mean = ops.sum_of_squares(x, count) / Double(count)
    let inverse = Float(1 / (mean + Double(epsilon)).squareRoot())
    ops.scale_weighted(x, inverse, weight, out, count)
  }

  /// `Σ x[i]²`, in double.
  public static func sumOfSquares(_ x: UnsafePointer<Float>, count: Int) -> Double {
    ops.sum_of_squares(x, count)
  }

  /// `max |x[i]|`, NaN ignored; 0 where there are no elements.
  public static func absmax(_ x: UnsafePointer<Float>, count: Int) -> Float { ops.absmax(x, count) }

  /// `max |x[i]|`, NaN if any element is NaN; 0 where there are no elements.
  public static func largestMagnitude(_ x: UnsafePointer<Float>, count: Int) -> Float {
    ops.largest(x, count)
  }

  /// `max x[i]`, NaN ignored; −∞ where there are no elements.
  public static func maximum(_ x: UnsafePointer<Float>, count: Int) -> Float {
    ops.maximum(x, count)
  }

  /// `q[i] = clamp(rint(x[i] · multiplier), −limit − 1, limit)`, ties to even; gives `Σ q[i]`.
  /// `limit` is at most 127 (int8); 7 gives 4-bit codes.
  public static func quantize(
    _ x: UnsafePointer<Float>, multiplier: Float, limit: Int32 = 127,
    into q: UnsafeMutablePointer<Int8>, count: Int
  ) -> Int32 {
    ops.quantize_int8(x, multiplier, min(max(limit, 0), 127), q, count)
  }

  /// One activation row to int8 as BitNet does: multiplier `s = 127 / max(max |x|, 1e-5)` in
  /// float32, `q[i] = clamp(rint(x[i] · s), −128, 127)`, ties to even; gives `s` and `Σ q[i]`. The
  /// value that `q[i]` stands for is `q[i] / s`.
  ///
  /// Source: Ma et al., "The Era of 1-bit LLMs", 2024, and bitnet.cpp's I8_S activations.
  public static func quantizeAbsmax(
    _ x: UnsafePointer<Float>, into q: UnsafeMutablePointer<Int8>, count: Int
  ) -> (multiplier: Float, sum: Int32) {
    let multiplier = 127 / max(ops.absmax(x, count), 1e-5)
    return (multiplier, ops.quantize_int8(x, multiplier, 127, q, count))
  }

  /// `out[i] = a[i] + b[i]`; `out` may be `a` or `b`.
  public static func add(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>,
    count: Int
  ) { ops.add(a, b, out, count) }

  /// `out[i] = a[i] · b[i]`; `out` may be `a` or `b`.
  public static func multiply(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>,
    count: Int
  ) { ops.multiply(a, b, out, count) }

  /// `out[i] = a[i] · factor`; `out` may be `a`.
  public static func scale(
    _ a: UnsafePointer<Float>, by factor: Float, into out: UnsafeMutablePointer<Float>, count: Int
  ) { ops.scale(a, factor, out, count) }

  /// `out[i] = silu(gate[i]) · up[i]`, `silu(g) = g / (1 + e^−g)`; `out` may be `gate` or `up`.
  ///
  /// Source: Shazeer, "GLU Variants Improve Transformer", 2020, eq. 6 (SwiGLU).
  public static func siluMultiply(
    gate: UnsafePointer<Float>, up: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>,
    count: Int
  ) { ops.silu_multiply(gate, up, out, count) }

  /// `out[i] = max(gate[i], 0)² · up[i]`; `out` may be `gate` or `up`.
  ///
  /// Source: BitNet b1.58 2B4T technical report, 2025, §2 (squared ReLU in a gated unit).
  public static func reluSquaredMultiply(
    gate: UnsafePointer<Float>, up: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>,
    count: Int
  ) { ops.relu2_multiply(gate, up, out, count) }

  /// `Σ a[i] · b[i]`.
  public static func dot(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int
  ) -> Float { ops.dot(a, b, count) }

  /// `Σ a[i] · b[i]`, `b` in binary16 bits.
  public static func dot(
    _ a: UnsafePointer<Float>, float16 b: UnsafePointer<UInt16>, count: Int
  ) -> Float { ops.dot_f16(a, b, count) }

  /// `Σ a[i] · b[i]`, `b` int8 without its scale.
  public static func dot(
    _ a: UnsafePointer<Float>, int8 b: UnsafePointer<Int8>, count: Int
  ) -> Float { ops.dot_i8(a, b, count) }

  /// `y[i] += alpha · x[i]`.
  public static func axpy(
    _ alpha: Float, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int
  ) { ops.axpy(alpha, x, y, count) }

  /// `y[i] += alpha · x[i]`, `x` in binary16 bits.
  public static func axpy(
    _ alpha: Float, float16 x: UnsafePointer<UInt16>, into y: UnsafeMutablePointer<Float>,
    count: Int
  ) { ops.axpy_f16(alpha, x, y, count) }

  /// `y[i] += alpha · x[i]`, `x` int8 without its scale (fold it into `alpha`).
  public static func axpy(
    _ alpha: Float, int8 x: UnsafePointer<Int8>, into y: UnsafeMutablePointer<Float>, count: Int
  ) { ops.axpy_i8(alpha, x, y, count) }

  /// `out[i] = e^(x[i] − shift)`, within about 2 units in the last place (0 below e^−87); gives the
  /// sum of `out` in double. `out` may be `x`.
  @discardableResult public static func exp(
    _ x: UnsafePointer<Float>, minus shift: Float, into out: UnsafeMutablePointer<Float>,
    count: Int
  ) -> Double { ops.exp_shifted(x, shift, out, count) }

  /// Softmax in place: `x[i] = e^(x[i] − max) / Σ e^(x − max)`. Nothing happens for 0 elements.
  public static func softmax(_ x: UnsafeMutablePointer<Float>, count: Int) {
    guard count > 0 else { return }
    let total = ops.exp_shifted(x, ops.maximum(x, count), x, count)
    ops.scale(x, Float(1 / total), x, count)
  }

  /// Widens binary16 bits, exactly.
  public static func widen(
    float16 x: UnsafePointer<UInt16>, into out: UnsafeMutablePointer<Float>, count: Int
  ) { ops.f16_to_f32(x, out, count) }

  /// Narrows to binary16 bits, nearest even; beyond 65519 becomes infinity, NaN stays NaN.
  public static func narrow(
    _ x: UnsafePointer<Float>, toFloat16 out: UnsafeMutablePointer<UInt16>, count: Int
  ) { ops.f32_to_f16(x, out, count) }

  /// Widens bfloat16 bits, exactly.
  public static func widen(
    bfloat16 x: UnsafePointer<UInt16>, into out: UnsafeMutablePointer<Float>, count: Int
  ) { ops.bf16_to_f32(x, out, count) }

  /// Narrows to bfloat16 bits, nearest even; NaN stays NaN.
  public static func narrow(
    _ x: UnsafePointer<Float>, toBFloat16 out: UnsafeMutablePointer<UInt16>, count: Int
  ) { ops.f32_to_bf16(x, out, count) }
}
