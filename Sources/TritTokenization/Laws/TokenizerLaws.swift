public import TritCore

/// Texts that tokenizers trip over: scripts, joiners, runs of white space, digits, quotes,
/// controls.
public let awkwardTexts: [String] = [
  "a", " ", "  ", "\n", "\r\n", "\t\t", " a", "a ", "  a  b  ", "\n\n  \n", "Hello world",
  "don't I'VE it's 'S", "1 12 123 1234 12345678", "½ Ⅷ ２ ٣٤", "naïve e\u{301} é", "中文字 日本語 한국어",
  "العربية हिन्दी ไทย", "🚀🚀", "👩‍👩‍👧‍👦 🏳️‍🌈", "x=$3.14; y={[(<>)]}", "``code`` — «quote»…",
  "a\u{A0}b\u{3000}c\u{2028}d", "http://a.b/c?d=e&f#g", "  def f(x):\n\treturn x**2\n",
  "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \u{10FFFF}", String(repeating: "a", count: 300), String(repeating: " ", count: 100),
  String(repeating: "ab ", count: 100), "<|endoftext|> <s> </s> <0x41>",
]

/// Checks `tokenizer` against the laws of `Tokenizer`.
///
/// - Parameters:
///   - texts: what to encode; `awkwardTexts` unless said otherwise.
///   - isExact: whether encoding then decoding must give the text byte for byte. True for byte-level
///     tokenizers and SentencePiece with byte fallback; false for normalizing ones.
/// - Returns: the laws that were broken, each with the text that shows it; empty when all hold.
public func checkTokenizer(
  _ tokenizer: any Tokenizer, texts: [String] = awkwardTexts, isExact: Bool = true
) -> [LawViolation] {
  var checker = TokenizerChecker(tokenizer: tokenizer)
  for text in texts { checker.check(text, isExact: isExact) }
  checker.checkEmpty()
  checker.checkRange()
  checker.checkGarbage()
  return checker.violations
}

private struct TokenizerChecker {
  let tokenizer: any Tokenizer
  var violations: [LawViolation] = []

  mutating func check(_ text: String, isExact: Bool) {
    let shown = String(text.debugDescription.prefix(100))
    guard
      let ids = attempt(
        "encodes any text", shown, { [tokenizer] in try Self.encode(text, tokenizer) })
    else { return }
    let size = tokenizer.vocabularySize
    expect(
      ids.allSatisfy { $0 >= 0 && $0 < size }, "ids lie in 0..<vocabularySize", "\(shown): \(ids)")
    expect((try? Self.encode(text, tokenizer)) == ids, "encoding is deterministic", shown)
    if let framed = attempt(
      "encodes any text", shown,
      { [tokenizer] in try tokenizer.encode(text, addSpecial: true, parseSpecial: false) })
    {
      let hasBOS = framed.first == tokenizer.bos
      expect(!tokenizer.addsBOS || hasBOS, "addsBOS puts bos in front", "\(shown): \(framed)")
      expect(
        framed.count >= ids.count && contains(framed, ids),
        "special tokens go around the text's own", "\(shown): \(framed)")
    }
    checkStreaming(ids, shown)
    guard isExact else { return }
    if let decoded = attempt(
      "decodes what it encoded", shown, { [tokenizer] in try tokenizer.decode(ids) })
    {
      // Byte for byte: String equality would be canonical equivalence.
      expect(
        decoded.utf8.elementsEqual(text.utf8), "decoding gives the text back, byte for byte",
        "\(shown) became \(decoded.debugDescription.prefix(100))")
    }
  }

  /// Streaming gives what the bytes of all tokens give at once, in parts that are whole characters.
  mutating func checkStreaming(_ ids: [Int], _ shown: String) {
    var bytes: [UInt8] = []
    var streamed = ""
    var parts: [String] = []
    var decoder = StreamingDecoder(tokenizer)
    for id in ids {
      guard
        let part = attempt("decodes every id", "\(id)", { try decoder.append(id) }),
        let more = attempt(
          "decodes every id", "\(id)",
          { [tokenizer] in try tokenizer.bytes(of: id, skipSpecial: true) })
      else { return }
      bytes += more
      parts.append(part)
      streamed += part
    }
    streamed += decoder.finish()
    if tokenizer.stripsLeadingSpace, bytes.first == 0x20 { bytes.removeFirst() }
    let whole = String(decoding: bytes, as: UTF8.self)
    expect(
      streamed.utf8.elementsEqual(whole.utf8), "streaming decode gives the whole decode",
      "\(shown): \(streamed.debugDescription.prefix(100))")
    guard String(validating: bytes, as: UTF8.self) != nil, !whole.contains("\u{FFFD}") else {
      return
    }
    expect(
      !parts.contains { $0.unicodeScalars.contains("\u{FFFD}") },
      "streaming decode never splits a character", shown)
  }

  mutating func checkEmpty() {
    if let ids = attempt(
      "encodes the empty text", "", { [tokenizer] in try Self.encode("", tokenizer) })
    {
      expect(ids.isEmpty, "the empty text has no tokens of its own", "\(ids)")
    }
    if let text = attempt("decodes no tokens", "", { [tokenizer] in try tokenizer.decode([]) }) {
      expect(text.isEmpty, "no tokens decode to the empty text", text)
    }
  }

  mutating func checkRange() {
    let size = tokenizer.vocabularySize
    expect(size > 0, "the vocabulary is not empty", "\(size)")
    for id in [-1, size, Int.max, Int.min] {
      expect(
        (try? tokenizer.bytes(of: id, skipSpecial: false)) == nil,
        "an id outside the vocabulary is an error", "\(id)")
      expect(tokenizer.piece(id) == nil, "an id outside the vocabulary has no piece", "\(id)")
    }
    for id in tokenizer.endOfGeneration.union([tokenizer.bos].compactMap(\.self)) {
      expect(id >= 0 && id < size, "special ids lie in 0..<vocabularySize", "\(id)")
    }
  }

  /// Any sequence of ids decodes, and streaming agrees: models make such sequences.
  mutating func checkGarbage() {
    guard tokenizer.vocabularySize > 0 else { return }
    var random = SeededRandom(seed: 7)
    for length in [1, 2, 3, 5, 50] {
      let ids = (0..<length).map { _ in random.below(tokenizer.vocabularySize) }
        .filter { tokenizer.piece($0) != nil }
      checkStreaming(ids, "ids \(ids)")
    }
  }

  private static func encode(_ text: String, _ tokenizer: any Tokenizer) throws -> [Int] {
    try tokenizer.encode(text, addSpecial: false, parseSpecial: false)
  }

  private func contains(_ outer: [Int], _ inner: [Int]) -> Bool {
    (0...(outer.count - inner.count)).contains { outer[$0...].starts(with: inner) }
  }

  private mutating func expect(_ holds: Bool, _ law: String, _ evidence: String) {
    if !holds { violations.append(LawViolation(law, evidence)) }
  }

  private mutating func attempt<T>(_ law: String, _ evidence: String, _ body: () throws -> T) -> T?
  {
    do {
      return try body()
    } catch {
      violations.append(LawViolation(law, "\(evidence): \(error)"))
      return nil
    }
  }
}
