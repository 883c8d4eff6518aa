import TritCore
import TritTokenization

/// Trains a byte-level byte-pair vocabulary (Sennrich, Haddow, Birch, ACL 2016, on bytes as GPT-2
/// does).
///
/// Text is cut into words by the GPT-2 expression, distinct words are counted, and the commonest
/// pair of adjacent tokens is merged until the vocabulary is full. Ids: special tokens, then the
/// 256 bytes in the order of their characters (GPT-2's alphabet), then merges. Of pairs that are
/// equally common the one with the smaller left id, then the smaller right id, is merged first.
/// This is the order of Hugging Face's `BpeTrainer` with `initial_alphabet=ByteLevel.alphabet()`,
/// so both give one file.
public struct BytePairTrainer: Sendable {
  /// Tokens in the vocabulary, special tokens and bytes included: 257 to 65,536.
  public let vocabularySize: Int
  /// Texts of the special tokens, ids 0, 1, …; the first separates texts and is BOS and EOS.
  public let specialTokens: [String]
  /// A pair must occur this often to be merged.
  public let minimumCount: Int
  private var words = WordCounts()

  /// The token that ends a text.
  public static let endOfText = "<|endoftext|>"

  /// A trainer that has seen no text yet. Throws `usage` for a size out of range and for special
  /// tokens that are empty, repeated or missing.
  public init(
    vocabularySize: Int, specialTokens: [String] = [BytePairTrainer.endOfText],
    minimumCount: Int = 2
  ) throws {
    let least = 256 + specialTokens.count
    guard vocabularySize >= least, vocabularySize <= 65_536 else {
      throw LabError(
        .usage, "the vocabulary size is out of range", at: "vocabularySize",
        expected: "\(least) (256 bytes and the special tokens) to 65536", got: "\(vocabularySize)",
        advice: "512 to 4096 suits the story corpus")
    }
    guard !specialTokens.isEmpty, !specialTokens.contains(""),
      Set(specialTokens).count == specialTokens.count
    else {
      throw LabError(
        .usage, "the special tokens are not usable", at: "specialTokens",
        expected: "at least one, none empty, none twice", got: "\(specialTokens)")
    }
    guard minimumCount >= 1 else {
      throw LabError(
        .usage, "the minimum count is out of range", at: "minimumCount", expected: "at least 1",
        got: "\(minimumCount)")
    }
    self.vocabularySize = vocabularySize
    self.specialTokens = specialTokens
    self.minimumCount = minimumCount
  }

  /// Counts the words of a text. Words never cross texts. Special tokens are not looked for: give
  /// texts without them.
  public mutating func add(_ text: String) {
    var text = text
    text.withUTF8 { bytes in ByteLevelText.forEachWord(of: bytes) { words.add($0) } }
  }

  /// Distinct words seen so far.
  public var distinctWords: Int { words.count }

  /// Merges until the vocabulary is full or no pair is common enough. Throws `badData` where no
  /// text was added.
  public func train() throws -> BytePairVocabulary {
    guard words.count > 0 else {
      throw LabError(
        .badData, "there is no text to train a vocabulary on", advice: "add texts before training")
    }
    var state = MergeState(words, firstByteID: specialTokens.count)
    var pieces = ByteLevelText.orderedBytes.map { [$0] }
    var ids: [[UInt8]: Int] = [:]
    for (offset, piece) in pieces.enumerated() { ids[piece] = specialTokens.count + offset }
    var merges: [(left: Int, right: Int)] = []
    while specialTokens.count + pieces.count < vocabularySize,
      let pair = state.popBest(minimumCount: minimumCount)
    {
      let left = pieces[Int(pair.left) - specialTokens.count]
      let right = pieces[Int(pair.right) - specialTokens.count]
      // Two pairs can spell one token: it keeps its first id, and both merges stand.
      let id = ids[left + right] ?? specialTokens.count + pieces.count
      if ids.updateValue(id, forKey: left + right) == nil { pieces.append(left + right) }
      merges.append((Int(pair.left), Int(pair.right)))
      state.merge(pair, into: Int32(id))
    }
    return BytePairVocabulary(specialTokens: specialTokens, pieces: pieces, merges: merges)
  }
}

/// Two adjacent tokens.
struct TokenPair: Hashable, Sendable {
  let left: Int32
  let right: Int32

  /// Both ids in one number that sorts by left, then right.
  var key: UInt64 { UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right)) }
}

/// The words as tokens, the counts of their pairs, and a heap of pairs by count.
///
/// Counts in the heap may be out of date: an entry is checked against `counts` when it comes up.
private struct MergeState {
  private var words: [[Int32]] = []
  private let wordCounts: [Int]
  private var counts: [TokenPair: Int] = [:]
  private var places: [TokenPair: [Int32]] = [:]
  private var heap: [(count: Int, pair: TokenPair)] = []

  init(_ source: WordCounts, firstByteID: Int) {
    var idOfByte = [Int32](repeating: 0, count: 256)
    for (offset, byte) in ByteLevelText.orderedBytes.enumerated() {
      idOfByte[Int(byte)] = Int32(firstByteID + offset)
    }
    wordCounts = source.counts
    for index in 0..<source.count {
      words.append(source.bytes[source.range(index)].map { idOfByte[Int($0)] })
      for pair in Self.pairs(words[index]) {
        counts[pair, default: 0] += wordCounts[index]
        if places[pair]?.last != Int32(index) { places[pair, default: []].append(Int32(index)) }
      }
    }
    for (pair, count) in counts { push(count, pair) }
  }

  private static func pairs(_ word: [Int32]) -> some Sequence<TokenPair> {
    zip(word, word.dropFirst()).lazy.map { TokenPair(left: $0, right: $1) }
  }

  /// Takes the commonest pair; nil where none occurs `minimumCount` times.
  mutating func popBest(minimumCount: Int) -> TokenPair? {
    while let top = pop() {
      let count = counts[top.pair] ?? 0
      if count == top.count { return count >= minimumCount ? top.pair : nil }
      if count > 0 { push(count, top.pair) }
    }
    return nil
  }

  /// Replaces `pair` by `id` in every word, left to right, and corrects the counts.
  mutating func merge(_ pair: TokenPair, into id: Int32) {
    var changed: Set<TokenPair> = []
    for index in Set(places.removeValue(forKey: pair) ?? []).sorted() {
      let old = words[Int(index)]
      var new: [Int32] = []
      var position = 0
      while position < old.count {
        let isPair =
          position + 1 < old.count && old[position] == pair.left && old[position + 1] == pair.right
        new.append(isPair ? id : old[position])
        position += isPair ? 2 : 1
      }
      guard new.count < old.count else { continue }
      let count = wordCounts[Int(index)]
      for pair in Self.pairs(old) { counts[pair, default: 0] -= count }
      for pair in Self.pairs(new) {
        counts[pair, default: 0] += count
        if pair.left == id || pair.right == id {
          changed.insert(pair)
          places[pair, default: []].append(index)
        }
      }
      words[Int(index)] = new
    }
    counts[pair] = nil
    for pair in changed { push(counts[pair] ?? 0, pair) }
  }

  // MARK: Heap

  private static func precedes(
    _ a: (count: Int, pair: TokenPair), _ b: (count: Int, pair: TokenPair)
  ) -> Bool {
    a.count != b.count ? a.count > b.count : a.pair.key < b.pair.key
  }

  private mutating func push(_ count: Int, _ pair: TokenPair) {
    heap.append((count, pair))
    var child = heap.count - 1
    while child > 0, Self.precedes(heap[child], heap[(child - 1) / 2]) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  private mutating func pop() -> (count: Int, pair: TokenPair)? {
    guard let top = heap.first, let last = heap.popLast() else { return nil }
    guard !heap.isEmpty else { return top }
    heap[0] = last
    var parent = 0
    while true {
      var best = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < heap.count && Self.precedes(heap[child], heap[best]) {
        best = child
      }
      if best == parent { return top }
      heap.swapAt(parent, best)
      parent = best
    }
  }
}
