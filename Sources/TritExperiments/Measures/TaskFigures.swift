internal import TritEvaluation

/// A record's figures of questions answered.
enum TaskFigures {
  /// Shares of all questions with their standard errors and 95 % Wilson intervals, and the same by kind.
  static func measured(_ result: TaskResult) -> Measured {
    let total = result.total
    let kinds = result.kinds
    var metrics = [
      "chance": total.chance, "count": Double(total.count),
      "truncated": Double(result.truncated), "tokens_run": Double(result.tokensRun),
      "seconds": result.seconds,
    ]
    var columns = ["count": kinds.map { Double($0.count) }, "chance": kinds.map(\.chance)]
    for (name, suffix, path) in [
      ("accuracy", "", \TaskAccuracy.byTotal),
      ("accuracy_norm", "_norm", \TaskAccuracy.byCharacter),
      ("accuracy_bytes", "_bytes", \TaskAccuracy.byByte),
    ] {
      let share = total[keyPath: path]
      metrics[name] = share.estimate.value
      metrics["\(name)_error"] = share.estimate.error
      metrics["\(name)_lower"] = share.interval?.lower
      metrics["\(name)_upper"] = share.interval?.upper
      columns[name] = kinds.map { $0[keyPath: path].estimate.value }
      columns["error\(suffix)"] = kinds.map { $0[keyPath: path].estimate.error }
      columns["lower\(suffix)"] = kinds.map { $0[keyPath: path].interval?.lower ?? .nan }
      columns["upper\(suffix)"] = kinds.map { $0[keyPath: path].interval?.upper ?? .nan }
    }
    return Measured(
      metrics: metrics,
      series: ["kinds": Series(labels: kinds.map { $0.kind ?? "" }, columns: columns)])
  }
}
