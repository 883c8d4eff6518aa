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
}
