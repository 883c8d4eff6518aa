/// IEEE 754 binary16 conversion of whole rows, by integer arithmetic that vectorizes on any CPU.
enum HalfPrecision {
  /// Largest finite value; larger magnitudes saturate when narrowed.
  static let greatest: Float = 65504

  /// Widens `count` halves; exact. Only finite halves and NaN occur in a cache.
  static func widen(
    _ source: UnsafePointer<UInt16>, into target: UnsafeMutablePointer<Float>, count: Int
  ) {
    let whole = count & ~15
    var index = 0
    while index < whole {
      let bits = UnsafeRawPointer(source + index).loadUnaligned(as: SIMD16<UInt16>.self)
      UnsafeMutableRawPointer(target + index).storeBytes(of: widen(bits), as: SIMD16<Float>.self)
      index += 16
    }
    while index < count {
      target[index] = widen(SIMD16(repeating: source[index]))[0]
      index += 1
    }
  }

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

  /// Shifts the 15 magnitude bits to float32's place and multiplies by 2^112, the difference of the
  /// exponent biases; subnormals come out right because the product is exact.
  @inline(__always) private static func widen(_ halves: SIMD16<UInt16>) -> SIMD16<Float> {
    let bits = SIMD16<UInt32>(truncatingIfNeeded: halves)
    let sign = (bits & 0x8000) &<< 16
    let magnitude = bits & 0x7FFF
    let scaled =
      SIMD16<Float>(bitPattern: magnitude &<< 13)
      * Float(sign: .plus, exponent: 112, significand: 1)
    let special = SIMD16<UInt32>(repeating: 0x7F80_0000) | (magnitude &<< 13)
    let result = SIMD16<UInt32>(bitPattern: scaled)
      .replacing(with: special, where: magnitude .>= 0x7C00)
    return SIMD16<Float>(bitPattern: result | sign)
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
