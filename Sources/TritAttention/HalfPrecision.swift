import TritCore

/// Narrowing to 16 bits that saturates: one overflow to infinity in a cache would turn every
/// later output of its head into NaN.
enum HalfPrecision {
  /// Rounds `count` values to the nearest half, ties to even; finite overflow saturates, NaN stays
  /// NaN.
  static func narrow(
    _ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<UInt16>, count: Int
  ) {
    VectorMath.narrow(source, toFloat16: target, count: count)
    saturate(target, count: count, infinity: 0x7C00, quiet: 0x7E00)
  }

  /// The same to bfloat16.
  static func narrow(
    _ source: UnsafePointer<Float>, toBFloat16 target: UnsafeMutablePointer<UInt16>, count: Int
  ) {
    VectorMath.narrow(source, toBFloat16: target, count: count)
    saturate(target, count: count, infinity: 0x7F80, quiet: 0x7FC0)
  }

  /// What came out infinite or NaN is rare: one look at all, and a second pass only where it is
  /// needed.
  @inline(__always) private static func saturate(
    _ target: UnsafeMutablePointer<UInt16>, count: Int, infinity: UInt16, quiet: UInt16
  ) {
    var greatest: Int16 = 0
    for index in 0..<count {
      greatest = max(greatest, Int16(truncatingIfNeeded: target[index] & 0x7FFF))
    }
    guard greatest >= Int16(infinity) else { return }
    for index in 0..<count {
      let sign = target[index] & 0x8000
      let magnitude = target[index] & 0x7FFF
      if magnitude == infinity { target[index] = sign | (infinity - 1) }
      if magnitude > infinity { target[index] = sign | quiet }
    }
  }
}
