import TritCore

/// Files that may be packed by gzip (RFC 1952), told by their first bytes and not by their names.
public enum GzipFile {
  /// The bytes of the file at `path`, unpacked where it is gzip; several members after one another
  /// are one file, as for `gunzip`.
  ///
  /// Throws `missingInput` where there is no file, and `badData` for more than `limit` bytes,
  /// packed or not, for a file that is cut short or damaged (each member has a CRC-32 and a
  /// length), and for what follows the last member.
  public static func read(_ path: String, limit: FileLimit) throws -> [UInt8] {
    let file = try MappedFile(path, limit: limit)
    let bytes = file.span.withUnsafeBytes { Array($0) }
    guard isGzip(bytes) else { return bytes }
    return try unpack(bytes, limit: limit, at: path)
  }

  static func isGzip(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }

  /// What `bytes` stand for.
  static func unpack(_ bytes: [UInt8], limit: FileLimit, at path: String) throws -> [UInt8] {
    var output: [UInt8] = []
    var position = 0
    while position < bytes.count {
      guard isGzip(Array(bytes[position...].prefix(2))) else {
        // Tapes pad with zeros.
        guard bytes[position...].allSatisfy({ $0 == 0 }) else {
          throw damaged(path, "bytes after the end of the packed data", position)
        }
        break
      }
      let start = output.count
      let data = try header(bytes, position, path)
      var stream = Inflate(bytes, from: data, behind: output, limit: limit.bytes)
      output = []
      do throws(Inflate.Fault) {
        try stream.run()
      } catch {
        switch error {
        case .truncated: throw truncated(path, bytes.count)
        case .malformed(let what): throw damaged(path, what, stream.position)
        case .tooLarge:
          throw LabError(
            .badData, "unpacks to more than \(limit.what) may have", at: path,
            expected: "at most \(limit.bytes) bytes (\(limit.size))",
            got: "more, from \(bytes.count) packed bytes",
            advice: "check that this is the file that you meant")
        }
      }
      position = stream.position
      output = stream.output
      guard bytes.count - position >= 8 else { throw truncated(path, bytes.count) }
      func word(_ offset: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[position + offset + $1]) << UInt32(8 * $1) }
      }
      guard word(4) == UInt32(truncatingIfNeeded: output.count - start) else {
        throw damaged(path, "the length of the data is not the one that was written", position)
      }
      guard word(0) == CRC32.of(output[start...]) else {
        throw damaged(path, "the CRC-32 of the data is not the one that was written", position)
      }
      position += 8
    }
    return output
  }

  /// The offset behind a member's header.
  private static func header(_ bytes: [UInt8], _ start: Int, _ path: String) throws -> Int {
    guard bytes.count - start >= 10 else { throw truncated(path, bytes.count) }
    guard bytes[start + 2] == 8 else {
      throw damaged(path, "a method of packing that is not DEFLATE", start + 2)
    }
    let flags = bytes[start + 3]
    var position = start + 10
    func isThere(_ count: Int) throws {
      guard bytes.count - position >= count else { throw truncated(path, bytes.count) }
    }
    if flags & 4 != 0 {
      try isThere(2)
      let count = Int(bytes[position]) | Int(bytes[position + 1]) << 8
      try isThere(2 + count)
      position += 2 + count
    }
    // A name and a comment, each ended by a zero.
    for flag in [8, 16] as [UInt8] where flags & flag != 0 {
      guard let end = bytes[position...].firstIndex(of: 0) else {
        throw truncated(path, bytes.count)
      }
      position = end + 1
    }
    if flags & 2 != 0 {
      try isThere(2)
      position += 2
    }
    return position
  }

  private static func truncated(_ path: String, _ count: Int) -> LabError {
    LabError(
      .badData, "the gzip file ends too early", at: path,
      expected: "packed data, its CRC-32 and its length", got: "\(count) bytes",
      advice: "get the file again: a copy or a download was cut short ('gzip -t' tells)")
  }

  private static func damaged(_ path: String, _ what: String, _ offset: Int) -> LabError {
    LabError(
      .badData, "the gzip file is damaged: \(what)", at: path, got: "near byte \(offset)",
      advice: "get the file again ('gzip -t' tells whether one is whole)")
  }
}

/// The CRC of gzip and zip (RFC 1952, section 8), four table look-ups a word.
enum CRC32 {
  private static let tables: [[UInt32]] = {
    var tables = [[UInt32]](repeating: [UInt32](repeating: 0, count: 256), count: 4)
    for index in 0..<256 {
      tables[0][index] = (0..<8).reduce(UInt32(index)) { crc, _ in
        crc >> 1 ^ (crc & 1 == 1 ? 0xEDB8_8320 : 0)
      }
    }
    for index in 0..<256 {
      for table in 1..<4 {
        let before = tables[table - 1][index]
        tables[table][index] = before >> 8 ^ tables[0][Int(before & 255)]
      }
    }
    return tables
  }()

  static func of(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    let (t0, t1, t2, t3) = (tables[0], tables[1], tables[2], tables[3])
    return bytes.withUnsafeBufferPointer { bytes in
      var crc: UInt32 = .max
      var index = 0
      while bytes.count - index >= 4 {
        for offset in 0..<4 { crc ^= UInt32(bytes[index + offset]) << UInt32(8 * offset) }
        crc =
          t3[Int(crc & 255)] ^ t2[Int(crc >> 8 & 255)] ^ t1[Int(crc >> 16 & 255)]
          ^ t0[Int(crc >> 24)]
        index += 4
      }
      while index < bytes.count {
        crc = crc >> 8 ^ t0[Int((crc ^ UInt32(bytes[index])) & 255)]
        index += 1
      }
      return ~crc
    }
  }
}
