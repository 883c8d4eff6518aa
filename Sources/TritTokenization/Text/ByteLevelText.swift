public import TritFormats

/// What training a byte-level vocabulary needs of this module's text handling.
package enum ByteLevelText {
  /// Calls `body` with each word of UTF-8 `text` as the GPT-2 expression cuts it.
  package static func forEachWord(
    of text: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Void
  ) {
    let splitter = PreTokenizer(steps: [.byteLevel(addsPrefixSpace: false, usesRegex: true)])
    splitter.forEachFragment(of: text, body)
  }

  /// The 256 bytes in the order of the characters that stand for them in a vocabulary.
  package static let orderedBytes: [UInt8] = (0...255)
    .sorted { ByteAlphabet.scalars[Int($0)] < ByteAlphabet.scalars[Int($1)] }

  /// The characters that stand for `bytes` in a vocabulary.
  package static func piece(_ bytes: some Sequence<UInt8>) -> String { ByteAlphabet.encode(bytes) }
}

extension BytePairTokenizer {
  /// The tokenizer that a `tokenizer.json` document in memory describes. Throws `badData` with the
  /// key path for anything missing, mistyped or not supported.
  public init(document: JSONValue) throws {
    try self.init(json: document, path: "tokenizer.json", settings: TokenizerSettings())
  }
}
