/// A tokenizer around a byte-pair model: added tokens, normalizer, pre-tokenizer, model, template,
/// in the order of Hugging Face's `tokenizers`.
///
/// Made from `tokenizer.json`, from tiktoken ranks and from GGUF vocabularies of model `gpt2`.
public struct BytePairTokenizer: Tokenizer {
  /// In words, for listings.
  public let kind: String
  /// Begin-of-text token, if there is one.
  public let bos: Int?
  /// Tokens that end a generation.
  public let endOfGeneration: Set<Int>
  /// Whether decoding drops the space that the normalizer puts in front.
  public let stripsLeadingSpace: Bool
  /// Tokens in front of a text encoded with `addSpecial`.
  let prefix: [Int]
  /// Tokens after a text encoded with `addSpecial`.
  let suffix: [Int]
  let text: TokenText
  /// Tokens looked for in the text as it came, and those looked for after normalizing.
  let addedRaw: AddedTokens
  let addedNormalized: AddedTokens
  let normalizer: Normalizer
  let preTokenizer: PreTokenizer
  let model: BytePairModel
  /// What a user must know of how this tokenizer came to be.
  public internal(set) var notes: [String]
  private let workspaces = WorkspacePool()

  init(
    kind: String, bos: Int?, endOfGeneration: Set<Int>, stripsLeadingSpace: Bool = false,
    prefix: [Int], suffix: [Int] = [], text: TokenText, addedRaw: [AddedTokens.Entry],
    addedNormalized: [AddedTokens.Entry] = [], normalizer: Normalizer = Normalizer(steps: []),
    preTokenizer: PreTokenizer, model: BytePairModel, path: String, notes: [String] = []
  ) throws {
    self.notes = notes
    self.kind = kind
    self.bos = bos
    self.endOfGeneration = endOfGeneration
    self.stripsLeadingSpace = stripsLeadingSpace
    self.prefix = prefix
    self.suffix = suffix
    self.text = text
    self.addedRaw = try AddedTokens(addedRaw, path: path)
    var growth = TextGrowth(encoding: addedNormalized.reduce(0) { $0 + $1.content.count })
    self.addedNormalized = try AddedTokens(
      addedNormalized.map { entry in
        var entry = entry
        entry.content = try normalizer.normalize(entry.content, growth: &growth)
        return entry
      }, path: path)
    self.normalizer = normalizer
    self.preTokenizer = preTokenizer
    self.model = model
  }

  /// Number of ids.
  public var vocabularySize: Int { text.pieces.count }
  /// Whether the template puts `bos` in front.
  public var addsBOS: Bool { prefix.first.map { $0 == bos } ?? false }

  /// The ids of `text`. Throws `badData` for a text of 2 GiB or more, and for rules of the
  /// tokenizer that make it grow without measure (`TextGrowth`).
  public func encode(_ text: String, addSpecial: Bool, parseSpecial: Bool) throws -> [Int] {
    var ids: [Int] = addSpecial ? prefix : []
    var text = text
    try text.withUTF8 { bytes in
      try checkLength(bytes.count)
      var growth = TextGrowth(encoding: bytes.count)
      try workspaces.withWorkspace { workspace in
        ids.reserveCapacity(ids.count + bytes.count / 3 + 1)
        for segment in addedRaw.split(bytes, parseSpecial: parseSpecial) {
          if let id = segment.id {
            ids.append(id)
            continue
          }
          try encodePlain(
            UnsafeBufferPointer(rebasing: bytes[segment.range]),
            isStart: segment.range.lowerBound == 0, parseSpecial: parseSpecial, into: &ids,
            workspace: workspace, growth: &growth)
        }
      }
    }
    return addSpecial ? ids + suffix : ids
  }

  private func encodePlain(
    _ bytes: UnsafeBufferPointer<UInt8>, isStart: Bool, parseSpecial: Bool, into ids: inout [Int],
    workspace: Workspace, growth: inout TextGrowth
  ) throws {
    if normalizer.steps.isEmpty, addedNormalized.isEmpty {
      return try encodePieces(
        bytes, isStart: isStart, into: &ids, workspace: workspace, growth: &growth)
    }
    let normalized = try normalizer.normalize(Array(bytes), growth: &growth)
    try normalized.withUnsafeBufferPointer { normalized in
      for segment in addedNormalized.split(normalized, parseSpecial: parseSpecial) {
        if let id = segment.id {
          ids.append(id)
        } else {
          try encodePieces(
            UnsafeBufferPointer(rebasing: normalized[segment.range]),
            isStart: isStart && segment.range.lowerBound == 0, into: &ids, workspace: workspace,
            growth: &growth)
        }
      }
    }
  }

  private func encodePieces(
    _ bytes: UnsafeBufferPointer<UInt8>, isStart: Bool, into ids: inout [Int],
    workspace: Workspace, growth: inout TextGrowth
  ) throws {
    try preTokenizer.forEachPiece(of: bytes, isStart: isStart, growth: &growth) { piece in
      model.encode(piece, into: &ids, workspace: workspace)
    }
  }

  /// The pieces that `text` is cut into before the model merges within each; added tokens are not
  /// looked for. For listings and lessons: pieces of a byte-level tokenizer are shown as the bytes
  /// of text that they are.
  public func preTokenize(_ text: String) throws -> [String] {
    try pieceBytes(of: text).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The same as bytes: a cut after `ByteLevel` may go through a character.
  public func pieceBytes(of text: String) throws -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    var growth = TextGrowth(encoding: text.utf8.count)
    let normalized = try normalizer.normalize(Array(text.utf8), growth: &growth)
    try normalized.withUnsafeBufferPointer { bytes in
      try preTokenizer.forEachPiece(of: bytes, isStart: true, growth: &growth) {
        pieces.append(Array($0))
      }
    }
    return pieces
  }

  /// The bytes that `id` adds to a text.
  public func bytes(of id: Int, skipSpecial: Bool) throws -> [UInt8] {
    try text.bytes(of: id, skipSpecial: skipSpecial)
  }

  /// The token as the vocabulary writes it.
  public func piece(_ id: Int) -> String? { text.piece(id) }
}
