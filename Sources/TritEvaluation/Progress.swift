/// How far a long evaluation is, for whoever prints it.
public struct ProgressUpdate: Sendable, Hashable {
  /// What runs: `perplexity`, `divergence`.
  public let task: String
  /// Units done.
  public let completed: Int
  /// Units in all, at least 1.
  public let total: Int
  /// Seconds since the beginning.
  public let secondsElapsed: Double
  /// Estimated seconds to the end, from the mean rate so far; nil before the first unit is done.
  public let secondsLeft: Double?
  /// The value so far, such as the running perplexity.
  public let value: Double?

  /// Describes a state of progress.
  public init(
    task: String, completed: Int, total: Int, secondsElapsed: Double, secondsLeft: Double?,
    value: Double?
  ) {
    self.task = task
    self.completed = completed
    self.total = total
    self.secondsElapsed = secondsElapsed
    self.secondsLeft = secondsLeft
    self.value = value
  }

  /// Share that is done, 0…1.
  public var fraction: Double { Double(completed) / Double(max(total, 1)) }
}

/// Receives progress after every unit (a window of text). Printing is the receiver's job.
public typealias ProgressReporter = (ProgressUpdate) -> Void

/// Counts units and estimates the time that is left.
struct ProgressMeter {
  let task: String
  let total: Int
  let report: ProgressReporter?
  private let start = ContinuousClock.now
  private var completed = 0

  init(task: String, total: Int, report: ProgressReporter?) {
    self.task = task
    self.total = total
    self.report = report
  }

  mutating func advance(value: Double?) {
    completed += 1
    guard let report else { return }
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    let elapsed = Double(seconds) + Double(attoseconds) * 1e-18
    let left = elapsed / Double(completed) * Double(total - completed)
    report(
      ProgressUpdate(
        task: task, completed: completed, total: total, secondsElapsed: elapsed,
        secondsLeft: left, value: value))
  }
}
