/// Decodes tokens one at a time, holding back the bytes of an unfinished UTF-8 character.
public struct StreamingDecoder: Sendable {
  private let tokenizer: any Tokenizer
  private let skipSpecial: Bool
  private var pending: [UInt8] = []
  private var isAtStart = true

  /// A decoder at the beginning of a text. Pass `atStart: false` to continue a text whose beginning
  /// has been decoded elsewhere (a prompt).
  public init(_ tokenizer: any Tokenizer, skipSpecial: Bool = true, atStart: Bool = true) {
    self.tokenizer = tokenizer
    self.skipSpecial = skipSpecial
    isAtStart = atStart
  }

  /// The text that is certain after `id`.
  public mutating func append(_ id: Int) throws -> String {
    var bytes = try tokenizer.bytes(of: id, skipSpecial: skipSpecial)
    guard !bytes.isEmpty else { return "" }
    if isAtStart {
      isAtStart = false
      if tokenizer.stripsLeadingSpace, bytes.first == 0x20 { bytes.removeFirst() }
    }
    pending += bytes
    let complete = pending.count - Self.unfinishedTail(pending)
    let text = String(decoding: pending[..<complete], as: UTF8.self)
    pending.removeFirst(complete)
    return text
  }

  /// What is still held back, as U+FFFD where it never became a character.
  public mutating func finish() -> String {
    let text = String(decoding: pending, as: UTF8.self)
    pending = []
    return text
  }

  /// How many bytes at the end are the beginning of a character that may still be completed.
  static func unfinishedTail(_ bytes: [UInt8]) -> Int {
    for back in 1...3 where back <= bytes.count {
      let byte = bytes[bytes.count - back]
      if byte & 0b1100_0000 == 0b1000_0000 { continue }
      let length = byte > 0xF4 ? 1 : byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC2 ? 2 : 1
      return back < length ? back : 0
    }
    return 0
  }
}
