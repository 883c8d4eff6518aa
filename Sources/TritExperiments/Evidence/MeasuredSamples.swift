internal import TritCore
package import TritEvaluation

/// Samples of figures that were measured without an experiment (`--samples FILE`), in the form of
/// those beside records: `trit compare` takes either.
package struct MeasuredSamples {
  private let tables: [String: SampleTable]

  /// The loss of every window and token.
  package init(_ result: PerplexityResult, windows: TextWindows) {
    tables = [
      PerplexityMeasure.key: PerplexityMeasure.samples(
        result, WindowUnits(windows), keepsTokens: true)
    ]
  }

  /// The divergence of every window from a reference, and the loss of both.
  package init(_ result: DivergenceStatistics, windows: TextWindows) {
    let divergence = DivergenceMeasure.samples(result, WindowUnits(windows))
    var loss = SampleTable(unit: divergence.unit, content: divergence.content, columns: [:])
    loss.columns["document"] = divergence.columns["document"]
    loss.columns["loss"] = divergence.columns["loss"]
    loss.columns["tokens"] = divergence.columns["tokens"]
    tables = [DivergenceMeasure.key: divergence, PerplexityMeasure.key: loss]
  }

  /// The outcome of every question.
  package init(_ result: TaskResult, of questions: TaskDataset) {
    tables = [TasksMeasure.key: TaskFigures.samples(result, of: questions)]
  }

  /// The outcome of every question of the tasks of lm-evaluation-harness. Throws a usage error
  /// where none of them is answered right or wrong.
  package init(_ results: HarnessResults, _ questions: [HarnessQuestions]) throws {
    guard let table = HarnessBatch.samples(results, questions) else {
      throw LabError(
        .usage, "none of the tasks has questions that are right or wrong", at: "--samples",
        got: results.tasks.map(\.task.name).joined(separator: ", "),
        advice: "leave it out, or name a task with acc")
    }
    tables = [TasksMeasure.key: table]
  }

  /// Writes them, whole or not at all. Throws `cannotCreate`.
  package func write(to path: String) throws { try SampleFile.write(tables, to: path) }
}
