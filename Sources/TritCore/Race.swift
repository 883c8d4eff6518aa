/// Times contestants in turn and picks one: what every `auto` decides by.
///
/// They run round by round, so that a busy moment of the machine meets all alike; after two rounds
/// only those go on that may still win. The shortest time of each counts. An earlier contestant is
/// kept unless a later one is clearly faster, so that noise does not change the pick: they stand in
/// the order of preference.
package struct Race: Sendable {
  /// Rounds at most, and nanoseconds after which there is no further one.
  package var rounds = 10
  package var budget: UInt64 = 60_000_000
  /// One whose score is more than so many times the best is out after two rounds.
  package var behind = 1.5
  /// A later contestant wins with a score below this share of the best before it.
  package static let margin = 0.93

  package init() {}

  /// The shortest times of `count` contestants. `time` runs one of them once and gives one time or
  /// more, always as many (nanoseconds); `score` is what is compared of them, less is better.
  package func times(
    _ count: Int, score: ([Double]) -> Double = { $0[0] }, time: (Int) throws -> [Double]
  ) rethrows -> [[Double]] {
    var shortest: [[Double]] = Array(repeating: [], count: count)
    let start = MonotonicClock.nanoseconds()
    for round in 0..<max(rounds, 1) {
      let best = shortest.filter { !$0.isEmpty }.map(score).min() ?? 0
      for index in 0..<count where round < 2 || score(shortest[index]) < behind * best {
        let times = try time(index)
        shortest[index] = shortest[index].isEmpty ? times : zip(shortest[index], times).map(min)
      }
      if round > 1, MonotonicClock.nanoseconds() - start > budget { break }
    }
    return shortest
  }

  /// The number of the winner among the scores of contestants in the order of preference; nil where
  /// there are none.
  package static func winner(_ scores: [Double]) -> Int? {
    guard !scores.isEmpty else { return nil }
    return scores.indices.dropFirst().reduce(0) { scores[$1] < margin * scores[$0] ? $1 : $0 }
  }
}
