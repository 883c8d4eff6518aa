import TritCore
public import TritTokenization

/// The tokens that a training reads, and those it is judged on.
public struct TokenCorpus: Sendable {
  /// Tokens to train on, texts behind each other.
  public var train: [Int32]
  /// Tokens of held-out text.
  public var valid: [Int32]
  /// What they came from, for the records.
  public var source: String

  /// Pairs two sets of tokens.
  public init(train: [Int32], valid: [Int32], source: String) {
    self.train = train
    self.valid = valid
    self.source = source
  }

  /// SHA-256 over both sets.
  public var digest: String {
    var digest = SHA256()
    for set in [train, valid] {
      withUnsafeBytes(of: UInt64(set.count).littleEndian) { digest.update($0) }
      set.withUnsafeBytes { digest.update($0) }
    }
    return digest.finish()
  }

  /// The tokens of `texts`, each followed by the tokenizer's end-of-text token, until `limit` of
  /// them.
  public static func encode(
    _ texts: some Sequence<String>, by tokenizer: any Tokenizer, limit: Int
  ) throws -> [Int32] {
    var tokens: [Int32] = []
    tokens.reserveCapacity(min(limit, 1 << 26) + 4096)
    let separator = (tokenizer.endOfGeneration.min() ?? tokenizer.bos).flatMap(Int32.init(exactly:))
    for text in texts {
      for id in try tokenizer.encode(text, addSpecial: false, parseSpecial: false) {
        guard let id = Int32(exactly: id) else { continue }
        tokens.append(id)
      }
      if let separator { tokens.append(separator) }
      if tokens.count >= limit { break }
      try Interruption.check()
    }
    if tokens.count > limit { tokens.removeLast(tokens.count - limit) }
    return tokens
  }
}

/// Cuts a run of tokens into windows and gives them in an order that depends on the seed alone.
///
/// Every epoch starts at another offset and shuffles its windows, so the batch at any position is a
/// function of the seed and the position: to resume, a training needs to know no more than its
/// step.
struct WindowSampler {
  let tokens: [Int32]
  let length: Int
  let seed: UInt64
  private let windows: Int
  private var epoch = -1
  private var order: [Int32] = []
  private var shift = 0

  /// Throws `badData` for too few tokens.
  init(_ tokens: [Int32], length: Int, seed: UInt64, what: String) throws {
    guard tokens.count > length else {
      throw LabError(
        .badData, "there is too little text", at: what, expected: "more than \(length) tokens",
        got: "\(tokens.count)")
    }
    self.tokens = tokens
    self.length = length
    self.seed = seed
    windows = max(1, (tokens.count - length) / length)
  }

  /// The windows `first..<first + count` of the endless sequence of epochs.
  mutating func batch(first: Int, count: Int) -> TokenBatch {
    var inputs: [Int32] = []
    var targets: [Int32] = []
    inputs.reserveCapacity(count * length)
    targets.reserveCapacity(count * length)
    for position in first..<first + count {
      begin(epoch: position / windows)
      let start = shift + Int(order[position % windows]) * length
      inputs += tokens[start..<start + length]
      targets += tokens[start + 1..<start + length + 1]
    }
    return TokenBatch(tokens: inputs, targets: targets, sequences: count)
  }

  private mutating func begin(epoch next: Int) {
    guard next != epoch else { return }
    epoch = next
    var random = SeededRandom(seed: seed &+ UInt64(next) &* 0xD134_2543_DE82_EF95)
    let room = tokens.count - 1 - windows * length
    shift = room > 0 ? random.below(min(room, length - 1) + 1) : 0
    order = (0..<Int32(windows)).map { $0 }
    for index in stride(from: windows - 1, to: 0, by: -1) {
      order.swapAt(index, random.below(index + 1))
    }
  }
}
