import TritCore

/// How far the rules of a tokenizer may make a text grow.
///
/// Rules come from files, and a few of them in a row double a text: forty replacements of `a` by
/// `aa` make a terabyte of one letter. Every rewrite of one text, whatever its rule, draws on one
/// account, which is `base` bytes and `factor` times the text. Unicode's compatibility forms need
/// at most 11 times (U+FDFA), a mark for a space 3.
struct TextGrowth {
  /// Bytes that all rewrites of the text may come to.
  let limit: Int
  /// Bytes of the text.
  let size: Int
  private let words: String
  private var spent = 0

  /// The account of a text of `size` bytes that is encoded.
  init(encoding size: Int) {
    self.init(size, base: 64 << 10, factor: 32, of: "a text of \(Self.bytes(size))")
  }

  /// The account of the text that a token of `size` bytes stands for in decoding.
  init(decoding size: Int) {
    self.init(size, base: 256, factor: 16, of: "a token of \(Self.bytes(size))")
  }

  private init(_ size: Int, base: Int, factor: Int, of what: String) {
    self.size = size
    limit = base + factor * size
    words = "\(limit) bytes for \(what) (\(base) and \(factor) times its own)"
  }

  private static func bytes(_ count: Int) -> String { count == 1 ? "1 byte" : "\(count) bytes" }

  /// Bytes that the next rewrite may give. Offsets into a text have 32 bits.
  var room: Int { min(limit - spent, Int(Int32.max) - 1) }

  /// Notes that a part of the text has taken `bytes` at most on its way through a sequence of
  /// rewrites.
  mutating func spend(_ bytes: Int) { spent += bytes }

  /// The error for the rule at `place` that wants more than there is room.
  func exceeded(by rule: String, at place: String) -> LabError {
    LabError(
      .badData, "the rule makes the text too long: \(rule)", at: place,
      expected: "at most \(words)",
      got: "more",
      advice: "the tokenizer's rules blow text up; use the tokenizer that belongs to the model")
  }
}
