/// Byte-pair encoding of one piece of text: symbols, then merges by rank.
///
/// Source: Sennrich, Haddow, Birch, "Neural Machine Translation of Rare Words with Subword Units",
/// arXiv 1508.07909 (algorithm 1). The fallbacks are those of Hugging Face's `BPE` model where
/// merges are listed, and of SentencePiece (arXiv 1808.06226) where pieces are ranked. A character
/// that has no token, no fallback and no unknown token is left out, as both references do.
struct BytePairModel: Sendable {
  /// What a piece of text is cut into before merging.
  enum Unit: Sendable {
    /// Bytes; every byte has its token.
    case byte
    /// Unicode scalars.
    case scalar
  }

  /// What merges, and in which order.
  enum Merging: Sendable {
    /// A list of pairs (Hugging Face, GGUF `gpt2`).
    case pairs(MergeTable)
    /// Any neighbours that make a piece, in the order of the piece's rank, given by its index;
    /// `.max` never merges (tiktoken: rank = id; SentencePiece: rank falls as the score rises).
    case ranks([UInt32])
  }

  let unit: Unit
  /// Pieces as bytes of text (for `Unit.byte`: the bytes meant, not the alphabet's characters).
  let pieces: ByteStringTable
  /// Id of each piece of `pieces`.
  let ids: [Int32]
  let merging: Merging
  /// Token of each single byte, −1 where there is none.
  let byteIDs: [Int32]
  /// Tokens `<0x00>`…`<0xFF>` for characters without a token of their own, −1 where one is missing;
  /// nil without byte fallback.
  let fallbackIDs: [Int32]?
  /// Token for what has no other, or nil.
  let unknown: Int32?
  /// Whether neighbouring unknown characters become one token.
  let fusesUnknown: Bool
  /// Whether a piece that is a token as a whole is taken without merging.
  let ignoresMerges: Bool
  /// `▁`, where no token has it after another character: text can then be cut before each word
  /// without changing the result, which makes the cache useful.
  let wordMark: [UInt8]?

  /// Appends the tokens of `piece`.
  func encode(
    _ piece: UnsafeBufferPointer<UInt8>, into output: inout [Int], workspace: Workspace
  ) {
    guard let wordMark, piece.count > wordMark.count else {
      return encodeWhole(piece, into: &output, workspace: workspace)
    }
    var start = 0
    var i = 0
    var afterMark = true
    while i < piece.count {
      let length = UTF8Text.length(lead: piece[i])
      let isMark =
        length == wordMark.count && (0..<length).allSatisfy { piece[i + $0] == wordMark[$0] }
      if isMark, !afterMark {
        encodeWhole(
          UnsafeBufferPointer(rebasing: piece[start..<i]), into: &output, workspace: workspace)
        start = i
      }
      afterMark = isMark
      i += length
    }
    encodeWhole(
      UnsafeBufferPointer(rebasing: piece[start...]), into: &output, workspace: workspace)
  }

  @inline(__always)
  private func encodeWhole(
    _ piece: UnsafeBufferPointer<UInt8>, into output: inout [Int], workspace: Workspace
  ) {
    if piece.isEmpty { return }
    if ignoresMerges {
      let index = pieces.find(piece)
      if index >= 0 {
        output.append(Int(ids[index]))
        return
      }
    }
    if workspace.recall(piece, into: &output) { return }
    let first = output.count
    merge(piece, into: &output, queue: &workspace.queue)
    workspace.remember(piece, output[first...])
  }

  /// A symbol that is no token (yet): its text may still become one by merging.
  private static let unresolved: Int32 = -1

  private func merge(
    _ piece: UnsafeBufferPointer<UInt8>, into output: inout [Int], queue: inout MergeQueue
  ) {
    queue.removeAll()
    switch unit {
    case .byte: appendBytes(piece, to: &queue)
    case .scalar: appendScalars(piece, to: &queue)
    }
    switch merging {
    case .pairs(let table):
      queue.merge { queue, left, right in table.find(queue.tokens[left], queue.tokens[right]) }
    case .ranks(let ranks):
      queue.merge { queue, left, right in
        let text = piece[Int(queue.starts[left])..<Int(queue.ends[right])]
        let index = pieces.find(UnsafeBufferPointer(rebasing: text))
        guard index >= 0, ranks[index] != .max else { return nil }
        return (ranks[index], ids[index])
      }
    }
    emit(queue, of: piece, into: &output)
  }

  private func emit(
    _ queue: borrowing MergeQueue, of piece: UnsafeBufferPointer<UInt8>, into output: inout [Int]
  ) {
    var lastWasUnknown = false
    for (i, token) in queue.tokens.enumerated() where token != MergeQueue.dead {
      if token != Self.unresolved {
        output.append(Int(token))
        lastWasUnknown = false
        continue
      }
      let text = UnsafeBufferPointer(rebasing: piece[Int(queue.starts[i])..<Int(queue.ends[i])])
      if let fallbackIDs, text.allSatisfy({ fallbackIDs[Int($0)] >= 0 }) {
        output += text.map { Int(fallbackIDs[Int($0)]) }
        lastWasUnknown = false
      } else if let unknown {
        if !(lastWasUnknown && fusesUnknown) { output.append(Int(unknown)) }
        lastWasUnknown = true
      }
    }
  }

  private func appendBytes(_ piece: UnsafeBufferPointer<UInt8>, to queue: inout MergeQueue) {
    var lastWasUnknown = false
    for (i, byte) in piece.enumerated() {
      let id = byteIDs[Int(byte)]
      if id >= 0 {
        queue.append(token: id, start: i, end: i + 1)
        lastWasUnknown = false
        continue
      }
      guard let unknown else { continue }
      if !(lastWasUnknown && fusesUnknown) { queue.append(token: unknown, start: i, end: i + 1) }
      lastWasUnknown = true
    }
  }

  private func appendScalars(
    _ piece: UnsafeBufferPointer<UInt8>, to queue: inout MergeQueue
  ) {
    var lastWasUnknown = false
    var i = 0
    while i < piece.count {
      let end = i + UTF8Text.length(lead: piece[i])
      let character = UnsafeBufferPointer(rebasing: piece[i..<end])
      let index = pieces.find(character)
      if index >= 0 {
        queue.append(token: ids[index], start: i, end: end)
        lastWasUnknown = false
      } else if case .ranks = merging {
        queue.append(token: Self.unresolved, start: i, end: end)
      } else if let fallbackIDs, character.allSatisfy({ fallbackIDs[Int($0)] >= 0 }) {
        for (j, byte) in character.enumerated() {
          queue.append(token: fallbackIDs[Int(byte)], start: i + j, end: i + j + 1)
        }
        lastWasUnknown = false
      } else if let unknown {
        if !(lastWasUnknown && fusesUnknown) { queue.append(token: unknown, start: i, end: end) }
        lastWasUnknown = true
      }
      i = end
    }
  }
}
