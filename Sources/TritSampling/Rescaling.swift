/// Divides logits by `temperature`: below 1 sharpens, above 1 flattens; 0 leaves only the best
/// candidate.
///
/// Source: Ackley, Hinton, Sejnowski 1985, softmax(z/T).
public struct Temperature: LogitsProcessor {
  /// The registered name.
  public let name = "temperature"
  /// T ≥ 0.
  public let temperature: Double

  /// Divides by `temperature`.
  public init(_ temperature: Double) { self.temperature = temperature }

  /// Scales every logit; at 0 keeps the best candidate, unscaled.
  public mutating func process(_ candidates: inout [Candidate], history: borrowing TokenHistory) {
    if temperature <= 0 {
      candidates[0] = CandidateSelection.best(candidates)
      candidates.removeLast(candidates.count - 1)
    } else if temperature != 1 {
      // A tiny temperature may overflow; dividing the distance from the top gives 0 or −∞ there.
      let top = CandidateSelection.best(candidates).logit
      guard top > -.infinity else { return }
      let factor = 1 / temperature
      let shift = (Double(top) * factor).magnitude > 1e30 ? Double(top) : 0
      for index in candidates.indices {
        candidates[index].logit = Float((Double(candidates[index].logit) - shift) * factor)
      }
    }
  }
}

/// Adds fixed amounts to the logits of some tokens; −∞ bans one.
///
/// Source: the `logit_bias` of the OpenAI API and llama.cpp's `--logit-bias`.
public struct LogitBias: LogitsProcessor {
  /// One token and what is added to its logit.
  public struct Entry: Sendable, Hashable, Codable {
    /// Token id.
    public var token: Int32
    /// Added to the logit; −∞ bans the token.
    public var bias: Float

    /// Pairs a token with a bias.
    public init(token: Int32, bias: Float) {
      self.token = token
      self.bias = bias
    }
  }

  /// The registered name.
  public let name = "logit-bias"
  /// What is added to which token.
  public let entries: [Entry]

  /// Adds each entry's bias; entries for one token add up.
  public init(_ entries: [Entry]) { self.entries = entries }

  /// Adds the biases; tokens that are no candidates are passed over.
  public mutating func process(_ candidates: inout [Candidate], history: borrowing TokenHistory) {
    for entry in entries {
      guard let index = CandidateLookup.index(of: entry.token, in: candidates) else { continue }
      candidates[index].logit += entry.bias
    }
  }
}

/// Finds candidates by token.
enum CandidateLookup {
  /// The place of `token`: at its own index as long as nothing was removed or reordered, else
  /// searched.
  static func index(of token: Int32, in candidates: borrowing [Candidate]) -> Int? {
    guard token >= 0 else { return nil }
    let direct = Int(token)
    if direct < candidates.count, candidates[direct].token == token { return direct }
    for index in 0..<candidates.count where candidates[index].token == token { return index }
    return nil
  }
}
