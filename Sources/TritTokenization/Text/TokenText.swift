import TritCore

/// The bytes that every token adds to a decoded text, and how tokens are written in the vocabulary.
struct TokenText: Sendable {
  private var arena: [UInt8] = []
  private var starts: [Int32] = [0]
  /// The vocabulary's spelling of each id; nil where the id is unused.
  let pieces: [String?]
  /// Ids that decoding drops when it skips special tokens.
  let special: Set<Int>

  /// Makes the table; `text` gives the bytes of each id. Throws what `text` throws, and `badData`
  /// for more bytes than offsets of 32 bits reach.
  init(
    pieces: [String?], special: Set<Int>, path: String, text: (Int, String) throws -> [UInt8]
  ) throws {
    self.pieces = pieces
    self.special = special
    starts.reserveCapacity(pieces.count + 1)
    for (id, piece) in pieces.enumerated() {
      if let piece { arena += try text(id, piece) }
      guard arena.count < Int32.max else {
        throw LabError(
          .badData, "the texts of the tokens are too long", at: path,
          expected: "less than 2 GiB in all", advice: "use the tokenizer that belongs to the model")
      }
      starts.append(Int32(truncatingIfNeeded: arena.count))
    }
  }

  /// The bytes of `id`, which must be in the vocabulary.
  subscript(id: Int) -> ArraySlice<UInt8> { arena[Int(starts[id])..<Int(starts[id + 1])] }

  /// The byte that `<0xXX>` names, or nil.
  static func byte(of piece: String) -> UInt8? {
    guard piece.utf8.count == 6, piece.hasPrefix("<0x"), piece.hasSuffix(">") else { return nil }
    let digits = piece.dropFirst(3).dropLast()
    guard digits.allSatisfy(\.isHexDigit) else { return nil }
    return UInt8(digits, radix: 16)
  }
}

extension TokenText {
  /// `Tokenizer.bytes(of:skipSpecial:)` for a tokenizer with this table.
  func bytes(of id: Int, skipSpecial: Bool) throws -> [UInt8] {
    guard pieces.indices.contains(id), pieces[id] != nil else {
      throw LabError(
        .badData, "token id \(id) is not in the vocabulary",
        expected: "an id in 0..<\(pieces.count)", got: "\(id)",
        advice: "check that the tokenizer belongs to the model")
    }
    return skipSpecial && special.contains(id) ? [] : Array(self[id])
  }

  /// `Tokenizer.piece(_:)` for a tokenizer with this table.
  func piece(_ id: Int) -> String? { pieces.indices.contains(id) ? pieces[id] : nil }
}

/// Offsets into a text are 32-bit. Throws `badData` for longer ones.
func checkLength(_ bytes: Int) throws {
  guard bytes < Int32.max else {
    throw LabError(
      .badData, "the text is too long to encode at once", expected: "less than 2 GiB",
      got: "\(bytes) bytes", advice: "encode it in parts")
  }
}
