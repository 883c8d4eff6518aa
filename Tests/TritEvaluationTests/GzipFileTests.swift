import Foundation
import Testing
import TritLab
import _TritTestSupport

/// Unpacking of gzip: what Python 3.11's zlib packed, and what is cut short, damaged or hostile.
@Suite struct GzipFileTests {
  /// 40 times a sentence and every byte once, packed by `zlib.compressobj(9, DEFLATED, 31, 9,
  /// Z_FIXED)`.
  static let fixed =
    "H4sIAAAAAAACA/PPS05VKC3Iz1NIVCjJzE1VKMlILUpVKE8sBgqk5KfrKfiPqhhVMapiVMWoCiJUMDAyMbOwsrFzcHJx8/Dy8QsICgmLiIqJS0hKScvIyskrKCopq6iqqWtoamnr6OrpGxgaGZuYmplbWFpZ29ja2Ts4Ojm7uLq5e3h6efv4+vkHBAYFh4SGhUdERkXHxMbFJyQmJaekpqVnZGZl5+Tm5RcUFhWXlJaVV1RWVdfU1tU3NDY1t7S2tXd0dnX39Pb1T5g4afKUqdOmz5g5a/acufPmL1i4aPGSpcuWr1i5avWatevWb9i4afOWrdu279i5a/eevfv2Hzh46PCRo8eOnzh56vSZs+fOX7h46fKVq9eu37h56/adu/fuP3j46PGTp8+ev3j56vWbt+/ef/j46fOXr9++//j56/efv//+AwDUWDZoUAYAAA=="
  static let text =
    Array(String(repeating: "Once upon a time there was a dog. ", count: 40).utf8)
    + (0...255).map { UInt8($0) }

  private static var packed: [UInt8] { Array(Data(base64Encoded: fixed) ?? Data()) }

  private func read(_ bytes: [UInt8], limit: Int = 1 << 20) throws -> [UInt8] {
    let folder = try TemporaryFolder("gzip")
    let path = folder.file("data")
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return try GzipFile.read(path, limit: FileLimit("a test", bytes: limit))
  }

  private func complaint(_ bytes: [UInt8], limit: Int = 1 << 20) -> String {
    do {
      _ = try read(bytes, limit: limit)
      return ""
    } catch let error as LabError {
      return error.kind == .badData ? error.description : "\(error.kind)"
    } catch {
      return "\(type(of: error))"
    }
  }

  /// A member by the format: RFC 1952's header, stored blocks (RFC 1951, 3.2.4), CRC-32 and length.
  private func stored(_ text: [UInt8], crc: UInt32, flags: UInt8 = 0, extra: [UInt8] = [])
    -> [UInt8]
  {
    func word(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> (8 * $0) & 255) } }
    let count = UInt16(text.count)
    let lengths = [count, ~count].flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
    return [0x1F, 0x8B, 8, flags, 0, 0, 0, 0, 0, 3] + extra + [1] + lengths + text + word(crc)
      + word(UInt32(text.count))
  }

  @Test func plainFilesComeAsTheyAre() throws {
    #expect(try read([1, 2, 3]) == [1, 2, 3])
    #expect(try read([]) == [])
    #expect(try read([0x1F]) == [0x1F])
  }

  @Test func packedFilesComeUnpacked() throws {
    #expect(Self.packed.count == 337)
    #expect(try read(Self.packed) == Self.text)
    // Members after one another are one file, and zeros behind them are padding.
    #expect(try read(Self.packed + Self.packed + [0, 0]) == Self.text + Self.text)
    // CRC-32 of "123456789", the check value of the catalogue of CRCs.
    let digits = Array("123456789".utf8)
    #expect(try read(stored(digits, crc: 0xCBF4_3926)) == digits)
    // A header with an extra field, a name, a comment and a check of its own.
    let extra: [UInt8] = [2, 0, 9, 9] + Array("n\0c\0".utf8) + [7, 7]
    #expect(
      try read(stored(digits, crc: 0xCBF4_3926, flags: 4 + 8 + 16 + 2, extra: extra)) == digits)
  }

  @Test func aFileThatIsCutShortSaysSo() {
    // The first two bytes alone are a gzip file that has not begun.
    for count in 2..<Self.packed.count {
      #expect(complaint(Array(Self.packed[..<count])).contains("ends too early"), "\(count)")
    }
  }

  @Test func damageIsFound() {
    #expect(complaint(Self.packed + [1]).contains("after the end"))
    #expect(complaint(stored([65], crc: 1)).contains("CRC-32"))
    var bytes = Self.packed
    bytes[bytes.count - 1] ^= 1
    #expect(complaint(bytes).contains("length of the data"))
    bytes = Self.packed
    bytes[2] = 7
    #expect(complaint(bytes).contains("not DEFLATE"))
    // A block of the type that does not exist; a stored block whose lengths do not match.
    let header: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]
    #expect(complaint(header + [7] + Array(repeating: 0, count: 20)).contains("type 3"))
    #expect(complaint(header + [1, 1, 0, 1, 0, 65]).contains("complement"))
    // Fixed codes: a copy (length 3, distance 1) with nothing before it. Bits, first to last: last
    // block 1, type 01, length symbol 257 as 0000001, distance symbol 0 as 00000.
    #expect(
      complaint(header + [0b0000_0011, 0b0000_0010, 0, 0, 0, 0]).contains("before the beginning"))
    // Any byte changed: another text with the CRC of the first is never taken, and nothing traps.
    for place in 10..<Self.packed.count {
      var bytes = Self.packed
      bytes[place] ^= 1 << UInt8(place % 8)
      #expect(complaint(bytes) != "", "\(place)")
    }
  }

  @Test func whatUnpacksToTooMuchIsRefused() {
    #expect(
      complaint(Self.packed, limit: Self.text.count - 1).contains("unpacks to more than a test"))
    #expect(complaint(Self.packed, limit: Self.text.count) == "")
    #expect(
      complaint(Self.packed + Self.packed, limit: 2 * Self.text.count - 1).contains("more than"))
    #expect(complaint(Self.packed, limit: 100).contains("too large for a test"))
  }

  @Test func dynamicCodesAreRead() throws {
    // Packed by Python's gzip at level 9: the codes of these files are their own.
    let path = HarnessGoldenTests.folder + "/mmlu/test.jsonl.gz"
    let bytes = try GzipFile.read(path, limit: .questions)
    #expect(bytes.last == UInt8(ascii: "\n"))
    #expect(bytes.count { $0 == UInt8(ascii: "\n") } == 171)
  }
}
