import TritCore

/// A tiktoken vocabulary: each line is a token's bytes in base64, a space, and its rank, which is
/// both its id and its merge priority (openai/tiktoken, `load_tiktoken_bpe`).
public struct TiktokenRanks: Sendable {
  /// The bytes of each token, by rank. Ranks are 0 ..< count, each once.
  public var tokens: [[UInt8]]

  /// Reads the file at `path`. Throws `missingInput` or `badData`.
  public static func readFile(_ path: String) throws -> TiktokenRanks {
    let file = try MappedFile(path, limit: .tokenizer)
    return try file.span.withUnsafeBytes { try TiktokenRanks($0, path: path) }
  }

  /// Parses the bytes of a file; `path` is for messages.
  public init(_ bytes: UnsafeRawBufferPointer, path: String) throws {
    var entries: [(bytes: [UInt8], rank: Int, line: Int)] = []
    var seen: Set<[UInt8]> = []
    var position = 0
    var line = 0
    while position < bytes.count {
      line += 1
      var end = position
      while end < bytes.count, bytes[end] != 0x0a { end += 1 }
      var content = bytes[position..<end]
      position = end + 1
      if content.last == 0x0d { content = content.dropLast() }
      if content.isEmpty { continue }
      let entry = try Self.entry(content, place: "\(path):\(line)")
      guard seen.insert(entry.bytes).inserted else {
        throw LabError(.badData, "the token is there twice", at: "\(path):\(line)")
      }
      entries.append((entry.bytes, entry.rank, line))
    }
    guard !entries.isEmpty else {
      throw LabError(
        .badData, "the file has no tokens", at: path, expected: "lines 'base64 rank'")
    }
    tokens = Array(repeating: [], count: entries.count)
    for (bytes, rank, line) in entries {
      guard rank < tokens.count, tokens[rank].isEmpty else {
        throw LabError(
          .badData,
          rank < tokens.count ? "the rank \(rank) is there twice" : "the ranks have a gap",
          at: "\(path):\(line)", expected: "ranks 0 to \(tokens.count - 1), each once",
          got: "\(rank)")
      }
      tokens[rank] = bytes
    }
  }

  private static func entry(_ line: Slice<UnsafeRawBufferPointer>, place: String) throws
    -> (bytes: [UInt8], rank: Int)
  {
    guard let space = line.firstIndex(of: 0x20) else {
      throw LabError(
        .badData, "no rank", at: place, expected: "'base64 rank'",
        advice: "a SentencePiece file is also called tokenizer.model")
    }
    let digits = line[(space + 1)...]
    guard !digits.isEmpty, digits.count <= 10, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 })
    else {
      throw LabError(
        .badData, "bad rank", at: place, expected: "a whole number",
        got: String(decoding: digits.prefix(40), as: UTF8.self))
    }
    let rank = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    guard let bytes = base64(line[..<space]), !bytes.isEmpty else {
      throw LabError(
        .badData, "bad base64", at: place, expected: "letters, digits, + and /, padded with =",
        got: String(decoding: line[..<space].prefix(40), as: UTF8.self))
    }
    return (bytes, rank)
  }

  /// Standard base64 (RFC 4648 §4), padding required and leftover bits zero; nil where it is not.
  private static func base64(_ text: Slice<UnsafeRawBufferPointer>) -> [UInt8]? {
    guard text.count.isMultiple(of: 4) else { return nil }
    let padding = text.suffix(2).reversed().prefix { $0 == 0x3d }.count
    var result: [UInt8] = []
    result.reserveCapacity(text.count / 4 * 3)
    var bits: UInt32 = 0
    var count = 0
    for byte in text.dropLast(padding) {
      guard let digit = base64Digit(byte) else { return nil }
      bits = (bits << 6 | digit) & 0xffff
      count += 6
      if count >= 8 {
        count -= 8
        result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    return bits & (1 << UInt32(count) - 1) == 0 ? result : nil
  }

  private static func base64Digit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
