import TritCore
import TritFormats

extension HuggingFaceTokenizerExport {
  /// A SentencePiece vocabulary as BPE with byte fallback; nil where it strips spaces, which no
  /// converter writes so, or has no unknown token.
  func pieceDocument() throws -> JSONValue? {
    guard try !vocabulary.flag("remove_extra_whitespaces", default: false),
      let unknown = try vocabulary.id("unknown_token_id", default: 0)
    else { return nil }
    let addsPrefix = try vocabulary.flag("add_space_prefix", default: true)
    let mark: JSONValue = "\u{2581}"
    let replace: JSONValue = ["type": "Replace", "pattern": ["String": " "], "content": mark]
    let back: JSONValue = ["type": "Replace", "pattern": ["String": mark], "content": " "]
    let strip: [JSONValue] =
      addsPrefix ? [["type": "Strip", "content": " ", "start": 1, "stop": 0]] : []
    let hasBytes = vocabulary.types.contains(.byte)
    return try document(
      normalizer: addsPrefix
        ? [
          "type": "Sequence",
          "normalizers": [["type": "Prepend", "prepend": mark], replace],
        ] : replace,
      preTokenizer: nil,
      decoder: [
        "type": "Sequence",
        "decoders": .array([back, ["type": "ByteFallback"], ["type": "Fuse"]] + strip),
      ],
      model: [
        ("unk_token", .string(vocabulary.tokens[unknown])), ("fuse_unk", true),
        ("byte_fallback", .bool(hasBytes)), ("ignore_merges", false), ("vocab", .object(words)),
        ("merges", .array(merges(try scores()).map { JSONValue([$0, $1]) })),
      ])
  }

  /// The same vocabulary as a `tokenizer.model`.
  func pieceModel() throws -> SentencePieceModel {
    let scores = try scores()
    let pieces = vocabulary.tokens.indices.map {
      SentencePieceModel.Piece(
        text: vocabulary.tokens[$0], score: scores[$0], type: vocabulary.types[$0])
    }
    var model = SentencePieceModel(pieces: pieces, modelType: .bpe)
    model.byteFallback = vocabulary.types.contains(.byte)
    model.addDummyPrefix = try vocabulary.flag("add_space_prefix", default: true)
    model.removeExtraWhitespaces = try vocabulary.flag("remove_extra_whitespaces", default: false)
    model.normalizerName = "identity"
    model.unknownID = try vocabulary.id("unknown_token_id", default: 0) ?? -1
    model.bosID = try vocabulary.id("bos_token_id", default: 1) ?? -1
    model.eosID = try vocabulary.id("eos_token_id", default: 2) ?? -1
    model.padID = try vocabulary.id("padding_token_id") ?? -1
    return model
  }

  private func scores() throws -> [Float] {
    guard let scores = vocabulary.file["tokenizer.ggml.scores"]?.floats,
      scores.count == vocabulary.tokens.count
    else {
      throw LabError(
        .badData, "there is not one score per token",
        at: "\(vocabulary.file.path): tokenizer.ggml.scores",
        expected: "\(vocabulary.tokens.count) numbers")
    }
    return scores
  }

  /// Every way to make a piece of two, in the order of the pieces' scores; those of one piece by the
  /// ids of the two.
  private func merges(_ scores: [Float]) -> [(String, String)] {
    var ids: [ExactString: Int] = [:]
    let normal = vocabulary.tokens.indices.filter { vocabulary.types[$0] == .normal }
    for id in normal where ids[ExactString(vocabulary.tokens[id])] == nil {
      ids[ExactString(vocabulary.tokens[id])] = id
    }
    let order = normal.sorted { scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1 }
    var merges: [(String, String)] = []
    for id in order {
      let scalars = vocabulary.tokens[id].unicodeScalars
      guard scalars.count > 1, ids[ExactString(vocabulary.tokens[id])] == id else { continue }
      var ways: [(left: Int, right: Int)] = []
      var middle = scalars.index(after: scalars.startIndex)
      while middle < scalars.endIndex {
        if let left = ids[ExactString(String(scalars[..<middle]))],
          let right = ids[ExactString(String(scalars[middle...]))]
        {
          ways.append((left, right))
        }
        middle = scalars.index(after: middle)
      }
      ways.sort { ($0.left, $0.right) < ($1.left, $1.right) }
      merges += ways.map { (vocabulary.tokens[$0.left], vocabulary.tokens[$0.right]) }
    }
    return merges
  }
}
