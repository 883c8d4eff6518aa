import TritCore

extension Engine {
  /// The vector of a text, `[hidden]`, with a length of 1: the states of `tokens` after the last
  /// norm, the last of them or their mean. `pooling` defaults to what the model says, and to the
  /// last token where it says nothing. The positions are forgotten.
  ///
  /// Throws `badData` for no tokens, ids outside the vocabulary, and more than the context.
  ///
  /// Source: Reimers & Gurevych 2019 (1908.10084), §3 (mean); Wang et al. 2024 (2401.00368), §3.2
  /// (last token), as Microsoft's BitNet embedding models have it.
  public func embed(_ tokens: [Int], pooling: Pooling? = nil) throws -> [Float] {
    let pooling = pooling ?? configuration.pooling ?? .last
    var sum = [Double](repeating: 0, count: configuration.hiddenSize)
    reset()
    defer { reset() }
    try forEachChunk(of: tokens) { start, count in
      let rows =
        switch pooling {
        case .mean: 0..<count
        case .last: start + count == tokens.count ? count - 1..<count : 0..<0
        }
      guard !rows.isEmpty else { return }
      let states = normedStates(rows: rows)
      for row in 0..<states.rows {
        for (index, value) in states.row(row).enumerated() { sum[index] += Double(value) }
      }
    }
    // A mean has the direction of the sum. No vector at all stays one of zeros.
    let length = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return sum.map { Float($0 / max(length, 1e-12)) }
  }
}
