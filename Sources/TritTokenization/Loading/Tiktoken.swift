import TritCore
import TritFormats

extension BytePairTokenizer {
  /// Llama-3's tokenizer from tiktoken ranks: the ranks give ids and merge order, and 256 special
  /// tokens follow them (Meta, llama3 `tokenizer.py`).
  init(ranks: TiktokenRanks, path: String, settings: TokenizerSettings) throws {
    let count = ranks.tokens.count
    guard count < TokenizerJSONModel.largestID else {
      throw LabError(.badData, "too many tokens", at: path, got: "\(count)")
    }
    var table = ByteStringTable(capacity: count)
    var byteIDs = [Int32](repeating: -1, count: 256)
    for (id, token) in ranks.tokens.enumerated() {
      table.insert(token)
      if token.count == 1 { byteIDs[Int(token[0])] = Int32(truncatingIfNeeded: id) }
    }
    let names = Self.llama3SpecialTokens
    let pieces = ranks.tokens.map { ByteAlphabet.encode($0) } + names
    let text = try TokenText(pieces: pieces, special: Set(count..<pieces.count), path: path) {
      id, piece in
      id < count ? ranks.tokens[id] : Array(piece.utf8)
    }
    let ends = names.indices.filter { EndOfGeneration.names.contains(names[$0]) }.map { count + $0 }
    try settings.check(pieces, isWhole: false)
    let listed = settings.eosIDs.filter { pieces.indices.contains($0) }
    try self.init(
      kind: "byte-level BPE (tiktoken, llama-bpe)", bos: count,
      endOfGeneration: Set(ends + listed), prefix: [count], text: text,
      addedRaw: names.enumerated().map {
        AddedTokens.Entry(id: count + $0, content: Array($1.utf8), isSpecial: true)
      },
      preTokenizer: PreTokenizer(steps: [
        .split(.llama3(digits: 3), .isolated, inverted: false),
        .byteLevel(addsPrefixSpace: false, usesRegex: false),
      ]),
      model: BytePairModel(
        unit: .byte, pieces: table, ids: (0..<count).map { Int32(truncatingIfNeeded: $0) },
        merging: .ranks((0..<count).map { UInt32(truncatingIfNeeded: $0) }), byteIDs: byteIDs,
        fallbackIDs: nil, unknown: nil, fusesUnknown: false, ignoresMerges: true, wordMark: nil),
      path: path)
  }

  /// The 256 special tokens of Llama 3.1 in the order of their ids.
  static let llama3SpecialTokens: [String] = {
    let named = [
      "<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>",
      "<|reserved_special_token_1|>", "<|finetune_right_pad_id|>",
      "<|reserved_special_token_2|>", "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>",
      "<|eot_id|>", "<|python_tag|>",
    ]
    return named + (3..<(256 - named.count + 3)).map { "<|reserved_special_token_\($0)|>" }
  }()
}
