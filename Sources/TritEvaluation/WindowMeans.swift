/// Means over the tokens of each window, of figures that stand one a token in the order of the text.
public enum WindowMeans {
  /// The mean of each window; `counts` are the tokens of each and add up to the values. A window
  /// without tokens has 0.
  public static func of(_ values: [Double], counts: [Int]) -> [Double] {
    precondition(counts.reduce(0, +) == values.count, "window means: counts add up to the values")
    var start = 0
    return counts.map { count in
      defer { start += count }
      return values[start..<start + count].reduce(0, +) / Double(max(count, 1))
    }
  }
}
