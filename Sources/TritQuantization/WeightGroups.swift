public import TritCore

/// Cuts a weight matrix into the groups that share one scale, and checks it on the way in.
public enum WeightGroups {
  /// Throws `badData` naming the first NaN or infinity of `weights`.
  public static func requireFinite(_ weights: MatrixView<Float>) throws {
    for row in 0..<weights.rows {
      let base = weights.base + row * weights.stride
      guard !isFinite(base, weights.columns) else { continue }
      for column in 0..<weights.columns where !base[column].isFinite {
        throw LabError(
          .badData, "a weight is not a number that can be quantized",
          at: "row \(row), column \(column)", expected: "finite values", got: "\(base[column])",
          advice: "the checkpoint is damaged, or training diverged: look at this tensor's source")
      }
    }
  }

  /// Calls `body(group, first, index)` for every group in the order of the scales: `group` is the
  /// weights, `first` the offset of its first element in a gapless row-major matrix, `index` its
  /// scale.
  package static func forEach(
    of weights: MatrixView<Float>, by granularity: ScaleGranularity,
    _ body: (_ group: MatrixView<Float>, _ first: Int, _ index: Int) throws -> Void
  ) rethrows {
    if case .tensor = granularity {
      return try body(weights, 0, 0)
    }
    let span = granularity.span(columns: weights.columns)
    var index = 0
    for row in 0..<weights.rows {
      var start = 0
      repeat {
        let count = min(span, weights.columns - start)
        try body(
          MatrixView(
            base: weights.base + row * weights.stride + start, rows: 1, columns: count),
          row * weights.columns + start, index)
        index += 1
        start += span
      } while start < weights.columns
    }
  }

  /// A finite times zero is zero; NaN and infinity are not: one multiply-add a weight.
  private static func isFinite(_ base: UnsafePointer<Float>, _ count: Int) -> Bool {
    let raw = UnsafeRawPointer(base)
    var poison = SIMD16<Float>()
    let whole = count & ~15
    for start in stride(from: 0, to: whole, by: 16) {
      poison += raw.loadUnaligned(fromByteOffset: start * 4, as: SIMD16<Float>.self) * 0
    }
    var total = poison.sum()
    for index in whole..<count { total += base[index] * 0 }
    return total == 0
  }
}

/// Sums over one group of weights, accumulated in double precision so that the order of addition
/// does not matter to a float32 result.
package struct GroupStatistics {
  private let group: MatrixView<Float>

  /// Statistics of `group`.
  package init(_ group: MatrixView<Float>) { self.group = group }

  /// Number of weights.
  package var count: Int { group.rows * group.columns }

  /// Σ w.
  package func sum() -> Double {
    overRows { base, count in
      Self.reduce(base, count) { $0 }
    }
  }

  /// Σ |w|.
  package func sumOfMagnitudes() -> Double {
    overRows { base, count in
      Self.reduce(base, count) { abs($0) }
    }
  }

  /// Mean of |w|, rounded once to float32; 0 for an empty group.
  package func meanMagnitude() -> Float {
    count == 0 ? 0 : Float(sumOfMagnitudes() / Double(count))
  }

  /// Largest |w|; 0 for an empty group.
  package func largestMagnitude() -> Float {
    var largest: Float = 0
    for row in 0..<group.rows {
      let raw = UnsafeRawPointer(group.base + row * group.stride)
      var lanes = SIMD16<Float>()
      let whole = group.columns & ~15
      for start in stride(from: 0, to: whole, by: 16) {
        let x = raw.loadUnaligned(fromByteOffset: start * 4, as: SIMD16<Float>.self)
        let y = x.replacing(with: -x, where: x .< 0)
        lanes.replace(with: y, where: y .> lanes)
      }
      largest = max(largest, lanes.max())
      for column in whole..<group.columns {
        largest = max(largest, abs(group.base[row * group.stride + column]))
      }
    }
    return largest
  }

  /// The first weight of largest magnitude, with its sign; 0 for an empty group.
  package func valueOfLargestMagnitude() -> Float {
    let largest = largestMagnitude()
    for row in 0..<group.rows {
      let base = group.base + row * group.stride
      for column in 0..<group.columns where abs(base[column]) == largest { return base[column] }
    }
    return 0
  }

  /// How many |w · multiplier| exceed `threshold`, and the mean |w| of those (0 where there are
  /// none).
  package func above(_ threshold: Float, multiplier: Float = 1) -> (count: Int, mean: Float) {
    var kept = 0
    let sum = overRows { base, count in
      kept += Self.countAbove(base, count, threshold, multiplier)
      return Self.reduce(base, count) {
        let magnitude = abs($0)
        return magnitude * multiplier > threshold ? magnitude : 0
      }
    }
    return (kept, kept == 0 ? 0 : Float(sum / Double(kept)))
  }

  @inline(__always)
  private func overRows(_ body: (UnsafePointer<Float>, Int) -> Double) -> Double {
    var total = 0.0
    for row in 0..<group.rows { total += body(group.base + row * group.stride, group.columns) }
    return total
  }

  /// Eight independent double sums: enough to hide the latency of the adder.
  @inline(__always)
  private static func reduce(
    _ base: UnsafePointer<Float>, _ count: Int, _ term: (Float) -> Float
  ) -> Double {
    var sums = SIMD8<Double>()
    let whole = count & ~7
    var index = 0
    while index < whole {
      for lane in 0..<8 { sums[lane] += Double(term(base[index + lane])) }
      index += 8
    }
    var total = sums.sum()
    while index < count {
      total += Double(term(base[index]))
      index += 1
    }
    return total
  }

  private static func countAbove(
    _ base: UnsafePointer<Float>, _ count: Int, _ threshold: Float, _ multiplier: Float
  ) -> Int {
    var kept: Int = 0
    for index in 0..<count where abs(base[index]) * multiplier > threshold { kept += 1 }
    return kept
  }
}
