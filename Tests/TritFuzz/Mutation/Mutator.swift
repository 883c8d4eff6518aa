import TritLab

/// Changes inputs, at the level of their form and at that of bytes. Deterministic.
struct Mutator {
  var random: SeededRandom
  /// No input grows beyond this many bytes.
  var limit = 1 << 18

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  /// A changed `input`; `other` is another input, to take parts from.
  mutating func mutate(_ input: [UInt8], as grammar: Grammar, other: [UInt8]) -> [UInt8] {
    var result = input
    // Mostly one change: two that break something hide each other.
    var changes = 1
    while changes < 6, random.below(3) == 0 { changes += 1 }
    for _ in 0..<changes { result = change(result, as: grammar, other: other) }
    return result.count > limit ? Array(result.prefix(limit)) : result
  }

  mutating func change(_ input: [UInt8], as grammar: Grammar, other: [UInt8]) -> [UInt8] {
    if random.below(200) == 0 { return repeated(input) }
    if random.below(12) == 0 { return changeBytes(input, other: other) }
    switch grammar {
    case .bytes: return changeBytes(input, other: other)
    case .text(let words): return changeText(input, words: words, other: other)
    case .json: return changeJSON(input, other: other)
    case .jsonLines: return changeJSONLines(input, other: other)
    case .gguf: return changeGGUF(input, other: other)
    case .safetensors: return changeSafetensors(input, other: other)
    case .protobuf: return changeProtobuf(input, other: other)
    case .pack(let grammars):
      var parts = Pack.split(input, grammars.count)
      let others = Pack.split(other, grammars.count)
      let index = random.below(grammars.count)
      parts[index] = change(parts[index], as: grammars[index], other: others[index])
      return Pack.join(parts)
    }
  }

  // MARK: What breaks things

  /// Numbers at the edges of types, of blocks and of good sense.
  static let numbers: [UInt64] =
    [
      0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 255, 256, 257,
      511, 512,
    ]
    + [
      1000, 1023, 1024, 4096, 0x7fff, 0x8000, 0xffff, 0x1_0000, 1_000_000, 0x7fff_ffff, 0x8000_0000,
    ]
    + [
      0xffff_fffe, 0xffff_ffff, 0x1_0000_0000, 1 << 33, 1 << 40, 1 << 53, (1 << 53) + 1, 1 << 61,
      1 << 62,
    ]
    + [UInt64.max >> 1, (UInt64.max >> 1) + 1, UInt64.max - 31, UInt64.max - 1, UInt64.max]

  /// Texts that readers trip over: empty, long, other scripts, controls, look-alikes of syntax.
  static let texts = [
    "", " ", "a", "\0", "\n", "\r\n", "\t", "é", "e\u{301}", "中", "😀", "\u{FEFF}", "\u{202E}",
    "\u{FFFD}",
    "\u{1B}[31m", "<script>", "../../etc/passwd", "/dev/null", "%s%n", "'", "\"", "\\", "{", "}",
    "[", "]", ":",
    ",", "#", "-1", "0", "1e400", "nan", "inf", "null", "true", "~", "▁", "Ġ", "<0x41>", "<0xZZ>",
    "<s>", "</s>",
    String(repeating: "a", count: 300), String(repeating: "[", count: 200), "\u{10FFFF}",
  ]

  mutating func interesting(near value: UInt64 = 0) -> UInt64 {
    switch random.below(8) {
    case 0: return value &+ 1
    case 1: return value &- 1
    case 2: return value &* 2
    case 3: return value / 2
    case 4: return UInt64(random.below(300))
    default: return Self.numbers[random.below(Self.numbers.count)]
    }
  }

  mutating func pick<T>(_ list: [T]) -> T { list[random.below(list.count)] }

  mutating func oneIn(_ count: Int) -> Bool { random.below(count) == 0 }

  /// A range of at most `most` elements in `0..<count`.
  mutating func range(in count: Int, most: Int = 64) -> Range<Int> {
    guard count > 0 else { return 0..<0 }
    let start = random.below(count)
    return start..<min(count, start + 1 + random.below(oneIn(8) ? count : most))
  }

  /// A few bytes many times: nesting as deep, lists as long, names as large as an input can be.
  private mutating func repeated(_ input: [UInt8]) -> [UInt8] {
    guard !input.isEmpty else { return input }
    let piece = range(in: input.count, most: 6)
    let room = max(0, (1 << 16) - input.count) / piece.count
    let count = min(room, 1 << random.below(17))
    var result = input
    result.insert(
      contentsOf: repeatElement(Array(input[piece]), count: count).joined(), at: piece.upperBound)
    return result
  }

  // MARK: Bytes

  mutating func changeBytes(_ input: [UInt8], other: [UInt8]) -> [UInt8] {
    var bytes = input
    guard !bytes.isEmpty else {
      return (0..<1 + random.below(16)).map { _ in UInt8(random.below(256)) }
    }
    let place = random.below(bytes.count)
    switch random.below(12) {
    case 0: bytes[place] ^= UInt8(1 << random.below(8))
    case 1: bytes[place] = UInt8(random.below(256))
    case 2: bytes[place] = pick([0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x20, 0x22])
    case 3, 4:
      let width = pick([1, 2, 4, 8])
      guard let old = Little.number(bytes, place, width) else { return bytes }
      bytes.replaceSubrange(
        place..<place + width, with: Little.bytes(interesting(near: old), width))
    case 5: bytes.removeSubrange(range(in: bytes.count))
    case 6: bytes.insert(contentsOf: bytes[range(in: bytes.count)], at: place)
    case 7:
      bytes.insert(
        contentsOf: (0..<1 + random.below(8)).map { _ in UInt8(random.below(256)) }, at: place)
    case 8: bytes.removeLast(1 + random.below(bytes.count))
    case 9:
      let from = range(in: bytes.count)
      let piece = Array(bytes[from])
      let end = min(place + piece.count, bytes.count)
      bytes.replaceSubrange(place..<end, with: piece.prefix(end - place))
    case 10: bytes.insert(contentsOf: other[range(in: other.count)], at: place)
    default:
      guard !other.isEmpty else { return bytes }
      bytes = Array(bytes.prefix(place)) + other.suffix(random.below(other.count))
    }
    return bytes
  }
}
