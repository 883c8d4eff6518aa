import TritLab

/// A model whose logits are a table by the last token: everything about it can be computed
/// elsewhere.
final class BigramModel: LanguageModel {
  let tokenizer: any Tokenizer
  let vocabularySize: Int
  let contextLength: Int
  let table: [[Float]]
  /// Every call: how many tokens, and from which position.
  private(set) var calls: [(count: Int, first: Int)] = []

  init(_ table: [[Float]], contextLength: Int = 4096, tokenizer: any Tokenizer = LetterTokenizer())
  {
    self.table = table
    vocabularySize = table.count
    self.contextLength = contextLength
    self.tokenizer = tokenizer
  }

  /// Logits in −2..<2 from an integer hash, the same as in the script that made the golden numbers;
  /// the table of `second` is added with `weight`.
  static func hashed(
    vocabulary: Int = 16, seed: UInt64 = 1, second: UInt64 = 2, weight: Float = 0
  ) -> BigramModel {
    func value(_ a: Int, _ b: Int, _ seed: UInt64) -> Float {
      var h = UInt32(truncatingIfNeeded: UInt64(a * 31 + b) + seed * 1009) &* 2_654_435_761
      h ^= h >> 15
      h = h &* 2_246_822_519
      h ^= h >> 13
      return Float(h >> 8) / 4_194_304 - 2
    }
    return BigramModel(
      (0..<vocabulary).map { a in
        (0..<vocabulary).map { b in value(a, b, seed) + weight * value(a, b, second) }
      })
  }

  func forEachLogits(
    of tokens: [Int], from first: Int,
    _ body: (_ position: Int, _ logits: UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    calls.append((tokens.count, first))
    for position in first..<tokens.count {
      try table[tokens[position]].withUnsafeBufferPointer { try body(position, $0) }
    }
  }
}

/// `a`…`p` are tokens 0…15 (and bytes after them by value); token 0 also serves as BOS.
struct LetterTokenizer: Tokenizer {
  var addsBOS = true
  let kind = "letters"
  let vocabularySize = 16
  let bos: Int? = 0
  let endOfGeneration: Set<Int> = []
  let stripsLeadingSpace = false
  /// A control token, which has bytes only where special tokens are shown, and a token without any.
  var control: Int?
  var silent: Int?

  func encode(_ text: String, addSpecial: Bool, parseSpecial: Bool) throws -> [Int] {
    (addSpecial && addsBOS ? [0] : [])
      + text.utf8.map { Int($0) - 97 }
  }

  func bytes(of id: Int, skipSpecial: Bool) throws -> [UInt8] {
    id == silent || id == control && skipSpecial ? [] : [UInt8(id + 97)]
  }

  func piece(_ id: Int) -> String? { nil }

  /// The text whose tokens these are.
  static func text(_ tokens: [Int]) -> String {
    String(decoding: tokens.map { UInt8($0 + 97) }, as: UTF8.self)
  }
}

/// The tokens of the golden script.
func goldenTokens(_ count: Int) -> [Int] {
  (0..<count).map { ($0 * $0 * 7 + $0 * 3 + $0 / 5) % 16 }
}

/// Whether two numbers agree to `digits` significant digits, or within 1e-12 near zero.
func agrees(_ a: Double, _ b: Double, digits: Double = 6) -> Bool {
  abs(a - b) <= max(1e-9, abs(b) * pow10(-digits))
}

private func pow10(_ exponent: Double) -> Double {
  var value = 1.0
  for _ in 0..<Int(-exponent) { value /= 10 }
  return value
}
