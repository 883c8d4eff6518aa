import Foundation
import TritCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Aggregates of lm-evaluation-harness 0.4.13 (`api/metrics.py`), added up in its order, so that
/// they are equal to the last bit. Python from 3.12 on compensates in `sum`, which may change the
/// last digit.
enum HarnessStatistics {
  /// `x ** 2`, as C's `pow`.
  @inline(never) private static func squared(_ x: Double, _ two: Double = 2) -> Double {
    pow(x, two)
  }

  static func sum(_ values: [Double]) -> Double { values.reduce(0, +) }

  static func mean(_ values: [Double]) -> Double { sum(values) / Double(values.count) }

  /// With n − 1.
  static func deviation(_ values: [Double]) -> Double {
    let mean = mean(values)
    return (sum(values.map { squared($0 - mean) }) / Double(values.count - 1)).squareRoot()
  }

  /// `mean_stderr`.
  static func errorOfMean(_ values: [Double]) -> Double {
    deviation(values) / Double(values.count).squareRoot()
  }

  static func exponential(_ x: Double) -> Double { exp(x) }

  static func logarithm(_ x: Double) -> Double { log(x) }

  static func perplexity(_ values: [Double]) -> Double { exp(-mean(values)) }

  /// `weighted_mean`.
  static func weighted(_ values: [Double], _ weights: [Int]) -> Double {
    sum(values) / Double(weights.reduce(0, +))
  }

  /// Resamples of `bootstrap_stderr` where nobody says.
  static let resamples = 100_000

  /// `bootstrap_stderr` of the perplexity: the deviation over resamples, in chunks of 1,000, each
  /// with a generator that is seeded by its number.
  static func bootstrappedPerplexityError(_ values: [Double], resamples: Int) throws -> Double {
    let chunk = min(1000, resamples)
    let pool = WorkerPool(threads: max(1, min(8, ProcessInfo.processInfo.activeProcessorCount)))
    let parts = try pool.map(count: resamples / chunk, partsPerThread: 8) {
      number -> [Double] in
      try Interruption.check()
      var random = PythonRandom(seed: UInt64(number))
      var indices = [Int](repeating: 0, count: values.count)
      return (0..<chunk).map { _ in
        random.resample(values.count, into: &indices)
        var sum = 0.0
        for index in indices { sum += values[index] }
        return exp(-(sum / Double(values.count)))
      }
    }
    return deviation(parts.flatMap { $0 })
  }

  /// `pooled_sample_stderr`: of a mean over questions of several tasks.
  static func pooledError(_ errors: [Double], _ sizes: [Int]) -> Double {
    let variances = zip(sizes, errors).map { Double($0 - 1) * squared($1) * Double($0) }
    let total = sizes.reduce(0, +)
    return (sum(variances) / Double(total - sizes.count) / Double(total)).squareRoot()
  }

  /// `unweighted_mean_stderr`: of a mean over tasks.
  static func unweightedError(_ errors: [Double]) -> Double {
    sum(errors.map { squared($0) }).squareRoot() / Double(errors.count)
  }
}
