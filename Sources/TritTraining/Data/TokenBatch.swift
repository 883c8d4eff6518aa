/// Sequences of tokens and what follows each of them.
public struct TokenBatch: Sendable, Equatable {
  /// Token ids, `[sequences, length]`.
  public var tokens: [Int32]
  /// The token after each one, `[sequences, length]`; −1 where none is to be learned.
  public var targets: [Int32]
  /// Number of sequences.
  public var sequences: Int

  /// Groups tokens and targets; both counts must be the same multiple of `sequences`.
  public init(tokens: [Int32], targets: [Int32], sequences: Int) {
    precondition(
      sequences > 0 && tokens.count == targets.count && tokens.count.isMultiple(of: sequences),
      "a batch needs one target for each token, in sequences of one length")
    self.tokens = tokens
    self.targets = targets
    self.sequences = sequences
  }

  /// Tokens of one sequence.
  public var length: Int { tokens.count / sequences }
}
