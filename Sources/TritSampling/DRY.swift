#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Makes tokens less likely that would continue a repetition ("don't repeat yourself").
///
/// A token t that followed an earlier occurrence of the newest n tokens loses
/// multiplier · base^(n − allowed length) from its logit, n the longest such match, if n reaches the
/// allowed length. Matches do not reach beyond the newest sequence breaker.
///
/// Source: p-e-w, text-generation-webui pull request 5677; sequence breakers of several tokens and
/// the bound of the exponent as in llama.cpp's `dry` sampler.
public struct DRY: LogitsProcessor {
  /// The registered name.
  public let name = "dry"
  /// What the shortest penalized repetition loses; 0 changes nothing.
  public let multiplier: Double
  /// By how much each further token multiplies it, at least 1.
  public let base: Double
  /// Tokens of a repetition that cost nothing, at least 1.
  public let allowedLength: Int
  /// How many of the newest tokens count; −1 all, 0 none.
  public let lastN: Int
  /// Where repetitions end: token sequences, such as those that a newline is made of.
  public var breakers: [[Int32]] { didSet { tails = Self.tails(breakers) } }
  /// What may follow the first token of a breaker, longest first.
  private var tails: [Int32: [ArraySlice<Int32>]]
  /// Lengths of the repetitions that end at each place, newest first.
  private var lengths: [Int32] = []
  private var longest: [Int32: Int32] = [:]

  /// Penalizes repetitions longer than `allowedLength` − 1 tokens.
  public init(
    _ multiplier: Double, base: Double = 1.75, allowedLength: Int = 2, lastN: Int = -1,
    breakers: [[Int32]] = []
  ) {
    self.multiplier = multiplier
    self.base = base
    self.allowedLength = max(1, allowedLength)
    self.lastN = lastN
    self.breakers = breakers
    tails = Self.tails(breakers)
  }

  private static func tails(_ breakers: [[Int32]]) -> [Int32: [ArraySlice<Int32>]] {
    Dictionary(grouping: breakers.filter { !$0.isEmpty }, by: { $0[0] }).mapValues { sequences in
      sequences.map { $0.dropFirst() }.sorted { $0.count > $1.count }
    }
  }

  /// In time proportional to the tokens that count (the Z algorithm).
  public mutating func process(_ candidates: inout [Candidate], history: borrowing TokenHistory) {
    let all = history.tokens
    let count = lastN < 0 ? all.count : min(lastN, all.count)
    guard multiplier != 0, base >= 1, count > allowedLength else { return }
    let reach = reach(all, count)
    guard reach >= allowedLength else { return }
    measure(all, count)
    longest.removeAll(keepingCapacity: true)
    for place in 1..<count {
      let length = min(lengths[place], Int32(truncatingIfNeeded: reach))
      guard length >= Int32(truncatingIfNeeded: allowedLength) else { continue }
      let follower = all[all.count - place]
      longest[follower] = max(longest[follower] ?? 0, length)
    }
    // Beyond this the penalty would be no float32; one of 1e30 is as good as a ban.
    let most = base > 1.000001 ? (88.7228391 / log(base)).rounded(.down) : .infinity
    for (token, length) in longest {
      guard let index = CandidateLookup.index(of: token, in: candidates) else { continue }
      let exponent = min(Double(Int(length) - allowedLength), most)
      candidates[index].logit -= Float(min(multiplier * pow(base, exponent), 1e30))
    }
  }

  /// How many of the newest tokens stand behind the newest breaker, itself not counted.
  private func reach(_ all: [Int32], _ count: Int) -> Int {
    guard !tails.isEmpty else { return count }
    for back in 0..<count {
      let place = all.count - 1 - back
      guard let tails = tails[all[place]] else { continue }
      let next = place + 1
      let tail = tails.first { $0.count <= back && all[next..<(next + $0.count)] == $0 }
      if let tail { return back - tail.count }
    }
    return count
  }

  /// For each place, counted from the newest token: how many tokens that end there are those that
  /// end the history.
  private mutating func measure(_ all: [Int32], _ count: Int) {
    func newest(_ back: Int) -> Int32 { all[all.count - 1 - back] }
    lengths.removeAll(keepingCapacity: true)
    lengths.append(Int32(truncatingIfNeeded: count))
    var (left, right) = (0, 0)
    for place in 1..<count {
      var length = place < right ? min(Int(lengths[place - left]), right - place) : 0
      while place + length < count, newest(length) == newest(place + length) { length += 1 }
      if place + length > right { (left, right) = (place, place + length) }
      lengths.append(Int32(truncatingIfNeeded: length))
    }
  }
}
