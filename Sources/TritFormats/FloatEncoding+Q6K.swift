import TritCore

extension FloatEncoding {
  /// Q6_K: 16 groups of 16 weights. A scale is found for each group, the scales are rounded to
  /// multiples of one float16, and the codes −32…31 are taken with the rounded scales.
  static func q6(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer, blocks: Int
  ) throws {
    try withUnsafeTemporaryAllocation(of: Float.self, capacity: 5 * 16) { scratch in
      try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { codes in
        guard let floats = scratch.baseAddress, let code = codes.baseAddress else { return }
        for block in 0..<blocks {
          try q6Block(source + 256 * block, target + 210 * block, floats, code)
        }
      }
    }
  }

  private static func q6Block(
    _ values: UnsafePointer<Float>, _ bytes: UnsafeMutableRawPointer,
    _ scratch: UnsafeMutablePointer<Float>, _ code: UnsafeMutablePointer<UInt8>
  ) throws {
    _ = try largest(values, 256)
    let scale = scratch + 64
    var extreme: Float = 0
    for group in 0..<16 {
      scale[group] = groupScale(values + 16 * group, scratch)
      if scale[group].magnitude > extreme.magnitude { extreme = scale[group] }
    }
    let common = extreme / -128
    guard extreme.magnitude >= 1e-15 else {
      bytes.initializeMemory(as: UInt8.self, repeating: 0, count: 210)
      return
    }
    try store(scale: common, at: bytes + 208)
    let stored = FloatDecoding.float16(float16(common))
    let signed = (bytes + 192).assumingMemoryBound(to: Int8.self)
    for group in 0..<16 {
      let rounded = max(-128, min(127, (scale[group] / common).rounded(.toNearestOrEven)))
      signed[group] = Int8(rounded)
      // Where the step is zero every code gives zero, so any will do.
      let inverse = inverse(stored * rounded)
      for i in 0..<16 {
        code[16 &* group &+ i] = UInt8(nearest(values[16 &* group &+ i] * inverse) + 32)
      }
    }
    pack(code, bytes)
  }

  /// The nearest of −32…31, ties to even: adding 1.5 · 2^23 leaves no bits for a fraction.
  @inline(__always) private static func nearest(_ value: Float) -> Float {
    let above = value < -32 ? -32 : value
    let limited = above > 31 ? 31 : above
    return limited + 12_582_912 - 12_582_912
  }

  /// The scale that makes Σ x² (x − scale·code)² small: around the one that maps the value of
  /// largest magnitude to −32, nineteen are tried in steps of 0.1 / 32, each with its least-squares
  /// refinement.
  private static func groupScale(
    _ values: UnsafePointer<Float>, _ scratch: UnsafeMutablePointer<Float>
  ) -> Float {
    var extreme: Float = 0
    for i in 0..<16 where values[i].magnitude > extreme.magnitude { extreme = values[i] }
    guard extreme.magnitude >= 1e-15 else { return 0 }
    let unit = scratch
    let weights = scratch + 16
    let weighted = scratch + 32
    let codes = scratch + 48
    for i in 0..<16 {
      // In units of the largest, so that no square can overflow; the largest itself is 1.
      let value = values[i] / extreme
      unit[i] = value
      weights[i] = value * value
      weighted[i] = value * value * value
    }
    var best: Float = -1
    var result: Float = 0
    for step in -9...9 {
      let inverse = -32 - 0.1 * Float(step)
      for i in 0..<16 { codes[i] = nearest(unit[i] * inverse) }
      var products = SIMD4<Float>(repeating: 0)
      var norms = SIMD4<Float>(repeating: 0)
      for i in stride(from: 0, to: 16, by: 4) {
        let code = four(codes + i)
        products += four(weighted + i) * code
        norms += four(weights + i) * code * code
      }
      let product = products[0] + products[1] + products[2] + products[3]
      let norm = norms[0] + norms[1] + norms[2] + norms[3]
      guard norm > 0, product * product > best * norm else { continue }
      result = product / norm
      best = product * result
    }
    return result * extreme
  }

  @inline(__always) private static func four(_ values: UnsafePointer<Float>) -> SIMD4<Float> {
    UnsafeRawPointer(values).loadUnaligned(as: SIMD4<Float>.self)
  }

  /// Puts codes 0…63 into 128 bytes of low nibbles and 64 bytes of upper bit pairs.
  private static func pack(_ codes: UnsafePointer<UInt8>, _ bytes: UnsafeMutableRawPointer) {
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
