import TritCore
public import TritFormats

/// A tokenizer as the key-values `tokenizer.ggml.*` of a GGUF file (ggml, `docs/gguf.md`).
///
/// The key-values are read back before anybody writes them, and the two tokenizers are compared: on
/// `awkwardTexts`, on the text of every token of the vocabulary, alone and after a word, and on
/// what every token adds to a text. What GGUF cannot say is an error, not another tokenizer.
public struct GGUFTokenizerExport: Sendable {
  /// The key-values in the order of llama.cpp's converters.
  public private(set) var metadata: [(key: String, value: GGUFValue)] = []
  /// What a reader of the file should know.
  public private(set) var notes: [String] = []

  /// The key-values of `tokenizer`.
  ///
  /// - Parameters:
  ///   - count: rows of the model's embedding; ids that the tokenizer lacks become tokens of type unused.
  ///   - ends: the ids that end a generation as the model's configuration lists them, the main one first.
  ///   - chatTemplate: the Jinja template of the model, if it has one.
  /// - Throws: `badData` for a kind of tokenizer that GGUF has no form for, and where reading the
  ///   key-values back gives other tokens: with the text that shows it.
  public init(
    _ tokenizer: any Tokenizer, count: Int, ends: [Int] = [], chatTemplate: String? = nil
  ) throws {
    guard tokenizer.vocabularySize <= count else {
      throw LabError(
        .badData, "the tokenizer has more tokens than the model has embeddings",
        expected: "at most \(count)", got: "\(tokenizer.vocabularySize)",
        advice: "tokenizer and model do not belong together")
    }
    let isLegal = { (id: Int) in (0..<count).contains(id) }
    var ends = ends.filter(isLegal)
    for id in tokenizer.endOfGeneration.sorted() where isLegal(id) && !ends.contains(id) {
      ends.append(id)
    }
    switch tokenizer {
    case let tokenizer as BytePairTokenizer where tokenizer.preTokenizer.isByteLevel:
      try addBytePairs(tokenizer, count: count, ends: ends)
    case let tokenizer as BytePairTokenizer:
      try addPieces(
        tokenizer.sentencePieces(eos: ends.first), original: tokenizer, count: count, ends: ends)
    case let tokenizer as SentencePieceTokenizer:
      try addPieces([tokenizer.vocabulary], original: tokenizer, count: count, ends: ends)
    default:
      throw LabError(
        .badData, "GGUF has no form for a tokenizer of this kind", expected: "BPE or SentencePiece",
        got: tokenizer.kind, advice: GGUFTokenizerExport.withoutTokenizer)
    }
    if let chatTemplate { set("tokenizer.chat_template", .string(chatTemplate)) }
  }

  /// What to do with a tokenizer that GGUF cannot say.
  static let withoutTokenizer =
    "export with --no-tokenizer, and copy the model's tokenizer.json beside the GGUF file (or name it there with "
    + "--tokenizer FILE)"

  private mutating func set(_ key: String, _ value: GGUFValue) {
    metadata.append((key, value))
  }

  // MARK: Byte-level BPE

  private mutating func addBytePairs(
    _ tokenizer: BytePairTokenizer, count: Int, ends: [Int]
  ) throws {
    guard case .pairs(let merges) = tokenizer.model.merging else {
      throw LabError(
        .badData, "the tokenizer has ranks and no list of merges", expected: "merges",
        got: tokenizer.kind, advice: "put the model's tokenizer.json in place of the tiktoken file")
    }
    set("tokenizer.ggml.model", .string("gpt2"))
    set("tokenizer.ggml.pre", .string(try Self.preTokenizer(of: tokenizer)))
    var types = [Int32](repeating: 1, count: count)
    for entry in tokenizer.addedRaw.entries + tokenizer.addedNormalized.entries {
      types[entry.id] = entry.isSpecial ? 3 : 4
    }
    addTokens(tokenizer.text.pieces, types: &types)
    let pieces = tokenizer.text.pieces
    let lines = merges.entries.map {
      "\(pieces[Int($0.left)] ?? "") \(pieces[Int($0.right)] ?? "")"
    }
    set("tokenizer.ggml.merges", .array(.string(lines)))
    addIDs(bos: tokenizer.bos, ends: ends, unknown: nil)
    let normalizes = try normalizesToNFC(tokenizer)
    try addFrame(prefix: tokenizer.prefix, suffix: tokenizer.suffix, bos: tokenizer.bos, ends)
    if let difference = try Self.difference(tokenizer, metadata, normalizes: normalizes) {
      throw difference
    }
  }

  /// The name in `tokenizer.ggml.pre` that cuts as `tokenizer` does.
  private static func preTokenizer(of tokenizer: BytePairTokenizer) throws -> String {
    let steps = canonical(tokenizer.preTokenizer.steps)
    let known = GGUFPreTokenizer.representatives.first { name in
      guard let other = GGUFPreTokenizer(name) else { return false }
      return canonical(other.steps) == steps
    }
    guard let known else {
      throw LabError(
        .badData, "GGUF has no name for the way in which the tokenizer cuts text",
        expected: "the cuts of " + GGUFPreTokenizer.representatives.joined(separator: ", "),
        got: tokenizer.kind, advice: GGUFTokenizerExport.withoutTokenizer)
    }
    return known
  }

  /// Whether texts are normalized to NFC first, which GGUF leaves out; other rewriting is an error.
  private mutating func normalizesToNFC(_ tokenizer: BytePairTokenizer) throws -> Bool {
    guard let step = tokenizer.normalizer.steps.first else { return false }
    guard tokenizer.normalizer.steps.count == 1, case .nfc = step else {
      throw LabError(
        .badData, "GGUF has no place for the tokenizer's normalizer",
        expected: "none, or NFC", got: "\(step)", advice: GGUFTokenizerExport.withoutTokenizer)
    }
    notes.append(
      "the tokenizer normalizes texts to NFC, which GGUF cannot say: texts in other forms give "
        + "other tokens")
    return true
  }

  /// Steps in one form: GPT-2's expression apart from `ByteLevel`, which may stand anywhere in
  /// front of cuts that ask for ASCII only.
  private static func canonical(_ steps: [PreTokenizer.Step]) -> [PreTokenizer.Step] {
    steps.compactMap { step in
      guard case .byteLevel(addsPrefixSpace: false, let usesRegex) = step else {
        if case .split(.run(let classes, limit: .max), .isolated, inverted: false) = step,
          classes == .anyPunctuation
        {
          return .split(.run(classes, limit: 1), .contiguous, inverted: false)
        }
        return step
      }
      return usesRegex ? .split(.gpt2, .isolated, inverted: false) : nil
    }
  }

  // MARK: SentencePiece

  /// Takes the first of `candidates` that cuts texts as `original` does.
  private mutating func addPieces(
    _ candidates: [SentencePieceVocabulary], original: any Tokenizer, count: Int, ends: [Int]
  ) throws {
    let before = metadata
    var failure: LabError?
    for vocabulary in candidates {
      metadata = before
      set("tokenizer.ggml.model", .string("llama"))
      set("tokenizer.ggml.pre", .string("default"))
      var types = vocabulary.pieces.map { Int32($0.type.rawValue) }
      types += [Int32](repeating: 1, count: count - types.count)
      addTokens(vocabulary.pieces.map(\.text), types: &types)
      var scores = vocabulary.pieces.map(\.score)
      scores += [Float](repeating: -1e9, count: count - scores.count)
      set("tokenizer.ggml.scores", .array(.float32(scores)))
      addIDs(bos: vocabulary.bos, ends: ends, unknown: vocabulary.unknown)
      set("tokenizer.ggml.add_bos_token", .bool(vocabulary.addsBOS && vocabulary.bos != nil))
      set("tokenizer.ggml.add_eos_token", .bool(vocabulary.addsEOS && vocabulary.eos != nil))
      set("tokenizer.ggml.add_space_prefix", .bool(vocabulary.addsDummyPrefix))
      set("tokenizer.ggml.remove_extra_whitespaces", .bool(vocabulary.removesExtraSpaces))
      guard let difference = try Self.difference(original, metadata, normalizes: false) else {
        return
      }
      failure = failure ?? difference
    }
    if let failure { throw failure }
  }

  // MARK: What both have

  /// Texts and types of all ids; those without a text become fillers of type unused.
  private mutating func addTokens(_ pieces: [String?], types: inout [Int32]) {
    let tokens = types.indices.map { id -> String in
      if pieces.indices.contains(id), let piece = pieces[id] { return piece }
      types[id] = 5
      return "[PAD\(id)]"
    }
    set("tokenizer.ggml.tokens", .array(.string(tokens)))
    set("tokenizer.ggml.token_type", .array(.int32(types)))
  }

  private mutating func addIDs(bos: Int?, ends: [Int], unknown: Int?) {
    // The largest uint32 is "none"; without the key, readers take the id that GPT-2 or Llama has.
    let none = Int(UInt32.max)
    var ids = [("bos", bos ?? none), ("eos", ends.first ?? none)]
    if metadata.contains(where: { $0.key == "tokenizer.ggml.model" && $0.value == .string("llama") }
    ) {
      ids.append(("unknown", unknown ?? none))
    }
    // What the main one does not say, readers know by its text, or by these two keys.
    let others = zip(["eot", "eom"], ends.dropFirst())
    for (name, id) in ids + others {
      set("tokenizer.ggml.\(name)_token_id", .uint32(UInt32(truncatingIfNeeded: id)))
    }
  }

  private mutating func addFrame(prefix: [Int], suffix: [Int], bos: Int?, _ ends: [Int]) throws {
    guard prefix.isEmpty || prefix == [bos], suffix.isEmpty || suffix == [ends.first] else {
      throw LabError(
        .badData, "GGUF cannot say which tokens the tokenizer puts around a text",
        expected: "the begin-of-text token in front, the end-of-text token behind, or neither",
        got: "\(prefix) … \(suffix)", advice: GGUFTokenizerExport.withoutTokenizer)
    }
    set("tokenizer.ggml.add_bos_token", .bool(!prefix.isEmpty))
    set("tokenizer.ggml.add_eos_token", .bool(!suffix.isEmpty))
  }
}
