/// "Did you mean": the nearest of a set of names.
public enum Suggestion {
  /// The candidate with the smallest edit distance to `name`, if that is small enough to be a typo.
  public static func nearest(_ name: String, _ candidates: [String]) -> String? {
    let limit = max(2, name.count / 3)
    return
      candidates
      .map { (candidate: $0, distance: distance(name.lowercased(), $0.lowercased())) }
      .filter { $0.distance <= limit }
      .min { $0.distance < $1.distance }?.candidate
  }

  /// `did you mean 'x'?`, or nil where nothing is near.
  public static func didYouMean(_ name: String, _ candidates: [String]) -> String? {
    nearest(name, candidates).map { "did you mean '\($0)'?" }
  }

  /// Levenshtein distance between two strings, in characters.
  public static func distance(_ first: String, _ second: String) -> Int {
    let a = Array(first)
    let b = Array(second)
    var previous = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var current = [i + 1]
      current.reserveCapacity(b.count + 1)
      for (j, y) in b.enumerated() {
        current.append(min(previous[j] + (x == y ? 0 : 1), previous[j + 1] + 1, current[j] + 1))
      }
      previous = current
    }
    return previous[b.count]
  }
}
