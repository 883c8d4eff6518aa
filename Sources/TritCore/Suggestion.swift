/// "Did you mean": the nearest of a set of names.
///
/// Names come from files too, where there may be hundreds of thousands of them and each may be as
/// long as the file: the time is bounded by comparing no more and no longer ones than a typo can
/// explain.
public enum Suggestion {
  /// Candidates that are compared; those behind are not.
  static let maximumCandidates = 20_000
  /// Longer names than this, in bytes, have no neighbours.
  static let maximumLength = 200

  /// The candidate with the smallest edit distance to `name`, if that is small enough to be a typo;
  /// the first of several.
  public static func nearest(_ name: String, _ candidates: [String]) -> String? {
    guard name.utf8.count <= maximumLength else { return nil }
    let wanted = Array(name.lowercased())
    var limit = max(2, wanted.count / 3)
    var best: String?
    for candidate in candidates.prefix(maximumCandidates)
    where candidate.utf8.count <= maximumLength {
      let other = Array(candidate.lowercased())
      guard let distance = distance(wanted, other, atMost: limit) else { continue }
      best = candidate
      // Only a nearer one is better.
      guard distance > 0 else { return best }
      limit = distance - 1
    }
    return best
  }

  /// `did you mean 'x'?`, or nil where nothing is near.
  public static func didYouMean(_ name: String, _ candidates: [String]) -> String? {
    nearest(name, candidates).map { "did you mean '\($0)'?" }
  }

  /// Levenshtein distance between two strings, in characters.
  public static func distance(_ first: String, _ second: String) -> Int {
    let (a, b) = (Array(first), Array(second))
    return distance(a, b, atMost: max(a.count, b.count)) ?? max(a.count, b.count)
  }

  /// Levenshtein distance, or nil where it is above `limit`: cells further than that from the
  /// diagonal are left out, and a row without a small one ends the search (Ukkonen, "Algorithms for
  /// approximate string matching", 1985).
  private static func distance(_ a: [Character], _ b: [Character], atMost limit: Int) -> Int? {
    guard abs(a.count - b.count) <= limit else { return nil }
    let far = limit + 1
    var previous = (0...b.count).map { min($0, far) }
    var current = [Int](repeating: far, count: b.count + 1)
    for (i, x) in a.enumerated() {
      let low = max(1, i + 1 - limit)
      let high = min(b.count, i + 1 + limit)
      current[0] = min(i + 1, far)
      if low > 1 { current[low - 1] = far }
      var least = low == 1 ? current[0] : far
      if low <= high {
        for j in low...high {
          let value = min(
            previous[j - 1] + (x == b[j - 1] ? 0 : 1), previous[j] + 1, current[j - 1] + 1)
          current[j] = min(value, far)
          least = min(least, current[j])
        }
      }
      if high < b.count { current[high + 1] = far }
      guard least <= limit else { return nil }
      swap(&previous, &current)
    }
    return previous[b.count] <= limit ? previous[b.count] : nil
  }
}
