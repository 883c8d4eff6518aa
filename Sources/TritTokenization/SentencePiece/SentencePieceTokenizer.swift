/// A SentencePiece BPE tokenizer: spaces become `▁`, neighbours merge by the score of the piece
/// they make, and what has no piece is written in bytes.
///
/// Source: Kudo, Richardson, "SentencePiece", arXiv 1808.06226. Made from `tokenizer.model`, from
/// GGUF vocabularies of model `llama`, and from llama2.c's `tokenizer.bin`.
public struct SentencePieceTokenizer: Tokenizer {
  /// In words, for listings.
  public let kind: String
  /// Begin-of-text token, if there is one.
  public let bos: Int?
  /// End-of-text token, appended by `encode(addSpecial: true)` where `addsEOS`.
  let eos: Int?
  /// Whether `encode(addSpecial: true)` puts `bos` in front.
  public let addsBOS: Bool
  let addsEOS: Bool
  /// Tokens that end a generation.
  public let endOfGeneration: Set<Int>
  let addsDummyPrefix: Bool
  let removesExtraSpaces: Bool
  let text: TokenText
  /// Found in the text before it is normalized; after one of them a dummy prefix is put again.
  let added: AddedTokens
  /// Pieces that are found in the normalized text and take no part in merging.
  let frozen: AddedTokens
  let model: BytePairModel
  /// What the tokenizer was made from.
  let vocabulary: SentencePieceVocabulary
  /// What a user must know of how this tokenizer came to be.
  public internal(set) var notes: [String] = []
  private let workspaces = WorkspacePool()

  /// U+2581 in UTF-8.
  static let spaceMark: [UInt8] = [0xE2, 0x96, 0x81]

  init(_ vocabulary: SentencePieceVocabulary) throws {
    self.vocabulary = vocabulary
    kind = vocabulary.kind
    bos = vocabulary.bos
    eos = vocabulary.eos
    addsBOS = vocabulary.addsBOS && vocabulary.bos != nil
    addsEOS = vocabulary.addsEOS && vocabulary.eos != nil
    endOfGeneration = vocabulary.endOfGeneration
    addsDummyPrefix = vocabulary.addsDummyPrefix
    removesExtraSpaces = vocabulary.removesExtraSpaces
    text = try vocabulary.tokenText()
    added = try AddedTokens(vocabulary.addedTokens, path: vocabulary.path)
    frozen = try AddedTokens(vocabulary.frozenTokens, path: vocabulary.path)
    model = try vocabulary.model()
    if let bytes = model.fallbackIDs {
      let missing = ByteAlphabet.missing { bytes[Int($0)] >= 0 }
      if missing > 0 {
        notes.append(ByteAlphabet.note(vocabulary.path, missing: missing))
      }
    }
  }

  /// Number of ids.
  public var vocabularySize: Int { text.pieces.count }
  /// Whether decoding drops the dummy prefix.
  public var stripsLeadingSpace: Bool { addsDummyPrefix }

  /// The ids of `text`. Throws `badData` for a text of 2 GiB or more.
  public func encode(_ text: String, addSpecial: Bool, parseSpecial: Bool) throws -> [Int] {
    var ids: [Int] = []
    if addSpecial, addsBOS, let bos { ids.append(bos) }
    var text = text
    try text.withUTF8 { bytes in
      try checkLength(bytes.count)
      try workspaces.withWorkspace { workspace in
        for segment in added.split(bytes, parseSpecial: parseSpecial) {
          if let id = segment.id {
            ids.append(id)
            continue
          }
          // Every plain segment begins the text or follows a special token.
          let text = normalize(bytes[segment.range])
          // A mark has three bytes for a space.
          try checkLength(text.count)
          text.withUnsafeBufferPointer { normalized in
            for part in frozen.split(normalized, parseSpecial: true) {
              if let id = part.id {
                ids.append(id)
              } else {
                model.encode(
                  UnsafeBufferPointer(rebasing: normalized[part.range]), into: &ids,
                  workspace: workspace)
              }
            }
          }
        }
      }
    }
    if addSpecial, addsEOS, let eos { ids.append(eos) }
    return ids
  }

  /// Spaces to `▁`, one in front; with `removesExtraSpaces` none at the ends and no runs.
  private func normalize(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> [UInt8] {
    var text = text
    if removesExtraSpaces {
      text = text.drop { $0 == 0x20 }
      while text.last == 0x20 { text.removeLast() }
    }
    guard !text.isEmpty else { return [] }
    var output: [UInt8] = []
    output.reserveCapacity(text.count + text.count / 2)
    if addsDummyPrefix { output += Self.spaceMark }
    var last: UInt8 = 0
    for byte in text {
      if byte != 0x20 {
        output.append(byte)
      } else if !(removesExtraSpaces && last == 0x20) {
        output += Self.spaceMark
      }
      last = byte
    }
    return output
  }

  /// The bytes that `id` adds to a text.
  public func bytes(of id: Int, skipSpecial: Bool) throws -> [UInt8] {
    try text.bytes(of: id, skipSpecial: skipSpecial)
  }

  /// The token as the vocabulary writes it.
  public func piece(_ id: Int) -> String? { text.piece(id) }
}
