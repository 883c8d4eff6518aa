public import TritCore

/// One token that may come next.
@frozen public struct Candidate: Sendable, Equatable {
  /// Token id.
  public var token: Int32
  /// Its logit after the processors so far.
  public var logit: Float

  /// Pairs a token with its logit.
  @inlinable public init(token: Int32, logit: Float) {
    self.token = token
    self.logit = logit
  }

  /// The order of preference: larger logit first, smaller token id on a tie. A total order, so that
  /// whatever sorts or selects by it does not depend on the order it was given.
  @inlinable public func precedes(_ other: Candidate) -> Bool {
    logit > other.logit || (logit == other.logit && token < other.token)
  }
}

/// Changes logits before a token is drawn: penalties, temperature, truncation.
///
/// Processors run in the order in which they stand in a chain. A processor may change logits,
/// remove candidates and reorder them; it never adds one, and at least one always stays. Logits are
/// never NaN or +∞; −∞ is a candidate that cannot be drawn. It may keep scratch memory between
/// calls, but what it does is a function of candidates and history. Laws: `checkLogitsProcessor`.
public protocol LogitsProcessor: Sendable {
  /// The registered name.
  var name: String { get }
  /// Changes `candidates`, non-empty and in any order, in place. `history` is the tokens so far,
  /// prompt included, oldest first.
  mutating func process(_ candidates: inout [Candidate], history: borrowing TokenHistory)
  /// The same for a processor that draws: what it does is a function of the source's state too. One
  /// that draws nothing leaves this out.
  mutating func process(
    _ candidates: inout [Candidate], history: borrowing TokenHistory, random: inout SeededRandom)
}

extension LogitsProcessor {
  /// Draws nothing.
  public mutating func process(
    _ candidates: inout [Candidate], history: borrowing TokenHistory, random: inout SeededRandom
  ) {
    process(&candidates, history: history)
  }
}

/// What a sampler promises about the tokens that it draws; decides which laws `checkSampler` tests.
public enum SamplerBehaviour: Sendable, Hashable {
  /// Always the best candidate.
  case best
  /// Each candidate with the probability that the softmax of the logits gives it.
  case proportional
  /// Something else, that only the general laws cover.
  case other
}

/// Draws one of the candidates. It may keep what it learns of a text from token to token: each text
/// has a copy of its own. Laws: `checkSampler`.
public protocol Sampler: Sendable {
  /// The registered name: `greedy`, `multinomial`.
  var name: String { get }
  /// What it promises.
  var behaviour: SamplerBehaviour { get }
  /// The token drawn from `candidates`, non-empty, not all −∞. The best of equals is the smaller
  /// token id. `random` is not touched by samplers that draw nothing.
  mutating func sample(_ candidates: borrowing [Candidate], random: inout SeededRandom) -> Int32
}

/// The tokens so far, newest last.
public struct TokenHistory: Sendable {
  /// All tokens, prompt included, oldest first.
  public private(set) var tokens: [Int32] = []

  /// A history that begins with `tokens`, with room so that generation does not allocate.
  public init(_ tokens: [Int32] = [], reserving capacity: Int = 0) {
    self.tokens = tokens
    self.tokens.reserveCapacity(max(capacity, tokens.count))
  }

  /// Appends the token that was drawn.
  public mutating func append(_ token: Int32) { tokens.append(token) }
}
