import Testing
import TritLab

@Suite("Large buffers") struct LargeMemoryTests {
  @Test("a buffer is zero, aligned and padded, also in memory that was used before")
  func zeroed() {
    for round in 0..<3 {
      let buffer = AlignedBuffer<UInt8>(count: 3_000_001)
      #expect(UInt(bitPattern: buffer.base).isMultiple(of: 64))
      #expect(buffer.buffer.allSatisfy { $0 == 0 }, "round \(round)")
      // The 64 bytes behind the end may be read.
      let tail = UnsafeRawBufferPointer(start: buffer.base + buffer.count, count: 64)
      #expect(withExtendedLifetime(buffer) { tail.allSatisfy { $0 == 0 } })
      for index in 0..<buffer.count { buffer.base[index] = 0xA5 }
    }
  }

  @Test("a streamed buffer is zero, aligned and padded", arguments: [1000, 1 << 20, 5_000_001])
  func streamed(count: Int) {
    for _ in 0..<2 {
      let buffer = AlignedBuffer<UInt8>(count: count, isStreamed: true)
      #expect(UInt(bitPattern: buffer.base).isMultiple(of: 64))
      #expect(buffer.buffer.allSatisfy { $0 == 0 })
      let tail = UnsafeRawBufferPointer(start: buffer.base + count, count: 64)
      #expect(withExtendedLifetime(buffer) { tail.allSatisfy { $0 == 0 } })
      for index in 0..<count { buffer.base[index] = 0xA5 }
    }
  }

  @Test(
    "streamed buffers that share chunks are zero when made and keep their bytes while others come and go"
  )
  func shared() {
    var random = SeededRandom(seed: 3)
    var buffers: [(buffer: AlignedBuffer<UInt8>, fill: UInt8)] = []
    for round in 0..<400 {
      // Larger than a chunk's half, smaller than a place in one, and most in between.
      let count = Int(random.next() % (round % 40 == 0 ? 36 << 20 : 700_000)) + 1
      let buffer = AlignedBuffer<UInt8>(count: count, isStreamed: true)
      #expect(UInt(bitPattern: buffer.base).isMultiple(of: 64))
      #expect(buffer.buffer.allSatisfy { $0 == 0 }, "round \(round), \(count) bytes")
      let fill = UInt8(round % 255) + 1
      buffer.base.update(repeating: fill, count: count)
      buffers.append((buffer, fill))
      while buffers.count > 12 || (!buffers.isEmpty && random.uniform() < 0.4) {
        let old = buffers.remove(at: Int(random.next() % UInt64(buffers.count)))
        #expect(old.buffer.buffer.allSatisfy { $0 == old.fill }, "round \(round)")
      }
    }
    for entry in buffers { #expect(entry.buffer.buffer.allSatisfy { $0 == entry.fill }) }
  }

  @Test(
    "a buffer to be overwritten is padded with zeros whatever the memory held",
    arguments: [70, 3_000_001])
  func overwritten(count: Int) {
    for _ in 0..<3 {
      let buffer = AlignedBuffer<UInt8>(overwritten: count)
      let tail = UnsafeRawBufferPointer(start: buffer.base + count, count: 64)
      #expect(withExtendedLifetime(buffer) { tail.allSatisfy { $0 == 0 } })
      for index in 0..<count { buffer.base[index] = 0xA5 }
      // What a neighbour writes behind its own end would show in the next round.
      let other = AlignedBuffer<UInt8>(count: count + 4096)
      for index in 0..<other.count { other.base[index] = 0x5A }
    }
  }
}
