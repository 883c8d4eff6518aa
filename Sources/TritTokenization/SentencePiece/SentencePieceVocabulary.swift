import TritCore
import TritFormats

/// A SentencePiece vocabulary and its settings, whichever file they came from.
struct SentencePieceVocabulary {
  var kind = "SentencePiece BPE"
  /// For messages.
  var path: String
  var pieces: [SentencePieceModel.Piece]
  var bos: Int?
  var eos: Int?
  var unknown: Int?
  var addsBOS = true
  var addsEOS = false
  var addsDummyPrefix = true
  var removesExtraSpaces = false
  var endOfGeneration: Set<Int> = []
  /// Whether user-defined pieces are found before normalizing, as llama.cpp does, or after, as
  /// SentencePiece does.
  var findsUserDefinedInRawText = false

  func tokenText() throws -> TokenText {
    let special = pieces.indices.filter { pieces[$0].type == .control }
    return try TokenText(pieces: pieces.map(\.text), special: Set(special), path: path) {
      id, piece in
      switch pieces[id].type {
      case .byte: TokenText.byte(of: piece).map { [$0] } ?? Array(piece.utf8)
      case .control: Array(piece.utf8)
      // What SentencePiece prints for an unknown character.
      case .unknown: Array(" \u{2047} ".utf8)
      default: Self.replacingMarks(piece)
      }
    }
  }

  private static func replacingMarks(_ piece: String) -> [UInt8] {
    String(
      String.UnicodeScalarView(piece.unicodeScalars.map { $0 == "\u{2581}" ? " " : $0 })
    ).utf8.map { $0 }
  }

  var addedTokens: [AddedTokens.Entry] {
    pieces.indices.compactMap { id in
      let isUserDefined = pieces[id].type == .userDefined && findsUserDefinedInRawText
      guard pieces[id].type == .control || isUserDefined else { return nil }
      return AddedTokens.Entry(
        id: id, content: Array(pieces[id].text.utf8), isSpecial: !isUserDefined)
    }
  }

  var frozenTokens: [AddedTokens.Entry] {
    guard !findsUserDefinedInRawText else { return [] }
    return pieces.indices.filter { pieces[$0].type == .userDefined }
      .map { AddedTokens.Entry(id: $0, content: Array(pieces[$0].text.utf8)) }
  }

  /// The merge model: pieces ranked by falling score. Pieces of type unused never come out.
  func model() throws -> BytePairModel {
    var table = ByteStringTable(capacity: pieces.count)
    var ids: [Int32] = []
    var scores: [Float] = []
    var fallback = [Int32](repeating: -1, count: 256)
    var canCutAtMarks = true
    for (id, piece) in pieces.enumerated() {
      switch piece.type {
      case .byte:
        guard let byte = TokenText.byte(of: piece.text) else {
          throw LabError(
            .badData, "a byte piece does not name a byte", at: "\(path): piece \(id)",
            expected: "<0x00> to <0xFF>", got: "'\(piece.text)'")
        }
        fallback[Int(byte)] = Int32(truncatingIfNeeded: id)
      case .normal where !piece.text.isEmpty:
        let bytes = Array(piece.text.utf8)
        // A piece that is listed twice keeps its first id.
        if table.insert(bytes).isNew {
          ids.append(Int32(truncatingIfNeeded: id))
          scores.append(piece.score)
          canCutAtMarks = canCutAtMarks && !Self.hasInnerMark(bytes)
        }
      default: break
      }
    }
    let hasMark = table.find(SentencePieceTokenizer.spaceMark) >= 0
    return BytePairModel(
      unit: .scalar, pieces: table, ids: ids, merging: .ranks(Self.ranks(scores)),
      byteIDs: [], fallbackIDs: fallback.contains { $0 >= 0 } ? fallback : nil,
      unknown: unknown.map { Int32(truncatingIfNeeded: $0) }, fusesUnknown: true,
      ignoresMerges: false,
      wordMark: canCutAtMarks && hasMark ? SentencePieceTokenizer.spaceMark : nil)
  }

  /// Rank of each score among the distinct scores, highest first; equal scores tie.
  private static func ranks(_ scores: [Float]) -> [UInt32] {
    let order = scores.indices.sorted { scores[$0] > scores[$1] }
    var ranks = [UInt32](repeating: 0, count: scores.count)
    var rank: UInt32 = 0
    for (position, index) in order.enumerated() {
      if position > 0, scores[index] < scores[order[position - 1]] { rank += 1 }
      ranks[index] = rank
    }
    return ranks
  }

  /// Whether `▁` follows another character somewhere in the piece.
  static func hasInnerMark(_ piece: [UInt8]) -> Bool {
    let mark = SentencePieceTokenizer.spaceMark
    var offset = 0
    var afterOther = false
    while offset < piece.count {
      let isMark = piece[offset...].starts(with: mark)
      if isMark, afterOther { return true }
      afterOther = !isMark
      offset += isMark ? mark.count : 1
    }
    return false
  }
}
