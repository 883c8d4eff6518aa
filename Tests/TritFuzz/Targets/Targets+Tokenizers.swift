import TritLab

extension FuzzTarget {
  /// What reads tokenizers; texts go through every one that is accepted.
  static let tokenizers = [
    tokenizer(
      "tokenizer-json", "tokenizer.json", .json, "tokenizer.json", 0.1,
      [
        "TritTokenization/Loading/TokenizerJSON", "TritTokenization/BPE",
        "TritTokenization/Expressions",
        "TritTokenization/Text",
      ], Seeds.tokenizerJSON, share: 2),
    tokenizer(
      "sentencepiece", "SentencePiece's tokenizer.model", .protobuf, "tokenizer.model", 0.1,
      [
        "TritFormats/SentencePieceModel", "TritFormats/ProtobufScanner",
        "TritTokenization/SentencePiece",
      ],
      Seeds.sentencePiece),
    tokenizer(
      "tiktoken", "tiktoken ranks", .text(words: ["YQ==", "IA==", "====", "AAAA"]),
      "tokenizer.model", 0.03,
      ["TritFormats/TiktokenRanks", "TritTokenization/Loading/Tiktoken"], Seeds.tiktoken),
    tokenizer(
      "llama2c", "llama2.c's tokenizer.bin", .bytes, "tokenizer.bin", 0.05,
      ["TritTokenization/Loading/Llama2C"], Seeds.llama2c),
    tokenizer(
      "gguf-vocabulary", "the vocabulary inside a GGUF file", .gguf, "vocabulary.gguf", 0.1,
      ["TritTokenization/Loading/GGUF"], Seeds.ggufVocabulary),
  ]

  static func tokenizer(
    _ name: String, _ what: String, _ grammar: Grammar, _ file: String, _ minimum: Double,
    _ sources: [String], _ seeds: @Sendable @escaping () throws -> [[UInt8]], share: Double = 1
  ) -> FuzzTarget {
    FuzzTarget(
      name: name, summary: "\(what); texts are encoded and decoded by what is accepted",
      grammar: grammar,
      minimumAccepted: minimum, share: share, sources: sources, seeds: seeds
    ) { scratch in
      { bytes in try use(try TokenizerLoader.load(path: try scratch.write(bytes, to: file))) }
    }
  }

  /// Texts of many kinds, short: one of everything that pre-tokenizers and normalizers look at.
  static let texts = [
    "", "a", " the  and\n", "1 12 1234'S", "é中😀\u{10FFFF}", "<|end|><s> </s>",
    String(repeating: "ab ", count: 20),
  ]

  /// Laws that hold for any tokenizer, however odd.
  static func use(_ tokenizer: any Tokenizer) throws {
    let size = tokenizer.vocabularySize
    try demand(size > 0, "a vocabulary is not empty")
    for id in tokenizer.endOfGeneration.union([tokenizer.bos].compactMap(\.self)) {
      try demand(id >= 0 && id < size, "special ids lie in the vocabulary: \(id) of \(size)")
    }
    for text in texts {
      for isSpecial in [false, true] {
        let ids = try tokenizer.encode(text, addSpecial: isSpecial, parseSpecial: isSpecial)
        try demand(
          ids.allSatisfy { $0 >= 0 && $0 < size && tokenizer.piece($0) != nil },
          "ids are pieces of the vocabulary: \(text.debugDescription) gave \(ids) of \(size)")
        try decode(ids, tokenizer)
      }
    }
    try decode([size - 1, 0, size / 2].filter { tokenizer.piece($0) != nil }, tokenizer)
    for id in [-1, size, Int.max, Int.min] {
      try demand(
        (try? tokenizer.bytes(of: id, skipSpecial: false)) == nil,
        "an id outside has no bytes: \(id)")
    }
  }

  private static func decode(_ ids: [Int], _ tokenizer: any Tokenizer) throws {
    var bytes: [UInt8] = []
    do {
      for id in ids { bytes += try tokenizer.bytes(of: id, skipSpecial: true) }
      if tokenizer.stripsLeadingSpace, bytes.first == 0x20 { bytes.removeFirst() }
      let whole = String(decoding: bytes, as: UTF8.self)
      let streamed = try tokenizer.decode(ids)
      try demand(
        streamed.utf8.elementsEqual(whole.utf8), "streaming gives the whole text: ids \(ids)")
    } catch let error as LabError {
      throw BrokenLaw("every id that was encoded has bytes: \(error)")
    }
  }
}
