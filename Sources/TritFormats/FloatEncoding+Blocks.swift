import TritCore

extension FloatEncoding {
  /// The largest |value|; NaN counts as larger than all. Throws where it is not finite.
  @inline(__always) static func largest(
    _ values: UnsafePointer<Float>, _ count: Int
  ) throws -> Float {
    var bits: UInt32 = 0
    for i in 0..<count { bits = max(bits, values[i].bitPattern & 0x7fff_ffff) }
    guard bits < 0x7f80_0000 else {
      throw LabError(
        .badData, "a value is not finite", expected: "finite values in a block type",
        got: Float(bitPattern: bits).isNaN ? "nan" : "inf",
        advice: "a model with such weights is damaged, or its training diverged")
    }
    return Float(bitPattern: bits)
  }

  /// Writes a scale as float16; throws where it is beyond the range.
  @inline(__always) static func store(
    scale: Float, at target: UnsafeMutableRawPointer
  ) throws {
    guard scale.magnitude < 65520 else {
      throw LabError(
        .badData, "a value is too large for a block type", expected: "a scale up to 65504",
        got: "\(scale)", advice: "take bf16 or f32")
    }
    target.storeBytes(of: float16(scale), as: UInt16.self)
  }

  /// 1 / scale, or 0 where that is no number: such a scale is zero in float16.
  @inline(__always) static func inverse(_ scale: Float) -> Float {
    let inverse = 1 / scale
    return inverse.isFinite ? inverse : 0
  }

  /// Q8_0: scale = max|x| / 127, code = x / scale rounded half away from zero.
  static func q8(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer, blocks: Int
  ) throws {
    for block in 0..<blocks {
      let values = source + 32 * block
      let bytes = target + 34 * block
      let scale = try largest(values, 32) / 127
      try store(scale: scale, at: bytes)
      let inverse = inverse(scale)
      let codes = (bytes + 2).assumingMemoryBound(to: Int8.self)
      for i in 0..<32 {
        let scaled = values[i] * inverse
        // |scaled| is at most 127 and a rounding error, so the conversion to a whole number is safe.
        let whole = unsafeWhole(scaled)
        let rest = scaled - Float(whole)
        let step: Int32 = (rest >= 0.5 ? 1 : 0) &- (rest <= -0.5 ? 1 : 0)
        codes[i] = Int8(truncatingIfNeeded: whole &+ step)
      }
    }
  }

  /// Q4_0: scale = (the value of largest magnitude) / −8, code = x / scale + 8.5 cut off, at most
  /// 15. The product is taken in float64, as gguf-py does to agree with ggml's fused multiply-add.
  static func q4(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer, blocks: Int
  ) throws {
    for block in 0..<blocks {
      let values = source + 32 * block
      let bytes = target + 18 * block
      let magnitude = try largest(values, 32)
      var extreme: Float = 0
      for i in 0..<32 where values[i].magnitude == magnitude {
        extreme = values[i]
        break
      }
      let scale = extreme / -8
      try store(scale: scale, at: bytes)
      let inverse = Double(inverse(scale))
      let codes = (bytes + 2).assumingMemoryBound(to: UInt8.self)
      for i in 0..<16 {
        let low = min(unsafeWhole(Float(Double(values[i]) * inverse + 8.5)), 15)
        let high = min(unsafeWhole(Float(Double(values[i &+ 16]) * inverse + 8.5)), 15)
        codes[i] = UInt8(truncatingIfNeeded: low | high << 4)
      }
    }
  }

  /// Cuts off the fraction of a value known to be within ±2^30; clamped so that nothing can trap.
  @inline(__always) private static func unsafeWhole(_ value: Float) -> Int32 {
    Int32(max(-1_000_000_000, min(1_000_000_000, value)))
  }
}
