/// A measured value and its standard error, in the same unit.
public struct Estimate: Sendable, Hashable, Codable {
  /// The value.
  public var value: Double
  /// One standard error; NaN where there are too few samples for one.
  public var error: Double

  /// Pairs a value with its standard error.
  public init(_ value: Double, _ error: Double) {
    self.value = value
    self.error = error
  }
}

/// Sums over samples from which means and their errors are made.
///
/// The error of a mean is llama-perplexity's: `sqrt((E[x²] − E[x]²) / (n − 1))`, which takes
/// samples as independent; it is too small where they are correlated, as tokens of one text are.
enum Moments {
  static func mean(_ samples: [Double]) -> Double {
    samples.isEmpty ? .nan : samples.reduce(0, +) / Double(samples.count)
  }

  /// Mean and its standard error. Deviations are taken from the mean, so nothing cancels.
  static func estimate(_ samples: [Double]) -> Estimate {
    let mean = mean(samples)
    return Estimate(mean, covariance(samples, samples).squareRoot())
  }

  /// Covariance of the *means* of two paired samples: `(E[ab] − E[a]E[b]) / (n − 1)`.
  static func covariance(_ a: [Double], _ b: [Double]) -> Double {
    precondition(a.count == b.count, "paired samples have one length")
    guard a.count > 1 else { return .nan }
    let meanA = mean(a)
    let meanB = mean(b)
    var sum = 0.0
    for index in a.indices { sum += (a[index] - meanA) * (b[index] - meanB) }
    return sum / Double(a.count) / Double(a.count - 1)
  }
}

/// Order statistics of a sample.
public enum OrderStatistics {
  /// The quantile at `fraction` (0…1) of `sorted` (ascending): linear interpolation at
  /// `fraction · (n − 1)`, as llama-perplexity and numpy's default do. NaN for an empty sample.
  public static func quantile(_ fraction: Double, ofSorted sorted: [Double]) -> Double {
    guard let first = sorted.first, let last = sorted.last else { return .nan }
    guard fraction > 0 else { return first }
    guard fraction < 1 else { return last }
    let place = fraction * Double(sorted.count - 1)
    let lower = Int(place)
    guard lower + 1 < sorted.count else { return last }
    let share = place - Double(lower)
    return (1 - share) * sorted[lower] + share * sorted[lower + 1]
  }
}

/// Minimum, median, mean and spread of a few repeated measurements.
public struct SampleStatistics: Sendable, Hashable, Codable {
  /// Number of samples.
  public let count: Int
  /// Smallest sample.
  public let minimum: Double
  /// Middle sample, or the mean of the two middle ones.
  public let median: Double
  /// Arithmetic mean.
  public let mean: Double
  /// Largest sample.
  public let maximum: Double
  /// Median of the distances from the median: a spread that one bad sample does not change.
  public let medianDeviation: Double
  /// Standard deviation of the samples (divided by n − 1); 0 for one sample.
  public let standardDeviation: Double

  /// Statistics of a non-empty list; nil for an empty one.
  public init?(_ samples: [Double]) {
    let sorted = samples.sorted()
    guard let first = sorted.first, let last = sorted.last else { return nil }
    count = sorted.count
    minimum = first
    maximum = last
    let middle = OrderStatistics.quantile(0.5, ofSorted: sorted)
    median = middle
    medianDeviation = OrderStatistics.quantile(
      0.5, ofSorted: sorted.map { abs($0 - middle) }.sorted())
    mean = Moments.mean(sorted)
    let error = Moments.estimate(sorted).error
    standardDeviation = sorted.count > 1 ? error * Double(sorted.count).squareRoot() : 0
  }
}
