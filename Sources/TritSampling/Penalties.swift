/// Counts the newest tokens of the history, without allocating after it has seen the largest token.
struct NewestCounts: Sendable {
  private var counts: [Int32] = []

  /// Calls `body(token, count)` once for each different token among the newest `lastN` (−1: all).
  mutating func forEach(
    in history: borrowing TokenHistory, newest lastN: Int, _ body: (Int32, Int32) -> Void
  ) {
    let tokens = history.tokens
    let start = lastN < 0 ? 0 : max(0, tokens.count - lastN)
    for index in start..<tokens.count where tokens[index] >= 0 {
      let token = Int(tokens[index])
      if token >= counts.count {
        counts.append(contentsOf: repeatElement(0, count: token + 1 - counts.count))
      }
      counts[token] += 1
    }
    for index in start..<tokens.count where tokens[index] >= 0 {
      let count = counts[Int(tokens[index])]
      guard count > 0 else { continue }
      body(tokens[index], count)
      counts[Int(tokens[index])] = 0
    }
  }
}

/// Makes tokens of the newest `lastN` less likely: positive logits are divided by `penalty`, others
/// multiplied.
///
/// Source: Keskar et al. 2019 (CTRL, arXiv:1909.05858), §4.1, in the sign-aware form of
/// transformers and llama.cpp.
public struct RepetitionPenalty: LogitsProcessor {
  /// The registered name.
  public let name = "repetition-penalty"
  /// θ > 0; 1 changes nothing.
  public let penalty: Double
  /// How many of the newest tokens count; −1 all, 0 none.
  public let lastN: Int
  private var counts = NewestCounts()

  /// Penalizes by `penalty` what occurs in the newest `lastN` tokens.
  public init(_ penalty: Double, lastN: Int = 64) {
    self.penalty = penalty
    self.lastN = lastN
  }

  /// Each different token is penalized once, however often it occurs.
  public mutating func process(_ candidates: inout [Candidate], history: borrowing TokenHistory) {
    guard penalty != 1 else { return }
    let factor = Float(penalty)
    counts.forEach(in: history, newest: lastN) { token, _ in
      guard let index = CandidateLookup.index(of: token, in: candidates) else { return }
      let logit = candidates[index].logit
      candidates[index].logit = logit <= 0 ? logit * factor : logit / factor
    }
  }
}

/// Subtracts `penalty` from the logit of every token that occurs in the newest `lastN`.
///
/// Source: the `presence_penalty` of the OpenAI API.
public struct PresencePenalty: LogitsProcessor {
  /// The registered name.
  public let name = "presence-penalty"
  /// What is subtracted; negative favours repetition.
  public let penalty: Double
  /// How many of the newest tokens count; −1 all, 0 none.
  public let lastN: Int
  private var counts = NewestCounts()

  /// Penalizes by `penalty` what occurs in the newest `lastN` tokens.
  public init(_ penalty: Double, lastN: Int = 64) {
    self.penalty = penalty
    self.lastN = lastN
  }

  /// Each different token is penalized once.
  public mutating func process(_ candidates: inout [Candidate], history: borrowing TokenHistory) {
    guard penalty != 0 else { return }
    counts.forEach(in: history, newest: lastN) { token, _ in
      guard let index = CandidateLookup.index(of: token, in: candidates) else { return }
      candidates[index].logit -= Float(penalty)
    }
  }
}

/// Subtracts `penalty` times the number of its occurrences in the newest `lastN` from a token's
/// logit.
///
/// Source: the `frequency_penalty` of the OpenAI API.
public struct FrequencyPenalty: LogitsProcessor {
  /// The registered name.
  public let name = "frequency-penalty"
  /// What is subtracted for each occurrence; negative favours repetition.
  public let penalty: Double
  /// How many of the newest tokens count; −1 all, 0 none.
  public let lastN: Int
  private var counts = NewestCounts()

  /// Penalizes by `penalty` times the count in the newest `lastN` tokens.
  public init(_ penalty: Double, lastN: Int = 64) {
    self.penalty = penalty
    self.lastN = lastN
  }

  /// Each different token is penalized by its count.
  public mutating func process(_ candidates: inout [Candidate], history: borrowing TokenHistory) {
    guard penalty != 0 else { return }
    counts.forEach(in: history, newest: lastN) { token, count in
      guard let index = CandidateLookup.index(of: token, in: candidates) else { return }
      candidates[index].logit -= Float(penalty) * Float(count)
    }
  }
}
