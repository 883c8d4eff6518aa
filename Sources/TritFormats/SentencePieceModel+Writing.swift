extension SentencePieceModel {
  /// A model of these pieces, everything else as the proto's defaults say.
  public init(pieces: [Piece], modelType: ModelType) {
    self.pieces = pieces
    self.modelType = modelType
  }

  /// The bytes of a `tokenizer.model`: pieces, and what the trainer and the normalizer say that
  /// `init(_:path:)` reads (google/sentencepiece, `sentencepiece_model.proto`; field numbers there).
  public func bytes() -> [UInt8] {
    var output: [UInt8] = []
    for piece in pieces {
      var message: [UInt8] = []
      Self.append(1, Array(piece.text.utf8), to: &message)
      Self.append(key: 2, wire: 5, to: &message)
      withUnsafeBytes(of: piece.score.bitPattern.littleEndian) { message += $0 }
      Self.append(3, UInt64(piece.type.rawValue), to: &message)
      Self.append(1, message, to: &output)
    }
    var trainer: [UInt8] = []
    Self.append(3, UInt64(modelType.rawValue), to: &trainer)
    Self.append(4, UInt64(pieces.count), to: &trainer)
    Self.append(35, byteFallback ? 1 : 0, to: &trainer)
    for (field, id) in [(40, unknownID), (41, bosID), (42, eosID), (43, padID)] {
      // A negative int32 is written as the 64-bit number that it is.
      Self.append(field, UInt64(bitPattern: Int64(id)), to: &trainer)
    }
    Self.append(2, trainer, to: &output)
    var normalizer: [UInt8] = []
    Self.append(1, Array(normalizerName.utf8), to: &normalizer)
    if !precompiledCharsmap.isEmpty { Self.append(2, precompiledCharsmap, to: &normalizer) }
    Self.append(3, addDummyPrefix ? 1 : 0, to: &normalizer)
    Self.append(4, removeExtraWhitespaces ? 1 : 0, to: &normalizer)
    Self.append(5, escapeWhitespaces ? 1 : 0, to: &normalizer)
    Self.append(3, normalizer, to: &output)
    return output
  }

  private static func append(key field: Int, wire: Int, to output: inout [UInt8]) {
    append(varint: UInt64(field << 3 | wire), to: &output)
  }

  private static func append(varint number: UInt64, to output: inout [UInt8]) {
    var rest = number
    while rest >= 0x80 {
      output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    output.append(UInt8(truncatingIfNeeded: rest))
  }

  private static func append(_ field: Int, _ number: UInt64, to output: inout [UInt8]) {
    append(key: field, wire: 0, to: &output)
    append(varint: number, to: &output)
  }

  private static func append(_ field: Int, _ bytes: [UInt8], to output: inout [UInt8]) {
    append(key: field, wire: 2, to: &output)
    append(varint: UInt64(bytes.count), to: &output)
    output += bytes
  }
}
