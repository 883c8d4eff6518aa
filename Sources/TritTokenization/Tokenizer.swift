import TritCore

/// Text to token ids and back.
///
/// Laws (`checkTokenizer`): byte-level tokenizers decode what they encode, byte for byte; streaming
/// decode gives the same text as whole decode and never splits a UTF-8 character; ids are in
/// `0..<vocabularySize`.
public protocol Tokenizer: Sendable {
  /// In words, for listings: `byte-level BPE (llama-bpe)`, `SentencePiece BPE`, …
  var kind: String { get }
  /// Number of ids.
  var vocabularySize: Int { get }
  /// Begin-of-text token, if there is one.
  var bos: Int? { get }
  /// Whether `encode(addSpecial: true)` puts `bos` in front (or the post-processor's template).
  var addsBOS: Bool { get }
  /// Tokens that end a generation.
  var endOfGeneration: Set<Int> { get }

  /// The ids of `text`. `addSpecial` applies the model's template (usually BOS in front);
  /// `parseSpecial` lets text such as `<|eot_id|>` become the control token (off for untrusted
  /// text).
  func encode(_ text: String, addSpecial: Bool, parseSpecial: Bool) throws -> [Int]
  /// The bytes that `id` adds to a text. Control tokens give none when `skipSpecial`.
  /// Throws for an id outside the vocabulary.
  func bytes(of id: Int, skipSpecial: Bool) throws -> [UInt8]
  /// The token as it is written in the vocabulary (`Ġthe`, `▁the`, `<0x0A>`), for listings.
  func piece(_ id: Int) -> String?
  /// Whether decoding drops one leading space that encoding put there (SentencePiece's dummy
  /// prefix).
  var stripsLeadingSpace: Bool { get }
  /// What a user must know before trusting the tokens: what the file left out and was guessed.
  /// Programs show them once.
  var notes: [String] { get }
}

extension Tokenizer {
  /// None.
  public var notes: [String] { [] }

  /// The text of `ids`; bytes that are not UTF-8 become U+FFFD. Throws `badData` for an id outside
  /// the vocabulary, and for a text longer than one that can be encoded.
  public func decode(_ ids: [Int], skipSpecial: Bool = true) throws -> String {
    var decoder = StreamingDecoder(self, skipSpecial: skipSpecial)
    var text = ""
    for (index, id) in ids.enumerated() {
      text += try decoder.append(id)
      try FileLimit.text.check(text.utf8.count, at: "the text of the tokens up to token \(index)")
    }
    return text + decoder.finish()
  }
}
