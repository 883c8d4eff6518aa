/// Distinct words and how often each occurred: an open-addressing table over one byte buffer.
struct WordCounts: Sendable {
  private(set) var bytes: [UInt8] = []
  /// Ends of the words in `bytes`; word `i` is `ends[i - 1]..<ends[i]`.
  private(set) var ends: [Int] = []
  private(set) var counts: [Int] = []
  private var hashes: [UInt64] = []
  /// Index of a word plus one, or 0.
  private var table = [Int32](repeating: 0, count: 1 << 12)

  var count: Int { ends.count }

  func range(_ index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }

  mutating func add(_ word: UnsafeBufferPointer<UInt8>) {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in word { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    let mask = UInt64(table.count - 1)
    var place = Int((hash ^ (hash >> 29)) & mask)
    while table[place] != 0 {
      let index = Int(table[place]) - 1
      if hashes[index] == hash, equals(word, range(index)) {
        counts[index] += 1
        return
      }
      place = (place + 1) & Int(mask)
    }
    bytes.append(contentsOf: word)
    ends.append(bytes.count)
    counts.append(1)
    hashes.append(hash)
    table[place] = Int32(ends.count)
    if ends.count * 2 > table.count { grow() }
  }

  private func equals(_ word: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Bool {
    guard word.count == range.count else { return false }
    for (offset, byte) in word.enumerated() where bytes[range.lowerBound + offset] != byte {
      return false
    }
    return true
  }

  private mutating func grow() {
    table = [Int32](repeating: 0, count: table.count * 2)
    let mask = UInt64(table.count - 1)
    for (index, hash) in hashes.enumerated() {
      var place = Int((hash ^ (hash >> 29)) & mask)
      while table[place] != 0 { place = (place + 1) & Int(mask) }
      table[place] = Int32(index + 1)
    }
  }
}
