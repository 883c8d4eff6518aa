/// The merges of a byte-pair vocabulary: a pair of neighbours to its rank and the token they
/// become.
struct MergeTable: Sendable {
  private var keys: [UInt64]
  private var values: [UInt64]
  private let mask: Int
  private(set) var count = 0

  /// A table with room for exactly `capacity` merges.
  init(capacity: Int) {
    var size = 16
    while size < capacity * 2 { size *= 2 }
    keys = [UInt64](repeating: .max, count: size)
    values = [UInt64](repeating: 0, count: size)
    mask = size - 1
  }

  /// Records that `left right` becomes `merged` at `rank`. A pair that is listed twice keeps its
  /// last rank with `replacing` (Hugging Face), else its first (llama.cpp).
  mutating func insert(_ left: Int32, _ right: Int32, rank: Int, merged: Int32, replacing: Bool) {
    let key = Self.key(left, right)
    var slot = Self.slot(key, mask)
    while keys[slot] != .max, keys[slot] != key { slot = (slot + 1) & mask }
    if keys[slot] == key, !replacing { return }
    if keys[slot] != key { count += 1 }
    keys[slot] = key
    values[slot] =
      UInt64(UInt32(truncatingIfNeeded: rank)) << 32 | UInt64(UInt32(bitPattern: merged))
  }

  /// Rank and merged token of a pair, or nil where the two never merge.
  @inline(__always)
  func find(_ left: Int32, _ right: Int32) -> (rank: UInt32, merged: Int32)? {
    let key = Self.key(left, right)
    return keys.withUnsafeBufferPointer { keys in
      var slot = Self.slot(key, mask)
      while true {
        if keys[slot] == key {
          let value = values[slot]
          return (
            UInt32(value >> 32), Int32(bitPattern: UInt32(truncatingIfNeeded: value))
          )
        }
        if keys[slot] == .max { return nil }
        slot = (slot + 1) & mask
      }
    }
  }

  /// All merges, the first to be applied first.
  var entries: [(left: Int32, right: Int32, rank: UInt32, merged: Int32)] {
    keys.indices.lazy.filter { keys[$0] != .max }.map { slot in
      (
        Int32(truncatingIfNeeded: keys[slot] >> 32), Int32(truncatingIfNeeded: keys[slot]),
        UInt32(values[slot] >> 32), Int32(truncatingIfNeeded: values[slot])
      )
    }.sorted { $0.rank < $1.rank }
  }

  @inline(__always)
  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  @inline(__always)
  private static func slot(_ key: UInt64, _ mask: Int) -> Int {
    let mixed = key &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: mixed ^ (mixed >> 32)) & mask
  }
}
