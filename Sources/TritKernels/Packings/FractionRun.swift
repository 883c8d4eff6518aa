/// A run of bytes of base-3 digits, as TQ1_0 and PTQ1_0 have them: byte `first + m` holds the
/// digits of the weights `weight + m`, `weight + m + count`, and so on, the first the most
/// significant.
///
/// A byte is `⌈256 v / 243⌉` of the number v of five digits (those that are not there are 0), so
/// that multiplying by 3 brings the next digit out above the byte.
struct FractionRun {
  let first: Int
  let count: Int
  let weight: Int
  let digits: Int

  /// Trits of the block to the run's bytes.
  func pack(_ trits: UnsafePointer<Int8>, into bytes: UnsafeMutablePointer<UInt8>) {
    for m in 0..<count {
      var v = 0
      for n in 0..<5 {
        v *= 3
        if n < digits { v += Int(trits[weight + m + count * n]) + 1 }
      }
      bytes[first + m] = UInt8(truncatingIfNeeded: (v * 256 + 242) / 243)
    }
  }

  /// The trits of `count` bytes with `digits` digits each.
  @inline(__always) static func unpack(
    _ bytes: UnsafePointer<UInt8>, count: Int, digits: Int, into trits: UnsafeMutablePointer<Int8>
  ) {
    var power: UInt8 = 1
    for n in 0..<digits {
      for m in 0..<count {
        let shifted = UInt16(bytes[m] &* power)
        trits[n * count + m] = Int8(truncatingIfNeeded: (shifted &* 3) >> 8) &- 1
      }
      power = power &* 3
    }
  }

  /// The first weight of the first byte that no digits make; nil if none.
  func firstIllegal(_ bytes: UnsafePointer<UInt8>) -> Int? {
    for m in 0..<count {
      let byte = bytes[first + m]
      var rest = byte
      var v = 0
      for n in 0..<5 {
        let product = UInt16(rest) * 3
        v = v * 3 + (n < digits ? Int(product >> 8) : 0)
        rest = UInt8(truncatingIfNeeded: product)
      }
      if (v * 256 + 242) / 243 != Int(byte) { return weight + m }
    }
    return nil
  }
}
