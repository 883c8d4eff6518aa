internal import TritCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Values of units summed by cluster: what a weighted mean and its error are made of.
struct ClusterSums {
  /// Σ w x of each cluster.
  let sums: [Double]
  /// Σ w of each cluster.
  let weights: [Double]

  /// Sums `values` by their owner; clusters of no weight are left out.
  init(values: [Double], weights: [Double], owners: [Int]) {
    var place: [Int: Int] = [:]
    var sums: [Double] = []
    var totals: [Double] = []
    for index in values.indices {
      let owner = owners[index]
      let cluster = place[owner] ?? sums.count
      if cluster == sums.count {
        place[owner] = cluster
        sums.append(0)
        totals.append(0)
      }
      sums[cluster] += weights[index] * values[index]
      totals[cluster] += weights[index]
    }
    let kept = sums.indices.filter { totals[$0] > 0 }
    self.sums = kept.map { sums[$0] }
    self.weights = kept.map { totals[$0] }
  }

  var count: Int { sums.count }
  var totalWeight: Double { weights.reduce(0, +) }
  var mean: Double { sums.reduce(0, +) / totalWeight }

  /// The standard error of the mean (Cochran, Sampling Techniques, 3rd ed. 1977, eq. 6.13); nil for
  /// one cluster.
  var error: Double? {
    guard count > 1 else { return nil }
    let mean = mean
    var squares = 0.0
    for index in sums.indices {
      let deviation = sums[index] - mean * weights[index]
      squares += deviation * deviation
    }
    let clusters = Double(count)
    return (squares * clusters / (clusters - 1)).squareRoot() / totalWeight
  }

  /// The mean without each of the clusters in turn.
  var jackknife: [Double] {
    let (sum, weight) = (sums.reduce(0, +), totalWeight)
    return sums.indices.map { (sum - sums[$0]) / (weight - weights[$0]) }
  }
}

/// Intervals from resampling.
enum Bootstrap {
  /// The 95 % BCa interval of the mean over clusters, drawn with replacement: corrected for bias
  /// and acceleration (Efron, "Better bootstrap confidence intervals", JASA 82, 1987; acceleration
  /// by the jackknife, eq. 6.6 there). The same seed gives the same interval. nil for fewer than
  /// two clusters, or where the draws have no spread.
  static func interval(_ clusters: ClusterSums, resamples: Int, seed: UInt64) -> Interval? {
    guard clusters.count > 1, resamples > 1 else { return nil }
    var random = SeededRandom(seed: seed)
    let count = clusters.count
    var draws: [Double] = []
    draws.reserveCapacity(resamples)
    for _ in 0..<resamples {
      var sum = 0.0
      var weight = 0.0
      for _ in 0..<count {
        let one = random.below(count)
        sum += clusters.sums[one]
        weight += clusters.weights[one]
      }
      draws.append(sum / weight)
    }
    draws.sort()
    let mean = clusters.mean
    guard let first = draws.first, let last = draws.last, first < last else { return nil }
    // Draws that equal the mean are half below it.
    let below = draws.count { $0 < mean }
    let equal = draws.count { $0 == mean }
    let share = (Double(below) + Double(equal) / 2) / Double(resamples)
    let bias = NormalDistribution.quantile(share)
    let acceleration = acceleration(clusters.jackknife)
    func end(_ p: Double) -> Double {
      let z = bias + NormalDistribution.quantile(p)
      let place = NormalDistribution.cumulative(bias + z / (1 - acceleration * z))
      return OrderStatistics.quantile(place, ofSorted: draws)
    }
    guard bias.isFinite, acceleration.isFinite else { return Interval(first, last) }
    return Interval(end(0.025), end(0.975))
  }

  private static func acceleration(_ left: [Double]) -> Double {
    let mean = Moments.mean(left)
    var squares = 0.0
    var cubes = 0.0
    for value in left {
      let distance = mean - value
      squares += distance * distance
      cubes += distance * distance * distance
    }
    return squares > 0 ? cubes / (6 * squares * squares.squareRoot()) : 0
  }
}
