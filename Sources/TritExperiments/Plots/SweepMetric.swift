/// The figure by which the variants of a sweep are compared: the first of these that they differ
/// in.
struct SweepMetric {
  let key: String
  let errorKey: String?
  /// The axis' title, with what is better.
  let title: String
  let name: String
  var scale = 1.0
  var lessIsBetter = true

  private static let all = [
    SweepMetric(
      key: "perplexity.value", errorKey: "perplexity.error",
      title: "Perplexity, ± one standard error (lower is better)", name: "perplexity"),
    SweepMetric(
      key: "divergence.kld.mean", errorKey: "divergence.kld.error",
      title: "KL divergence (nats a token), ± one standard error (lower is better)",
      name: "KL divergence"),
    SweepMetric(
      key: "tasks.accuracy", errorKey: nil,
      title: "Questions answered rightly, % (higher is better)",
      name: "accuracy", scale: 100, lessIsBetter: false),
    SweepMetric(
      key: "speed.decode.tokens_per_second", errorKey: "speed.decode.tokens_per_second_mad",
      title: "Decode speed, tokens a second (higher is better)", name: "decode speed",
      lessIsBetter: false),
    SweepMetric(
      key: "generate.agreement.tokens", errorKey: nil,
      title: "Tokens that agree with the reference (more is better)", name: "agreement",
      lessIsBetter: false),
  ]

  /// The first that has several values among `records`, else the first that has any.
  static func of(_ records: [RunRecord]) -> SweepMetric? {
    func values(_ metric: SweepMetric) -> Set<Double> {
      Set(records.compactMap { PlotData.finite($0.metrics[metric.key]) })
    }
    return all.first { values($0).count > 1 } ?? all.first { !values($0).isEmpty }
  }

  func value(_ record: RunRecord) -> Double? {
    PlotData.finite(record.metrics[key]).map { $0 * scale }
  }

  /// Both ends of the bar.
  func ends(_ record: RunRecord) -> (lower: Double, upper: Double)? {
    guard let value = value(record) else { return nil }
    if key == "tasks.accuracy", let interval = Report.interval(record, key) {
      return (interval.lower * scale, interval.upper * scale)
    }
    let error = errorKey.flatMap { Report.error(record, $0) } ?? 0
    return (value - error * scale, value + error * scale)
  }
}
