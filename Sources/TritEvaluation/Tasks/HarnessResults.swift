/// A figure of a task or a group, with the harness's standard error.
public struct HarnessFigure: Sendable, Hashable {
  /// The name of the metric: `acc`, `word_perplexity`.
  public let name: String
  /// The figure.
  public let value: Double
  /// One standard error in the unit of the figure; nil where the harness tells none (`N/A`): for
  /// one question, and for figures over words and bytes.
  public let error: Double?
  /// Whether more is better.
  public let higherIsBetter: Bool
}

/// What a model made of a task.
public struct HarnessTaskResult: Sendable {
  /// The task.
  public let task: HarnessTask
  /// One for each question, in order.
  public let outcomes: [TaskOutcome]
  /// Questions that the split has.
  public let available: Int
  /// Examples before each question.
  public let shots: Int
  /// The figures, one for each metric of the task.
  public let figures: [HarnessFigure]
  /// `acc_bytes`, which no task of the harness lists by itself; nil where `acc_norm` is none of the
  /// task's.
  public let byteAccuracy: HarnessFigure?
  /// SHA-256 of the questions' file.
  public let digest: String

  init(
    _ task: HarnessTask, _ outcomes: [TaskOutcome], of available: Int, shots: Int, digest: String,
    resamples: Int
  ) throws {
    self.task = task
    self.outcomes = outcomes
    self.available = available
    self.shots = shots
    self.digest = digest
    figures = try task.metrics.map { try Self.figure($0, outcomes, resamples) }
    byteAccuracy =
      task.metrics.contains(.normalizedAccuracy)
      ? try Self.figure(.byteAccuracy, outcomes, resamples) : nil
  }

  /// The figure of a metric.
  public func figure(_ metric: TaskMetric) -> HarnessFigure? {
    figures.first { $0.name == metric.rawValue }
  }

  private static func figure(
    _ metric: TaskMetric, _ outcomes: [TaskOutcome], _ resamples: Int
  ) throws -> HarnessFigure {
    let values = outcomes.map { $0.values[metric] ?? .nan }
    let weights = outcomes.map { $0.weights[metric] ?? 1 }
    let isSpread = values.count > 1 && resamples > 0
    let value: Double
    var error: Double?
    switch metric {
    case .accuracy, .normalizedAccuracy, .byteAccuracy:
      value = HarnessStatistics.mean(values)
      if isSpread { error = HarnessStatistics.errorOfMean(values) }
    case .perplexity:
      value = HarnessStatistics.perplexity(values)
      if isSpread {
        error = try HarnessStatistics.bootstrappedPerplexityError(values, resamples: resamples)
      }
    case .wordPerplexity, .bytePerplexity:
      value = HarnessStatistics.exponential(-HarnessStatistics.weighted(values, weights))
    case .bitsPerByte:
      value = -HarnessStatistics.weighted(values, weights) / HarnessStatistics.logarithm(2)
    }
    return HarnessFigure(
      name: metric.rawValue, value: value, error: error, higherIsBetter: metric.higherIsBetter)
  }
}

/// What a model made of a group.
public struct HarnessGroupResult: Sendable {
  /// The group.
  public let group: HarnessGroup
  /// Questions of all its tasks.
  public let count: Int
  /// Examples before each question; nil where tasks differ.
  public let shots: Int?
  /// Its means.
  public let figures: [HarnessFigure]

  package init(_ group: HarnessGroup, _ results: [HarnessTaskResult]) {
    self.group = group
    let members = group.tasks.compactMap { name in results.first { $0.task.name == name } }
    count = members.reduce(0) { $0 + $1.outcomes.count }
    let counts = Set(members.map(\.shots))
    shots = counts.count == 1 ? counts.first : nil
    figures = group.means.map { mean in
      let taken = members.map { member in
        mean.metrics.lazy.compactMap { member.figure($0) }.first ?? member.figures[0]
      }
      let sizes = members.map(\.outcomes.count)
      let weights = mean.isWeighted ? sizes : sizes.map { _ in 1 }
      let value =
        HarnessStatistics.sum(zip(taken, weights).map { $0.value * Double($1) })
        / Double(weights.reduce(0, +))
      let errors = taken.compactMap(\.error)
      let error =
        errors.count < taken.count
        ? nil
        : mean.isWeighted
          ? HarnessStatistics.pooledError(errors, sizes) : HarnessStatistics.unweightedError(errors)
      return HarnessFigure(
        name: mean.name, value: value, error: error, higherIsBetter: taken[0].higherIsBetter)
    }
  }
}

/// What a model made of several tasks.
public struct HarnessResults: Sendable {
  /// One for each task, in the order in which they ran.
  public let tasks: [HarnessTaskResult]
  /// One for each group; a group stands after those within it.
  public let groups: [HarnessGroupResult]
  /// How they were run.
  public let options: HarnessOptions
  /// Seconds it took.
  public let seconds: Double
  /// Tokens that the model ran.
  public internal(set) var tokensRun = 0
  /// Requests whose beginning was cut to fit the model.
  public internal(set) var truncated = 0
}
