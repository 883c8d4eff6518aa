#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Repeated timings of one workload, with llama-bench's field names when encoded: `n_prompt`,
/// `n_gen`, `avg_ns`, `stddev_ns`, `avg_ts`, `stddev_ts`, `samples_ns`, `samples_ts`.
public struct SpeedResult: Sendable, Hashable, Codable {
  /// Prompt tokens processed a sample (0 for pure generation).
  public let promptTokens: Int
  /// Tokens generated a sample (0 for pure prompt processing).
  public let generatedTokens: Int
  /// Nanoseconds of each sample, at least 1.
  public let samples: [UInt64]

  /// Collects timings in nanoseconds; at least one. A clock that did not advance counts as 1 ns.
  public init(promptTokens: Int, generatedTokens: Int, nanoseconds samples: [UInt64]) {
    precondition(!samples.isEmpty, "a speed needs at least one sample")
    self.promptTokens = promptTokens
    self.generatedTokens = generatedTokens
    self.samples = samples.map { max($0, 1) }
  }

  /// Tokens a second of each sample.
  public var rates: [Double] {
    samples.map { 1e9 * Double(promptTokens + generatedTokens) / Double($0) }
  }
  /// Statistics of the nanoseconds.
  public var time: SampleStatistics { Self.statistics(samples.map { Double($0) }) }
  /// Statistics of the tokens a second.
  public var rate: SampleStatistics { Self.statistics(rates) }
  /// llama-bench's test label: `pp512`, `tg128`, `pp512+tg128`.
  public var label: String {
    switch (promptTokens, generatedTokens) {
    case (_, 0): "pp\(promptTokens)"
    case (0, _): "tg\(generatedTokens)"
    default: "pp\(promptTokens)+tg\(generatedTokens)"
    }
  }
  /// llama-bench's last column: `2368.80 ± 93.24`.
  public var rateText: String {
    Decimals.text(rate.mean, 2) + " ± " + Decimals.text(rate.standardDeviation, 2)
  }

  /// The nearest whole number of nanoseconds; samples near the end of their range have a mean that
  /// is none.
  public static func whole(_ nanoseconds: Double) -> UInt64 {
    let rounded = nanoseconds.rounded()
    guard rounded > 0 else { return 0 }
    return rounded < 0x1p64 ? UInt64(rounded) : .max
  }

  private static func statistics(_ samples: [Double]) -> SampleStatistics {
    guard let statistics = SampleStatistics(samples) else {
      preconditionFailure("a speed has at least one sample")
    }
    return statistics
  }

  private enum CodingKeys: String, CodingKey {
    case promptTokens = "n_prompt"
    case generatedTokens = "n_gen"
    case averageTime = "avg_ns"
    case timeDeviation = "stddev_ns"
    case averageRate = "avg_ts"
    case rateDeviation = "stddev_ts"
    case samples = "samples_ns"
    case rates = "samples_ts"
  }

  /// Writes llama-bench's keys; times are whole nanoseconds.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(promptTokens, forKey: .promptTokens)
    try container.encode(generatedTokens, forKey: .generatedTokens)
    try container.encode(Self.whole(time.mean), forKey: .averageTime)
    try container.encode(Self.whole(time.standardDeviation), forKey: .timeDeviation)
    try container.encode(rate.mean, forKey: .averageRate)
    try container.encode(rate.standardDeviation, forKey: .rateDeviation)
    try container.encode(samples, forKey: .samples)
    try container.encode(rates, forKey: .rates)
  }

  /// Reads counts and samples; the rest follows from them. Throws for an empty list of samples.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let samples = try container.decode([UInt64].self, forKey: .samples)
    guard !samples.isEmpty else {
      throw DecodingError.dataCorruptedError(
        forKey: .samples, in: container, debugDescription: "at least one sample is needed")
    }
    self.init(
      promptTokens: try container.decode(Int.self, forKey: .promptTokens),
      generatedTokens: try container.decode(Int.self, forKey: .generatedTokens),
      nanoseconds: samples)
  }
}
