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
