import TritCore
public import TritFormats
public import TritTokenization

/// A trained byte-level vocabulary, and its `tokenizer.json`.
public struct BytePairVocabulary: Sendable {
  /// Texts of the special tokens, ids 0, 1, …
  public let specialTokens: [String]
  /// Bytes of the tokens that follow: 256 single bytes, then merges.
  public let pieces: [[UInt8]]
  /// Pairs of ids in the order in which they are merged.
  public let merges: [(left: Int, right: Int)]

  /// Tokens in all.
  public var count: Int { specialTokens.count + pieces.count }
  /// The id of the token that separates texts, BOS and EOS at once.
  public var endOfText: Int { 0 }

  /// The document in Hugging Face's `tokenizers` format: byte-level BPE, the first special token in
  /// front of every text.
  public var document: JSONValue {
    let names = specialTokens + pieces.map { ByteLevelText.piece($0) }
    let added = specialTokens.enumerated().map { id, text -> JSONValue in
      [
        "id": JSONValue(id), "content": .string(text), "single_word": false, "lstrip": false,
        "rstrip": false, "normalized": false, "special": true,
      ]
    }
    let byteLevel: JSONValue = [
      "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
    ]
    return [
      "version": "1.0", "truncation": nil, "padding": nil, "added_tokens": .array(added),
      "normalizer": nil, "pre_tokenizer": byteLevel, "post_processor": template,
      "decoder": byteLevel,
      "model": [
        "type": "BPE", "dropout": nil, "unk_token": nil, "continuing_subword_prefix": nil,
        "end_of_word_suffix": nil, "fuse_unk": false, "byte_fallback": false,
        "ignore_merges": false,
        "vocab": .object(names.enumerated().map { (key: $0.element, value: JSONValue($0.offset)) }),
        "merges": .array(merges.map { JSONValue([names[$0.left], names[$0.right]]) }),
      ],
    ]
  }

  private var template: JSONValue {
    let name = JSONValue.string(specialTokens[0])
    let first: JSONValue = ["SpecialToken": ["id": name, "type_id": 0]]
    let a: JSONValue = ["Sequence": ["id": "A", "type_id": 0]]
    let b: JSONValue = ["Sequence": ["id": "B", "type_id": 1]]
    let entry: JSONValue = [
      "id": name, "ids": JSONValue([0]), "tokens": .array([name]),
    ]
    return [
      "type": "TemplateProcessing", "single": [first, a], "pair": [first, a, b],
      "special_tokens": .object([(key: specialTokens[0], value: entry)]),
    ]
  }

  /// The tokenizer, as if read from the file.
  public func tokenizer() throws -> BytePairTokenizer { try BytePairTokenizer(document: document) }

  /// Writes `tokenizer.json` at `path`, whole or not at all. Throws `cannotCreate`.
  public func write(to path: String) throws {
    try AtomicFile.write(JSONWriter.text(document, pretty: true) + "\n", to: path)
  }
}
