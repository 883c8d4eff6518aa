/// A hash table from byte strings to the order in which they were put in.
///
/// Vocabularies compare bytes, never characters: Swift's `String` equality is canonical
/// equivalence, and real vocabularies hold both forms of `é`.
struct ByteStringTable: Sendable {
  /// All keys, one after the other; key `i` is `arena[starts[i]..<starts[i + 1]]`.
  private(set) var arena: [UInt8] = []
  private(set) var starts: [Int32] = [0]
  /// Upper 32 bits of the hash, and index + 1; 0 is an empty slot.
  private var slots: [UInt64]
  private var mask: Int

  /// An empty table with room for `capacity` keys.
  init(capacity: Int = 16) {
    var size = 32
    while size < capacity * 2 { size *= 2 }
    slots = [UInt64](repeating: 0, count: size)
    mask = size - 1
    starts.reserveCapacity(capacity + 1)
  }

  /// Number of keys.
  var count: Int { starts.count - 1 }

  /// The bytes of key `index`.
  func key(_ index: Int) -> ArraySlice<UInt8> { arena[Int(starts[index])..<Int(starts[index + 1])] }

  /// The index of `key`, or −1.
  @inline(__always)
  func find(_ key: UnsafeBufferPointer<UInt8>) -> Int {
    guard let base = key.baseAddress else { return findEmpty() }
    return find(base, key.count, Self.hash(base, key.count))
  }

  /// The index of `key`, or −1.
  func find(_ key: [UInt8]) -> Int { key.withUnsafeBufferPointer { find($0) } }

  private func findEmpty() -> Int {
    var zero: UInt8 = 0
    return find(&zero, 0, Self.hash(&zero, 0))
  }

  @inline(__always)
  private func find(_ base: UnsafePointer<UInt8>, _ length: Int, _ hash: UInt64) -> Int {
    slots.withUnsafeBufferPointer { slots in
      arena.withUnsafeBufferPointer { arena in
        starts.withUnsafeBufferPointer { starts in
          var slot = Int(truncatingIfNeeded: hash) & mask
          while true {
            let entry = slots[slot]
            if entry == 0 { return -1 }
            if entry >> 32 == hash >> 32 {
              let index = Int(entry & 0xFFFF_FFFF) - 1
              let start = Int(starts[index])
              if Int(starts[index + 1]) - start == length {
                var same = true
                for i in 0..<length where arena[start + i] != base[i] {
                  same = false
                  break
                }
                if same { return index }
              }
            }
            slot = (slot + 1) & mask
          }
        }
      }
    }
  }

  /// Puts `key` in unless it is there; returns its index and whether it is new.
  @discardableResult
  mutating func insert(_ key: UnsafeBufferPointer<UInt8>) -> (index: Int, isNew: Bool) {
    let found = find(key)
    if found >= 0 { return (found, false) }
    if (count + 1) * 2 > slots.count { grow() }
    let index = count
    arena.append(contentsOf: key)
    starts.append(Int32(truncatingIfNeeded: arena.count))
    place(index)
    return (index, true)
  }

  /// Puts `key` in unless it is there; returns its index and whether it is new.
  @discardableResult
  mutating func insert(_ key: [UInt8]) -> (index: Int, isNew: Bool) {
    key.withUnsafeBufferPointer { insert($0) }
  }

  /// Empties the table, keeping its memory.
  mutating func removeAll() {
    arena.removeAll(keepingCapacity: true)
    starts.removeSubrange(1...)
    for i in slots.indices { slots[i] = 0 }
  }

  private mutating func grow() {
    slots = [UInt64](repeating: 0, count: slots.count * 2)
    mask = slots.count - 1
    for index in 0..<count { place(index) }
  }

  private mutating func place(_ index: Int) {
    let start = Int(starts[index])
    let length = Int(starts[index + 1]) - start
    let hash = arena.withUnsafeBufferPointer { arena -> UInt64 in
      guard let base = arena.baseAddress else {
        var zero: UInt8 = 0
        return Self.hash(&zero, 0)
      }
      return Self.hash(base + start, length)
    }
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != 0 { slot = (slot + 1) & mask }
    slots[slot] = (hash & 0xFFFF_FFFF_0000_0000) | UInt64(index + 1)
  }

  /// Eight bytes at a time, multiply and fold.
  @inline(__always)
  private static func hash(_ base: UnsafePointer<UInt8>, _ length: Int) -> UInt64 {
    var hash = UInt64(truncatingIfNeeded: length) &* 0x9E37_79B9_7F4A_7C15
    let raw = UnsafeRawPointer(base)
    var offset = 0
    while offset + 8 <= length {
      hash = fold(hash ^ raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      offset += 8
    }
    var tail: UInt64 = 0
    while offset < length {
      tail = tail << 8 | UInt64(base[offset])
      offset += 1
    }
    return fold(hash ^ tail)
  }

  @inline(__always)
  private static func fold(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: 0xBF58_476D_1CE4_E5B9)
    let mixed = product.high ^ product.low
    return mixed ^ (mixed >> 32)
  }
}
