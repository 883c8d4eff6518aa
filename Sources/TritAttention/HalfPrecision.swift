import TritCore

/// Narrowing to IEEE 754 binary16 that saturates: one overflow to infinity in a cache would turn every
/// later output of its head into NaN.
enum HalfPrecision {
  /// Rounds `count` values to the nearest half, ties to even; finite overflow saturates, NaN stays NaN.
  static func narrow(
    _ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<UInt16>, count: Int
  ) {
    VectorMath.narrow(source, toFloat16: target, count: count)
    // What came out infinite or NaN is rare: one look at all, and a second pass only where it is needed.
    var greatest: Int16 = 0
    for index in 0..<count {
      greatest = max(greatest, Int16(truncatingIfNeeded: target[index] & 0x7FFF))
    }
    guard greatest >= 0x7C00 else { return }
    for index in 0..<count {
      let sign = target[index] & 0x8000
      let magnitude = target[index] & 0x7FFF
      if magnitude == 0x7C00 { target[index] = sign | 0x7BFF }
      if magnitude > 0x7C00 { target[index] = sign | 0x7E00 }
    }
  }
}
