/// One token of a text, ready to be shown.
public struct TokenListing: Sendable, Equatable {
  /// The token's id.
  public let id: Int
  /// The token as the vocabulary writes it.
  public let piece: String
  /// What it adds to the text, with control characters escaped; bytes that are no whole character
  /// as `\xE2`.
  public let text: String
}

extension Tokenizer {
  /// `ids` with their pieces and texts. Throws for an id outside the vocabulary.
  public func listing(_ ids: [Int]) throws -> [TokenListing] {
    try ids.map { id in
      let bytes = try bytes(of: id, skipSpecial: false)
      return TokenListing(id: id, piece: piece(id) ?? "", text: Self.display(bytes))
    }
  }

  private static func display(_ bytes: [UInt8]) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      return bytes.map { byte in
        byte >= 0x20 && byte < 0x7F ? String(Unicode.Scalar(byte)) : hex(byte)
      }.joined()
    }
    return text.unicodeScalars.map { scalar in
      switch scalar {
      case "\n": "\\n"
      case "\r": "\\r"
      case "\t": "\\t"
      case "\\": "\\\\"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        hex(UInt8(truncatingIfNeeded: scalar.value))
      default: String(scalar)
      }
    }.joined()
  }

  private static func hex(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return "\\x" + (digits.count == 1 ? "0" : "") + digits
  }
}
