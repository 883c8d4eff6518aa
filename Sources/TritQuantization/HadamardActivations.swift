public import TritCore

/// Rotates a row by a Hadamard matrix, quantizes it to 4 (or 8) bits there, and rotates back:
/// outliers are spread over a whole block before they can spoil the scale.
///
/// x' = H·x/√n per block, codes of x' with L = 2^(b−1) − 1, x̂ = H·(codes·scale)/√n (H/√n is its
/// own inverse). Codes are round_half_even(√L·x'/β), clipped to −L − 1…L, with β = max(mean|x'|,
/// 1e−5) (the paper's 4 bits), or round_half_even(L·x'/m) with m = max(max|x'|, 1e−5) (its 8 bits).
/// The result is float32: the codes live in the rotated basis, and a kernel could only multiply
/// them by weights that were rotated likewise, so what leaves is the value that they stand for.
/// This gives the accuracy of the method on any weights, not its speed.
///
/// Blocks are of `block` columns, a power of two; columns that are left over are rotated in blocks
/// of half, quarter… size. Source: Wang, Ma, Wei 2025 (BitNet v2, arXiv:2504.18415), the functions
/// Q_INT4 and Q_INT8 of its H-BitLinear, whose H spans 2^m columns at once.
public struct HadamardActivations: ActivationQuantizer {
  /// The registered name.
  public let name = "hadamard-int4"
  /// float32 rows: quantized and rotated back.
  public let form = ActivationForm.float32
  /// Columns that are mixed, a power of two.
  public let block: Int
  /// Bits of a code, 2…8.
  public let bits: Int

  /// What the codes are scaled by.
  public let scale: Scale

  /// What codes may be scaled by.
  public enum Scale: String, Sendable {
    /// The mean magnitude: large values are clipped.
    case absmean
    /// The largest magnitude.
    case absmax
  }

  /// Throws a usage error unless `block` is a power of two. `scale` nil is the paper's: absmean up
  /// to 4 bits.
  public init(block: Int = 1024, bits: Int = 4, scale: Scale? = nil) throws {
    guard block > 0, block & (block - 1) == 0 else {
      throw LabError(
        .usage, "a Hadamard block must be a power of two", expected: "1, 2, 4, … 65536",
        got: "\(block)")
    }
    precondition((2...8).contains(bits), "a Hadamard quantizer has 2 to 8 bits, not \(bits)")
    self.block = block
    self.bits = bits
    self.scale = scale ?? (bits <= 4 ? .absmean : .absmax)
  }

  /// Rotates, rounds and rotates back in the output's own memory.
  public func quantize(_ x: MatrixView<Float>, rows range: Range<Int>, into output: QuantizedRows) {
    let floats = output.floats.base
    for row in range {
      let values = floats + row * output.columns
      values.update(from: x.base + row * x.stride, count: x.columns)
      rotate(values, x.columns)
      roundInPlace(values, x.columns)
      rotate(values, x.columns)
    }
  }

  /// H·x/√n over each block, in place; its own inverse up to rounding.
  func rotate(_ values: UnsafeMutablePointer<Float>, _ count: Int) {
    var start = 0
    var size = block
    while start < count {
      while size > count - start { size /= 2 }
      Self.transform(values + start, size)
      start += size
    }
  }

  /// The fast Walsh–Hadamard transform: log₂ n rounds of sums and differences, then 1/√n.
  private static func transform(_ values: UnsafeMutablePointer<Float>, _ size: Int) {
    var half = 1
    while half < size {
      for start in stride(from: 0, to: size, by: 2 * half) {
        let low = values + start
        let high = low + half
        for index in 0..<half {
          let (a, b) = (low[index], high[index])
          low[index] = a + b
          high[index] = a - b
        }
      }
      half *= 2
    }
    VectorMath.scale(values, by: 1 / Float(size).squareRoot(), into: values, count: size)
  }

  /// Codes and back.
  private func roundInPlace(_ values: UnsafeMutablePointer<Float>, _ count: Int) {
    let levels = Float((1 << (bits - 1)) - 1)
    let multiplier: Float
    let step: Float
    switch scale {
    case .absmax:
      let largest = max(RowCoder.largestMagnitude(values, count), 1e-5)
      (multiplier, step) = (levels / largest, largest / levels)
    case .absmean:
      let mean = GroupStatistics(MatrixView(base: values, rows: 1, columns: count)).meanMagnitude()
      let beta = max(mean, 1e-5)
      (multiplier, step) = (levels.squareRoot() / beta, beta / levels.squareRoot())
    }
    for index in 0..<count {
      // Far from the clip before the rounding trick, which holds up to 2^22; a minimum would lose
      // NaN.
      let scaled = values[index] * multiplier
      let clipped = scaled > levels ? levels : scaled < -levels - 1 ? -levels - 1 : scaled
      values[index] = ((clipped + TritCoder.roundingMagic) - TritCoder.roundingMagic) * step
    }
  }
}
