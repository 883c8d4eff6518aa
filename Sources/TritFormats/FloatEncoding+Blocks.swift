import TritCore

extension FloatEncoding {
  /// The largest |value|; NaN counts as larger than all. Throws where it is not finite.
  @inline(__always) private static func largest(
    _ values: UnsafePointer<Float>, _ count: Int
  ) throws -> Float {
    var bits: UInt32 = 0
    for i in 0..<count { bits = max(bits, values[i].bitPattern & 0x7fff_ffff) }
    guard bits < 0x7f80_0000 else {
      throw LabError(
        .badData, "a value is not finite", expected: "finite values in a block type",
        got: Float(bitPattern: bits).isNaN ? "nan" : "inf")
    }
    return Float(bitPattern: bits)
  }

  /// Writes a scale as float16; throws where it is beyond the range.
  @inline(__always) private static func store(
    scale: Float, at target: UnsafeMutableRawPointer
  ) throws {
    guard scale.magnitude < 65520 else {
      throw LabError(
        .badData, "a value is too large for a block type", expected: "a scale up to 65504",
        got: "\(scale)")
    }
    target.storeBytes(of: float16(scale), as: UInt16.self)
  }

  /// 1 / scale, or 0 where that is no number: such a scale is zero in float16.
  @inline(__always) private static func inverse(_ scale: Float) -> Float {
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

  /// Q4_0: scale = (the value of largest magnitude) / −8, code = x / scale + 8.5 cut off, at most 15. The
  /// product is taken in float64, as gguf-py does to agree with ggml's fused multiply-add.
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

// MARK: Q6_K
extension FloatEncoding {
  private typealias Group = SIMD16<Float>

  /// Q6_K: 16 groups of 16 weights. A scale is found for each group, the scales are rounded to multiples
  /// of one float16, and the codes −32…31 are taken with the rounded scales.
  static func q6(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer, blocks: Int
  ) throws {
    try withUnsafeTemporaryAllocation(of: Float.self, capacity: 16) { scale in
      try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { code in
        try q6(source, target, blocks: blocks, scale: scale, code: code)
      }
    }
  }

  private static func q6(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer, blocks: Int,
    scale: UnsafeMutableBufferPointer<Float>, code: UnsafeMutableBufferPointer<UInt8>
  ) throws {
    for block in 0..<blocks {
      let values = source + 256 * block
      let bytes = target + 210 * block
      _ = try largest(values, 256)
      var extreme: Float = 0
      for group in 0..<16 {
        scale[group] = groupScale(load(values + 16 * group))
        if scale[group].magnitude > extreme.magnitude { extreme = scale[group] }
      }
      let common = extreme / -128
      guard extreme.magnitude >= 1e-15, (1 / common).isFinite else {
        bytes.initializeMemory(as: UInt8.self, repeating: 0, count: 210)
        continue
      }
      try store(scale: common, at: bytes + 208)
      let stored = FloatDecoding.float16(float16(common))
      let signed = (bytes + 192).assumingMemoryBound(to: Int8.self)
      for group in 0..<16 {
        let rounded = max(-128, min(127, (scale[group] / common).rounded(.toNearestOrEven)))
        signed[group] = Int8(rounded)
        let step = stored * rounded
        // Where the step is zero every code gives zero, so any will do.
        let inverse = inverse(step)
        let quantized = rounding(load(values + 16 * group) * inverse) + 32
        for i in 0..<16 { code[16 &* group &+ i] = UInt8(quantized[i]) }
      }
      pack(UnsafeBufferPointer(code), bytes)
    }
  }

  private static func load(_ values: UnsafePointer<Float>) -> Group {
    UnsafeRawPointer(values).loadUnaligned(as: Group.self)
  }

  /// Nearest whole numbers, ties to even, within −32…31. Adding 1.5 · 2^23 leaves no bits for a fraction.
  @inline(__always) private static func rounding(_ values: Group) -> Group {
    let limited = values.clamped(
      lowerBound: Group(repeating: -40), upperBound: Group(repeating: 40))
    let whole = limited + 12_582_912 - 12_582_912
    return whole.clamped(lowerBound: Group(repeating: -32), upperBound: Group(repeating: 31))
  }

  /// The scale that makes Σ x² (x − scale·code)² small: around the one that maps the value of largest
  /// magnitude to −32, nineteen are tried in steps of 0.1 / 32, each with its least-squares refinement.
  private static func groupScale(_ group: Group) -> Float {
    let magnitudes = group.replacing(with: -group, where: group .< 0)
    let largest = magnitudes.max()
    guard largest >= 1e-15 else { return 0 }
    // In units of the largest, so that no square can overflow.
    let values = group / largest
    let extreme: Float = (0..<16).contains { group[$0] == largest } ? 1 : -1
    let weights = values * values
    let weighted = weights * values
    var best: Float = -1
    var result: Float = 0
    for step in -9...9 {
      let inverse = -(32 + 0.1 * Float(step)) / extreme
      let codes = rounding(values * inverse)
      let product = (weighted * codes).sum()
      let norm = (weights * codes * codes).sum()
      guard norm > 0, product * product > best * norm else { continue }
      result = product / norm
      best = product * result
    }
    return result * largest
  }

  /// Puts codes 0…63 into 128 bytes of low nibbles and 64 bytes of upper bit pairs.
  private static func pack(_ codes: UnsafeBufferPointer<UInt8>, _ bytes: UnsafeMutableRawPointer) {
    let target = bytes.assumingMemoryBound(to: UInt8.self)
    for half in 0..<2 {
      let first = 128 * half
      let low = target + 64 * half
      let high = target + 128 + 32 * half
      for i in 0..<32 {
        let (a, b, c, d) = (
          codes[first &+ i], codes[first &+ i &+ 32], codes[first &+ i &+ 64],
          codes[first &+ i &+ 96]
        )
        low[i] = a & 15 | (c & 15) << 4
        low[i &+ 32] = b & 15 | (d & 15) << 4
        high[i] = a >> 4 | (b >> 4) << 2 | (c >> 4) << 4 | (d >> 4) << 6
      }
    }
  }
}
