import TritCore

/// The steps that activation quantizers share: magnitude of a row, codes, sum and padding.
enum RowCoder {
  /// Largest |x|; NaN if any element is NaN.
  static func largestMagnitude(_ values: UnsafePointer<Float>, _ count: Int) -> Float {
    let raw = UnsafeRawPointer(values)
    var lanes = SIMD16<Float>()
    var poison = SIMD16<Float>()
    let whole = count & ~15
    for start in stride(from: 0, to: whole, by: 16) {
      let x = raw.loadUnaligned(fromByteOffset: start * 4, as: SIMD16<Float>.self)
      let y = x.replacing(with: -x, where: x .< 0)
      lanes.replace(with: y, where: y .> lanes)
      poison += x * 0
    }
    var largest = lanes.max()
    var broken = poison.sum()
    for index in whole..<count {
      let magnitude = abs(values[index])
      largest = magnitude > largest ? magnitude : largest
      broken += values[index] * 0
    }
    // An infinity is its own largest magnitude; only a NaN would get lost.
    return broken == 0 || largest == .infinity ? largest : .nan
  }

  /// Writes `clip(round_half_even(x · multiplier), low, high)`, zero padding, sum and scale of one row.
  static func code(
    _ values: UnsafePointer<Float>, _ count: Int, multiplier: Float, scale: Float, low: Float,
    high: Float, row: Int, into output: QuantizedRows
  ) {
    let codes = output.row(row)
    TritCoder.round(values, count, multiplier: multiplier, low: low, high: high, into: codes)
    var sum: Int32 = 0
    for index in 0..<count { sum &+= Int32(codes[index]) }
    (codes + count).update(repeating: 0, count: output.stride - count)
    output.sums.base[row] = sum
    output.scales.base[row] = scale
  }
}
