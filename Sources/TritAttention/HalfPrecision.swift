/// Narrowing to IEEE 754 binary16 that saturates: one overflow to infinity in a cache would turn every
/// later output of its head into NaN. Integer arithmetic that vectorizes on any CPU.
enum HalfPrecision {
  /// Rounds `count` values to the nearest half, ties to even; finite overflow saturates, NaN stays NaN.
  static func narrow(
    _ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<UInt16>, count: Int
  ) {
    let whole = count & ~15
    var index = 0
    while index < whole {
      let values = UnsafeRawPointer(source + index).loadUnaligned(as: SIMD16<Float>.self)
      UnsafeMutableRawPointer(target + index).storeBytes(
        of: narrow(values), as: SIMD16<UInt16>.self)
      index += 16
    }
    while index < count {
      target[index] = narrow(SIMD16(repeating: source[index]))[0]
      index += 1
    }
  }

  @inline(__always) private static func narrow(_ values: SIMD16<Float>) -> SIMD16<UInt16> {
    let bits = SIMD16<UInt32>(bitPattern: values)
    let sign = (bits &>> 16) & 0x8000
    let magnitude = bits & 0x7FFF_FFFF
    // Normal: rebias the exponent and round to even by adding just under half a unit, plus the odd bit.
    let odd = (magnitude &>> 13) & 1
    let normal = (magnitude &- 0x3800_0000 &+ 0x0FFF &+ odd) &>> 13
    // Subnormal: adding 0.5 aligns the significand so that the FPU rounds to the half's last place.
    let shifted = SIMD16<Float>(bitPattern: magnitude) + 0.5
    let subnormal = SIMD16<UInt32>(bitPattern: shifted) &- 0x3F00_0000
    let result =
      normal
      .replacing(with: subnormal, where: magnitude .< 0x3880_0000)
      .replacing(with: 0x7BFF, where: magnitude .>= 0x477F_F000)
      .replacing(with: 0x7E00, where: magnitude .> 0x7F80_0000)
    return SIMD16<UInt16>(truncatingIfNeeded: result | sign)
  }
}

extension SIMD16 where Scalar == Float {
  /// Reinterprets the lanes.
  @inline(__always) init(bitPattern bits: SIMD16<UInt32>) {
    self = unsafeBitCast(bits, to: SIMD16<Float>.self)
  }
}

extension SIMD16 where Scalar == UInt32 {
  /// Reinterprets the lanes.
  @inline(__always) init(bitPattern values: SIMD16<Float>) {
    self = unsafeBitCast(values, to: SIMD16<UInt32>.self)
  }
}
