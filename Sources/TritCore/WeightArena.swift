import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Chunks of huge pages in which the matrices of a model lie one after another, in the order in
/// which they were made.
///
/// A matrix with a mapping of its own has small pages at its end, and one below 2 MiB has nothing
/// else: some 27 % of the ternary bytes of a 2B model, each 4 KiB of which costs a page walk a
/// token. A chunk is given back when its last block is; what is free at its end is used again
/// before.
enum WeightArena {
  /// Smaller blocks are not worth a place: many of them fit a page anyway.
  static let smallest = 64 << 10
  /// Larger ones have a mapping of their own, whose end costs them nothing.
  static let largest = 32 << 20
  private static let chunkBytes = 64 << 20

  private struct Chunk: @unchecked Sendable {
    let block: LargeMemory.Block
    /// Where blocks that live begin and end, counted from `base`, in order.
    var live: [Range<Int>] = []
    /// Up to where bytes may have been written.
    var written = 0
    var base: UnsafeMutableRawPointer { block.base }
    var end: Int { live.last?.upperBound ?? 0 }
  }
  private static let chunks = Mutex<[Chunk]>([])

  /// `bytes` zero bytes at a multiple of 64; nil where the system has no more memory.
  static func take(_ bytes: Int) -> LargeMemory.Block? {
    let size = (bytes + 63) / 64 * 64
    return chunks.withLock { chunks in
      var index = chunks.count - 1
      if index < 0 || chunks[index].end + size > chunkBytes {
        // Blocks of this chunk may be gone, and its end free again, once the next one is in use.
        if let free = chunks.firstIndex(where: { $0.end + size <= chunkBytes }) {
          index = free
        } else {
          guard let block = LargeMemory.takeHuge(chunkBytes) else { return nil }
          chunks.append(Chunk(block: block))
          index = chunks.count - 1
        }
      }
      let start = chunks[index].end
      let base = chunks[index].base + start
      let dirty = min(chunks[index].written - start, size)
      if dirty > 0 { memset(base, 0, dirty) }
      chunks[index].live.append(start..<start + size)
      chunks[index].written = max(chunks[index].written, start + size)
      return LargeMemory.Block(base: base, bytes: size, isHuge: true, isShared: true)
    }
  }

  /// Takes a block back, and gives the chunk to the system if it was the last.
  static func give(_ block: LargeMemory.Block) {
    let empty = chunks.withLock { chunks -> LargeMemory.Block? in
      guard
        let index = chunks.firstIndex(where: {
          block.base >= $0.base && block.base < $0.base + chunkBytes
        })
      else { return nil }
      let start = block.base - chunks[index].base
      chunks[index].live.removeAll { $0.lowerBound == start }
      return chunks[index].live.isEmpty ? chunks.remove(at: index).block : nil
    }
    if let empty { LargeMemory.give(empty) }
  }
}
