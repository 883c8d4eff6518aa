/// Hand-written scanners for the regular expressions that byte-level tokenizers split text with.
///
/// Each takes the offset of a piece and gives the offset where it ends; together the pieces cover
/// the text. The alternatives are tried in the order of the expression, which the comments quote.
struct Scanner {
  let view: TextView
  /// End of the text: what the look-ahead `(?!\S)` sees as the end.
  let end: Int

  @inline(__always)
  private func classes(at offset: Int) -> CharacterClass { view.character(at: offset).classes }

  /// The end of the run of characters from `start` that have one of `classes`, at most `limit` of
  /// them.
  @inline(__always)
  private func run(_ start: Int, of wanted: CharacterClass, limit: Int = .max) -> Int {
    var offset = start
    var taken = 0
    while offset < end, taken < limit {
      let (classes, length) = view.character(at: offset)
      guard !classes.isDisjoint(with: wanted) else { break }
      offset += length
      taken += 1
    }
    return offset
  }

  /// `[^\s\p{L}\p{N}]+`.
  @inline(__always)
  private func runOfOthers(_ start: Int) -> Int {
    var offset = start
    while offset < end {
      let (classes, length) = view.character(at: offset)
      guard classes.isDisjoint(with: [.letter, .number, .whitespace]) else { break }
      offset += length
    }
    return offset
  }

  /// The end of the piece at `start` by the Llama-3 expression, with groups of at most `digits`
  /// digits (3: Llama-3; 1: Qwen2):
  /// `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|`
  /// `\s*[\r\n]+|\s+(?!\S)|\s+`.
  func llama3(_ start: Int, digits: Int) -> Int {
    let (first, length) = view.character(at: start)
    let afterFirst = start + length
    if first.contains(.letter) { return run(afterFirst, of: .letter) }
    if first.contains(.number) { return run(start, of: .number, limit: digits) }
    let byte = view.base[start]
    if byte == 0x27, let contraction = contraction(start, ignoringCase: true) { return contraction }
    if byte != 0x0A, byte != 0x0D, afterFirst < end, classes(at: afterFirst).contains(.letter) {
      return run(afterFirst, of: .letter)
    }
    var others = start
    if byte == 0x20 { others = afterFirst }
    let afterOthers = runOfOthers(others)
    if afterOthers > others {
      var offset = afterOthers
      while offset < end, view.base[offset] == 0x0A || view.base[offset] == 0x0D { offset += 1 }
      return offset
    }
    let spaces = run(start, of: .whitespace)
    var lineEnd = spaces
    while lineEnd > start, view.base[lineEnd - 1] != 0x0A, view.base[lineEnd - 1] != 0x0D {
      lineEnd -= 1
    }
    return lineEnd > start ? lineEnd : leavingLastSpace(start, spaces)
  }

  /// The end of the piece at `start` by the GPT-2 expression:
  /// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
  func gpt2(_ start: Int) -> Int {
    let byte = view.base[start]
    if byte == 0x27, let contraction = contraction(start, ignoringCase: false) {
      return contraction
    }
    let body = byte == 0x20 ? start + 1 : start
    if body < end {
      let classes = classes(at: body)
      if classes.contains(.letter) { return run(body, of: .letter) }
      if classes.contains(.number) { return run(body, of: .number) }
      if !classes.contains(.whitespace) { return runOfOthers(body) }
    }
    return leavingLastSpace(start, run(start, of: .whitespace))
  }

  /// `\s+(?!\S)|\s+` on the run `start..<spaces`: a run before something else gives up its last
  /// character (to be the space in front of a word), unless that is all it has.
  private func leavingLastSpace(_ start: Int, _ spaces: Int) -> Int {
    guard spaces < end else { return spaces }
    var last = spaces - 1
    while last > start, view.base[last] & 0b1100_0000 == 0b1000_0000 { last -= 1 }
    return last > start ? last : spaces
  }

  /// The end of `'s 't 're 've 'm 'll 'd` at the apostrophe `start`, or nil. Ignoring case, `ſ`
  /// (U+017F) is an `s`, as in Oniguruma.
  private func contraction(_ start: Int, ignoringCase: Bool) -> Int? {
    func letter(_ offset: Int) -> UInt8 {
      guard offset < end else { return 0 }
      let byte = view.base[offset]
      return ignoringCase && byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
    }
    switch letter(start + 1) {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"):
      return start + 2
    case UInt8(ascii: "r"), UInt8(ascii: "v"):
      return letter(start + 2) == UInt8(ascii: "e") ? start + 3 : nil
    case UInt8(ascii: "l"):
      return letter(start + 2) == UInt8(ascii: "l") ? start + 3 : nil
    case 0xC5 where ignoringCase:
      return letter(start + 2) == 0xBF ? start + 3 : nil
    default: return nil
    }
  }
}
