import Foundation
import Testing
import TritLab
import _TritTestSupport

@Suite struct WeightImageFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("image") }

  /// Three sections, one of them larger than a run of 16 MiB, none a multiple of 64 bytes.
  private func written() throws -> (path: String, sections: [AlignedBuffer<UInt8>]) {
    let sections = [1_000, 17 << 20 | 5, 3].map { count in
      let buffer = AlignedBuffer<UInt8>(count: count)
      for index in 0..<count { buffer[index] = UInt8(truncatingIfNeeded: index &* 31 &+ count) }
      return buffer
    }
    let path = folder.file("a.image")
    try WeightImage.write(
      key: "the key", manifest: "{}", sections: sections.map(\.rawBuffer), to: path)
    return (path, sections)
  }

  @Test func whatIsWrittenIsRead() throws {
    let (path, sections) = try written()
    let image = try WeightImage(path: path, key: "the key")
    let layout = WeightImage.layout(sections.map(\.count))
    for (start, section) in zip(layout.starts, sections) {
      let bytes = try image.bytes(start..<start + section.count)
      #expect(bytes.elementsEqual(section.rawBuffer))
      #expect(Int(bitPattern: bytes.baseAddress).isMultiple(of: 64))
    }
    #expect(image.count == FileStamp(path: path)?.size)
    #expect(image.count.isMultiple(of: 2 << 20))
    #expect(throws: LabError.self) { try image.bytes(0..<image.count) }
    #expect(throws: LabError.self) { try image.bytes(1..<2) }
    let digests = try WeightImage.digests(path: path)
    #expect(digests.computed == digests.stored)
  }

  @Test func anotherKeyIsAbsent() throws {
    let (path, _) = try written()
    #expect(throws: WeightImage.Refusal.absent) { try WeightImage(path: path, key: "another") }
    #expect(throws: WeightImage.Refusal.absent) {
      try WeightImage(path: folder.file("none"), key: "the key")
    }
  }

  /// Every 8-byte number of the header, far too large, negative, and off by one; and cuts at every
  /// kind of place.
  @Test func damageIsRefusedAndNeverRead() throws {
    let (path, _) = try written()
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    func refused(_ changed: Data) throws -> Bool {
      try changed.write(to: URL(fileURLWithPath: path))
      do throws(WeightImage.Refusal) {
        _ = try WeightImage(path: path, key: "the key")
        return false
      } catch { return true }
    }
    for offset in [0, 8, 16, 24, 32, 40] {
      for value in [Int64.max, .min, -1, 1 << 40] {
        var changed = bytes
        withUnsafeBytes(of: value) { changed.replaceSubrange(offset..<offset + 8, with: $0) }
        #expect(try refused(changed), "offset \(offset), \(value)")
      }
    }
    for count in [0, 7, 63, 80, 4096, bytes.count - 1] {
      #expect(try refused(bytes.prefix(count)), "\(count) bytes")
    }
    #expect(try !refused(bytes))
  }

  @Test func onlyTheOwnerMayWriteIt() throws {
    let (path, _) = try written()
    let link = folder.file("link")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
    #expect(throws: WeightImage.Refusal.self) { try WeightImage(path: link, key: "the key") }
    try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: path)
    #expect(throws: WeightImage.Refusal.unfit("others may write it")) {
      try WeightImage(path: path, key: "the key")
    }
  }

  @Test func aFlippedByteChangesTheDigest() throws {
    let (path, sections) = try written()
    let handle = try #require(FileHandle(forUpdatingAtPath: path))
    try handle.seek(toOffset: 4096 + 2048 + UInt64(sections[1].count / 2))
    try handle.write(contentsOf: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    try handle.close()
    let digests = try WeightImage.digests(path: path)
    #expect(digests.computed != digests.stored)
  }

  /// FIPS 180-4's way with and without the instructions of the CPU, at every length around a block.
  @Test func digestsDoNotDependOnInstructions() {
    let bytes = (0..<400).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 3) }
    for count in 0...bytes.count {
      let part = Array(bytes[..<count])
      let fast = part.withUnsafeBytes { SHA256.hex($0) }
      let plain = SHA256.$usesInstructions.withValue(false) {
        part.withUnsafeBytes { SHA256.hex($0) }
      }
      #expect(fast == plain, "\(count) bytes")
    }
    // NIST's example of 56 bytes.
    #expect(
      SHA256.hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
        == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
  }
}
