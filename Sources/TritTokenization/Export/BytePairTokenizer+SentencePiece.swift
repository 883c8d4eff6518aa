import TritCore
import TritFormats

extension BytePairTokenizer {
  /// This tokenizer, of characters with merges by rank, as SentencePiece vocabularies with pieces
  /// by score: candidates, since the two forms are equal only where all merges that give a piece
  /// have neighbouring ranks (they do in `tokenizer.json` files that were converted from
  /// SentencePiece).
  func sentencePieces(eos: Int?) throws -> [SentencePieceVocabulary] {
    guard case .pairs(let merges) = model.merging, let unknown = model.unknown else {
      throw LabError(
        .badData, "the tokenizer has no form in GGUF", expected: "merges and an unknown token",
        got: kind, advice: GGUFTokenizerExport.withoutTokenizer)
    }
    var scores: [Int32: Float] = [:]
    for merge in merges.entries where scores[merge.merged] == nil {
      scores[merge.merged] = -Float(merge.rank)
    }
    var special: [Int: Bool] = [:]
    for entry in addedRaw.entries + addedNormalized.entries { special[entry.id] = entry.isSpecial }
    let fallback = Set(model.fallbackIDs ?? [])
    let pieces = text.pieces.enumerated().map { index, piece -> SentencePieceModel.Piece in
      let id = Int32(truncatingIfNeeded: index)
      var type = SentencePieceModel.PieceType.normal
      if piece == nil {
        type = .unused
      } else if fallback.contains(id) {
        type = .byte
      } else if let isSpecial = special[index] {
        // The unknown token too, where it is found in text and left out by decoding.
        type = isSpecial ? .control : .userDefined
      } else if id == unknown {
        type = .unknown
      } else if scores[id] == nil, (piece ?? "").unicodeScalars.count > 1 {
        // No merge gives it: by score it would.
        type = .unused
      }
      return .init(text: piece ?? "[PAD\(index)]", score: scores[id] ?? 0, type: type)
    }
    guard prefix.isEmpty || prefix == [bos], suffix.isEmpty || suffix == [eos] else {
      throw LabError(
        .badData, "GGUF cannot say which tokens the tokenizer puts around a text",
        expected: "the begin-of-text token in front, the end-of-text token behind, or neither",
        got: "\(prefix) … \(suffix)", advice: GGUFTokenizerExport.withoutTokenizer)
    }
    return [true, false].map { addsDummyPrefix in
      SentencePieceVocabulary(
        path: kind, pieces: pieces, bos: bos, eos: eos, unknown: Int(unknown),
        addsBOS: !prefix.isEmpty, addsEOS: !suffix.isEmpty, addsDummyPrefix: addsDummyPrefix,
        endOfGeneration: endOfGeneration)
    }
  }
}
