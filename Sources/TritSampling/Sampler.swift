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
}

/// Changes logits before a token is drawn: penalties, temperature, truncation.
///
/// Processors run in the order in which they stand in a chain. One that truncates removes candidates;
/// at least one candidate always stays. Laws: `checkLogitsProcessor`.
public protocol LogitsProcessor: Sendable {
  /// The registered name.
  var name: String { get }
  /// Changes `candidates` in place. `history` is the tokens so far, prompt included, oldest first.
  func process(_ candidates: inout [Candidate], history: borrowing TokenHistory)
}

/// Draws one of the candidates.
public protocol Sampler: Sendable {
  /// The registered name: `greedy`, `multinomial`.
  var name: String { get }
  /// The token drawn. Ties go to the smaller token id. `random` is not touched by greedy samplers.
  func sample(_ candidates: borrowing [Candidate], random: inout SeededRandom) -> Int32
}

/// The tokens so far, newest last, bounded in what penalties look at.
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
